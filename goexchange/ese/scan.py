"""What one pass over files of a backup gave: plain values that scanning makes and judging reads."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from goexchange.ese.checkpoint import CheckpointReading
from goexchange.ese.header import HeaderReading
from goexchange.ese.logs import LogBody, LogReading
from goexchange.ese.pages import PageVerdicts


class FileKind(Enum):
    """What a file is, by its content first and its name second."""

    DATABASE = "database"
    LOG = "log"
    TEMPORARY_LOG = "temporary-log"
    RESERVE_LOG = "reserve-log"
    CHECKPOINT = "checkpoint"
    FLUSH_MAP = "flush-map"
    MANIFEST = "manifest"
    OTHER = "other"


@frozen(kw_only=True)
class DatabaseScan:
    """A database file.

    Shape: `pages` are those that the database owns, `beyond` what lies behind them in the file
    (junk there does no harm); with `owned_pages` unknown all are in `pages`. `trailing_bytes`
    follow the last whole page.
    Unknown: `owned_pages` is None when the space tree cannot be walked.
    """

    reading: HeaderReading
    file_pages: int
    owned_pages: int | None
    trailing_bytes: int
    pages: PageVerdicts
    beyond: PageVerdicts

    @property
    def missing_pages(self) -> int:
        """How many pages of the database the file is too short for."""
        return 0 if self.owned_pages is None else max(0, self.owned_pages - self.file_pages)


@frozen(kw_only=True)
class LogScan:
    """A transaction log: its header, and its body where the format's body is checked."""

    reading: LogReading
    body: LogBody | None


@frozen(kw_only=True)
class FileScan:
    """One file.

    Shape: `path` is relative to what was scanned, with forward slashes. Unknown: `sha256` is None
    when it was not asked for, or with a `read_error`; what was read before the error still stands.
    """

    path: str
    size_bytes: int
    kind: FileKind
    sha256: str | None = None
    database: DatabaseScan | None = None
    log: LogScan | None = None
    checkpoint: CheckpointReading | None = None
    read_error: str | None = None


@frozen(kw_only=True)
class PathScan:
    """A file, a loose folder, or a set (which has a manifest)."""

    path: str
    files: tuple[FileScan, ...]
    manifest: bytes | None = None
