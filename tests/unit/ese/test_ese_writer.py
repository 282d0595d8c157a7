"""Databases that we write: valid pages, known space, compacted as a defragmentation does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from goexchange.errors import Damaged
from goexchange.ese.header import (
    PAGE_SIZES,
    DatabaseHeader,
    DatabaseState,
    read_database_header,
    rebuild,
)
from goexchange.ese.pages import verify_pages
from goexchange.ese.space import Reader, free_extents, free_pages, owned_pages
from goexchange.ese.structures import BackupRecord, LogPosition, LogTime, Signature, Tally
from goexchange.ese.writer import (
    build_database,
    defragment,
    defragmented_header,
    defragmented_pages,
    file_bytes,
)

NEW = Signature(random=9, created=LogTime(bytes((1, 2, 3, 4, 5, 124, 1, 0))))
Build = Callable[..., bytes]
Readers = Callable[[bytes], Reader]


@pytest.mark.parametrize("size", PAGE_SIZES)
def test_every_page_is_good_and_the_space_is_what_was_asked_for(
    header: DatabaseHeader, built: Build, reader: Readers, size: int
):
    header = rebuild(header, page_size=size)
    content = built(header, 300, 77)
    assert len(content) == file_bytes(header, 300)
    verdicts = verify_pages(content[2 * size :], 1, size)
    assert (verdicts.pages, verdicts.faulty) == (300, 0)
    assert 0 < verdicts.blank < 77
    assert verdicts.highest_dbtime <= header.dbtime
    assert owned_pages(reader(content), size) == 300
    assert free_pages(reader(content), size) == 77


def test_a_full_and_an_empty_database(header: DatabaseHeader, built: Build, reader: Readers):
    for pages, free in ((3, 0), (4, 1), (4, 0), (50, 47)):
        content = built(header, pages, free)
        assert free_pages(reader(content), 32768) == free
        assert verify_pages(content[65536:], 1, 32768).faulty == 0
    with pytest.raises(ValueError, match="do not fit"):
        built(header, 4, 2)


def test_the_same_parameters_give_the_same_bytes_and_another_seed_does_not(
    header: DatabaseHeader, built: Build
):
    assert built(header) == built(header)
    other = b"".join(build_database(header, pages=40, free_pages=12, seed=b"other"))
    assert other[65536:] != built(header)[65536:]


def test_defragmentation_drops_the_free_pages_and_starts_a_new_file(
    header: DatabaseHeader, built: Build, reader: Readers
):
    backup = BackupRecord(mark=LogPosition(generation=9), first_generation=5, last_generation=8)
    header = rebuild(
        header, previous_full_backup=backup, repair_count=1, bad_checksum=Tally(count=3)
    )
    content = built(header, 200, 80)
    result = defragmented_header(header, signature=NEW)
    made = b"".join(defragment(reader(content), header, result=result))
    reading = read_database_header(made)
    assert reading.header == result
    assert (result.state, result.signature) == (DatabaseState.CLEAN_SHUTDOWN, NEW)
    assert not result.previous_full_backup.is_set and not result.log_signature.is_set
    assert (result.repair_count, result.old_repair_count) == (0, 1)
    assert result.bad_checksum == Tally(old_count=3)
    assert len(made) == file_bytes(header, 120)
    assert defragmented_pages(reader(content), 32768) == 120
    assert verify_pages(made[65536:], 1, 32768).good == 120
    assert (owned_pages(reader(made), 32768), free_pages(reader(made), 32768)) == (120, 0)


def test_defragmenting_twice_changes_nothing_more(
    header: DatabaseHeader, built: Build, reader: Readers
):
    result = defragmented_header(header, signature=NEW)
    once = b"".join(defragment(reader(built(header)), header, result=result))
    twice = b"".join(defragment(reader(once), result, result=result))
    assert twice == once


def test_defragmentation_corrects_a_bit_and_refuses_damage(
    header: DatabaseHeader, built: Build, reader: Readers
):
    content = bytearray(built(header))
    result = defragmented_header(header, signature=NEW)
    whole = b"".join(defragment(reader(bytes(content)), header, result=result))
    content[5 * 32768 + 999] ^= 4
    assert b"".join(defragment(reader(bytes(content)), header, result=result)) == whole
    content[5 * 32768 + 1999] ^= 4
    with pytest.raises(Damaged, match="page 4 is bad"):
        b"".join(defragment(reader(bytes(content)), header, result=result))


def test_a_cut_or_blank_tree_is_unknown_not_zero(
    header: DatabaseHeader, built: Build, reader: Readers
):
    content = built(header)
    assert owned_pages(reader(content[: 3 * 32768]), 32768) is None
    blanked = content[: 3 * 32768] + bytes(2 * 32768) + content[5 * 32768 :]
    assert owned_pages(reader(blanked), 32768) is None
    assert free_extents(reader(blanked), 32768) is None
    with pytest.raises(Damaged, match="space trees"):
        defragmented_pages(reader(blanked), 32768)
