"""Bodies of format 7: only our own writer was at hand; the rules of the source are the oracle."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from attrs import evolve

from goexchange.ese.logs import LogBody, LogHeader, build_record_log, check_log_body
from goexchange.ese.space import Reader

Readers = Callable[[bytes], Reader]

RANGES = (3, 1, 1, 7, 2, 1)
HEADER = LogHeader(
    generation=0x4C3,
    major=7,
    minor=3704,
    update_major=17,
    sector_bytes=512,
    header_sectors=8,
    file_sectors=64,
)


@pytest.fixture
def content() -> bytes:
    return build_record_log(HEADER, RANGES, seed=b"seven").content


def records_of(content: bytes) -> list[int]:
    """Offsets of the records, followed by hand."""
    offsets = [4096]
    while distance := struct.unpack_from("<I", content, offsets[-1] + 9)[0]:
        offsets.append(offsets[-1] + 22 + distance)
    return offsets


@pytest.mark.parametrize("sector", [512, 1024, 2048, 4096])
def test_a_chain_of_records_holds_to_its_end(reader: Readers, sector: int):
    header = evolve(HEADER, sector_bytes=sector, header_sectors=max(1, 4096 // sector))
    built = build_record_log(header, RANGES, seed=b"x").content
    assert len(built) == header.file_bytes
    body = check_log_body(reader(built), header)
    assert (body.is_checked, body.is_of_records, body.is_good) == (True, True, True)
    assert (body.live, body.bad, body.first_bad_segment) == (len(RANGES), 0, None)


def test_the_checksum_is_the_one_that_the_source_spells_out(content: bytes):
    first, second = records_of(content)[:2]
    assert (first, content[first]) == (4096, 42)
    place = second % 512
    fields = struct.unpack_from("<BIIIIIB", content, second)
    assert fields[1] == place and fields[6] == 0xD1 and fields[5] == 0
    backward = content[second - place : second]
    forward = content[second + 22 : second + 22 + fields[2]]
    expected = 0xFEEDBEAF ^ fields[1] ^ fields[2] ^ fields[3] ^ 0xD1 ^ 0x4C3
    for part in (backward, forward):
        padded = part + bytes(-len(part) % 4)
        for (word,) in struct.iter_unpack("<I", padded):
            expected ^= word
    assert fields[4] == expected


def test_every_flipped_bit_within_the_ranges_breaks_the_chain(content: bytes, reader: Readers):
    covered = sum(RANGES[:-1]) * 512
    for offset in range(4096, 4096 + covered, 37):
        changed = bytearray(content)
        changed[offset] ^= 1 << offset % 8
        body = check_log_body(reader(bytes(changed)), HEADER)
        sector = offset // 512
        assert body.bad == 1 and not body.is_good, offset
        assert body.first_bad_segment is not None and body.first_bad_segment <= sector, offset


def test_a_torn_last_write_has_a_shadow(content: bytes, reader: Readers):
    last = records_of(content)[-1]
    torn = bytearray(content)
    torn[last + 30] ^= 4
    body = check_log_body(reader(bytes(torn)), HEADER)
    assert (body.bad, body.is_repairable, body.is_good) == (1, True, True)
    torn[last + 512 + 30] ^= 4
    assert not check_log_body(reader(bytes(torn)), HEADER).is_good


def test_records_of_another_generation_are_not_this_logs(content: bytes, reader: Readers):
    body = check_log_body(reader(content), evolve(HEADER, generation=0x4C2))
    assert (body.live, body.first_bad_segment) == (0, 8)


def test_a_file_that_ends_too_early_breaks_the_chain(content: bytes, reader: Readers):
    for length in (4096, 4100, 4096 + 512, 4096 + 5 * 512):
        body = check_log_body(reader(content[:length]), HEADER)
        assert (body.bad, body.is_good) == (1, False), length


@pytest.mark.parametrize(
    ("offset", "value"),
    [(1, 500), (5, 2**32 - 1), (9, 2**32 - 1), (9, 1), (21, 0x55), (17, 1), (0, 41)],
)
def test_a_record_with_impossible_numbers_is_not_followed(
    content: bytes, reader: Readers, offset: int, value: int
):
    single = records_of(content)[1]
    changed = bytearray(content)
    width = 1 if offset in (0, 21) else 4
    changed[single + offset : single + offset + width] = value.to_bytes(width, "little")
    assert check_log_body(reader(bytes(changed)), HEADER).live == 1


def test_a_header_without_possible_sectors_leaves_the_body_unchecked(reader: Readers):
    for change in ({"sector_bytes": 0}, {"sector_bytes": 513}, {"header_sectors": 1}):
        assert check_log_body(reader(b""), evolve(HEADER, **change)) == LogBody(is_checked=False)
    with pytest.raises(ValueError, match="do not fit"):
        build_record_log(HEADER, (100,))
