"""The files of one offline backup, as its manifest lists them."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from attrs import frozen

MANIFEST_NAME = "backup-set.json"
"""Name of the manifest in a set's folder; a set without one is not a set."""

VERDICT_NAME = "backup-set.verdict.json"
"""Name of the verdict that a verifier machine leaves beside a manifest."""


class FileRole(Enum):
    """Why a kind of file is in a set."""

    DATABASE = "database"
    STREAMING = "streaming"  # the second file of a database of Exchange 2003
    LOG = "log"
    CHECKPOINT = "checkpoint"
    REGISTRY = "registry"
    SYSTEM_STATE = "system-state"
    CONFIGURATION = "configuration"
    DECLARED = "declared"


class FileVerdict(Enum):
    """What was found when the copy was checked."""

    SOUND = "sound"
    DAMAGED = "damaged"
    NOT_CHECKED = "not-checked"


class SetMethod(Enum):
    """How a set was made, and so what it is worth."""

    OFFLINE_COPY = "offline-copy"  # of a cleanly dismounted database: a way back
    EVIDENCE = "evidence"  # before a repair with possible loss: not a sound way back


@frozen(kw_only=True)
class DatabaseFacts:
    """What the header of a database in a set says.

    Shape: signatures in the words that eseutil prints (`Create time:... Rand:... Computer:...`),
    positions as `(0x4C3,1E,16F)`, the state in its words (`Clean Shutdown`).
    """

    signature: str
    log_signature: str
    state: str
    page_size: int
    dbtime: int
    last_consistent: str
    last_consistent_generation: int
    last_consistent_at_utc: datetime | None
    log_required_low: int
    log_required_high: int
    log_committed: int
    repair_count: int
    are_header_copies_alike: bool


@frozen(kw_only=True)
class LogFacts:
    """What is known of a log in a set; the generation of the current log is not in its name."""

    generation: int | None
    signature: str | None = None


@frozen(kw_only=True)
class SetFile:
    """One file of a set.

    Shape: `path` is relative to the set's folder, with forward slashes; `sha256` is that of the
    copy as it was read back.
    """

    role: FileRole
    path: str
    source_path: str
    size_bytes: int
    sha256: str
    reason: str
    verdict: FileVerdict = FileVerdict.NOT_CHECKED
    database: DatabaseFacts | None = None
    log: LogFacts | None = None


@frozen(kw_only=True)
class OnlineBackup:
    """The online full backup that the logs of a set carry forward to the dismount."""

    first_generation: int
    last_generation: int
    marked_at_utc: datetime | None


@frozen(kw_only=True)
class Restores:
    """What a set can bring back.

    Shape: `clean_point` is the position up to which the database in it is complete; None when it is
    not clean. `missing_generations` are pairs (first, last) of logs that a roll forward would need
    and that are not there.
    """

    clean_point: str | None
    clean_point_at_utc: datetime | None
    carries_forward: OnlineBackup | None
    missing_generations: tuple[tuple[int, int], ...] = ()


@frozen(kw_only=True)
class BackupSet:
    """The body of a manifest. Its digest is taken over the canonical JSON of all of it."""

    set_id: str
    server: str
    database: str
    database_guid: str
    taken_at_utc: datetime
    run: str
    plan: str
    method: SetMethod
    files: tuple[SetFile, ...]
    restores: Restores


@frozen(kw_only=True)
class SetVerdict:
    """The body of a verdict: what a machine that read a whole set found.

    Shape: `set_sha256` is the digest of the set that was read, and a verdict is about no other;
    `verdict` is in the words of `goexchange verify`, `findings` are those that count against it.
    `verified_by` is what the machine calls itself.
    """

    set_id: str
    set_sha256: str
    verdict: str
    is_good: bool
    findings: tuple[str, ...]
    verified_at_utc: datetime
    verified_by: str
    tool_version: str
