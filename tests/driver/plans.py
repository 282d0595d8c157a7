"""A plan of one database for the driver's tests, with every step of a rebuild."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import evolve

from goexchange.codec import digest, to_plain
from goexchange.model.actual import ActualState
from goexchange.model.plan import (
    Action,
    Binding,
    BindingKind,
    Condition,
    EstimateSource,
    Lane,
    OnDoubt,
    Operator,
    Plan,
    PlanBody,
    Poll,
    Probe,
    Repeat,
    RunRules,
    RunsWhen,
    WindowPlan,
)
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import controller, equals, host_job, host_script, one_of, property_probe
from goexchange.powershell import cmdlets

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
SERVER, DATABASE, GUID = "EX01", "DB05", "11111111-2222-3333-4444-555555555555"
ROOT = "C:\\ProgramData\\goexchange"
ORIGINAL = "D:\\DB05\\DB05.edb"
TEMPORARY = "D:\\DB05\\gx-11111111\\DB05.tmp.edb"
KEPT = ORIGINAL + ".before-20261122T200000Z"
ASIDE = ORIGINAL + ".rebuilt-20261122T200000Z"
SET = "E:\\sets\\EX01\\DB05\\20261122T200000Z"
LOGS = "L:\\DB05"
LOGS_ASIDE = LOGS + "\\gx-logs-20261122T200000Z"
WORK = "D:\\DB05\\gx-11111111"


def rebuild_lane(*, with_passes: bool = False, verify_set: bool = True) -> Lane:
    """The lane of `procedure` 2."""
    lane = LaneBuilder(f"{SERVER}/{DATABASE}", SERVER, database=DATABASE, database_guid=GUID)
    _before(lane, with_passes=with_passes)
    header = lane.add(Action.READ_HEADER, _read_header(ORIGINAL), summary="header")
    for arguments in (("/k", ORIGINAL), ("/g", ORIGINAL, f"/t{WORK}\\integ.edb", "/o")):
        lane.add(
            Action.DETECT_ERRORS,
            _eseutil(arguments),
            summary="detect",
            guards=("clean-shutdown",),
            postcondition=equals("ok", True),
            pass_name="primary",
        )
    copy = lane.add(
        Action.COPY_SET,
        host_job("copy-files", {"files": []}),
        summary="copy",
        binds=(Binding(argument="files", kind=BindingKind.FILES_BY_RULE, step=header),),
    )
    lane.add(
        Action.REBUILD,
        _eseutil(("/d", ORIGINAL, f"/t{TEMPORARY}", "/p", "/o"), creates=TEMPORARY),
        summary="rebuild",
        postcondition=equals("ok", True),
    )
    temporary = lane.add(Action.READ_TEMPORARY_HEADER, _read_header(TEMPORARY), summary="header")
    lane.add(
        Action.DETECT_ERRORS_TEMPORARY,
        _eseutil(("/k", TEMPORARY)),
        summary="detect",
        postcondition=equals("ok", True),
        pass_name="defragmented",
    )
    _set(lane, header, copy, verify_set=verify_set)
    bindings = (
        Binding(argument="original_sha256", kind=BindingKind.HEADER_DIGEST, step=header),
        Binding(argument="temporary_sha256", kind=BindingKind.HEADER_DIGEST, step=temporary),
    )
    files = {
        "original": ORIGINAL,
        "temporary": TEMPORARY,
        "kept": KEPT,
        "original_sha256": "",
        "temporary_sha256": "",
    }
    lane.add(
        Action.SWAP,
        host_script("swap-files", {"root": ROOT, **files}),
        summary="swap",
        guards=("verified-set", "window"),
        binds=bindings,
        probe=Probe(
            call=host_script("swap-state", files),
            done=equals("state", "after"),
            not_done=one_of("state", "before", "between"),
        ),
    )
    lane.add(
        Action.MOUNT,
        cmdlets.mount(GUID),
        summary="mount",
        probe=_mounted(),
        is_point_of_no_return=True,
    )
    _ways_back(lane, bindings, files)
    _after(lane)
    return lane.lane()


def verify_lane() -> Lane:
    """Taken down only to be looked at."""
    lane = LaneBuilder(f"{SERVER}/{DATABASE}", SERVER, database=DATABASE, database_guid=GUID)
    _before(lane, with_passes=False)
    lane.add(Action.READ_HEADER, _read_header(ORIGINAL), summary="header")
    lane.add(
        Action.DETECT_ERRORS,
        _eseutil(("/k", ORIGINAL)),
        summary="detect",
        postcondition=equals("ok", True),
    )
    lane.add(Action.MOUNT, cmdlets.mount(GUID), summary="mount", probe=_mounted())
    _way_back_a(lane)
    _service(lane)
    _close(lane)
    return lane.lane()


def process_lanes(*, server: str = SERVER) -> tuple[Lane, Lane]:
    """A server's custom process before, and the one that undoes it."""
    first = LaneBuilder(f"{server}:before", server, database=None, database_guid=None)
    before = first.add(
        Action.CUSTOM_PROCESS,
        host_job("command", {"command": ["av.cmd", "suspend"], "follow": None}),
        summary="before",
        postcondition=one_of("exit_code", 0),
    )
    last = LaneBuilder(f"{server}:after", server, database=None, database_guid=None)
    last.add(
        Action.CUSTOM_PROCESS,
        host_job("command", {"command": ["av.cmd", "resume"], "follow": None}),
        summary="after",
        runs_when=RunsWhen.UNDO_OF,
        undo_of=before,
        postcondition=one_of("exit_code", 0),
    )
    return first.lane(), last.lane()


def plan_of(*lanes: Lane, **rules: Any) -> Plan:
    """A sealed plan of these lanes."""
    latest = rules.pop("latest_swap_utc", NOW + timedelta(hours=8))
    given: dict[str, Any] = {
        "failures_max": 0,
        "overrun": "back-to-original",
        "run_time_max_s": None,
        "poll_interval_s": 10.0,
        "lease_s": 300,
        "heartbeat_s": 60,
        "mount_confirm_after_s": 60,
        "output_tail_bytes": 4000,
        **rules,
    }
    body = PlanBody(
        format="goexchange/plan/1",
        tool="goexchange 0",
        evaluated_at_utc=NOW,
        valid_until_utc=None,
        inputs=(),
        commit=None,
        specifications=("weekly",),
        is_partial=False,
        scope=(SERVER,),
        window=WindowPlan(
            name="night",
            zone="UTC",
            opens_at_utc=NOW,
            closes_at_utc=NOW + timedelta(hours=9),
            latest_swap_utc=latest,
        ),
        rules=RunRules(**given),
        decisions=(),
        premises=(),
        lanes=lanes,
        guards=(),
        consents=(),
        notices=(),
        report_formats=(),
        estimate=EstimateSource(earlier_runs=0, text="none"),
        backups=(),
        facts=ActualState(observed_at_utc=NOW, servers=()),
        diagnostics=(),
    )
    return Plan(body=body, sha256=digest(to_plain(body)), created_at_utc=NOW, created_by="tests")


def with_step(lane: Lane, action: Action, **changes: Any) -> Lane:
    """The lane with every step of an action changed."""
    return evolve(
        lane,
        steps=tuple(
            evolve(step, **changes) if step.action is action else step for step in lane.steps
        ),
    )


def _before(lane: LaneBuilder, *, with_passes: bool) -> None:
    lane.add(
        Action.OPEN_RECOVERY_RECORD,
        host_script(
            "write-recovery",
            {"root": ROOT, "database_guid": GUID, "state": "open", "content": {}, "text": "text"},
        ),
        summary="open",
    )
    lane.add(Action.PLACE_SENTINEL, _sentinel("placed"), summary="sentinel")
    if with_passes:
        lane.add(
            Action.REPAIR_REQUEST,
            cmdlets.new_repair_request(GUID, "FolderView", False),
            summary="pass",
            probe=Probe(
                call=cmdlets.get_repair_requests(GUID),
                done=Condition(path="ours.count", operator=Operator.GREATER, value=0),
                not_done=equals("ours.count", 0),
            ),
            poll=Poll(
                call=cmdlets.get_repair_requests(GUID),
                until=equals("ours.is_over", True),
                failed=equals("ours.has_failed", True),
                interval_s=5.0,
            ),
            repeat=Repeat(times_max=2, until=equals("ours.corruptions_detected", 0)),
            may_fail=True,
        )
    lane.add(
        Action.LAST_LOOK,
        controller("observe", {"server": SERVER, "databases": [GUID]}),
        summary="look",
    )
    lane.add(
        Action.NOTIFY,
        controller(
            "notify",
            {"event": "storage-offline", "audience": "users", "recipients": [], "variables": {}},
        ),
        summary="notice",
        may_fail=True,
        guards=("no-backup-running", "window"),
    )
    lane.add(
        Action.SET_MOUNT_AT_STARTUP,
        cmdlets.set_mount_at_startup(GUID, False),
        summary="startup",
        probe=property_probe(cmdlets.get_database(GUID), "MountAtStartup", wanted=False),
    )
    lane.add(
        Action.DISMOUNT,
        cmdlets.dismount(GUID),
        summary="dismount",
        probe=property_probe(cmdlets.get_database(GUID), "Mounted", wanted=False),
    )


def _set(lane: LaneBuilder, header: str, copy: str, *, verify_set: bool) -> None:
    lane.add(
        Action.VERIFY_SET_ON_HOST,
        _eseutil(("/k", SET + "\\DB05.edb")),
        summary="verify",
        postcondition=equals("ok", True),
    )
    hashed = lane.add(
        Action.HASH_SET,
        host_job("hash-files", {"files": []}),
        summary="hash",
        binds=(Binding(argument="files", kind=BindingKind.SET_FILES, step=copy),),
    )
    sealed = lane.add(
        Action.SEAL_SET,
        host_script("seal-set", {"root": ROOT, "folder": SET, "manifest": ""}),
        summary="seal",
        binds=(Binding(argument="manifest", kind=BindingKind.SET_MANIFEST, step=hashed),),
    )
    if verify_set:
        lane.add(
            Action.VERIFY_SET,
            controller("verify-set", {"path": "/sets", "signature": "", "set_sha256": ""}),
            summary="verify",
            binds=(
                Binding(argument="signature", kind=BindingKind.SIGNATURE, step=header),
                Binding(argument="set_sha256", kind=BindingKind.SET_DIGEST, step=sealed),
            ),
        )


def _ways_back(lane: LaneBuilder, bindings: tuple[Binding, ...], files: dict[str, str]) -> None:
    _way_back_a(lane)
    lane.add(
        Action.DELETE_TEMPORARY,
        host_script("delete-temporary", {"root": ROOT, "path": TEMPORARY, "within": WORK}),
        summary="delete",
        may_fail=True,
    )
    lane.add(
        Action.SWAP_BACK,
        host_script(
            "swap-back",
            {
                "root": ROOT,
                "original": ORIGINAL,
                "temporary": TEMPORARY,
                "kept": KEPT,
                "original_sha256": "",
                "set_aside": ASIDE,
                "in_place_sha256": None,
            },
        ),
        summary="swap back",
        binds=bindings,
        probe=Probe(
            call=host_script("swap-state", {**files, "temporary": ASIDE}),
            done=equals("state", "before"),
            not_done=one_of("state", "between", "after"),
        ),
    )
    lane.add(
        Action.SET_ASIDE,
        host_script("move-aside", {"root": ROOT, "source": ORIGINAL, "destination": ASIDE}),
        summary="set aside",
    )
    copied = lane.add(
        Action.COPY_BACK,
        host_job(
            "copy-files", {"files": [{"source": SET + "\\DB05.edb", "destination": ORIGINAL}]}
        ),
        summary="copy back",
        attempts_max=2,
    )
    lane.add(
        Action.HASH_BACK,
        host_job("hash-files", {"files": []}),
        summary="digest",
        binds=(Binding(argument="files", kind=BindingKind.SET_FILES, step=copied),),
    )
    lane.add(
        Action.MOVE_LOGS_ASIDE,
        host_script(
            "move-logs",
            {"root": ROOT, "from_folder": LOGS, "to_folder": LOGS_ASIDE, "prefix": "E05"},
        ),
        summary="logs aside",
    )
    lane.add(
        Action.MOUNT_ORIGINAL,
        cmdlets.mount(GUID),
        summary="mount original",
        probe=_mounted(),
        runs_when=RunsWhen.AWAY_AFTER_SWAP,
    )


def _way_back_a(lane: LaneBuilder) -> None:
    lane.add(
        Action.CANCEL_JOBS,
        host_script("cancel-job", {"root": ROOT}),
        summary="cancel",
        may_fail=True,
    )
    lane.add(
        Action.MOUNT_ORIGINAL,
        cmdlets.mount(GUID),
        summary="mount original",
        probe=_mounted(),
        runs_when=RunsWhen.AWAY_BEFORE_SWAP,
    )


def _service(lane: LaneBuilder) -> None:
    lane.add(
        Action.CONFIRM_MOUNTED,
        cmdlets.get_database(GUID),
        summary="confirm",
        delay_s=60,
        postcondition=equals("objects.0.Mounted", True),
    )
    lane.add(
        Action.RESTORE_MOUNT_AT_STARTUP,
        cmdlets.set_mount_at_startup(GUID, True),
        summary="startup back",
        on_doubt=OnDoubt.PROBE,
        probe=property_probe(cmdlets.get_database(GUID), "MountAtStartup", wanted=True),
    )
    lane.add(Action.REMOVE_SENTINEL, _sentinel("removed"), summary="sentinel away")
    lane.add(
        Action.NOTIFY,
        controller(
            "notify",
            {"event": "storage-online", "audience": "users", "recipients": [], "variables": {}},
        ),
        summary="notice",
        may_fail=True,
        runs_when=RunsWhen.IN_SERVICE_AGAIN,
    )


def _after(lane: LaneBuilder) -> None:
    _service(lane)
    backup = lane.add(
        Action.ONLINE_BACKUP,
        host_job("wbadmin", {"target": "E:", "volumes": ["D:"]}),
        summary="backup",
    )
    look = controller(
        "observe", {"server": SERVER, "databases": [GUID], "covered": [GUID], "started_at": ""}
    )
    lane.add(
        Action.PROVE_BACKUP,
        look,
        summary="proof",
        poll=Poll(call=look, until=equals("proved", True), failed=None, interval_s=10.0),
        binds=(Binding(argument="started_at", kind=BindingKind.STARTED_AT, step=backup),),
    )
    lane.add(
        Action.WRITE_DATABASE_RECORD,
        host_script("write-database-record", {"root": ROOT, "database_guid": GUID, "record": {}}),
        summary="record",
        binds=(Binding(argument="record", kind=BindingKind.DATABASE_RECORD, step=""),),
    )
    _close(lane)


def _close(lane: LaneBuilder) -> None:
    lane.add(
        Action.CLOSE_RECOVERY_RECORD,
        host_script(
            "write-recovery",
            {"root": ROOT, "database_guid": GUID, "state": "closed", "content": {}, "text": ""},
        ),
        summary="close",
    )


def _read_header(path: str) -> Any:
    return host_script(
        "read-header",
        {
            "path": path,
            "eseutil": "C:\\eseutil.exe",
            "log_folder": "L:\\DB05",
            "log_prefix": "E05",
            "page_bytes": 32768,
        },
    )


def _eseutil(arguments: tuple[str, ...], *, creates: str | None = None) -> Any:
    return host_job(
        "eseutil",
        {
            "eseutil": "C:\\eseutil.exe",
            "arguments": list(arguments),
            "folder": WORK,
            "must_not_exist": [creates] if creates else [],
        },
        watch=(creates,) if creates else (),
    )


def _sentinel(state: str) -> Any:
    return host_script(
        "sentinel",
        {
            "root": ROOT,
            "database_guid": GUID,
            "database": DATABASE,
            "state": state,
            "what": "outage",
            "silent_after_s": 600,
            "mail_server": None,
            "mail_from": None,
            "mail_to": [],
            "webhook": None,
        },
    )


def _mounted() -> Probe:
    return property_probe(cmdlets.get_database(GUID), "Mounted", wanted=True)
