"""What an operator wants to be true of databases and servers, with every default made explicit.

Units: durations are whole seconds (`_s`), sizes are bytes, ratios are 0 to 1. Every element
carries the place where the operator wrote it, or the place of the nearest element above it when
it was left to its default.
"""

from __future__ import annotations

from datetime import date
from enum import Enum

from attrs import frozen

from goexchange.errors import Place
from goexchange.model.configuration import SecretReference


class Script(Enum):
    """The maintenance scripts."""

    PREVENTATIVE_MAINTENANCE = "preventative-maintenance"
    STORE_ERROR_CORRECTION = "store-error-correction"
    MTA_ERROR_CORRECTION = "mta-error-correction"
    OFFLINE_DIAGNOSTIC_REPORT = "offline-diagnostic-report"
    ONLINE_ERROR_CORRECTION = "online-error-correction"
    ONLINE_ERROR_DIAGNOSTIC = "online-error-diagnostic"
    OFFLINE_DEFRAG = "offline-defrag"
    OFFLINE_SPACE_DIAGNOSTIC = "offline-space-diagnostic"
    EXCHANGE_BACKUP = "exchange-backup"
    SERVER_MAINTENANCE = "server-maintenance"


class VerifyMode(Enum):
    """Whether a database may be taken down only to be looked at."""

    ONLINE = "online"
    OFFLINE = "offline"


class Consent(Enum):
    """What only a person may allow, for one plan; a specification can forbid it, never grant it."""

    REPAIR_MAY_LOSE_DATA = "repair-may-lose-data"
    REBUILD_REPLICATED_DATABASE = "rebuild-replicated-database"
    BACKUP_COVERS_OTHERS = "backup-covers-others"
    UNCONFIRMED_GENERATION = "unconfirmed-generation"
    UNPROVEN_BUILD = "unproven-build"
    OUTAGE_WITHOUT_HISTORY = "outage-without-history"
    HARMLESS_FINDING = "harmless-finding"
    STORE_INTEGRITY_CORRECTION = "store-integrity-correction"
    DISCARD_MAIL = "discard-mail"
    SERVER_OUTAGE = "server-outage"


class OnlineBackupMethod(Enum):
    """How an online backup is started and followed."""

    WINDOWS_SERVER_BACKUP = "windows-server-backup"
    DISKSHADOW = "diskshadow"
    AGENT = "agent"
    NTBACKUP = "ntbackup"  # of Windows Server 2003


class BackupState(Enum):
    """What an agent's own word for the state of its backup means to us."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class BackupPart(Enum):
    """What an offline backup takes beside the databases, their logs and checkpoint."""

    REGISTRY = "registry"
    SYSTEM_STATE = "system-state"
    EXCHANGE_CONFIGURATION = "exchange-configuration"
    EXCHANGE_DIRECTORIES = "exchange-directories"


class ConflictPolicy(Enum):
    """What happens when another backup is in the way."""

    WAIT = "wait"
    SUSPEND = "suspend"
    REFUSE = "refuse"


class ProcessLimit(Enum):
    """What ends the wait for a custom process."""

    COMPLETION = "completion"
    COMPLETION_OR_TIMEOUT = "completion-or-timeout"
    TIMEOUT = "timeout"


class ProcessScope(Enum):
    """How often a custom process runs."""

    RUN = "run"
    SERVER = "server"
    DATABASE = "database"


class MissedPolicy(Enum):
    """What happens when the due time was missed."""

    NEXT_WINDOW = "next-window"
    NEXT_DUE = "next-due"
    RUN_NOW = "run-now"


class OverrunPolicy(Enum):
    """What happens when the time is up before the swap."""

    BACK_TO_ORIGINAL = "back-to-original"
    FINISH = "finish"


class NotificationEvent(Enum):
    """The events that people can be told about."""

    SCHEDULED_MAINTENANCE_OUTAGE = "scheduled-maintenance-outage"
    EXCHANGE_NOW_AVAILABLE = "exchange-now-available"
    SCHEDULED_RESOURCE_CHECK = "scheduled-resource-check"
    MAINTENANCE_STARTING = "maintenance-starting"
    MAINTENANCE_FINISHED = "maintenance-finished"
    MAINTENANCE_FAILED = "maintenance-failed"
    STORAGE_OFFLINE = "storage-offline"
    STORAGE_ONLINE = "storage-online"
    STORAGE_LEFT_OFFLINE = "storage-left-offline"
    DATABASE_UNPROTECTED = "database-unprotected"
    WAITING_FOR_ANSWER = "waiting-for-answer"
    WAY_BACK_TAKEN = "way-back-taken"
    WINDOW_AT_RISK = "window-at-risk"
    WINDOW_MISSED = "window-missed"


class Audience(Enum):
    """Who a notification is written for."""

    USERS = "users"
    OPERATORS = "operators"


class ReportFormat(Enum):
    """What a report can be written as."""

    HTML = "html"
    MARKDOWN = "md"
    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    CSV = "csv"
    PROMETHEUS = "prom"


@frozen(kw_only=True)
class Targets:
    """Which databases are meant, as written.

    Shape: `servers` holds names, `group:`, `site:` and `dag:` selectors, resolved by
    `goexchange.spec.selection`; `include` and `exclude` are case-insensitive patterns with `*`
    and `?` over database names. A database is meant when a pattern of `include` matches it and
    none of `exclude` does.
    """

    servers: tuple[str, ...]
    server_places: tuple[Place, ...]
    include: tuple[str, ...]
    include_places: tuple[Place, ...]
    exclude: tuple[str, ...]
    exclude_places: tuple[Place, ...]
    place: Place


@frozen(kw_only=True)
class Conditions:
    """What has to be true; what already is gets no step.

    Unknown: None means that the specification asks nothing about it.
    """

    mounted: bool
    mounted_place: Place
    white_space_max: float | None
    white_space_max_place: Place
    verified_within_s: int | None
    verified_within_place: Place
    online_full_backup_within_s: int | None
    online_full_backup_within_place: Place
    measured_within_s: int | None
    measured_within_place: Place
    offline_backup_within_s: int | None
    offline_backup_within_place: Place
    place: Place
    maintained_within_s: int | None = None
    maintained_within_place: Place | None = None


@frozen(kw_only=True)
class ErrorCorrection:
    """How often errors are detected and corrected in each phase; 0 leaves the phase out."""

    primary_passes_max: int
    defragmented_passes_max: int
    treat_warnings_as_errors: bool
    place: Place


class ReplicatedRebuild(Enum):
    """What is planned for a rebuild of a database that has other copies."""

    REFUSE = "refuse"
    BY_CONSENT = "by-consent"


@frozen(kw_only=True)
class RebuildBrake:
    """When a rebuild that would be possible is not worth it, or is not even planned."""

    not_again_within_s: int
    gain_min_bytes: int
    place: Place
    replicated: ReplicatedRebuild = ReplicatedRebuild.REFUSE


class MtaMessages(Enum):
    """Messages of the MTA's own that `mtacheck` can remove; values as a specification says them."""

    DIRECTORY_REPLICATION = "directory-replication"
    PUBLIC_FOLDER_REPLICATION = "public-folder-replication"
    LINK_MONITOR = "link-monitor"


class ActiveCopies(Enum):
    """What becomes of the active copies that were moved away, when their server is back."""

    RETURN = "return"
    STAY = "stay"


@frozen(kw_only=True)
class ScriptChoice:
    """The script and how it is run; `mta_removes` is read by MTA Error Correction alone,
    `active_copies` by Server Maintenance.
    """

    script: Script
    error_correction: ErrorCorrection
    verify: VerifyMode
    rebuild: RebuildBrake
    forbid: tuple[Consent, ...]
    forbid_place: Place
    place: Place
    mta_removes: tuple[MtaMessages, ...] = ()
    active_copies: ActiveCopies = ActiveCopies.RETURN


@frozen(kw_only=True)
class BackupTarget:
    """Where a backup goes: a folder or volume of the host, or a share."""

    path: str
    credential: SecretReference | None
    place: Place


@frozen(kw_only=True)
class OfflineBackup:
    """A file-level copy while the databases are down.

    Shape: `paths` are further files or folders of the host; `keep_last` is the number of proved
    sets kept per database; `rate_max_bytes_per_s` holds the copy back, None for as fast as it goes.
    """

    target: BackupTarget
    parts: tuple[BackupPart, ...]
    paths: tuple[str, ...]
    keep_last: int
    timeout_s: int
    place: Place
    rate_max_bytes_per_s: int | None = None


@frozen(kw_only=True)
class StateMapping:
    """One word that an agent prints, and what it means."""

    prints: str
    means: BackupState
    place: Place


@frozen(kw_only=True)
class BackupAgent:
    """A backup vendor's agent as commands: start, ask for the state, stop.

    Shape: `runs_on` names the machine of the inventory where the commands run, None for the
    Exchange server itself; `copies` prints when the copies were made that can be fetched, None
    where nobody can tell.
    Unknown: what `state` prints and no mapping names is unknown, never success.
    """

    start: tuple[str, ...]
    state: tuple[str, ...]
    stop: tuple[str, ...] | None
    states: tuple[StateMapping, ...]
    poll_every_s: int
    runs_on: str | None
    place: Place
    copies: tuple[str, ...] | None = None


@frozen(kw_only=True)
class OnlineBackup:
    """A backup through the writer while the databases stay mounted."""

    method: OnlineBackupMethod
    target: BackupTarget | None
    agent: BackupAgent | None
    timeout_s: int
    place: Place


@frozen(kw_only=True)
class BackupActions:
    """The backups of one side, before or after maintenance."""

    offline: OfflineBackup | None
    online: OnlineBackup | None
    place: Place


@frozen(kw_only=True)
class DeclaredBackup:
    """Somebody else's backup that is known to run: first start, rhythm and length."""

    name: str
    due: str
    zone: str | None
    lasts_s: int
    place: Place


@frozen(kw_only=True)
class BackupConflicts:
    """What happens when another backup runs, or is scheduled inside the time the run will take."""

    running: ConflictPolicy
    scheduled: ConflictPolicy
    wait_max_s: int
    suspend: tuple[str, ...] | None
    resume: tuple[str, ...] | None
    declared: tuple[DeclaredBackup, ...]
    place: Place


@frozen(kw_only=True)
class CustomProcess:
    """A command on the host, before or after maintenance.

    Shape: `run` is program and arguments, never a shell line; `undoes` (after only) names the
    process before that it puts back, and makes it run whatever happens; `follow` is the image
    name of the process whose end counts as completion when the command is only a launcher.
    Unknown: `timeout_s` is None only with the limit COMPLETION.
    """

    name: str
    run: tuple[str, ...]
    limit: ProcessLimit
    timeout_s: int | None
    treat_failure_as_error: bool
    success_exit_codes: tuple[int, ...]
    undoes: str | None
    follow: str | None
    per: ProcessScope
    place: Place


@frozen(kw_only=True)
class DownProcess:
    """A command that takes its server down: it is out of service from before its start until it is
    back.

    Shape: `restarts` says that the command restarts the server, which is waited for;
    `back_within_s` is how long after the end of the command, or after that restart, the server may
    take to be itself again.
    """

    name: str
    run: tuple[str, ...]
    timeout_s: int
    back_within_s: int
    restarts: bool
    success_exit_codes: tuple[int, ...]
    follow: str | None
    place: Place


@frozen(kw_only=True)
class ResourceCheckSchedule:
    """When the resource check runs on its own."""

    due: str
    every_s: int
    place: Place


MISSED_AFTER_S = 3600


@frozen(kw_only=True)
class Schedule:
    """When maintenance may run, and what happens at the limits.

    Shape: `window` names a window of the inventory; `due` is a weekday with a time (`SAT 22:00`),
    or a daily time (`22:00`), in the zone of the window; `every_s` is counted from `starting`.
    """

    window: str | None
    window_place: Place
    due: str | None
    due_place: Place
    every_s: int | None
    every_place: Place
    missed: MissedPolicy
    missed_place: Place
    run_time_max_s: int | None
    overrun: OverrunPolicy
    resource_check: ResourceCheckSchedule | None
    place: Place
    starting: date | None = None
    missed_after_s: int = MISSED_AFTER_S


@frozen(kw_only=True)
class Strategy:
    """In which order and how many at once, and when to stop."""

    canary: str | None
    canary_place: Place
    servers_at_once: int
    servers_at_once_place: Place
    batches: tuple[int, ...]  # how many servers in each, after the canary; the last is used again
    failures_max: int
    place: Place


@frozen(kw_only=True)
class Variable:
    """A word that notification templates of this specification may use."""

    name: str
    value: str


@frozen(kw_only=True)
class Notification:
    """Who is told about an event, through which channels, and for outages how long before."""

    event: NotificationEvent
    audience: Audience
    to: tuple[str, ...]
    channels: tuple[str, ...]
    before_s: tuple[int, ...]
    template: str | None
    variables: tuple[Variable, ...]
    place: Place


@frozen(kw_only=True)
class Reports:
    """What the report is written as."""

    formats: tuple[ReportFormat, ...]
    place: Place


@frozen(kw_only=True)
class DesiredState:
    """One specification.

    Shape: `document_digest` is the SHA-256 (hex) of the normalised tree: comments, order of keys
    and spelling of scalars do not move it, values do.
    """

    name: str
    owner: str | None
    description: str | None
    document_digest: str
    targets: Targets
    conditions: Conditions
    script: ScriptChoice
    backup_before: BackupActions
    backup_after: BackupActions
    conflicts: BackupConflicts
    processes_before: tuple[CustomProcess, ...]
    processes_after: tuple[CustomProcess, ...]
    schedule: Schedule
    strategy: Strategy
    notifications: tuple[Notification, ...]
    reports: Reports
    place: Place
    # services that must not run while a database is down, in the order of stopping
    services_stopped: tuple[str, ...] = ()
    services_place: Place | None = None
    # commands that take the server down, in this order; Server Maintenance runs them
    processes_down: tuple[DownProcess, ...] = ()
