"""Zeroed pages, lost writes, flush maps, trailers: what the format offers beyond checksums."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from goexchange.ese.flush_map import (
    PAGES_PER_MAP_PAGE,
    FlushMapHeader,
    FlushMapProblem,
    FlushTypes,
    read_flush_map,
    write_flush_map,
)
from goexchange.ese.header import DatabaseHeader, read_database_header, rebuild
from goexchange.ese.page_run import PageLayout, PageSum
from goexchange.ese.pages import seal_page
from goexchange.ese.space import Reader, page_header_bytes
from goexchange.ese.structures import BackupRecord, LogPosition, LogTime, Signature
from goexchange.ese.trailer import (
    Trailer,
    TrailerProblem,
    looks_like_trailer,
    read_trailer,
    write_trailer,
)

Built = Callable[..., bytes]
Readers = Callable[[bytes], Reader]

FLUSH = Signature(random=99, created=LogTime.at(datetime(2024, 3, 9, tzinfo=UTC)))


def page_of(content: bytearray, number: int, size: int) -> bytearray:
    return content[(number + 1) * size : (number + 2) * size]


def put(content: bytearray, number: int, page: bytes, size: int) -> None:
    content[(number + 1) * size : (number + 2) * size] = seal_page(page, number)


def with_sibling(content: bytearray, number: int, following: int, size: int) -> None:
    page = page_of(content, number, size)
    struct.pack_into("<I", page, 20, following)
    put(content, number, page, size)


def with_children(content: bytearray, number: int, children: tuple[int, ...], size: int) -> None:
    """An inner page, made by hand: an external header, then a node for each child."""
    page = page_of(content, number, size)
    flags = int.from_bytes(page[36:40], "little")
    start, offset = page_header_bytes(size), 16
    struct.pack_into("<HH", page, size - 4, 16, 0)
    for index, child in enumerate(children):
        body = struct.pack("<H", 4) + struct.pack(">I", child) + struct.pack("<I", child)
        page[start + offset : start + offset + len(body)] = body
        struct.pack_into("<HH", page, size - 4 * (index + 2), len(body), offset)
        offset += len(body)
    struct.pack_into("<H", page, 34, 0x1000 | len(children) + 1)
    struct.pack_into("<I", page, 36, flags & ~2 | 4)
    put(content, number, page, size)


def summed(content: bytes, size: int, types: FlushTypes | None = None, pieces: int = 1) -> PageSum:
    pages = len(content) // size - 2
    layout = PageLayout(page_size=size, pages=pages, owned=pages, flush_types=types)
    total = PageSum(layout)
    step = (len(content) // size + pieces - 1) // pieces * size
    for offset in range(0, len(content), step):
        piece = memoryview(content)[offset : offset + step]
        total.add(layout.examine(layout.sift(piece, offset)))
    return total


@pytest.fixture(params=[4096, 8192, 16384, 32768])
def size(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.mark.parametrize("pieces", [1, 5])
def test_a_zeroed_page_is_named_when_another_page_links_to_it(
    header: DatabaseHeader, built: Built, size: int, pieces: int
):
    content = bytearray(built(rebuild(header, page_size=size), 40, 0))
    with_sibling(content, 10, 31, size)
    with_children(content, 20, (12, 13, 33), size)
    assert summed(content, size, pieces=pieces).zeroed.count == 0
    for number in (31, 13, 25):
        content[(number + 1) * size : (number + 2) * size] = bytes(size)
    total = summed(content, size, pieces=pieces)
    assert (total.zeroed.count, total.zeroed.first) == (2, (13, 31))
    assert (total.inside.blank, total.inside.faulty) == (3, 0)


def test_a_damaged_page_is_not_believed(header: DatabaseHeader, built: Built):
    content = bytearray(built(header, 40, 0))
    with_sibling(content, 10, 31, 32768)
    content[32 * 32768 : 33 * 32768] = bytes(32768)
    content[11 * 32768 + 500] ^= 6
    assert summed(content, 32768).zeroed.count == 0


def test_links_and_tags_that_lead_nowhere_are_left_out(header: DatabaseHeader, built: Built):
    content = bytearray(built(header, 12, 0))
    with_sibling(content, 10, 2**32 - 1, 32768)
    with_children(content, 8, (2**32 - 1, 7), 32768)
    page = page_of(content, 8, 32768)
    struct.pack_into("<H", page, 34, 0xFFFF)
    struct.pack_into("<HH", page, 32768 - 8, 0x7FFF, 0x7FFF)
    put(content, 8, page, 32768)
    assert summed(content, 32768).zeroed.count == 0


def typed(content: bytearray, size: int) -> list[int]:
    """Give every used page a flush type, and say which."""
    types = [0]
    for number in range(1, len(content) // size - 1):
        page = page_of(content, number, size)
        kind = number % 3 + 1 if any(page) else 0
        types.append(kind)
        if kind:
            flags = int.from_bytes(page[36:40], "little") | kind << 15
            struct.pack_into("<I", page, 36, flags)
            put(content, number, page, size)
    return types


def test_an_older_version_of_a_page_is_named_by_the_flush_map(
    header: DatabaseHeader, built: Built, reader: Readers, size: int
):
    content = bytearray(built(rebuild(header, page_size=size), 40, 12))
    types = typed(content, size)
    reading, noted = read_flush_map(reader(write_flush_map(FlushMapHeader(), types)), 40)
    assert (reading.problem, reading.pages, reading.bad_pages) == (None, 1, 0)
    assert noted is not None and summed(content, size, noted).stale.count == 0
    first, used = (next(n for n in range(start, 41) if types[n]) for start in (5, 20))
    page = page_of(content, first, size)
    older = int.from_bytes(page[36:40], "little") ^ 0x18000
    struct.pack_into("<I", page, 36, older)
    put(content, first, page, size)
    content[(used + 1) * size : (used + 2) * size] = bytes(size)
    total = summed(content, size, noted)
    assert (total.inside.faulty, total.stale.first) == (0, (first, used))


def test_a_map_that_is_behind_its_page_says_nothing(
    header: DatabaseHeader, built: Built, reader: Readers
):
    content = bytearray(built(header, 40, 0))
    wrong = [(each + 1) % 3 + 1 for each in typed(content, 32768)]
    old = write_flush_map(FlushMapHeader(), wrong, highest_dbtime=1)
    noted = read_flush_map(reader(old), 40)[1]
    assert noted is not None and summed(content, 32768, noted).stale.count == 0
    noted = read_flush_map(reader(write_flush_map(FlushMapHeader(), wrong)), 40)[1]
    assert noted is not None and summed(content, 32768, noted).stale.count == 40


def test_a_flush_map_reads_back_and_its_damage_is_seen(reader: Readers):
    types = [number % 4 for number in range(PAGES_PER_MAP_PAGE + 9)]
    mapped = FlushMapHeader(header_flush_signature=FLUSH, log_required_low=7)
    content = bytearray(write_flush_map(mapped, types))
    reading, noted = read_flush_map(reader(content), len(types))
    assert (reading.header, reading.pages) == (mapped, 2)
    numbers = np.arange(len(types) + 5)
    assert noted is not None
    assert (
        noted.of(numbers, np.zeros(len(numbers), dtype=np.uint64)).tolist()[: len(types)] == types
    )
    content[8192 + 100] ^= 6
    reading, noted = read_flush_map(reader(content), len(types))
    assert reading.bad_pages == 1 and noted is not None
    assert not noted.of(np.arange(100), np.zeros(100, dtype=np.uint64)).any()
    content[50] ^= 1
    assert read_flush_map(reader(content), 9)[0].problem is FlushMapProblem.CHECKSUM
    assert read_flush_map(reader(b"x"), 9)[0].problem is FlushMapProblem.TOO_SHORT
    other = write_flush_map(evolve(mapped, version_major=4), types)
    assert read_flush_map(reader(other), 9)[0].problem is FlushMapProblem.VERSION_UNKNOWN


def test_a_map_belongs_to_its_database_by_one_signature(header: DatabaseHeader):
    mapped = FlushMapHeader(map_flush_signature=FLUSH)
    assert mapped.belongs_to(rebuild(header, map_flush_signature=FLUSH))
    assert not mapped.belongs_to(header)
    assert not FlushMapHeader().belongs_to(header)


def test_real_maps_are_whole_and_agree_with_their_databases(samples: Path, reader: Readers):
    agreed = 0
    for path in sorted(samples.glob("sets/*/*.jfm")):
        content = path.with_suffix(".dat").read_bytes()
        header = read_database_header(content).header
        assert header is not None
        reading, noted = read_flush_map(reader(path.read_bytes()), len(content) // 4096 - 2)
        assert (reading.problem, reading.bad_pages) == (None, 0), path
        assert reading.header is not None and reading.header.belongs_to(header), path
        assert reading.header.is_clean == header.is_clean, path
        assert noted is not None
        total = summed(content, 4096, noted)
        assert (total.stale.count, total.zeroed.count) == (0, 0), path
        swapped = bytearray(content)
        flags = int.from_bytes(content[9 * 4096 + 36 : 9 * 4096 + 40], "little") ^ 0x18000
        put(
            swapped,
            8,
            content[9 * 4096 :][:36] + struct.pack("<I", flags) + content[9 * 4096 + 40 :][:4056],
            4096,
        )
        assert summed(swapped, 4096, noted).stale.first == (8,), path
        agreed += 1
    assert agreed >= 5


MARK = LogPosition(generation=0x4C0, sector=8, byte=22)
TRAILER = Trailer(
    backup=BackupRecord(mark=MARK, first_generation=0x4C0),
    log_required_low=0x4C0,
    log_required_high=0x4C2,
    log_committed=0x4C3,
)


def test_the_trailer_of_a_streaming_backup(header: DatabaseHeader, size: int):
    header = rebuild(header, current_full_backup=TRAILER.backup, page_size=size)
    own = evolve(TRAILER, signature=header.signature, log_signature=header.log_signature)
    page = write_trailer(own, size)
    assert looks_like_trailer(page)
    reading = read_trailer(page, header)
    assert reading is not None and (reading.is_there, reading.trailer) == (True, own)
    broken = bytearray(page)
    broken[100] ^= 1
    reading = read_trailer(bytes(broken), header)
    assert reading is not None and reading.problem is TrailerProblem.CHECKSUM
    reading = read_trailer(write_trailer(TRAILER, size), header)
    assert reading is not None and reading.problem is TrailerProblem.OF_ANOTHER_DATABASE
    reading = read_trailer(bytes(size), header)
    assert reading is not None and reading.problem is TrailerProblem.MISSING
    assert not reading.is_there


def test_a_last_page_that_is_none_is_no_trailer(header: DatabaseHeader, built: Built):
    content = built(header, 20, 0)
    assert read_trailer(content[-32768:], header) is None
    assert read_trailer(bytes(32768), header) is None
    assert read_trailer(b"\xff" * 32768, header) is None
    junk = bytearray(32768)
    junk[200] = 1
    assert read_trailer(bytes(junk), header) is None
