"""What eseutil prints about a database, line by line, from the values that we read.

Shape: lines without line ends; those of a mode only, the frame (logo, mode, last line) has
functions of its own.
Source: ESE source, eseutil.cxx, dbdump.cxx and _esefile/; the words of the states never change
there.
"""

from __future__ import annotations

from attrs import frozen

from goexchange.ese.header import (
    BackupKind,
    DatabaseHeader,
    DatabaseState,
    HeaderCopy,
    HeaderProblem,
    HeaderReading,
)
from goexchange.ese.jet_errors import JetError
from goexchange.ese.pages import PageFault, PageVerdicts
from goexchange.ese.structures import (
    MAGIC,
    BackupRecord,
    FileType,
    LogPosition,
    LogTime,
    Signature,
    Tally,
)

READ_BYTES = 256 * 1024
MEGABYTE = 1024 * 1024

_SCALE = (
    "          0    10   20   30   40   50   60   70   80   90  100",
    "          |----|----|----|----|----|----|----|----|----|----|",
)
_BAR_WIDTH = 71
_DOTS = 51
_PATH_SHOWN = 64

_STATE_WORDS = {
    DatabaseState.ILLEGAL: "Illegal",
    DatabaseState.JUST_CREATED: "Just Created",
    DatabaseState.DIRTY_SHUTDOWN: "Dirty Shutdown",
    DatabaseState.CLEAN_SHUTDOWN: "Clean Shutdown",
    DatabaseState.BEING_CONVERTED: "Being Converted",
    DatabaseState.FORCE_DETACH: "Illegal",
    DatabaseState.INCREMENTAL_RESEED: "Incremental Reseed In Progress",
    DatabaseState.DIRTY_AND_PATCHED_SHUTDOWN: "Dirty and Patched Shutdown",
    DatabaseState.REVERT_IN_PROGRESS: "Database Revert in Progress",
}
_BACKUP_KINDS = {BackupKind.OS_SNAPSHOT: " - OSSnapshot", BackupKind.SNAPSHOT: " - Snapshot"}


@frozen(kw_only=True)
class EngineVersion:
    """The engine in the tool: what it prints as its own."""

    logo: str = "15.02"
    format_version: int = 0x620
    update_major: int = 20
    update_minor: int = 260
    engine_format_version: int = 9160

    @property
    def is_short(self) -> bool:
        """Whether it prints versions of two parts, and neither flush maps nor what came later."""
        return not self.update_minor


DEFAULT_ENGINE = EngineVersion()


def state_words(state: DatabaseState) -> str:
    """The words for a state."""
    return _STATE_WORDS[state]


def logo_lines(engine: EngineVersion = DEFAULT_ENGINE) -> tuple[str, ...]:
    """The lines before the mode (not printed with /o)."""
    return (
        "",
        "Extensible Storage Engine Utilities for Microsoft(R) Exchange Server",
        f"Version {engine.logo}",
        "Copyright (C) Microsoft Corporation. All Rights Reserved.",
        "",
    )


def mode_line(mode: str) -> str:
    """The line that names a mode: `FILE DUMP`, `CHECKSUM`, `DEFRAGMENTATION`, `INTEGRITY`."""
    return f"Initiating {mode} mode..."


def success_line(milliseconds: int) -> str:
    """The last line of a run that went well; milliseconds follow the dot without padding."""
    return f"Operation completed successfully in {_elapsed(milliseconds)} seconds."


def failure_line(error: JetError | None, milliseconds: int) -> str:
    """The last line of a run that failed, with the engine's error where there was one."""
    if error is None:
        return f"Operation terminated unsuccessfully after {_elapsed(milliseconds)} seconds."
    reason = f"with error {int(error)} ({error.text})"
    return f"Operation terminated {reason} after {_elapsed(milliseconds)} seconds."


def progress_lines(title: str, percent: int = 100) -> tuple[str, ...]:
    """The bar of a long run: title, scale, a dot per two per cent and one more at the end."""
    heading = f"{title} Status (% complete)"
    indent = max(0, (_BAR_WIDTH - len(heading)) // 2)
    dots = _DOTS if percent >= 100 else percent // 2
    return (" " * indent + heading, "", *_SCALE, " " * 10 + "." * dots)


_MOSTLY_EMPTY = (
    "    Note: This database is over 20% empty, an offline defragmentation can be used to shrink"
    " the file."
)


def space_lines(*, owned: int, free: int, page_size: int) -> tuple[str, ...]:
    """The totals of `/ms`: trees, pages by use, and the hint for a database that is mostly empty.

    Source: ESE source, dbspacedump.cxx.
    """
    used, share = owned - free, 100 * free / owned
    figures = f"{used} Used ({100 - share:.1f}%), {free} Available ({share:.1f}%)"
    lines = [
        "-" * 79,
        "",
        "    Enumerated 1 Tables ( 4 Internal Trees, 0 Long Value Trees, 0 Secondary Indices )",
        "",
        f"    Pages {owned} ( {figures} ) + 0 Shelved",
    ]
    if owned * page_size > 100 * 1024**2 and share > 20:
        lines += ["", _MOSTLY_EMPTY]
    return (*lines, "")


def time_words(moment: LogTime, *, with_zone: bool = True) -> str:
    """`MM/DD/YYYY HH:MM:SS.mmm UTC`; an unset time prints as zeros of 1900."""
    second, minute, hour, day, month, year = moment.raw[:6]
    zone = (" UTC" if moment.is_utc else " LOC") if with_zone else ""
    date = f"{month:02}/{day:02}/{year + 1900:04}"
    return f"{date} {hour:02}:{minute:02}:{second:02}.{moment.milliseconds:03}{zone}"


def signature_words(signature: Signature, *, is_short: bool = False) -> str:
    """`Create time:... Rand:... Computer:...`; the short form has no milliseconds."""
    created = time_words(signature.created, with_zone=False)
    created = created.partition(".")[0] if is_short else created
    return f"Create time:{created} Rand:{signature.random} Computer:{signature.computer}"


def header_dump(
    reading: HeaderReading, path: str, engine: EngineVersion = DEFAULT_ENGINE
) -> tuple[str, ...]:
    """`/mh` of a readable header, from `Database:` to the warnings.

    Raises: ValueError when no copy is good; the tool then prints only the error -1206.
    """
    header = reading.header
    if header is None:
        raise ValueError("no copy of the header is good")
    title = "DATABASE HEADER:"
    if reading.copy_used is HeaderCopy.SHADOW:
        title = "DATABASE SHADOW HEADER:"
    return (
        f"         Database: {path}",
        "",
        title,
        "Checksum Information:",
        _row("Expected Checksum", f"0x{reading.checksum_stored:08x}"),
        _row("Actual Checksum", f"0x{reading.checksum_computed:08x}"),
        "",
        "Fields:",
        _row("File Type", "Database" if header.attribute == 0 else "UNKNOWN"),
        _row("Checksum", f"0x{reading.checksum_stored:x}"),
        *_identity_lines(header, engine),
        *(_short_shutdown_lines(header) if engine.is_short else _shutdown_lines(header)),
        *_history_lines(header),
        "",
        *_all_backup_lines(header),
        "",
        *_size_lines(header),
        *(_check_lines(header) if header.file_type is FileType.DATABASE else ()),
        "",
        *(() if engine.is_short else _flush_lines(header)),
        *_warning_lines(reading.problems),
    )


def _flush_lines(header: DatabaseHeader) -> tuple[str, ...]:
    return (
        f"  Database Header Flush Signature: {signature_words(header.header_flush_signature)}",
        f" Flush Map Header Flush Signature: {signature_words(header.map_flush_signature)}",
        f"       RBS Header Flush Signature: {signature_words(header.snapshot_flush_signature)}",
        "",
    )


@frozen(kw_only=True)
class ChecksumRun:
    """A finished run of /k: what it found and how long it took."""

    path: str
    temp_name: str
    page_size: int
    verdicts: PageVerdicts
    bad_header_slots: tuple[int, ...] = ()
    milliseconds: int

    @property
    def bad_pages(self) -> int:
        """The tool counts a page from elsewhere as bad: the number is part of the checksum."""
        return self.verdicts.bad + self.verdicts.misplaced + len(self.bad_header_slots)

    @property
    def error(self) -> JetError | None:
        """Bad pages fail the run; correctable or blank ones, a dirty state, a short file do not."""
        return JetError.DatabaseCorrupted if self.bad_pages else None


def checksum_report(run: ChecksumRun) -> tuple[str, ...]:
    """`/k` of a database on standard output, from `Database:` to the throughput."""
    verdicts = run.verdicts
    pages = verdicts.pages + 2
    size = pages * run.page_size
    reads = max(1, -(-size // READ_BYTES))
    seconds = run.milliseconds // 1000
    per_read = run.milliseconds // reads
    rate = size // MEGABYTE // seconds if seconds else size // MEGABYTE
    return (
        f"        Database: {run.path}",
        f"  Temp. Database: {run.temp_name}",
        "",
        f"File: {run.path[:_PATH_SHOWN]}",
        "",
        *progress_lines("Checksum"),
        "",
        f"{pages} pages seen",
        f"{run.bad_pages} bad checksums",
        f"{verdicts.correctable} correctable checksums",
        f"{verdicts.blank} uninitialized pages",
        "0 wrong page numbers",
        f"0x{verdicts.highest_dbtime:x} highest dbtime (pgno 0x{verdicts.highest_dbtime_page:x})",
        "",
        f"{reads} reads performed",
        f"{size // MEGABYTE} MB read",
        f"{seconds} seconds taken",
        f"{rate} MB/second",
        f"{run.milliseconds} milliseconds used",
        f"{per_read} milliseconds per read",
        f"{per_read} milliseconds for the slowest read",
        f"{per_read} milliseconds for the fastest read",
        "",
    )


def checksum_error_lines(run: ChecksumRun) -> tuple[str, ...]:
    """`/k` of a database on standard error: a line per bad page, as far as findings are kept."""
    lines = [f"ERROR: page {slot} checksum failed (header)" for slot in run.bad_header_slots]
    for finding in run.verdicts.findings:
        if finding.fault is PageFault.CORRECTABLE:
            lines.append(
                f"WARNING: page {finding.page} checksum verification failed "
                f"but the corruption ( bit {finding.bit} ) can be corrected"
            )
        else:
            lines.append(f"ERROR: page {finding.page} checksum failed")
    return tuple(lines)


def _elapsed(milliseconds: int) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000}"


def _row(label: str, value: object, width: int = 17) -> str:
    return f"{label:>{width}}: {value}"


def _number_row(label: str, value: int) -> str:
    return _row(label, f"{value} (0x{value:x})")


def _place_row(label: str, position: LogPosition, moment: LogTime) -> str:
    return _row(label, f"{position}  {time_words(moment)}")


def _identity_lines(header: DatabaseHeader, engine: EngineVersion) -> tuple[str, ...]:
    stated = f"0x{header.format_version:x},{header.format_update_major}"
    own = f"0x{engine.format_version:x},{engine.update_major}"
    if not engine.is_short:
        stated += f",{header.format_update_minor}  (attached by {header.engine_format_version})"
        own += f",{engine.update_minor}  (efvCurrent = {engine.engine_format_version})"
    return (
        _row("Format ulMagic", f"0x{header.magic:x}"),
        _row("Engine ulMagic", f"0x{MAGIC:x}"),
        _row("Format ulVersion", stated),
        _row("Engine ulVersion", own),
        _row("Created ulVersion", f"0x{header.created_version:x},{header.created_update_major}"),
        _row("DB Signature", signature_words(header.signature, is_short=engine.is_short)),
        _row("cbDbPage", header.page_size),
        _number_row("dbtime", header.dbtime),
    )


def _shutdown_lines(header: DatabaseHeader) -> tuple[str, ...]:
    low, high = header.log_required_low, header.log_required_high
    before = header.log_required_before_redo
    required = f"{low}-{high} (0x{low:x}-0x{high:x}) [Min. Req. Pre-Redo: {before} (0x{before:x})]"
    consistent, pre_redo = header.log_consistent, header.log_consistent_before_redo
    return (
        _row("State", state_words(header.state)),
        _row("Log Required", required),
        _row("Gen. Max. Req. Creation Time", time_words(header.log_required_time)),
        _row("Log Committed", f"0-{header.log_committed} (0x0-0x{header.log_committed:x})"),
        _row("Gen. Max. Com. Creation Time", time_words(header.log_committed_time)),
        _row(
            "Log Consistent",
            f"{consistent} (0x{consistent:x}) [Pre-Redo: {pre_redo} (0x{pre_redo:x})]",
        ),
        _number_row("Log Recovering", header.log_recovering),
    )


def _short_shutdown_lines(header: DatabaseHeader) -> tuple[str, ...]:
    low, high = header.log_required_low, header.log_required_high
    return (
        _row("State", state_words(header.state)),
        _row("Log Required", f"{low}-{high} (0x{low:x}-0x{high:x})"),
    )


def _history_lines(header: DatabaseHeader) -> tuple[str, ...]:
    nls = f"NLS {header.nls_version >> 32:x}.{header.nls_version & 0xFFFFFFFF:x}"
    build = f"{header.os_major}.{header.os_minor}.{header.os_build}"
    return (
        _row("Shadowed", "Yes" if header.has_shadow else "No"),
        _row("Last Objid", header.last_objid),
        _number_row("Scrub Dbtime", header.scrub_dbtime),
        _row("Scrub Date", time_words(header.scrub_time)),
        _row("Repair Count", header.repair_count),
        _row("Repair Date", time_words(header.repair_time)),
        _row("Old Repair Count", header.old_repair_count),
        _place_row("Last Consistent", header.last_consistent, header.last_consistent_time),
        _place_row("Last Attach", header.last_attach, header.last_attach_time),
        _place_row("Last Detach", header.last_detach, header.last_detach_time),
        _place_row("Last ReAttach", header.last_reattach, header.last_reattach_time),
        _row("Dbid", header.dbid),
        _row("Log Signature", signature_words(header.log_signature)),
        _row("OS Version", f"({build} SP {header.os_service_pack} {nls})"),
        *_reseed_lines(header),
    )


def _reseed_lines(header: DatabaseHeader) -> tuple[str, ...]:
    """Six lines, printed when one of the counts is not zero."""
    tallies = (("Reseed", header.reseed), ("Patch", header.patch))
    if not any(tally.count or tally.old_count for _, tally in tallies):
        return ()
    lines: list[str] = []
    for name, tally in tallies:
        lines.append(_row(f"{name} Count", tally.count))
        lines.append(_row(f"{name} Date", time_words(tally.last_time)))
        lines.append(_row(f"Old {name} Count", tally.old_count))
    return tuple(lines)


def _all_backup_lines(header: DatabaseHeader) -> tuple[str, ...]:
    normal = BackupKind.NORMAL
    records = (
        ("Previous Full Backup", header.previous_full_backup, header.previous_full_backup_kind),
        (
            "Previous Incremental Backup",
            header.previous_incremental_backup,
            header.previous_incremental_backup_kind,
        ),
        ("Previous Copy Backup", header.previous_copy_backup, header.previous_copy_backup_kind),
        (
            "Previous Differential Backup",
            header.previous_differential_backup,
            header.previous_differential_backup_kind,
        ),
        ("Current Full Backup", header.current_full_backup, normal),
        ("Current Shadow copy backup", header.current_snapshot_backup, normal),
    )
    lines: list[str] = []
    for title, record, kind in records:
        lines += ([""] if lines else []) + [f"{title}:", *_backup_lines(record, kind)]
    return tuple(lines)


def _backup_lines(record: BackupRecord, kind: BackupKind) -> tuple[str, ...]:
    first, last = record.first_generation, record.last_generation
    generations = f"{first}-{last} (0x{first:x}-0x{last:x})"
    if kind in _BACKUP_KINDS:
        generations += _BACKUP_KINDS[kind]
    return (
        _row("Log Gen", generations, 15),
        _row("Mark", record.mark, 15),
        _row("Mark", time_words(record.marked_at), 15),
    )


def _size_lines(header: DatabaseHeader) -> tuple[str, ...]:
    remark = ""
    if header.last_resize == header.last_attach:
        remark = '  (Matches "Last Attach", no subsequent resize)'
    elif header.last_resize == header.last_consistent:
        remark = '  (Matches "Last Consistent", no subsequent resize)'
    return (
        _row("cpgUpgrade55Format", header.upgrade_pages, 23),
        _row("cpgUpgradeFreePages", header.upgrade_pages_freed, 23),
        _row("cpgUpgradeSpaceMapPages", header.upgrade_pages_space_map, 23),
        "",
        _row("Last Resize", f"{header.last_resize}{remark}"),
        "",
        _row("Extend Count", header.extend_count),
        _row("Extend Date", time_words(header.extend_time)),
        "",
        _row("Shrink Count", header.shrink_count),
        _row("Shrink Date", time_words(header.shrink_time)),
        "",
        _row("Trim Count", header.trim_count),
    )


def _check_lines(header: DatabaseHeader) -> tuple[str, ...]:
    finished, started = header.scan_finished_time, header.scan_started_time
    return (
        "",
        *_tally_lines("ECC Fix Success", header.ecc_fix_success),
        *_tally_lines("ECC Fix Error", header.ecc_fix_failure),
        *_tally_lines("Bad Checksum Error", header.bad_checksum),
        "",
        f"  Last Database Maintenance Finish Date: {time_words(finished)}",
        f"Current Database Maintenance Start Date: {time_words(started)}",
        f"      Highest Continuous Database Maintenance Page: {header.scan_continuous_page}",
        f"      Highest Database Maintenance Page: {header.scan_page}",
    )


def _tally_lines(label: str, tally: Tally) -> tuple[str, ...]:
    # The source has a small b in this one label.
    old_label = f"Old {label} Count".replace("Old Bad", "Old bad")
    dated = _row(f"Last {label} Date", time_words(tally.last_time), 28)
    dates = (dated,) if tally.count else ()
    return (
        _row(f"{label} Count", _found(tally.count), 28),
        *dates,
        _row(old_label, _found(tally.old_count), 28),
    )


def _found(count: int) -> str:
    return f"found ({count})" if count else "none"


def _warning_lines(problems: tuple[HeaderProblem, ...]) -> tuple[str, ...]:
    lines = []
    if HeaderProblem.COPIES_DIFFER in problems:
        lines.append("WARNING: primary header and shadow header are not identical.")
    if HeaderProblem.PRIMARY_BAD in problems:
        lines.append("WARNING: primary header has a checksum error.")
    if HeaderProblem.SHADOW_BAD in problems:
        lines.append("WARNING: shadow header has a checksum error.")
    return tuple(lines)
