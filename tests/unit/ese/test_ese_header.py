"""Database headers: round trips, the choice between the copies, real ones."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from goexchange.ese.header import (
    PAGE_SIZES,
    DatabaseHeader,
    DatabaseState,
    HeaderCopy,
    HeaderProblem,
    decode_database_header,
    read_database_header,
    rebuild,
    rewrite_header,
    write_database_header,
)
from goexchange.ese.structures import LogTime, header_checksum


@pytest.mark.parametrize("size", PAGE_SIZES)
def test_a_written_header_reads_back_from_two_good_copies(header: DatabaseHeader, size: int):
    stated = rebuild(header, page_size=size)
    reading = read_database_header(write_database_header(stated) * 2)
    assert reading.header == stated
    assert (reading.page_size, reading.copy_used) == (size, HeaderCopy.PRIMARY)
    assert reading.are_copies_good_and_alike


@pytest.mark.parametrize("size", PAGE_SIZES)
def test_one_bad_copy_leaves_the_other(header: DatabaseHeader, size: int):
    good = write_database_header(rebuild(header, page_size=size))
    torn = good[: size // 2] + b"\1" + good[size // 2 + 1 :]
    primary = read_database_header(torn + good)
    assert (primary.copy_used, primary.problems) == (
        HeaderCopy.SHADOW,
        (HeaderProblem.PRIMARY_BAD,),
    )
    assert primary.header == rebuild(header, page_size=size)
    shadow = read_database_header(good + torn)
    assert (shadow.copy_used, shadow.problems) == (
        HeaderCopy.PRIMARY,
        (HeaderProblem.SHADOW_BAD,),
    )
    assert not shadow.are_copies_good_and_alike
    lost = read_database_header(torn + torn)
    assert (lost.header, lost.problems) == (None, (HeaderProblem.UNREADABLE,))


def test_two_good_copies_that_differ_are_told_and_the_first_is_used(header: DatabaseHeader):
    newer = write_database_header(rebuild(header, dbtime=header.dbtime + 1))
    reading = read_database_header(newer + write_database_header(header))
    assert reading.problems == (HeaderProblem.COPIES_DIFFER,)
    assert reading.header is not None and reading.header.dbtime == header.dbtime + 1


def test_a_flip_anywhere_in_the_slot_is_seen_not_only_in_the_fields(header: DatabaseHeader):
    slot = write_database_header(header)
    for offset in (0, 5, 700, 2000, 32767):
        flipped = bytearray(slot)
        flipped[offset] ^= 0x10
        assert read_database_header(bytes(flipped) + slot).copy_used is HeaderCopy.SHADOW


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"\0" * 65536, b"\xff" * 65536])
def test_what_is_no_database_gives_no_header(content: bytes):
    assert read_database_header(content).header is None


def test_rewriting_changes_the_named_fields_only(header: DatabaseHeader):
    slot = bytearray(write_database_header(header))
    slot[900] = 7  # no field of ours
    changed = rewrite_header(bytes(slot), state=DatabaseState.DIRTY_SHUTDOWN, log_required_high=9)
    assert changed[900] == 7
    assert int.from_bytes(changed[:4], "little") == header_checksum(changed)
    expected = rebuild(header, state=DatabaseState.DIRTY_SHUTDOWN, log_required_high=9)
    assert decode_database_header(changed) == expected
    with pytest.raises(ValueError, match="no_such"):
        rewrite_header(bytes(slot), no_such=1)


@pytest.mark.parametrize(
    ("state", "required", "is_clean"),
    [
        (DatabaseState.CLEAN_SHUTDOWN, 0, True),
        (DatabaseState.CLEAN_SHUTDOWN, 5, False),
        (DatabaseState.DIRTY_SHUTDOWN, 0, False),
    ],
)
def test_clean_means_the_state_and_no_log_required(
    header: DatabaseHeader, state: DatabaseState, required: int, is_clean: bool
):
    assert rebuild(header, state=state, log_required_high=required).is_clean is is_clean


def test_a_state_without_a_name_is_illegal(header: DatabaseHeader):
    slot = bytearray(write_database_header(header))
    slot[52:56] = (77).to_bytes(4, "little")
    assert decode_database_header(bytes(slot)).state is DatabaseState.ILLEGAL


def test_times_keep_milliseconds_and_zone():
    moment = datetime(2024, 3, 9, 22, 1, 7, 999000, UTC)
    assert LogTime.at(moment).to_datetime() == moment
    assert LogTime(bytes((1, 2, 3, 4, 5, 99, 0, 0))).to_datetime() == datetime(1999, 5, 4, 3, 2, 1)  # noqa: DTZ001
    assert LogTime().to_datetime() is None
    assert LogTime(b"\xff" * 8).to_datetime() is None


@pytest.mark.parametrize(
    ("name", "size", "stored"),
    [
        ("dissect-basic.edb", 4096, 0x98A810D4),
        ("dsinternals-adamntds.dit", 8192, 0x218F4833),
        ("go-ese-qmgr.db", 16384, 0x75CD211A),
    ],
)
def test_real_header_checksums(samples: Path, name: str, size: int, stored: int):
    reading = read_database_header((samples / "single" / name).read_bytes()[: 2 * size])
    assert (reading.page_size, reading.checksum_stored) == (size, stored)
    assert reading.checksum_computed == stored
    assert reading.are_copies_good_and_alike


def test_a_real_header_survives_being_rewritten(samples: Path):
    slot = (samples / "single" / "go-ese-qmgr.db").read_bytes()[:16384]
    assert rewrite_header(slot) == slot
    reading = read_database_header(slot)
    assert reading.problems == (HeaderProblem.SHADOW_BAD,)
    header = reading.header
    assert header is not None
    assert (header.format_update_major, header.format_update_minor) == (300, 620)
    assert header.engine_format_version == 9620
