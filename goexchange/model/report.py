"""The report of a run: everything that is shown of it, made from plan and journal alone.

A member that the journal does not hold is None and is shown as *not recorded*; nothing is invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from attrs import frozen

from goexchange.errors import Diagnostic
from goexchange.model.plan import Need, Verdict, WindowPlan

Json = Any


class ReportVerdict(Enum):
    """What a run came to, the most severe first."""

    WAY_BACK_FAILED = "way-back-failed"
    LEFT_OFFLINE = "left-offline"
    UNKNOWN = "unknown"
    INTERNAL = "internal"
    UNPROTECTED = "unprotected"
    STOPPED = "stopped"
    PARTIAL = "partial"
    INTERRUPTED = "interrupted"
    UNFINISHED = "unfinished"  # the journal has no end: the run goes on, or its controller died
    DONE = "done"


class StepState(Enum):
    """What became of a step."""

    DONE = "done"
    ALREADY = "already"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    IN_DOUBT = "in-doubt"
    NOT_REACHED = "not-reached"


@frozen(kw_only=True)
class Figure:
    """A number of bytes, where it was read (`the dismounted file`, `Exchange`), and when."""

    size_bytes: int | None
    source: str | None
    read_at_utc: datetime | None


@frozen(kw_only=True)
class BackupState:
    """How protected a database was: in words, and the time of the backup they speak of."""

    words: str
    at_utc: datetime | None


@frozen(kw_only=True)
class Superseded:
    """Online backups of a database taken before this time no longer fit its file."""

    address: str
    before_utc: datetime | None
    is_repaired: bool = False


@frozen(kw_only=True)
class Interval:
    """A stretch of time; `end_utc` is None when the journal does not hold its end."""

    start_utc: datetime
    end_utc: datetime | None


@frozen(kw_only=True)
class ReportedFinding:
    """One error or warning that a step found; `pass_name` is `primary` or `defragmented`."""

    severity: str
    pass_name: str | None
    text: str
    number: int = 1
    attempt: int | None = None


@frozen(kw_only=True)
class PassCount:
    """What one phase found on a database: how many looks it took, errors, warnings.

    Shape: `passes` has errors and warnings of each pass where the phase may take several; it is
    empty for a phase that looks once.
    """

    pass_name: str
    looks: int
    errors: int
    warnings: int
    passes: tuple[tuple[int, int], ...] = ()


@frozen(kw_only=True)
class Attention:
    """Something a person has to do now, with the exact commands."""

    verdict: ReportVerdict
    address: str
    why: str
    commands: tuple[str, ...]


@frozen(kw_only=True)
class RunHeader:
    """Which run, of which plan, by whom, when."""

    run: str | None
    plan: str
    plan_sha256: str
    planned_by: str
    commit: str | None
    specifications: tuple[str, ...]
    inputs: tuple[str, ...]
    tool: str | None
    controller: str | None
    started_by: str | None
    approved_by: str | None
    approved_at_utc: datetime | None
    consents: tuple[str, ...]
    window: WindowPlan | None
    started_at_utc: datetime | None
    ended_at_utc: datetime | None
    last_record_at_utc: datetime | None
    resumes: int
    exit_code: int | None


@frozen(kw_only=True)
class DatabaseSummary:
    """One database before and after, or a server that was worked on as such (`is_database` false):
    it has neither size nor backup.

    Shape: `state` is that of its lane as the journal says it, None without a lane or before it
    begins; `offline` are the times from dismount to mount; `signature_*` are hexadecimal.
    """

    server: str
    database: str
    need: Need
    explanation: str
    state: str | None
    why: str
    size_before: Figure
    size_after: Figure
    white_space_before: Figure
    white_space_after: Figure
    signature_before: str | None
    signature_after: str | None
    passes: tuple[PassCount, ...]
    offline: tuple[Interval, ...]
    backup_before: BackupState
    backup_after: BackupState
    recoverable: Figure | None = None  # what a rebuild would give back, measured in the file
    is_database: bool = True


@frozen(kw_only=True)
class StepLog:
    """One step of the plan and what became of it. `attempts` counts how often it was sent."""

    id: str
    number: int
    lane: str
    action: str
    summary: str
    call: str
    state: StepState
    attempts: int
    started_at_utc: datetime | None
    ended_at_utc: datetime | None
    estimate_s: int | None
    is_way_back: bool
    why: str | None
    findings: tuple[ReportedFinding, ...]
    result: Mapping[str, Json] | None
    output_tail: str
    pass_name: str | None = None


@frozen(kw_only=True)
class GuardEvidence:
    """A guard as it was decided: in the plan (`at_utc` None), at the start or before a step."""

    at_utc: datetime | None
    decided: str
    lane: str | None
    verdict: Verdict


@frozen(kw_only=True)
class LaneReport:
    """One lane from start to end."""

    lane: str
    server: str
    database: str | None
    state: str | None
    why: str
    started_at_utc: datetime | None
    ended_at_utc: datetime | None
    offline: tuple[Interval, ...]
    steps: tuple[StepLog, ...]


@frozen(kw_only=True)
class BackupSetReport:
    """The offline set of one database, or the evidence of it: what lies where, how it was
    verified.
    """

    address: str
    folder: str | None
    files: int | None
    total_bytes: int | None
    copied: Interval | None
    manifest: str | None
    manifest_sha256: str | None
    set_sha256: str | None
    database_sha256: str | None
    signature: str | None
    verified: tuple[str, ...]
    is_sealed: bool
    is_verified: bool
    is_evidence: bool = False


@frozen(kw_only=True)
class OnlineBackupReport:
    """One online backup and its proof; what the journal does not hold of it is None."""

    address: str
    method: str
    ran: Interval | None
    state: StepState
    last_full_backup_utc: datetime | None
    job_succeeded: bool | None
    is_newer: bool | None
    event_completed: bool | None
    retrievable: bool | None
    proved: bool | None
    logs: str | None = None
    also_covered: tuple[str, ...] = ()


@frozen(kw_only=True)
class Rate:
    """How fast a step moved bytes."""

    address: str
    work: str
    moved_bytes: int
    seconds: float


@frozen(kw_only=True)
class Deviation:
    """Something that did not go straight: failed, retried, looked at, asked, resumed, way back."""

    at_utc: datetime | None
    kind: str
    address: str
    text: str


@frozen(kw_only=True)
class DeliveryLog:
    """What became of a notification on one channel, as the outbox of the store has it."""

    channel: str
    state: str
    attempts: int
    at_utc: datetime | None
    text: str


@frozen(kw_only=True)
class NoticeLog:
    """A notification event of the run; without deliveries nobody was to be told of it, or the
    outbox was not there to ask.
    """

    at_utc: datetime
    event: str
    audience: str | None
    recipients: tuple[str, ...]
    deliveries: tuple[DeliveryLog, ...]


@frozen(kw_only=True)
class JournalCheck:
    """Whether the chain of the journal holds, and its last digest."""

    records: int
    is_whole: bool
    problem: str | None
    head: str | None


@frozen(kw_only=True)
class Report:
    """The report of one run."""

    format: str
    verdict: ReportVerdict
    headline: str
    attention: tuple[Attention, ...]
    run: RunHeader
    databases: tuple[DatabaseSummary, ...]
    lanes: tuple[LaneReport, ...]
    sets: tuple[BackupSetReport, ...]
    online_backups: tuple[OnlineBackupReport, ...]
    superseded: tuple[Superseded, ...]
    rates: tuple[Rate, ...]
    deviations: tuple[Deviation, ...]
    guards: tuple[GuardEvidence, ...]
    notices: tuple[NoticeLog, ...]
    diagnostics: tuple[Diagnostic, ...]
    journal: JournalCheck
