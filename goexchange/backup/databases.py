"""One database file of a backup: by itself, and with the logs and checkpoints beside it."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from goexchange.backup.chain import StreamLog, chain_findings, foreign_logs
from goexchange.backup.findings import Finding, Found, damage, note, unknown, warning
from goexchange.backup.generations import gaps, run_words
from goexchange.ese.header import DatabaseHeader, DatabaseState, HeaderProblem
from goexchange.ese.pages import FINDINGS_KEPT, PageFault, PageVerdicts
from goexchange.ese.rendering import signature_words, state_words
from goexchange.ese.scan import DatabaseScan, FileScan, MapUse
from goexchange.ese.trailer import TrailerProblem
from goexchange.ese.witness import NamedPages

_PAGES_NAMED = 10
_USABLE = (
    DatabaseState.CLEAN_SHUTDOWN,
    DatabaseState.DIRTY_SHUTDOWN,
    DatabaseState.DIRTY_AND_PATCHED_SHUTDOWN,
)


@frozen(kw_only=True)
class NeededLogs:
    """The generations that a database has to be brought forward with."""

    required_low: int
    required_high: int
    committed: int


def needed_logs(scan: DatabaseScan | None) -> NeededLogs | None:
    """None for a database that is complete as it is, and for one whose header cannot be read.

    Shape: the trailer of a streaming backup knows better than the header, which was copied first.
    """
    header = scan.reading.header if scan is not None else None
    if scan is None or header is None:
        return None
    trailer = scan.trailer.trailer if scan.trailer is not None else None
    if trailer is not None:
        return NeededLogs(
            required_low=trailer.log_required_low,
            required_high=trailer.log_required_high,
            committed=trailer.log_committed,
        )
    if header.state is DatabaseState.CLEAN_SHUTDOWN:
        return None
    return NeededLogs(
        required_low=header.log_required_low,
        required_high=header.log_required_high,
        committed=header.log_committed,
    )


def database_findings(file: FileScan) -> list[Found]:
    """What is wrong with one database file by itself."""
    scan = file.database
    if scan is None:
        return []
    header = scan.reading.header
    if header is None:
        detail = "no copy of the header is good, so nothing in the file can be told (-1206)"
        return [damage(Finding.HEADER_UNREADABLE, file.path, detail, blocks=True)]
    found = _header_findings(file.path, scan, header)
    if header.is_temporary:
        detail = "a temporary database: its pages carry no checksums and it is never a backup"
        return [*found, unknown(Finding.NO_CHECKSUMS, file.path, detail)]
    found += _size_findings(file.path, scan) + _page_findings(file.path, scan)
    return found + _witness_findings(file.path, scan, header) + _trailer_findings(file.path, scan)


def replay_findings(file: FileScan, logs: tuple[StreamLog, ...]) -> list[Found]:
    """Whether the logs beside a database are its own, and all that it needs."""
    header = file.database.reading.header if file.database is not None else None
    if header is None or header.is_temporary or header.state not in _USABLE:
        return []
    own = tuple(each for each in logs if each.header.signature == header.log_signature)
    found = _foreign_findings(file, header, logs)
    found += _time_findings(file, header, own)
    needed = needed_logs(file.database)
    if needed is None:
        return found
    usable = {each.header.generation for each in own if each.is_usable}
    required = range(needed.required_low, needed.required_high + 1)
    committed = range(needed.required_high + 1, needed.committed + 1)
    if lacking := gaps(required, usable):
        detail = f"needed to bring it to a consistent state: {run_words(lacking)} (-543)"
        found.append(damage(Finding.REQUIRED_LOG_MISSING, file.path, detail, blocks=True))
    if lacking := gaps(committed, usable):
        words = run_words(lacking)
        detail = f"without them what was written last is lost on replay: {words} (-582)"
        found.append(damage(Finding.COMMITTED_LOG_MISSING, file.path, detail))
    replayed = tuple(each for each in own if each.header.generation in required)
    if any(each.body is None or not each.body.is_checked for each in replayed):
        detail = "the records of the logs that it needs are of a format that is not checked"
        found.append(unknown(Finding.LOG_BODY_NOT_CHECKED, file.path, detail))
    return found + [evolve(each, blocks_restore=True) for each in chain_findings(replayed)]


def checkpoint_findings(file: FileScan, databases: tuple[FileScan, ...]) -> list[Found]:
    """A checkpoint is a hint for recovery: without it nothing is lost, a wrong one does harm."""
    reading = file.checkpoint
    if reading is None:
        return []
    if reading.checkpoint is None:
        detail = f"neither copy can be used ({reading.problems[0].value}; -533)"
        return [damage(Finding.CHECKPOINT_DAMAGED, file.path, detail)]
    found = []
    if reading.problems:
        detail = f"one copy is lost: {reading.problems[0].value}"
        found.append(warning(Finding.CHECKPOINT_COPY_BAD, file.path, detail))
    for each in databases:
        header = each.database.reading.header if each.database is not None else None
        if header is None or header.state not in _USABLE or not header.log_signature.is_set:
            continue
        if header.log_signature != reading.checkpoint.signature:
            detail = f"it is of another log stream than {each.path} (-532): delete it before replay"
            found.append(warning(Finding.CHECKPOINT_FOREIGN, file.path, detail))
    return found


def flush_map_findings(file: FileScan) -> list[Found]:
    """A flush map is made anew by the engine: a bad one is no loss, but it proves nothing."""
    reading = file.flush_map
    if reading is None or (reading.header is not None and not reading.bad_pages):
        return []
    reason = reading.problem.value if reading.problem else f"{reading.bad_pages} bad pages"
    detail = f"it cannot be used ({reason}): delete it, the engine makes a new one"
    return [warning(Finding.FLUSH_MAP_DAMAGED, file.path, detail)]


def _header_findings(path: str, scan: DatabaseScan, header: DatabaseHeader) -> list[Found]:
    found = []
    problems = scan.reading.problems
    lost = {HeaderProblem.PRIMARY_BAD: "primary header", HeaderProblem.SHADOW_BAD: "shadow header"}
    for problem, words in lost.items():
        if problem in problems:
            detail = f"the {words} is bad; the other copy was used"
            found.append(warning(Finding.HEADER_COPY_BAD, path, detail))
    if HeaderProblem.COPIES_DIFFER in problems:
        detail = "both header copies are good but differ; the primary was used"
        found.append(warning(Finding.HEADER_COPIES_DIFFER, path, detail))
    strange = {HeaderProblem.MAGIC_WRONG, HeaderProblem.NOT_A_DATABASE}
    if strange.intersection(problems):
        detail = "the header is not that of a database"
        found.append(damage(Finding.NOT_A_DATABASE, path, detail, blocks=True))
    if header.state not in _USABLE:
        detail = f"its state is {state_words(header.state)}: not a usable backup"
        found.append(damage(Finding.STATE_UNUSABLE, path, detail, blocks=True))
    if header.is_repaired:
        detail = (
            f"repaired {header.repair_count + header.old_repair_count} times: content may be "
            "lost, and no earlier log applies to it"
        )
        found.append(warning(Finding.REPAIRED, path, detail))
    return found


def _size_findings(path: str, scan: DatabaseScan) -> list[Found]:
    found = []
    if scan.missing_pages:
        detail = (
            f"the database owns {scan.owned_pages} pages, the file has {scan.file_pages}: "
            f"the last {scan.missing_pages} are cut off"
        )
        found.append(damage(Finding.TRUNCATED, path, detail, blocks=True))
    if scan.owned_pages is None:
        detail = "how many pages it owns cannot be read, so a cut end would not show"
        found.append(unknown(Finding.OWNED_SIZE_UNKNOWN, path, detail))
    if scan.trailing_bytes:
        detail = f"{scan.trailing_bytes} bytes follow the last whole page"
        found.append(damage(Finding.TRAILING_BYTES, path, detail))
    return found


def _page_findings(path: str, scan: DatabaseScan) -> list[Found]:
    pages, found = scan.pages, []
    if pages.bad:
        detail = f"{pages.bad} of {pages.pages} pages: {_named(pages, PageFault.BAD)} (-1018)"
        found.append(damage(Finding.PAGES_DAMAGED, path, detail, blocks=True))
    if pages.misplaced:
        detail = f"{pages.misplaced} pages hold another page: {_named(pages, PageFault.MISPLACED)}"
        found.append(damage(Finding.PAGES_MISPLACED, path, detail, blocks=True))
    if pages.correctable:
        words = _named(pages, PageFault.CORRECTABLE)
        detail = f"{pages.correctable} pages with one flipped bit each, correctable: {words}"
        found.append(warning(Finding.PAGES_CORRECTABLE, path, detail))
    if used := scan.beyond.pages - scan.beyond.blank:
        detail = f"{used} pages behind the last one owned are not blank: no part of the database"
        found.append(warning(Finding.JUNK_BEYOND_OWNED, path, detail))
    return found


def _witness_findings(path: str, scan: DatabaseScan, header: DatabaseHeader) -> list[Found]:
    """Pages whose own checksum says nothing, and what others say of them.

    Source: real files: a clean database links to no blank page, a dirty one may (its page is in the
    logs still), a repaired one may keep pages of trees that were given up; header and highest
    dbtime agree in all clean ones but two.
    """
    found = []
    if scan.zeroed.count:
        count, words = scan.zeroed.count, _numbers(scan.zeroed)
        if header.is_clean and header.repair_count:
            detail = (
                f"{count} pages are blank though another page links to them: page {words}; the"
                " database was repaired, and that page may be one which the repair gave up: only"
                " an integrity check (eseutil /g) tells"
            )
            found.append(unknown(Finding.PAGES_ZEROED, path, detail))
        elif header.is_clean:
            detail = f"{count} pages are zeroed though another page links to them: page {words}"
            found.append(damage(Finding.PAGES_ZEROED, path, detail, blocks=True))
        else:
            detail = f"{count} pages linked to are blank, as before their replay: page {words}"
            found.append(note(Finding.PAGES_NOT_WRITTEN_YET, path, detail))
    if scan.stale.count:
        detail = (
            f"{scan.stale.count} pages are not the version that the flush map knows as written "
            f"last (a lost write): page {_numbers(scan.stale)} (-1119)"
        )
        found.append(damage(Finding.PAGES_STALE, path, detail, blocks=True))
    if scan.flush_map is MapUse.FOREIGN:
        detail = "the flush map beside it is of another time: delete it, the engine makes a new one"
        found.append(warning(Finding.FLUSH_MAP_FOREIGN, path, detail))
    highest = scan.pages.highest_dbtime
    if header.is_clean and highest > header.dbtime:
        detail = f"page {scan.pages.highest_dbtime_page} has dbtime {highest}, above the header's"
        found.append(note(Finding.DBTIME_BEYOND_HEADER, path, detail))
    if header.is_clean and not header.is_repaired and 0 < highest < header.dbtime:
        detail = (
            f"no page has the header's dbtime {header.dbtime}, the highest is {highest}: the page "
            "written last may have been freed, or its write lost"
        )
        found.append(note(Finding.DBTIME_NOT_REACHED, path, detail))
    return found


def _trailer_findings(path: str, scan: DatabaseScan) -> list[Found]:
    problem = scan.trailer.problem if scan.trailer is not None else None
    if problem is None:
        return []
    finding, detail = {
        TrailerProblem.MISSING: (
            Finding.TRAILER_MISSING,
            "a streaming backup without the page that ends it (-534)",
        ),
        TrailerProblem.CHECKSUM: (
            Finding.TRAILER_DAMAGED,
            "the page that ends the streaming backup is damaged (-535)",
        ),
        TrailerProblem.OF_ANOTHER_DATABASE: (
            Finding.TRAILER_FOREIGN,
            "the page that ends the streaming backup is of another database (-552)",
        ),
    }[problem]
    return [damage(finding, path, detail, blocks=True)]


def _numbers(pages: NamedPages) -> str:
    words = _ranges(pages.first)
    is_all = len(words) <= _PAGES_NAMED and pages.count == len(pages.first)
    return ", ".join(words[:_PAGES_NAMED]) + ("" if is_all else " and more")


def _named(pages: PageVerdicts, fault: PageFault) -> str:
    """The first pages with a fault, with the bit to correct or the place they belong at; pages in a
    row as a range.
    """
    named = [each for each in pages.findings if each.fault is fault]
    words = [
        f"{each.page} (bit {each.bit})"
        if each.bit is not None
        else f"{each.page} (belongs at {each.belongs_at})"
        for each in named
        if each.bit is not None or each.belongs_at is not None
    ] or _ranges([each.page for each in named])
    shown = ", ".join(words[:_PAGES_NAMED])
    is_all = len(words) <= _PAGES_NAMED and len(pages.findings) < FINDINGS_KEPT
    return f"page {shown}" + ("" if is_all else " and more")


def _ranges(numbers: Sequence[int]) -> list[str]:
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] + 1 == number:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return [str(first) if first == last else f"{first}-{last}" for first, last in runs]


def _foreign_findings(
    file: FileScan, header: DatabaseHeader, logs: tuple[StreamLog, ...]
) -> list[Found]:
    if not header.log_signature.is_set:
        return []
    found = []
    for each in foreign_logs(logs, header.log_signature):
        signature = signature_words(each.header.signature)
        detail = f"it is not of the log stream of {file.path}: {signature} (-530)"
        found.append(damage(Finding.LOG_SIGNATURE_FOREIGN, each.file.path, detail))
    return found


def _time_findings(
    file: FileScan, header: DatabaseHeader, own: tuple[StreamLog, ...]
) -> list[Found]:
    """The header keeps the creation times of two of its logs: proof that they belong together."""
    stated = (
        (header.log_committed, header.log_committed_time),
        (header.log_required_high, header.log_required_time),
    )
    found = []
    for generation, moment in stated:
        if not generation or not moment.is_set:
            continue
        for each in own:
            if each.header.generation == generation and each.header.created != moment:
                detail = f"not the generation 0x{generation:X} that {file.path} was used with"
                found.append(
                    damage(Finding.LOGS_OF_ANOTHER_TIME, each.file.path, detail, blocks=True)
                )
    return found
