"""What a file is, told from its first bytes and its name."""

from __future__ import annotations

from goexchange.ese.header import PAGE_SIZES
from goexchange.ese.logs import LogFileKind, LogName, parse_log_name
from goexchange.ese.scan import FileKind
from goexchange.ese.structures import MAGIC
from goexchange.model.backup_set import MANIFEST_NAME, VERDICT_NAME

_DATABASE_SUFFIXES = (".edb", ".mdb", ".dit")
_LOG_KINDS = {
    LogFileKind.ARCHIVED: FileKind.LOG,
    LogFileKind.CURRENT: FileKind.LOG,
    LogFileKind.TEMPORARY: FileKind.TEMPORARY_LOG,
    LogFileKind.RESERVE: FileKind.RESERVE_LOG,
}


def kind_of(name: str, start: bytes) -> FileKind:
    """By content where that is clear (the magic of databases is in no other file), else by name."""
    if name == MANIFEST_NAME:
        return FileKind.MANIFEST
    if name == VERDICT_NAME:
        return FileKind.VERDICT
    lowered = name.lower()
    log = parse_log_name(name)
    if log is not None and not _is_plain_text(log, start):
        return _LOG_KINDS[log.kind]
    if lowered.endswith((".chk", ".jcp")):
        return FileKind.CHECKPOINT
    if lowered.endswith(".jfm"):
        return FileKind.FLUSH_MAP
    if lowered.endswith(".stm"):
        # Streaming files (Exchange 2000, 2003) begin as databases do, with pages of another kind.
        return FileKind.OTHER
    has_magic = any(
        int.from_bytes(start[offset + 4 : offset + 8], "little") == MAGIC
        for offset in (0, *PAGE_SIZES)
    )
    if has_magic or lowered.endswith(_DATABASE_SUFFIXES):
        return FileKind.DATABASE
    return FileKind.OTHER


def _is_plain_text(log: LogName, start: bytes) -> bool:
    """A file like `iis.log`: the name of a current log and nothing of its content."""
    return log.kind is LogFileKind.CURRENT and bool(start) and 0 not in start
