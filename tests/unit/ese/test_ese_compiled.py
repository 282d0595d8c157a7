"""The compiled sieve says what the definition says, and that says what counting bits says."""

from __future__ import annotations

import sys
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goexchange.ese.checksums import Words, word_sums
from goexchange.ese.header import PAGE_SIZES, DatabaseHeader
from goexchange.ese.pages import FLAGS_OFFSET, Sieve, Sifted, examine_pages, seal_pages
from goexchange.ese.writer import build_database
from goexchange.store.database_files import COMPILED_FROM_BYTES, sieve_for

SOME = settings(max_examples=30, deadline=None, database=None)
PAGES = 8


def compiled_sieve() -> Sieve:
    pytest.importorskip("numba", reason="numba, the extra `fast`, is not installed")
    from goexchange.ese.compiled import sift

    return sift


def bit_by_bit(block: Words) -> tuple[int, int]:
    words = [int(each) for each in block]
    odd = (index for index, word in enumerate(words) if word.bit_count() % 2)
    return reduce(int.__xor__, words), reduce(int.__xor__, odd, 0)


@SOME
@given(st.data())
def test_the_definition_is_what_counting_bits_gives(data: st.DataObject):
    words = data.draw(st.sampled_from([256, 512, 1024]))
    blocks = np.zeros((2, words), dtype="<u8")
    noise = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    blocks[0] = noise.integers(0, 2**64, words, dtype=np.uint64)
    for bit in data.draw(st.lists(st.integers(0, words * 64 - 1), max_size=5)):
        blocks[1, bit // 64] ^= np.uint64(1 << bit % 64)
    found = [tuple(each) for each in np.stack(word_sums(blocks), axis=1).tolist()]
    assert found == [bit_by_bit(row) for row in blocks]


def pages_of(page_size: int, seed: int) -> bytearray:
    """Good pages with noise in them, the last two with the old checksum, one blank."""
    noise = np.random.default_rng(seed)
    content = bytearray(noise.bytes(PAGES * page_size))
    for page in range(PAGES):
        flags = 0x2000 if page < PAGES - 2 else 0
        place = page * page_size + FLAGS_OFFSET
        content[place : place + 4] = flags.to_bytes(4, "little")
        if page_size >= 16384:
            content[place + 4 : place + 44] = bytes(40)
    content[page_size : 2 * page_size] = bytes(page_size)
    seal_pages(content, 7, page_size)
    return content


@pytest.mark.parametrize("page_size", PAGE_SIZES)
def test_the_sieve_knows_good_and_blank_pages_and_leaves_the_old_ones(page_size: int):
    found = compiled_sieve()(_rows(bytes(pages_of(page_size, 1)), page_size), 7)
    expected = [Sifted.GOOD, Sifted.BLANK, *[Sifted.GOOD] * 4, *[Sifted.SUSPECT] * 2]
    assert found.tolist() == [each.value for each in expected]


@SOME
@given(st.data())
def test_every_verdict_is_the_same_with_and_without_the_sieve(data: st.DataObject):
    page_size = data.draw(st.sampled_from(PAGE_SIZES))
    content = pages_of(page_size, data.draw(st.integers(0, 2**32 - 1)))
    for bit in data.draw(st.lists(st.integers(0, len(content) * 8 - 1), max_size=4)):
        content[bit // 8] ^= 1 << bit % 8
    if data.draw(st.booleans()):
        first, second = slice(2 * page_size, 3 * page_size), slice(4 * page_size, 5 * page_size)
        content[first], content[second] = content[second], content[first]
    number = data.draw(st.sampled_from([7, 7, 7, 8]))
    plain = examine_pages(bytes(content), number, page_size)
    found = compiled_sieve()(_rows(bytes(content), page_size), number)
    sifted = examine_pages(bytes(content), number, page_size, found)
    assert sifted.verdicts == plain.verdicts
    assert (sifted.is_good == plain.is_good).all() and (sifted.is_blank == plain.is_blank).all()


@pytest.mark.parametrize("page_size", PAGE_SIZES)
def test_any_one_flipped_bit_leaves_the_sieve(page_size: int):
    sieve, content = compiled_sieve(), bytearray(page_size)
    chunks = list(build_database(DatabaseHeader(page_size=page_size), pages=6))
    content[:] = b"".join(chunks)[2 * page_size : 3 * page_size]
    assert sieve(_rows(bytes(content), page_size), 1).tolist() == [Sifted.GOOD.value]
    for bit in range(0, page_size * 8, 131):
        content[bit // 8] ^= 1 << bit % 8
        assert sieve(_rows(bytes(content), page_size), 1).tolist() == [Sifted.SUSPECT.value], bit
        content[bit // 8] ^= 1 << bit % 8


def test_only_a_big_file_loads_the_sieve_and_none_without_numba(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "goexchange.ese.compiled", None)  # then its import fails
    assert sieve_for(COMPILED_FROM_BYTES) is None
    monkeypatch.undo()
    assert sieve_for(COMPILED_FROM_BYTES - 1) is None
    assert sieve_for(COMPILED_FROM_BYTES) is compiled_sieve()


def _rows(content: bytes, page_size: int) -> Words:
    return np.frombuffer(content, dtype="<u8").reshape(-1, page_size // 8)
