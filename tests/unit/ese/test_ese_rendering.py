"""Lines as the tools print them: compared with literal samples, not with ourselves."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from attrs import evolve

from goexchange.ese.checkpoint import Checkpoint
from goexchange.ese.header import (
    BackupKind,
    DatabaseHeader,
    DatabaseState,
    HeaderCopy,
    HeaderProblem,
    HeaderReading,
    rebuild,
)
from goexchange.ese.jet_errors import JetError
from goexchange.ese.log_rendering import LogFile, checkpoint_dump, log_chain_dump
from goexchange.ese.logs import LogHeader
from goexchange.ese.pages import PageFault, PageFinding, PageVerdicts
from goexchange.ese.rendering import (
    ChecksumRun,
    checksum_error_lines,
    checksum_report,
    failure_line,
    header_dump,
    progress_lines,
    success_line,
)
from goexchange.ese.structures import BackupRecord, LogPosition, LogTime, Tally


def reading_of(header: DatabaseHeader) -> HeaderReading:
    return HeaderReading(
        header=header,
        copy_used=HeaderCopy.PRIMARY,
        page_size=header.page_size,
        checksum_stored=0x5D0E2A11,
        checksum_computed=0x5D0E2A11,
    )


# Source: ESE source, dbdump.cxx, with the values of the fixture.
EXPECTED = """\
         Database: D:\\DB01\\DB01.edb

DATABASE HEADER:
Checksum Information:
Expected Checksum: 0x5d0e2a11
  Actual Checksum: 0x5d0e2a11

Fields:
        File Type: Database
         Checksum: 0x5d0e2a11
   Format ulMagic: 0x89abcdef
   Engine ulMagic: 0x89abcdef
 Format ulVersion: 0x620,20,260  (attached by 9160)
 Engine ulVersion: 0x620,20,260  (efvCurrent = 9160)
Created ulVersion: 0x620,20
     DB Signature: Create time:03/02/2024 08:15:32.123 Rand:204834231 Computer:
         cbDbPage: 32768
           dbtime: 9114583 (0x8b13d7)
            State: Clean Shutdown
     Log Required: 0-0 (0x0-0x0) [Min. Req. Pre-Redo: 0 (0x0)]
Gen. Max. Req. Creation Time: 00/00/1900 00:00:00.000 LOC
    Log Committed: 0-0 (0x0-0x0)
Gen. Max. Com. Creation Time: 00/00/1900 00:00:00.000 LOC
   Log Consistent: 0 (0x0) [Pre-Redo: 0 (0x0)]
   Log Recovering: 0 (0x0)
         Shadowed: Yes
       Last Objid: 14852
     Scrub Dbtime: 0 (0x0)
       Scrub Date: 00/00/1900 00:00:00.000 LOC
     Repair Count: 0
      Repair Date: 00/00/1900 00:00:00.000 LOC
 Old Repair Count: 0
  Last Consistent: (0x4C3,1E,16F)  03/09/2024 22:01:07.402 UTC
      Last Attach: (0x4C1,2,268)  03/09/2024 06:00:12.101 UTC
      Last Detach: (0x4C3,1E,16F)  03/09/2024 22:01:07.402 UTC
    Last ReAttach: (0x0,0,0)  00/00/1900 00:00:00.000 LOC
             Dbid: 1
    Log Signature: Create time:03/02/2024 08:15:30.001 Rand:771203311 Computer:
       OS Version: (10.0.17763 SP 0 NLS 60305.60305)

Previous Full Backup:
        Log Gen: 1200-1203 (0x4b0-0x4b3) - OSSnapshot
           Mark: (0x4B4,8,16)
           Mark: 03/08/2024 21:00:55.000 UTC

Previous Incremental Backup:
        Log Gen: 0-0 (0x0-0x0)
"""


def at(*parts: int) -> LogTime:
    return LogTime.at(datetime(*parts, tzinfo=UTC))  # type: ignore[misc,arg-type]


@pytest.fixture
def sample(header: DatabaseHeader) -> DatabaseHeader:
    consistent = LogPosition(generation=0x4C3, sector=0x1E, byte=0x16F)
    dismounted = at(2024, 3, 9, 22, 1, 7, 402000)
    return rebuild(
        header,
        format_update_minor=260,
        engine_format_version=9160,
        last_objid=14852,
        log_signature=evolve(header.log_signature, created=at(2024, 3, 2, 8, 15, 30, 1000)),
        last_consistent=consistent,
        last_consistent_time=dismounted,
        last_detach=consistent,
        last_detach_time=dismounted,
        last_attach=LogPosition(generation=0x4C1, sector=2, byte=0x268),
        last_attach_time=at(2024, 3, 9, 6, 0, 12, 101000),
        os_major=10,
        os_build=17763,
        nls_version=0x0006030500060305,
        previous_full_backup=BackupRecord(
            mark=LogPosition(generation=0x4B4, sector=8, byte=0x16),
            marked_at=at(2024, 3, 8, 21, 0, 55),
            first_generation=1200,
            last_generation=1203,
        ),
        previous_full_backup_kind=BackupKind.OS_SNAPSHOT,
    )


def test_a_header_dump_is_the_documented_one(sample: DatabaseHeader):
    text = "\n".join(header_dump(reading_of(sample), "D:\\DB01\\DB01.edb"))
    assert text.startswith(EXPECTED)


def test_a_header_dump_shows_reseeds_errors_and_warnings_only_when_there_are_some(
    sample: DatabaseHeader,
):
    plain = header_dump(reading_of(sample), "x")
    assert not any("Reseed" in line or "WARNING" in line for line in plain)
    assert "Old bad Checksum Error Count: none" in plain
    marked = rebuild(
        sample, patch=Tally(count=2), bad_checksum=Tally(count=3, last_time=at(2024, 1, 2))
    )
    reading = evolve(
        reading_of(marked), copy_used=HeaderCopy.SHADOW, problems=(HeaderProblem.PRIMARY_BAD,)
    )
    lines = header_dump(reading, "x")
    assert "      Patch Count: 2" in lines
    assert "    Bad Checksum Error Count: found (3)" in lines
    assert "Last Bad Checksum Error Date: 01/02/2024 00:00:00.000 UTC" in lines
    assert "DATABASE SHADOW HEADER:" in lines
    assert "WARNING: primary header has a checksum error." in lines


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (DatabaseState.DIRTY_SHUTDOWN, "Dirty Shutdown"),
        (DatabaseState.DIRTY_AND_PATCHED_SHUTDOWN, "Dirty and Patched Shutdown"),
        (DatabaseState.FORCE_DETACH, "Illegal"),
    ],
)
def test_states_have_their_words(sample: DatabaseHeader, state: DatabaseState, words: str):
    lines = header_dump(reading_of(rebuild(sample, state=state)), "x")
    assert f"            State: {words}" in lines


def test_an_unreadable_header_is_not_dumped():
    reading = HeaderReading(header=None, copy_used=HeaderCopy.NONE, page_size=None)
    with pytest.raises(ValueError, match="no copy"):
        header_dump(reading, "x")


BAR = """\
                     Checksum Status (% complete)

          0    10   20   30   40   50   60   70   80   90  100
          |----|----|----|----|----|----|----|----|----|----|
          ..................................................."""


def test_the_bar_is_the_documented_one():
    assert "\n".join(progress_lines("Checksum")) == BAR
    assert progress_lines("Defragmentation", 10)[0] == " " * 18 + (
        "Defragmentation Status (% complete)"
    )
    assert progress_lines("Defragmentation", 10)[-1] == " " * 10 + "....."


def test_last_lines_do_not_pad_their_milliseconds():
    assert success_line(3884282) == "Operation completed successfully in 3884.282 seconds."
    assert success_line(6007) == "Operation completed successfully in 6.7 seconds."
    assert failure_line(JetError.DatabaseCorrupted, 31) == (
        "Operation terminated with error -1206 (JET_errDatabaseCorrupted, "
        "Non database file or corrupted db) after 0.31 seconds."
    )
    assert failure_line(None, 0) == "Operation terminated unsuccessfully after 0.0 seconds."


RUN = ChecksumRun(
    path="D:\\DB01\\DB01.edb",
    temp_name="TEMPCHKSUM5820.EDB",
    page_size=32768,
    verdicts=PageVerdicts(
        pages=4096, good=3933, blank=163, highest_dbtime=0x1B8B1, highest_dbtime_page=0x50
    ),
    milliseconds=1310,
)


def test_a_checksum_run_counts_the_header_slots_too():
    lines = checksum_report(RUN)
    expected = (
        "4098 pages seen",
        "0 bad checksums",
        "0 correctable checksums",
        "163 uninitialized pages",
        "0 wrong page numbers",
        "0x1b8b1 highest dbtime (pgno 0x50)",
    )
    assert lines[lines.index(expected[0]) :][:6] == expected
    assert "128 MB read" in lines and "1 seconds taken" in lines and "128 MB/second" in lines
    assert RUN.error is None and checksum_error_lines(RUN) == ()


def test_a_page_from_elsewhere_is_a_bad_checksum_and_a_correctable_one_is_not():
    findings = (
        PageFinding(page=1234, fault=PageFault.MISPLACED, belongs_at=7),
        PageFinding(page=1300, fault=PageFault.CORRECTABLE, bit=17),
    )
    verdicts = evolve(RUN.verdicts, misplaced=1, correctable=1, findings=findings)
    run = evolve(RUN, verdicts=verdicts, bad_header_slots=(0,))
    assert run.error is JetError.DatabaseCorrupted
    assert "2 bad checksums" in checksum_report(run)
    assert checksum_error_lines(run) == (
        "ERROR: page 0 checksum failed (header)",
        "ERROR: page 1234 checksum failed",
        (
            "WARNING: page 1300 checksum verification failed "
            "but the corruption ( bit 17 ) can be corrected"
        ),
    )
    only_correctable = evolve(verdicts, misplaced=0, findings=findings[1:])
    assert evolve(RUN, verdicts=only_correctable).error is None


def test_a_chain_of_logs_is_printed_as_documented():
    first = LogFile(path="D:\\Logs\\E000000007B.log", header=LogHeader(generation=0x7B))
    second = LogFile(path="D:\\Logs\\E000000007C.log", header=LogHeader(generation=0x7C))
    lines, error = log_chain_dump("E00", (first, second))
    assert error is None
    assert lines == (
        "Verifying log files...",
        "     Base name: E00",
        "",
        "      Log file: D:\\Logs\\E000000007B.log - OK",
        "      Log file: D:\\Logs\\E000000007C.log - OK",
        "",
        "No damaged log files were found.",
    )


def test_a_gap_and_a_broken_log_are_printed_as_documented():
    first = LogFile(path="a", header=LogHeader(generation=0x11))
    after_one = LogFile(path="b", header=LogHeader(generation=0x13))
    lines, error = log_chain_dump("E00", (first, after_one))
    assert "      Missing log file: E0000000012.log" in lines
    assert error is JetError.MissingLogFile
    after_many = LogFile(path="b", header=LogHeader(generation=0x16))
    lines, _ = log_chain_dump("E00", (first, after_many))
    assert "      Missing log files: E00{00000012 - 00000015}.log" in lines
    lines, error = log_chain_dump("E00", (LogFile(path="a", header=None),))
    assert error is JetError.LogFileCorrupt
    assert "No damaged log files were found." not in lines


def test_a_checkpoint_is_printed_as_documented():
    checkpoint = Checkpoint(position=LogPosition(generation=0x561299, sector=8, byte=0x16))
    lines = checkpoint_dump("D:\\Logs\\E00.chk", checkpoint)
    assert lines[0] == "      Checkpoint file: D:\\Logs\\E00.chk"
    assert "      LastFullBackupCheckpoint: (0x0,0,0)" in lines
    assert "      Checkpoint: (0x561299,8,16)" in lines
    assert "      DbConsistency: (0x561299,8,16)" in lines
