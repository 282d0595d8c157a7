"""Which files belong to the set of a cleanly dismounted database, and why each does or does not."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from goexchange.backup.generations import gaps
from goexchange.ese.header import DatabaseHeader
from goexchange.ese.logs import LogFileKind, parse_log_name
from goexchange.model.backup_set import FileRole


class Reason(Enum):
    """Why a file is in a set."""

    DATABASE = "the database itself"
    STREAMING = "the streaming file of the database"
    LOG_SINCE_CONSISTENT = "log from the database's last consistent generation on"
    LOG_SINCE_FULL_BACKUP = "log since the last online full backup, to roll it forward"
    LOG_AS_EVIDENCE = "log of the stream, kept as evidence"
    CURRENT_LOG = "current log of the stream"
    CHECKPOINT = "checkpoint, for diagnosis only"


class LeftOut(Enum):
    """Why a file beside them is not."""

    RESERVE_LOG = "reserve log: made anew when missing"
    TEMPORARY_LOG = "next log in preparation: holds nothing"
    FLUSH_MAP = "flush map: made anew, and refused when it does not fit"
    OLD_LOG = "log from before anything that the set can restore"
    OTHER_STREAM = "not a file of this log stream"


@frozen(kw_only=True)
class ListedFile:
    """A file as its folder lists it."""

    path: str
    size_bytes: int


@frozen(kw_only=True)
class SelectedFile:
    """A file of the set. `generation` is that in the name of an archived log."""

    path: str
    size_bytes: int
    role: FileRole
    reason: Reason
    generation: int | None = None


@frozen(kw_only=True)
class Selection:
    """The files of a set, those left out, and the generations that are lacking (first, last)."""

    files: tuple[SelectedFile, ...]
    left_out: tuple[tuple[str, LeftOut], ...]
    missing_generations: tuple[tuple[int, int], ...]

    @property
    def total_bytes(self) -> int:
        return sum(each.size_bytes for each in self.files)


def select_files(
    header: DatabaseHeader,
    database: ListedFile,
    *,
    log_folder: tuple[ListedFile, ...],
    log_prefix: str,
    is_evidence: bool = False,
) -> Selection:
    """The files of the set of a database whose header was read after the dismount.

    Shape: the database first, then logs by generation, the current log, the checkpoint; evidence
    has every log of the stream.
    """
    chosen = [
        SelectedFile(
            path=database.path,
            size_bytes=database.size_bytes,
            role=FileRole.DATABASE,
            reason=Reason.DATABASE,
        )
    ]
    left_out: list[tuple[str, LeftOut]] = []
    for listed in sorted(log_folder, key=lambda each: each.path.lower()):
        if listed.path.lower() == database.path.lower():
            continue
        judged = _judge(listed, header, log_prefix)
        log = parse_log_name(_name(listed.path))
        if is_evidence and judged is LeftOut.OLD_LOG and log is not None:
            judged = _selected(listed, FileRole.LOG, Reason.LOG_AS_EVIDENCE, log.generation)
        if isinstance(judged, LeftOut):
            left_out.append((listed.path, judged))
        else:
            chosen.append(judged)
    chosen[1:] = sorted(chosen[1:], key=_order)
    return Selection(
        files=tuple(chosen),
        left_out=tuple(left_out),
        missing_generations=_missing(header, chosen),
    )


def roll_forward_start(header: DatabaseHeader) -> int:
    """The first generation that rolling the last online backup forward needs; 0 without one."""
    full, incremental = header.previous_full_backup, header.previous_incremental_backup
    if not full.is_set:
        return 0
    return max(full.mark.generation, incremental.mark.generation if incremental.is_set else 0)


def _judge(listed: ListedFile, header: DatabaseHeader, prefix: str) -> SelectedFile | LeftOut:
    name = _name(listed.path)
    if name.lower().endswith(".jfm"):
        return LeftOut.FLUSH_MAP
    if name.lower() in (f"{prefix}.chk".lower(), f"{prefix}.jcp".lower()):
        return _selected(listed, FileRole.CHECKPOINT, Reason.CHECKPOINT)
    log = parse_log_name(name)
    if log is not None and log.kind is LogFileKind.RESERVE:
        return LeftOut.RESERVE_LOG
    if log is None or log.base.lower() != prefix.lower():
        return LeftOut.OTHER_STREAM
    if log.kind is LogFileKind.TEMPORARY:
        return LeftOut.TEMPORARY_LOG
    if log.generation is None:
        return _selected(listed, FileRole.LOG, Reason.CURRENT_LOG)
    if log.generation >= header.last_consistent.generation:
        reason = Reason.LOG_SINCE_CONSISTENT
    elif roll_forward_start(header) and log.generation >= _first_since_full(header):
        reason = Reason.LOG_SINCE_FULL_BACKUP
    else:
        return LeftOut.OLD_LOG
    return _selected(listed, FileRole.LOG, reason, log.generation)


def _selected(
    listed: ListedFile, role: FileRole, reason: Reason, generation: int | None = None
) -> SelectedFile:
    return SelectedFile(
        path=listed.path,
        size_bytes=listed.size_bytes,
        role=role,
        reason=reason,
        generation=generation,
    )


def _first_since_full(header: DatabaseHeader) -> int:
    return header.previous_full_backup.mark.generation


def _missing(header: DatabaseHeader, chosen: list[SelectedFile]) -> tuple[tuple[int, int], ...]:
    """Gaps from where a roll forward starts to the last consistent generation, or as logs go.

    The last consistent generation itself may still be the current log, which has no generation in
    its name.
    """
    present = {each.generation for each in chosen if each.generation is not None}
    has_current = any(each.reason is Reason.CURRENT_LOG for each in chosen)
    consistent = header.last_consistent.generation
    first = min(filter(None, (roll_forward_start(header), consistent)), default=0)
    last = max((*present, consistent - 1 if has_current else consistent))
    if not first:
        return ()
    return gaps(range(first, last + 1), present)


def _order(each: SelectedFile) -> tuple[int, int, str]:
    rank = {Reason.CURRENT_LOG: 1, Reason.CHECKPOINT: 2}.get(each.reason, 0)
    return rank, each.generation or 0, each.path.lower()


def _name(path: str) -> str:
    return path.replace("/", "\\").rsplit("\\", 1)[-1]
