"""The lane that puts an earlier file of a database back in its place: the database of a set, or an
original that a run has kept. It discards the mail since; what is in place now, and its logs, are
moved aside and kept for a recovery database.

Where anything of it fails before the earlier file was mounted, everything goes back to what it was.
"""

from __future__ import annotations

from ntpath import join
from typing import Any

from attrs import evolve, frozen

from goexchange.codec import time_text
from goexchange.facts.generations import page_bytes_of
from goexchange.model.actual import ActualDatabase, ActualHost, ActualServer
from goexchange.model.configuration import Inventory
from goexchange.model.plan import (
    Action,
    Call,
    Condition,
    Direction,
    Lane,
    OnDoubt,
    Probe,
    Reason,
    RunsWhen,
    Step,
)
from goexchange.model.unknown import Unknown
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import controller, equals, host_script, property_probe
from goexchange.plan.context import Pace
from goexchange.plan.host_records import (
    Keeper,
    add_close_record,
    add_database_record,
    add_open_record,
    add_remove_sentinel,
    add_sentinel,
)
from goexchange.plan.restore_files import (
    HeaderTool,
    Staged,
    add_returned_header,
    add_returned_streaming,
    add_stage,
)
from goexchange.plan.return_text import return_text
from goexchange.powershell import cmdlets

LOOK_GUARDS = (
    "identity",
    "not-recovery",
    "single-copy",
    "no-backup-running",
    "no-other-maintenance",
    "storage-healthy",
)


@frozen(kw_only=True)
class Returning:
    """Everything the lane is made from.

    Shape: `source` is where the earlier file lies when the outage begins; `header` what must hold
    of its header; `staged` the files of a set that are copied there before, None for a file that
    was kept; `aside` and `logs_aside` are for what is in place now, `tried_logs` for the logs of a
    mount that fails; `then` are steps of another plan that come after (backup and its proof).
    """

    server: ActualServer
    host: ActualHost
    database: ActualDatabase
    inventory: Inventory
    pace: Pace
    eseutil: str
    at_text: str
    what: str
    source: str
    header: Condition | None
    staged: Staged | None
    aside: str
    logs_aside: str
    tried_logs: str
    mount_at_startup: bool | None
    then: tuple[Step, ...] = ()

    @property
    def tool(self) -> HeaderTool:
        """What a header is read with there."""
        page_bytes = page_bytes_of(self.server.generation)
        return HeaderTool(eseutil=self.eseutil, page_bytes=page_bytes)

    @property
    def is_pair(self) -> bool:
        """Whether the database is made up of two files."""
        return self.database.streaming_path is not None

    @property
    def root(self) -> str:
        """The tool's folder on the host."""
        return self.inventory.host_root

    @property
    def guid(self) -> str:
        """The database's GUID."""
        return self.database.guid


def return_lane(r: Returning) -> Lane:
    """The whole lane."""
    name = f"{r.server.name}/{r.database.name}"
    lane = LaneBuilder(name, r.server.name, database=r.database.name, database_guid=r.guid)
    if r.staged is not None:
        add_stage(lane, r.staged, root=r.root)
    else:
        add_returned_header(lane, r.source, tool=r.tool, wanted=r.header)
        if r.is_pair:
            add_returned_streaming(lane, r.source, tool=r.tool)
    _records(lane, r)
    _take_down(lane, r)
    _exchange(lane, r)
    _ways_back(lane, r)
    _in_service(lane, r)
    for step in r.then:
        _again(lane, step)
    _end(lane, r)
    return lane.lane()


def _records(lane: LaneBuilder, r: Returning) -> None:
    says = (_content(r), return_text(r, _moves(r)))
    add_open_record(lane, _keeper(r), says=says, guards=("no-open-run", "elevated"))
    add_sentinel(lane, _keeper(r), holding="the database down")


def _take_down(lane: LaneBuilder, r: Returning) -> None:
    look = {
        "server": r.server.name,
        "databases": [r.guid],
        "low_space_threshold_bytes": r.inventory.low_space_threshold_bytes,
        "gain_min_bytes": 0,
    }
    lane.add(
        Action.LAST_LOOK, controller("observe", look), summary="conflicts, seen again", estimate_s=5
    )
    _notice(lane, r, event="storage-offline", guards=LOOK_GUARDS)
    if r.database.is_mount_at_startup is True:
        lane.add(
            Action.SET_MOUNT_AT_STARTUP,
            cmdlets.set_mount_at_startup(r.guid, False),
            summary="mount at startup: true -> false",
            probe=_property(r, "MountAtStartup", wanted=False),
            undo="mount at startup: false -> true, exactly as it was",
            estimate_s=1,
        )
    if r.database.is_mounted is True:
        lane.add(
            Action.DISMOUNT,
            cmdlets.dismount(r.guid),
            summary="mounted -> dismounted",
            probe=_property(r, "Mounted", wanted=False),
            undo="mount it as it was",
            estimate_s=60,
        )


def _exchange(lane: LaneBuilder, r: Returning) -> None:
    """What is in place goes aside, the earlier file comes in, the logs of the other go aside."""
    for action, (source, destination), summary, condition in (
        (Action.TAKE_ASIDE, _moves(r)[0], "file in place kept as", None),
        (Action.RETURN_FILE, _moves(r)[1], f"{r.what} put in place:", equals("is_kept", True)),
    ):
        lane.add(
            action,
            _move(r, source, destination, is_coming=action is Action.RETURN_FILE),
            summary=f"{summary} {destination}{_with_second(r)}",
            reason=Reason.ASKED_FOR,
            postcondition=condition,
            undo="rename it back, in seconds",
            estimate_s=5,
        )
    lane.add(
        Action.TAKE_LOGS_ASIDE,
        _move_logs(r, r.database.log_folder, r.logs_aside),
        summary=f"its logs and checkpoint moved to {r.logs_aside}, none deleted, when no other"
        " database uses them",
        reason=Reason.ASKED_FOR,
        undo="move them back",
        estimate_s=5,
    )
    lane.add(
        Action.MOUNT,
        cmdlets.mount(r.guid),
        summary="dismounted -> mounted, never forced: no automatic way back from here",
        probe=_property(r, "Mounted", wanted=True),
        is_point_of_no_return=True,
        undo="put everything back, as long as it was never mounted",
        estimate_s=60,
    )


def _ways_back(lane: LaneBuilder, r: Returning) -> None:
    back: dict[str, Any] = {"reason": Reason.WAY_BACK, "estimate_s": 5}
    if r.database.is_mounted is True:
        _mount_present(lane, r, RunsWhen.AWAY_BEFORE_SWAP)
    aside, returned = _moves(r)
    lane.add(
        Action.PUT_AWAY,
        _move(r, returned[1], returned[0]),
        summary=f"way back: {r.what} goes to where it was",
        **back,
    )
    lane.add(
        Action.RETURN_PRESENT,
        _move(r, aside[1], aside[0], is_coming=True),
        summary=f"way back: the file that was in place is put back{_with_second(r)}",
        postcondition=equals("is_kept", True),
        **back,
    )
    lane.add(
        Action.MOVE_LOGS_ASIDE,
        _move_logs(r, r.database.log_folder, r.tried_logs),
        summary=f"way back after a tried mount: its logs and checkpoint moved to {r.tried_logs}",
        **back,
    )
    lane.add(
        Action.RETURN_LOGS,
        _move_logs(r, r.logs_aside, r.database.log_folder),
        summary="way back: logs and checkpoint of the file that was in place are put back",
        **back,
    )
    _mount_present(lane, r, RunsWhen.AWAY_AFTER_SWAP)


def _in_service(lane: LaneBuilder, r: Returning) -> None:
    delay = r.inventory.mount_confirm_after_s
    lane.add(
        Action.CONFIRM_MOUNTED,
        cmdlets.get_database(r.guid),
        summary=f"seen mounted again after {delay} s",
        postcondition=equals("objects.0.Mounted", True),
        delay_s=delay,
        estimate_s=delay + 1,
    )
    if r.mount_at_startup is True:
        lane.add(
            Action.RESTORE_MOUNT_AT_STARTUP,
            cmdlets.set_mount_at_startup(r.guid, True),
            summary="mount at startup: false -> true, as it was",
            probe=_property(r, "MountAtStartup", wanted=True),
            estimate_s=1,
        )
    add_remove_sentinel(lane, _keeper(r), watches="over the outage")
    _notice(lane, r, event="storage-online", runs_when=RunsWhen.IN_SERVICE_AGAIN)


def _end(lane: LaneBuilder, r: Returning) -> None:
    in_service = "record of the database on the host: the signature that is in service"
    add_database_record(lane, _keeper(r), summary=in_service)
    add_close_record(lane, _keeper(r))


def _mount_present(lane: LaneBuilder, r: Returning, runs_when: RunsWhen) -> None:
    lane.add(
        Action.MOUNT_ORIGINAL,
        cmdlets.mount(r.guid),
        summary="way back: mount the file that was in place",
        reason=Reason.WAY_BACK,
        runs_when=runs_when,
        direction=Direction.BACK,
        on_doubt=OnDoubt.PROBE,
        probe=_property(r, "Mounted", wanted=True),
        estimate_s=60,
    )


def _again(lane: LaneBuilder, step: Step) -> None:
    """A step of the run that is rolled back, once more; what it binds to is the one before it."""
    previous = lane.last
    lane.add(
        step.action,
        step.call,
        summary=step.summary,
        reason=step.reason,
        guards=step.guards,
        poll=step.poll,
        runs_when=RunsWhen.REBUILT_IN_SERVICE,
        time_limit_s=step.time_limit_s,
        estimate_s=step.estimate_s,
        binds=tuple(evolve(each, step=previous) for each in step.binds if each.step),
        origin=step.origin,
    )




def _moves(r: Returning) -> tuple[tuple[str, str], tuple[str, str]]:
    """From and to: of the file in place, and of the earlier one."""
    return (r.database.edb_path, r.aside), (r.source, r.database.edb_path)


def _with_second(r: Returning) -> str:
    return ", with its streaming file" if r.is_pair else ""


def _move(r: Returning, source: str, destination: str, *, is_coming: bool = False) -> Call:
    """A move to the database's place or away from it; a pair is never there without its first."""
    arguments = {"root": r.root, "source": source, "destination": destination}
    if r.is_pair:
        arguments["streaming"] = "before" if is_coming else "after"
    return host_script("move-aside", arguments)


def _move_logs(r: Returning, source: str, target: str) -> Call:
    prefix = r.database.log_prefix
    arguments = {
        "root": r.root,
        "from_folder": source,
        "to_folder": target,
        "prefix": prefix if isinstance(prefix, str) else "",
    }
    return host_script("move-logs", arguments)


def _property(r: Returning, name: str, *, wanted: bool) -> Probe:
    return property_probe(cmdlets.get_database(r.guid), name, wanted=wanted)


def _content(r: Returning) -> dict[str, Any]:
    services = () if isinstance(r.host.services, Unknown) else r.host.services
    return {
        "server": r.server.name,
        "database": r.database.name,
        "database_guid": r.guid,
        "planned_at": r.at_text,
        "observed_at": time_text(r.server.observed_at_utc),
        "is_mounted": r.database.is_mounted if isinstance(r.database.is_mounted, bool) else None,
        "is_mount_at_startup": r.mount_at_startup,
        "original": r.database.edb_path,
        "log_folder": r.database.log_folder,
        "returned_from": r.source,
        # in the words of every record: the file in place is kept, the other one goes back
        "kept": r.aside,
        "temporary": r.source,
        "set_aside": r.source,
        "set_folder": None,
        "logs_aside": r.logs_aside,
        "boot_id": r.host.boot_id,
        "services": [
            {"name": each.name, "state": each.state, "start_type": each.start_type}
            for each in services
        ],
    }


def _keeper(r: Returning) -> Keeper:
    return Keeper(
        root=r.root,
        guid=r.guid,
        database=r.database.name,
        inventory=r.inventory,
        pace=r.pace,
    )


def _notice(lane: LaneBuilder, r: Returning, *, event: str, **differs: Any) -> None:
    variables = {"server": r.server.name, "database": r.database.name, "specification": ""}
    lane.add(
        Action.NOTIFY,
        controller(
            "notify",
            {
                "event": event,
                "audience": "operators",
                "recipients": [],
                "channels": [],
                "variables": variables,
            },
        ),
        summary=f"notice {event.replace('-', ' ')} to operators",
        may_fail=True,
        **differs,
    )


def tried_folder(log_folder: str, stamp: str) -> str:
    """Where the logs of a mount that fails go."""
    return join(log_folder, f"gx-logs-tried-{stamp}")
