"""The plan: exactly what will run, why, under which premises, and what brings each database back.

Source: architecture decision records 0003 (driver) and 0005 (plan format).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from attrs import field, frozen

from goexchange.errors import Diagnostic, Place
from goexchange.model.actual import ActualState
from goexchange.model.comparing import FactClass as FactClass  # how facts are compared and count
from goexchange.model.comparing import Operator as Operator
from goexchange.model.decided import Need as Need  # what is decided, and why: two closed lists
from goexchange.model.decided import Reason as Reason
from goexchange.model.desired import Consent as Consent  # one list for specification and plan
from goexchange.model.planned import EstimateSource as EstimateSource
from goexchange.model.planned import PartEstimate as PartEstimate
from goexchange.model.planned import PlannedNotice as PlannedNotice
from goexchange.model.planned import PlannedWork as PlannedWork

Json = Any


class Action(Enum):
    """What a step does; a closed list."""

    CUSTOM_PROCESS = "custom-process"
    OPEN_RECOVERY_RECORD = "open-recovery-record"
    PLACE_SENTINEL = "place-sentinel"
    EXPORT_CONFIGURATION = "export-configuration"
    STOP_SERVICES = "stop-services"
    RESTORE_SERVICES = "restore-services"
    LAST_LOOK = "last-look"
    NOTIFY = "notify"
    SET_MOUNT_AT_STARTUP = "set-mount-at-startup"
    DISMOUNT = "dismount"
    READ_HEADER = "read-header"
    DETECT_ERRORS = "detect-errors"
    MEASURE_SPACE = "measure-space"
    TRY_TARGET = "try-target"
    COPY_SET = "copy-set"
    REBUILD = "rebuild"
    READ_TEMPORARY_HEADER = "read-temporary-header"
    READ_STREAMING_HEADER = "read-streaming-header"
    READ_TEMPORARY_STREAMING = "read-temporary-streaming"
    DETECT_ERRORS_TEMPORARY = "detect-errors-temporary"
    VERIFY_SET_ON_HOST = "verify-set-on-host"
    HASH_SET = "hash-set"
    SEAL_SET = "seal-set"
    VERIFY_SET = "verify-set"
    COPY_REBUILT = "copy-rebuilt"
    VERIFY_REBUILT_ON_HOST = "verify-rebuilt-on-host"
    HASH_REBUILT = "hash-rebuilt"
    SEAL_REBUILT = "seal-rebuilt"
    VERIFY_REBUILT = "verify-rebuilt"
    FIND_DAMAGE = "find-damage"
    COPY_EVIDENCE = "copy-evidence"
    REREAD_SOURCE = "reread-source"
    CHECK_EVIDENCE = "check-evidence"
    HASH_EVIDENCE = "hash-evidence"
    SEAL_EVIDENCE = "seal-evidence"
    COPY_FOR_REPAIR = "copy-for-repair"
    HASH_FOR_REPAIR = "hash-for-repair"
    REPAIR = "repair"
    READ_REPAIRED_HEADER = "read-repaired-header"
    DELETE_WORKING_COPY = "delete-working-copy"
    SWAP = "swap"
    MOUNT = "mount"
    CONFIRM_MOUNTED = "confirm-mounted"
    CANCEL_JOBS = "cancel-jobs"
    DELETE_TEMPORARY = "delete-temporary"
    SWAP_BACK = "swap-back"
    SET_ASIDE = "set-aside"
    COPY_BACK = "copy-back"
    HASH_BACK = "hash-back"
    MOVE_LOGS_ASIDE = "move-logs-aside"
    MOUNT_ORIGINAL = "mount-original"
    COPY_FROM_SET = "copy-from-set"
    HASH_FROM_SET = "hash-from-set"
    REPLAY_LOGS = "replay-logs"
    READ_RETURNED_HEADER = "read-returned-header"
    READ_RETURNED_STREAMING = "read-returned-streaming"
    READ_CORRECTED_STREAMING = "read-corrected-streaming"
    READ_NEW_STREAMING = "read-new-streaming"
    TAKE_ASIDE = "take-aside"
    RETURN_FILE = "return-file"
    TAKE_LOGS_ASIDE = "take-logs-aside"
    PUT_AWAY = "put-away"
    RETURN_PRESENT = "return-present"
    RETURN_LOGS = "return-logs"
    NEW_RECOVERY_DATABASE = "new-recovery-database"
    MOUNT_RECOVERY = "mount-recovery"
    LOOK_AT_RECOVERY = "look-at-recovery"
    RESTORE_MOUNT_AT_STARTUP = "restore-mount-at-startup"
    REMOVE_SENTINEL = "remove-sentinel"
    SUSPEND_BACKUPS = "suspend-backups"
    AWAIT_BACKUPS = "await-backups"
    RESUME_BACKUPS = "resume-backups"
    ONLINE_BACKUP_BEFORE = "online-backup-before"
    PROVE_BACKUP_BEFORE = "prove-backup-before"
    ONLINE_BACKUP = "online-backup"
    PROVE_BACKUP = "prove-backup"
    REPAIR_REQUEST = "repair-request"
    AWAIT_REPAIR_REQUESTS = "await-repair-requests"
    STORE_INTEGRITY = "store-integrity"
    READ_CORRECTED_HEADER = "read-corrected-header"
    READ_NEW_HEADER = "read-new-header"
    WRITE_DATABASE_RECORD = "write-database-record"
    CLOSE_RECOVERY_RECORD = "close-recovery-record"
    REMOVE_LEFTOVER = "remove-leftover"
    FORCE_WAY_BACK = "force-way-back"
    MAKE_SCRATCH_FOLDER = "make-scratch-folder"
    NEW_SCRATCH_GROUP = "new-scratch-group"
    NEW_SCRATCH_DATABASE = "new-scratch-database"
    MOUNT_SCRATCH = "mount-scratch"
    LOOK_AT_SCRATCH = "look-at-scratch"
    COUNT_MAILBOXES = "count-mailboxes"
    DISMOUNT_SCRATCH = "dismount-scratch"
    REMOVE_SCRATCH_DATABASE = "remove-scratch-database"
    REMOVE_SCRATCH_GROUP = "remove-scratch-group"
    REMOVE_SCRATCH_FOLDER = "remove-scratch-folder"
    SUSPEND_COPY = "suspend-copy"
    RESUME_COPY = "resume-copy"
    AWAIT_COPY = "await-copy"
    SEED_COPY = "seed-copy"
    SUSPEND_ACTIVATION = "suspend-activation"
    STOP_MTA = "stop-mta"
    COPY_MTA = "copy-mta"
    HASH_MTA = "hash-mta"
    CHECK_MTA = "check-mta"
    START_MTA = "start-mta"
    CONFIRM_MTA = "confirm-mta"
    SET_COMPONENT = "set-component"
    REDIRECT_MESSAGES = "redirect-messages"
    AWAIT_QUEUES = "await-queues"
    BLOCK_ACTIVATION = "block-activation"
    PAUSE_NODE = "pause-node"
    MOVE_ACTIVE = "move-active"
    TAKE_SERVER_DOWN = "take-server-down"
    AWAIT_SERVER = "await-server"
    RESTORE_COMPONENT = "restore-component"
    RESUME_NODE = "resume-node"
    RESTORE_ACTIVATION = "restore-activation"
    RETURN_ACTIVE = "return-active"
    START_SERVICES = "start-services"
    AWAIT_DATABASES = "await-databases"


BACKUP_OF = {  # what a step proves
    Action.PROVE_BACKUP: Action.ONLINE_BACKUP,
    Action.PROVE_BACKUP_BEFORE: Action.ONLINE_BACKUP_BEFORE,
}
PROOF_OF = {backup: proof for proof, backup in BACKUP_OF.items()}


class Direction(Enum):
    """Whether a step leads away from service or back to it (a step back is never refused for a
    schedule).
    """

    AWAY = "away"
    BACK = "back"
    NEUTRAL = "neutral"


class RunsWhen(Enum):
    """On which earlier outcomes of its lane a step depends; a closed list, evaluated by the driver.
    """

    ALL_WELL = "all-well"  # every earlier all-well step of the lane succeeded
    # the lane failed; the dismount took effect; the swap did not
    AWAY_BEFORE_SWAP = "away-before-swap"
    # the lane failed; the swap took effect; the new file was never mounted
    AWAY_AFTER_SWAP = "away-after-swap"
    # the same, and the original is missing or is not the recorded one
    ORIGINAL_LOST = "original-lost"
    # the same as away-after-swap, and a mount of the new file was tried
    MOUNT_TRIED = "mount-tried"
    SETTINGS_CHANGED = "settings-changed"  # mount at startup was changed by us
    IN_SERVICE_AGAIN = "in-service-again"  # taken down by us and mounted again, with whichever file
    REBUILT_IN_SERVICE = "rebuilt-in-service"  # the new file is mounted
    # a recovery record is open, the database is in service
    RECORD_OPEN_AND_IN_SERVICE = "record-open-and-in-service"
    # these two, beside that the suspension named in `undo_of` took effect or is in doubt:
    COPIES_FIT = "copies-fit"  # the lane failed; the file in service is the one that was copied
    COPIES_DIFFER = "copies-differ"  # in service is another file, or its logs began anew
    UNDO_OF = "undo-of"  # the step named in `undo_of` took effect or is in doubt
    ALWAYS = "always"


class OnDoubt(Enum):
    """What is done with a step that has an intent and no outcome."""

    REPEAT = "repeat"  # the step is idempotent by construction
    PROBE = "probe"  # look with the step's probe
    ATTACH = "attach"  # a host job: poll it; start it only if it is absent


class BindingKind(Enum):
    """What is known only on the way; a closed list. Each is a pure function of plan and journal."""

    SIGNATURE = "signature"  # database signature read by a header step
    HEADER_DIGEST = "header-digest"  # SHA-256 of the two header slots read by a header step
    FILES_BY_RULE = "files-by-rule"  # the files of the set, by the rule of `backup.selection`
    EVIDENCE_FILES = "evidence-files"  # the same, with every log of the stream
    SOURCE_FILES = "source-files"  # where those of the evidence lie, to be read again
    SET_MANIFEST = "set-manifest"  # the manifest made of copy, digests and headers
    SET_DIGEST = "set-digest"  # the digest of the sealed manifest
    SET_FILES = "set-files"  # the copied files with the digests taken while copying
    STARTED_AT = "started-at"  # when the named step was first sent
    DATABASE_RECORD = "database-record"  # the record of this run for the database


@frozen(kw_only=True)
class Binding:
    """`argument` of the step's call is filled with `kind`, taken from the outcome of
    `step`.
    """

    argument: str
    kind: BindingKind
    step: str


@frozen(kw_only=True)
class ExchangeCall:
    """One cmdlet with typed parameters on the Exchange channel; values are str, bool, int or list
    of str.
    """

    cmdlet: str
    parameters: Mapping[str, Json]


@frozen(kw_only=True)
class ScriptCall:
    """One packaged host script on the Windows channel; arguments travel as JSON."""

    script: str
    digest: str
    arguments: Mapping[str, Json]


@frozen(kw_only=True)
class JobCall:
    """A host job: detached work with its own folder; `kind` and `request` as the contract of
    `job-start` says.

    Shape: `watch` are files that grow with the work; `expected_bytes` is what it has to write (or
    to read, where it writes nothing), None when that is not known; `account` is whom it runs as,
    None for SYSTEM. Where the password is kept is the inventory's to say, at every start anew: a
    plan can come back from a host.
    """

    kind: str
    digest: str
    request: Mapping[str, Json]
    watch: tuple[str, ...] = ()
    expected_bytes: int | None = None
    account: str | None = None


@frozen(kw_only=True)
class ControllerCall:
    """Work on the controller: `observe`, `notify` or `verify-set`."""

    work: str
    arguments: Mapping[str, Json]


Call = ExchangeCall | ScriptCall | JobCall | ControllerCall


@frozen(kw_only=True)
class Premise:
    """A predicate that must still hold when the plan is applied, with the value that was seen.

    Shape: `address` is `EX01` or `EX01/DB05`; `fact` is an id of the fact catalogue; `seen` is the
    value at plan time
    (shown, never compared); `value` is what the operator compares with.
    """

    address: str
    fact: str
    operator: Operator
    value: Json
    seen: Json
    fact_class: FactClass


@frozen(kw_only=True)
class Condition:
    """A predicate over the decoded result of a call: `path`, operator, value.

    Shape: a path is names joined by dots; numbers index lists. `ours.count`, `ours.is_over` and
    their like are the driver's reading of repair requests (driver/repairs.py). What is not there
    never holds.
    """

    path: str
    operator: Operator
    value: Json


@frozen(kw_only=True)
class Probe:
    """How to find out whether a step has happened: a call that only reads, and what its result
    means.

    When neither condition holds, looking cannot tell and a person is asked.
    """

    call: ExchangeCall | ScriptCall
    done: Condition
    not_done: Condition


@frozen(kw_only=True)
class Poll:
    """A step that is started by its call and watched by another: `call` is sent every `interval_s`
    until `until` holds.

    `failed` holds when the work ended badly.
    """

    call: ExchangeCall | ScriptCall | ControllerCall
    until: Condition
    failed: Condition | None
    interval_s: float


@frozen(kw_only=True)
class Repeat:
    """The step is repeated until `until` holds in its result or `times_max` is reached."""

    times_max: int
    until: Condition


@frozen(kw_only=True)
class Step:
    """One act with its conditions.

    Shape: `id` is unique in the plan (`EX01/DB05/07-dismount`); `guards` are ids decided before
    this step is sent;
    `undo` says in words what takes it back; `estimate_s` is None when there is no basis for one.
    """

    id: str
    number: int
    server: str
    database: str | None
    action: Action
    summary: str
    reason: Reason
    call: Call
    direction: Direction
    runs_when: RunsWhen
    on_doubt: OnDoubt
    time_limit_s: int
    attempts_max: int = 1
    estimate_s: int | None = None
    estimate_p90_s: int | None = None  # twice `estimate_s` where nothing better is known
    guards: tuple[str, ...] = ()
    premises: tuple[Premise, ...] = ()
    postcondition: Condition | None = None
    probe: Probe | None = None
    repeat: Repeat | None = None
    poll: Poll | None = None
    delay_s: int = 0  # waited before the step is sent
    # `primary` or `defragmented`, for steps that detect or correct errors
    pass_name: str | None = None
    binds: tuple[Binding, ...] = ()
    undo: str | None = None
    undo_of: str | None = None
    is_point_of_no_return: bool = False
    # its failure is reported and does not fail the lane (treat_failure_as_error: false)
    may_fail: bool = False
    # a job that is waited for until `time_limit_s`, whether it ends or not; it is left running then
    ends_at_limit: bool = False
    origin: Place | None = None


class LanePhase(Enum):
    """Where a lane stands among those of all servers; a closed list."""

    BEFORE_ALL = "before-all"  # no lane of another phase begins before it has ended
    SERVER = "server"
    AFTER_ALL = "after-all"  # it begins when every other lane has ended


@frozen(kw_only=True)
class Lane:
    """The steps of one database (or of one server, when `database` is None), in order.

    `needs` names lanes that must have succeeded before this one starts.
    """

    id: str
    server: str
    database: str | None
    database_guid: str | None
    steps: tuple[Step, ...]
    needs: tuple[str, ...] = ()
    phase: LanePhase = LanePhase.SERVER

    @property
    def last_look(self) -> Mapping[str, Any] | None:
        """What the look before the outage asks for, with the limits that its guards go by."""
        looks = (each.call for each in self.steps if each.action is Action.LAST_LOOK)
        return next((each.arguments for each in looks if isinstance(each, ControllerCall)), None)


class VerdictKind(Enum):
    """What a guard says."""

    PASS = "pass"
    BLOCK = "block"
    UNKNOWN = "unknown"
    DUE = "due"


@frozen(kw_only=True)
class Verdict:
    """The verdict of one guard for one address, with its evidence.

    Shape: `guard` is the stable id; `rule` the rule in words; `observed` the values it looked at;
    `remedy` says what
    would change it; `due_at_step` names the step before which a *due* guard is decided.
    """

    guard: str
    address: str
    kind: VerdictKind
    rule: str
    evidence: str
    observed: Mapping[str, Json]
    remedy: str | None = None
    is_time_only: bool = False
    due_at_step: str | None = None


@frozen(kw_only=True)
class ConsentNeed:
    """One consent that the approval of this plan must contain."""

    consent: Consent
    address: str
    finding: str


@frozen(kw_only=True)
class Decision:
    """What the planner decided for one database, and why."""

    address: str
    server: str
    database: str
    need: Need
    reasons: tuple[Reason, ...]
    explanation: str
    instead: str | None
    size_bytes: int | None
    white_space_bytes: int | None
    file_since_utc: datetime | None
    outage_s: int | None
    outage_p90_s: int | None
    specification: str
    origin: Place | None


@frozen(kw_only=True)
class PlanInput:
    """A document the plan was made from; `path` as given by the operator, `sha256` of its bytes."""

    kind: str
    path: str
    sha256: str


@frozen(kw_only=True)
class WindowPlan:
    """The occurrence of the maintenance window this plan is for, and the latest swap that still
    fits.
    """

    name: str
    zone: str
    opens_at_utc: datetime
    closes_at_utc: datetime
    latest_swap_utc: datetime | None


@frozen(kw_only=True)
class RunRules:
    """Rules the driver follows, in the plan so that the plan is exactly what runs. Units: seconds.

    Shape: `host_root` is the tool's folder on every host, for what no call of the plan names it
    for; None in plans of versions that did not write it. `carriers` are the digests of the host
    scripts that carry cmdlets to servers without an Exchange endpoint, by name.
    """

    failures_max: int
    overrun: str
    run_time_max_s: int | None
    poll_interval_s: float
    lease_s: int
    heartbeat_s: int
    mount_confirm_after_s: int
    output_tail_bytes: int
    host_root: str | None = None
    carriers: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class RunOrder:
    """In which order servers are taken, and how many at once; the lanes of one server are serial.

    Shape: a wave begins when every server of the waves before it has ended; a server in no wave
    comes last. Of the servers of one group in `one_at_a_time` (an availability group) never two
    are taken at once.
    """

    waves: tuple[tuple[str, ...], ...] = ()
    servers_at_once: int = 1
    one_at_a_time: tuple[tuple[str, ...], ...] = ()


@frozen(kw_only=True)
class PlanBody:
    """Everything under the plan's digest. It holds no approvals and no creation time."""

    format: str
    tool: str
    evaluated_at_utc: datetime
    valid_until_utc: datetime | None
    inputs: tuple[PlanInput, ...]
    commit: str | None
    specifications: tuple[str, ...]
    is_partial: bool
    scope: tuple[str, ...]
    window: WindowPlan | None
    rules: RunRules
    decisions: tuple[Decision, ...]
    premises: tuple[Premise, ...]
    lanes: tuple[Lane, ...]
    guards: tuple[Verdict, ...]
    consents: tuple[ConsentNeed, ...]
    notices: tuple[PlannedNotice, ...]
    report_formats: tuple[str, ...]  # empty: those of the configuration
    estimate: EstimateSource
    backups: tuple[str, ...]
    facts: ActualState
    diagnostics: tuple[Diagnostic, ...]
    other_work: tuple[PlannedWork, ...] = ()
    order: RunOrder = RunOrder()


@frozen(kw_only=True)
class Plan:
    """A sealed plan: body, digest of the body (SHA-256 hex), and who made it when (outside the
    digest).
    """

    body: PlanBody
    sha256: str
    created_at_utc: datetime
    created_by: str

    @property
    def id(self) -> str:
        """The short name of the plan: the first eight hexadecimal digits of its digest."""
        return self.sha256[:8]
