"""Page checksums: literal vectors, every kind of damage, every page size."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from goexchange.ese.checksums import ecc_checksums, word_sums
from goexchange.ese.header import PAGE_SIZES
from goexchange.ese.pages import (
    FINDINGS_KEPT,
    FLAGS_OFFSET,
    PageFault,
    correct_page,
    seal_page,
    verify_pages,
)


def checksum(block: bytes, number: int, *, has_own: bool) -> int:
    words = np.frombuffer(block, dtype="<u8").reshape(1, -1)
    folded, odd = word_sums(words)
    if has_own:
        folded ^= words[:, 0]
    number_of = np.array([number], dtype=np.uint64)
    return int(ecc_checksums((folded, odd), len(block), number_of)[0])


def test_a_single_set_bit_gives_the_known_checksum():
    block = bytearray(4096)
    block[100] = 1  # bit 800
    assert checksum(block, 5, has_own=False) == 0x7CDF032000000004


def test_a_counting_block_gives_the_known_checksums():
    block = bytes(i & 255 for i in range(4096))
    assert checksum(block, 1, has_own=True) == 0x0000000004040405
    assert checksum(block, 1, has_own=False) == 0x1


@pytest.mark.parametrize(
    ("name", "number", "size", "stored"),
    [
        ("dissect-basic.edb", 1, 4096, (0x7FDF7FDF0001A77C,)),
        ("dsinternals-adamntds.dit", 4, 8192, (0xFA6B0594C092240B,)),
        (
            "go-ese-qmgr.db",
            4,
            16384,
            (0x60BA60BA77BA9DA1, 0x70450FBA07BB9375, 0x4, 0x041E041E02CA0027),
        ),
        ("dissect-large.edb.gz", 1, 32768, (0x01310131001A28C0, 0x1, 0x1, 0x001BFFE400000011)),
    ],
)
def test_real_pages_are_sealed_byte_for_byte(
    samples: Path, name: str, number: int, size: int, stored: tuple[int, ...]
):
    content = (samples / "single" / name).read_bytes()
    content = gzip.decompress(content) if name.endswith(".gz") else content
    page = content[(number + 1) * size : (number + 2) * size]
    found = (page[:8], page[40:48], page[48:56], page[56:64])[: len(stored)]
    assert tuple(int.from_bytes(each, "little") for each in found) == stored
    cleared = bytearray(page)
    cleared[:8] = bytes(8)
    if len(stored) > 1:
        cleared[40:68] = bytes(28)
    assert seal_page(cleared, number) == page


def a_page(size: int, number: int, *, is_old: bool = False) -> bytes:
    page = bytearray(random.Random(size + number).randbytes(size))
    flags = 0 if is_old else 0x2000
    page[FLAGS_OFFSET : FLAGS_OFFSET + 4] = flags.to_bytes(4, "little")
    page[8:16] = number.to_bytes(8, "little")
    return seal_page(page, number)


@pytest.mark.parametrize("size", PAGE_SIZES)
@pytest.mark.parametrize("is_old", [False, True])
def test_sealed_pages_are_good_and_blank_ones_are_counted(size: int, is_old: bool):
    pages = a_page(size, 7, is_old=is_old) + bytes(size) + a_page(size, 9, is_old=is_old)
    verdicts = verify_pages(pages, 7, size)
    assert (verdicts.pages, verdicts.good, verdicts.blank, verdicts.faulty) == (3, 2, 1, 0)
    assert (verdicts.highest_dbtime, verdicts.highest_dbtime_page) == (9, 9)


@pytest.mark.parametrize("size", PAGE_SIZES)
def test_every_single_flip_is_found_and_corrected_where_the_format_can(size: int):
    page = a_page(size, 3)
    chance = random.Random(size)
    bits = {*range(64), 301, *(chance.randrange(64, size * 8) for _ in range(80))}
    bits |= {40 * 8 + 3, 48 * 8 + 63, 63 * 8 + 7, 64 * 8}  # in the slots of big pages
    for bit in bits:
        verdicts = verify_pages(correct_page(page, bit), 3, size)
        (finding,) = verdicts.findings
        if bit < 64 or bit == 301:
            assert finding.fault in (PageFault.BAD, PageFault.MISPLACED), bit
        else:
            assert (finding.fault, finding.bit) == (PageFault.CORRECTABLE, bit)
            assert correct_page(correct_page(page, bit), finding.bit) == page


@pytest.mark.parametrize("size", PAGE_SIZES)
def test_two_flips_in_a_block_are_never_called_correctable(size: int):
    page = a_page(size, 3)
    chance = random.Random(size)
    for _ in range(60):
        first, second = chance.sample(range(64, min(size, 4096) * 8), 2)
        verdicts = verify_pages(correct_page(correct_page(page, first), second), 3, size)
        assert verdicts.bad == 1, (first, second)


def test_flips_in_two_blocks_of_a_big_page_are_correctable():
    page = correct_page(correct_page(a_page(32768, 3), 9000 * 8), 20000 * 8 + 1)
    (finding,) = verify_pages(page, 3, 32768).findings
    assert (finding.fault, finding.bit) == (PageFault.CORRECTABLE, 9000 * 8)


@pytest.mark.parametrize("size", PAGE_SIZES)
@pytest.mark.parametrize("is_old", [False, True])
def test_exchanged_pages_are_found_with_the_place_they_belong_at(size: int, is_old: bool):
    pages = a_page(size, 12, is_old=is_old) + a_page(size, 11, is_old=is_old)
    verdicts = verify_pages(pages, 11, size)
    assert [(each.page, each.fault, each.belongs_at) for each in verdicts.findings] == [
        (11, PageFault.MISPLACED, 12),
        (12, PageFault.MISPLACED, 11),
    ]


@pytest.mark.parametrize("size", PAGE_SIZES)
@pytest.mark.parametrize("junk", [b"\xff", b"\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0"])
def test_junk_is_bad_also_when_it_begins_with_zeros(size: int, junk: bytes):
    verdicts = verify_pages((junk * size)[:size], 5, size)
    assert (verdicts.bad, verdicts.blank) == (1, 0)


def test_flipped_bits_of_old_pages_are_bad():
    page = a_page(4096, 5, is_old=True)
    for bit in (0, 40, 4000, 32767):
        assert verify_pages(correct_page(page, bit), 5, 4096).good == 0


def test_good_checksums_over_another_number_in_clear_are_a_page_from_elsewhere():
    page = bytearray(a_page(32768, 5))
    page[64] = 9
    page[:8] = checksum(bytes(page[:8192]), 5, has_own=True).to_bytes(8, "little")
    (finding,) = verify_pages(page, 5, 32768).findings
    assert (finding.fault, finding.belongs_at) == (PageFault.MISPLACED, 9)


def test_findings_are_bounded_and_counts_are_not():
    verdicts = verify_pages(b"\xff" * 2048 * 300, 1, 2048)
    assert (verdicts.bad, len(verdicts.findings)) == (300, FINDINGS_KEPT)
    joined = verdicts.joined(evolve(verdicts, findings=()))
    assert (joined.bad, joined.pages, len(joined.findings)) == (600, 600, FINDINGS_KEPT)


def test_nothing_is_judged_of_nothing():
    assert verify_pages(b"", 1, 4096).pages == 0
