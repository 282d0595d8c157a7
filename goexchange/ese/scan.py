"""What one pass over files of a backup gave: plain values that scanning makes and judging reads."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from goexchange.ese.checkpoint import CheckpointReading
from goexchange.ese.flush_map import FlushMapReading
from goexchange.ese.header import HeaderReading
from goexchange.ese.logs import LogBody, LogReading
from goexchange.ese.pages import PageVerdicts
from goexchange.ese.trailer import TrailerReading
from goexchange.ese.witness import NamedPages


class FileKind(Enum):
    """What a file is, by its content first and its name second."""

    DATABASE = "database"
    LOG = "log"
    TEMPORARY_LOG = "temporary-log"
    RESERVE_LOG = "reserve-log"
    CHECKPOINT = "checkpoint"
    FLUSH_MAP = "flush-map"
    MANIFEST = "manifest"
    VERDICT = "verdict"  # of a verifier machine, beside the manifest
    OTHER = "other"


class MapUse(Enum):
    """Whether the flush map beside a database could speak for or against its pages."""

    ABSENT = "absent"
    UNREADABLE = "unreadable"
    FOREIGN = "foreign"  # of another database, or of another time of this one
    NOT_CLEAN = "not-clean"  # database or map were not shut down: the map is behind
    USED = "used"


NONE_NAMED = NamedPages()


@frozen(kw_only=True)
class DatabaseScan:
    """A database file.

    Shape: `pages` are those that the database owns, `beyond` what lies behind them in the file
    (junk there does no harm); with `owned_pages` unknown all are in `pages`. `trailing_bytes`
    follow the last whole page. `zeroed` are blank pages that another page links to, `stale` those
    that the flush map knows a later write of; both are looked for among the owned ones only.
    Unknown: `owned_pages` is None when the space tree cannot be walked.
    """

    reading: HeaderReading
    file_pages: int
    owned_pages: int | None
    trailing_bytes: int
    pages: PageVerdicts
    beyond: PageVerdicts
    zeroed: NamedPages = NONE_NAMED
    stale: NamedPages = NONE_NAMED
    flush_map: MapUse = MapUse.ABSENT
    trailer: TrailerReading | None = None

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

    Shape: `path` is relative to what was scanned, with forward slashes; `is_sampled` when only a
    part of it was read, as was asked for. Unknown: `sha256` is None when it was not asked for, of a
    sample, or with a `read_error`; what was read before the error still stands.
    """

    path: str
    size_bytes: int
    kind: FileKind
    sha256: str | None = None
    database: DatabaseScan | None = None
    log: LogScan | None = None
    checkpoint: CheckpointReading | None = None
    flush_map: FlushMapReading | None = None
    is_sampled: bool = False
    read_error: str | None = None


@frozen(kw_only=True)
class PathScan:
    """A file, a loose folder, or a set (which has a manifest)."""

    path: str
    files: tuple[FileScan, ...]
    manifest: bytes | None = None
