"""What can be found in files of a backup: the closed list, its weights, and the judgement."""

from __future__ import annotations

from enum import Enum

from attrs import frozen


class Weight(Enum):
    """How much a finding matters."""

    DAMAGE = "damage"  # something is broken or lacking
    UNKNOWN = "unknown"  # cannot be told; never passes for sound
    WARNING = "warning"
    NOTE = "note"


class Finding(Enum):
    """What was found; the value is its stable id."""

    # A database.
    HEADER_UNREADABLE = "header-unreadable"
    HEADER_COPY_BAD = "header-copy-bad"
    HEADER_COPIES_DIFFER = "header-copies-differ"
    NOT_A_DATABASE = "not-a-database"
    STATE_UNUSABLE = "state-unusable"
    PAGES_DAMAGED = "pages-damaged"
    PAGES_MISPLACED = "pages-misplaced"
    PAGES_CORRECTABLE = "pages-correctable"
    PAGES_ZEROED = "pages-zeroed"
    PAGES_NOT_WRITTEN_YET = "pages-not-written-yet"
    PAGES_STALE = "pages-stale"
    DBTIME_BEYOND_HEADER = "dbtime-beyond-header"
    DBTIME_NOT_REACHED = "dbtime-not-reached"
    JUNK_BEYOND_OWNED = "junk-beyond-owned"
    TRUNCATED = "truncated"
    TRAILING_BYTES = "trailing-bytes"
    OWNED_SIZE_UNKNOWN = "owned-size-unknown"
    NO_CHECKSUMS = "no-checksums"
    TRAILER_MISSING = "trailer-missing"
    TRAILER_DAMAGED = "trailer-damaged"
    TRAILER_FOREIGN = "trailer-foreign"
    REPAIRED = "repaired"
    STREAMING_NOT_CHECKED = "streaming-not-checked"
    # Logs and checkpoint.
    LOG_DAMAGED = "log-damaged"
    LOG_TORN = "log-torn"
    LOG_CORRECTABLE = "log-correctable"
    LOG_BODY_NOT_CHECKED = "log-body-not-checked"
    LOG_BODY_BY_SOURCE = "log-body-by-source"
    LOG_SIZE_WRONG = "log-size-wrong"
    LOG_NAME_WRONG = "log-name-wrong"
    LOG_GENERATION_TWICE = "log-generation-twice"
    LOG_GAP = "log-gap"
    LOG_CHAIN_BROKEN = "log-chain-broken"
    LOG_SIGNATURE_FOREIGN = "log-signature-foreign"
    LOGS_OF_ANOTHER_TIME = "logs-of-another-time"
    REQUIRED_LOG_MISSING = "required-log-missing"
    COMMITTED_LOG_MISSING = "committed-log-missing"
    CHECKPOINT_DAMAGED = "checkpoint-damaged"
    CHECKPOINT_COPY_BAD = "checkpoint-copy-bad"
    CHECKPOINT_FOREIGN = "checkpoint-foreign"
    FLUSH_MAP_DAMAGED = "flush-map-damaged"
    FLUSH_MAP_FOREIGN = "flush-map-foreign"
    # The set as a whole.
    READ_ERROR = "read-error"
    MANIFEST_INVALID = "manifest-invalid"
    FILE_MISSING = "file-missing"
    FILE_EXTRA = "file-extra"
    SIZE_DIFFERS = "size-differs"
    DIGEST_DIFFERS = "digest-differs"
    DIGEST_UNKNOWN = "digest-unknown"
    ROLL_FORWARD_INCOMPLETE = "roll-forward-incomplete"
    EVIDENCE_ONLY = "evidence-only"
    SAMPLED = "sampled"
    NOTHING_RECOGNISED = "nothing-recognised"


@frozen(kw_only=True)
class Found:
    """One finding about one file, or about the whole (path empty).

    Shape: `blocks_restore` when the database that it concerns cannot be brought back with what is
    there.
    """

    finding: Finding
    weight: Weight
    path: str
    detail: str
    blocks_restore: bool = False


class Verdict(Enum):
    """What files of a backup are good for."""

    RESTORABLE = "restorable"
    RESTORABLE_WITH_REPLAY = "restorable-with-replay"
    NOT_RESTORABLE = "not-restorable"
    SOUND = "sound"  # no database among them, and no damage
    DAMAGED = "damaged"  # no database among them, and damage
    SAMPLE_SOUND = "sample-sound"  # no damage in the part that was asked to be read
    UNDECIDED = "undecided"


@frozen(kw_only=True)
class FileJudgement:
    """One file: what it is, in words, and whether anything was found in it."""

    path: str
    kind: str
    size_bytes: int
    sha256: str | None
    summary: str
    is_damaged: bool


@frozen(kw_only=True)
class Judgement:
    """The verdict on a path and the reasons; damage comes first among the findings."""

    path: str
    verdict: Verdict
    findings: tuple[Found, ...]
    files: tuple[FileJudgement, ...]
    set_id: str | None = None
    set_sha256: str | None = None

    @property
    def is_damaged(self) -> bool:
        """Something is broken, lacking or not what it should be: exit code 30."""
        return any(each.weight is Weight.DAMAGE for each in self.findings)


def damage(finding: Finding, path: str, detail: str, *, blocks: bool = False) -> Found:
    """A finding of damage."""
    return Found(
        finding=finding, weight=Weight.DAMAGE, path=path, detail=detail, blocks_restore=blocks
    )


def unknown(finding: Finding, path: str, detail: str) -> Found:
    """Something that cannot be told."""
    return Found(finding=finding, weight=Weight.UNKNOWN, path=path, detail=detail)


def warning(finding: Finding, path: str, detail: str) -> Found:
    """Something to know that does not spoil anything."""
    return Found(finding=finding, weight=Weight.WARNING, path=path, detail=detail)


def note(finding: Finding, path: str, detail: str) -> Found:
    """Something said for completeness."""
    return Found(finding=finding, weight=Weight.NOTE, path=path, detail=detail)
