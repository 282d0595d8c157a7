"""Which files belong to a set, and why."""

from __future__ import annotations

from goexchange.backup.selection import (
    LeftOut,
    ListedFile,
    Reason,
    Selection,
    select_files,
)
from goexchange.ese.header import DatabaseHeader, rebuild
from goexchange.ese.structures import NO_BACKUP, BackupRecord, LogPosition

DATABASE = ListedFile(path="D:\\DB01\\DB01.edb", size_bytes=1000)


def listing(*names: str) -> tuple[ListedFile, ...]:
    return tuple(ListedFile(path=f"D:\\Logs\\{name}", size_bytes=10) for name in names)


def names(selection: Selection) -> list[str]:
    return [each.path.rsplit("\\", 1)[1] for each in selection.files]


def generations(first: int, last: int) -> tuple[str, ...]:
    return tuple(f"E00{number:08X}.log" for number in range(first, last + 1))


def test_a_set_has_the_database_its_logs_and_the_checkpoint(header: DatabaseHeader):
    folder = listing(
        "E00.log",
        "E00.chk",
        "E00res00001.jrs",
        "E00tmp.log",
        "E01.log",
        "DB01.jfm",
        "notes.txt",
        *generations(0x0F, 0x13),
    )
    selection = select_files(header, DATABASE, log_folder=folder, log_prefix="E00")
    assert names(selection) == [
        "DB01.edb",
        *generations(0x11, 0x13),
        "E00.log",
        "E00.chk",
    ]
    assert [each.reason for each in selection.files] == [
        Reason.DATABASE,
        Reason.LOG_SINCE_FULL_BACKUP,
        Reason.LOG_SINCE_FULL_BACKUP,
        Reason.LOG_SINCE_FULL_BACKUP,
        Reason.CURRENT_LOG,
        Reason.CHECKPOINT,
    ]
    assert {path.rsplit("\\", 1)[1]: why for path, why in selection.left_out} == {
        "E00res00001.jrs": LeftOut.RESERVE_LOG,
        "E00tmp.log": LeftOut.TEMPORARY_LOG,
        "E01.log": LeftOut.OTHER_STREAM,
        "DB01.jfm": LeftOut.FLUSH_MAP,
        "notes.txt": LeftOut.OTHER_STREAM,
        "E000000000F.log": LeftOut.OLD_LOG,
        "E0000000010.log": LeftOut.OLD_LOG,
    }
    assert selection.missing_generations == ()
    assert selection.total_bytes == 1050


def test_without_an_online_backup_logs_count_from_the_last_consistent_generation(
    header: DatabaseHeader,
):
    header = rebuild(header, previous_full_backup=NO_BACKUP)
    folder = listing("E00.log", *generations(0x0F, 0x15))
    selection = select_files(header, DATABASE, log_folder=folder, log_prefix="E00")
    assert names(selection) == ["DB01.edb", *generations(0x14, 0x15), "E00.log"]
    assert selection.files[1].reason is Reason.LOG_SINCE_CONSISTENT


def test_gaps_are_named(header: DatabaseHeader):
    folder = listing("E0000000013.log", "E0000000016.log")
    selection = select_files(header, DATABASE, log_folder=folder, log_prefix="E00")
    assert selection.missing_generations == ((0x11, 0x12), (0x14, 0x15))


def test_a_name_with_a_huge_generation_costs_nothing(header: DatabaseHeader):
    folder = listing("E00.log", *generations(0x11, 0x13), "E00FFFFFFFF.log")
    selection = select_files(header, DATABASE, log_folder=folder, log_prefix="E00")
    assert selection.missing_generations == ((0x14, 0xFFFFFFFE),)


def test_no_logs_at_all_leave_the_whole_range_missing(header: DatabaseHeader):
    selection = select_files(header, DATABASE, log_folder=(), log_prefix="E00")
    assert selection.missing_generations == ((0x11, 0x14),)
    assert names(selection) == ["DB01.edb"]


def test_an_incremental_backup_moves_what_must_be_there_but_not_what_is_taken(
    header: DatabaseHeader,
):
    mark = LogPosition(generation=0x13)
    header = rebuild(header, previous_incremental_backup=BackupRecord(mark=mark))
    folder = listing("e00.log", *generations(0x12, 0x13))
    selection = select_files(header, DATABASE, log_folder=folder, log_prefix="E00")
    assert names(selection) == ["DB01.edb", *generations(0x12, 0x13), "e00.log"]
    assert selection.missing_generations == ()


def test_a_database_beside_its_logs_is_taken_once(header: DatabaseHeader):
    selection = select_files(
        header, DATABASE, log_folder=(DATABASE, *listing("E00.log")), log_prefix="E00"
    )
    assert names(selection) == ["DB01.edb", "E00.log"]
