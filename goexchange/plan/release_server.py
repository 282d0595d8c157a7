"""The lane that brings back a server which a dead run left: everything by the record on its host.

Shape: each thing is looked at first, and set to what it was; where it is so already, nothing is
done. Active copies stay where they are: their databases are in service there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import frozen

from goexchange.model.configuration import Inventory
from goexchange.model.left import RecoveryRecord
from goexchange.model.plan import (
    Action,
    Direction,
    Lane,
    Poll,
    Reason,
    RunsWhen,
)
from goexchange.model.remembered import Undoing
from goexchange.model.server import (
    ACTIVE,
    BLOCKED,
    HUB_TRANSPORT,
    SERVER_ID,
    SERVER_NAME,
    TRANSPORT_SERVICES,
)
from goexchange.plan.builder import HOUR, LaneBuilder
from goexchange.plan.calls import equals, host_job, host_script, one_of
from goexchange.plan.copy_back import well_poll
from goexchange.plan.host_records import SERVER, record_released, sentinel_removed
from goexchange.plan.lane_server import NEEDED_SERVICES, component_probe, policy_probe
from goexchange.powershell import cmdlets, cmdlets_server

POLL_S = 5.0
_CLOSED_TEXT = "Closed by goexchange release: the server was seen in service.\r\n"


@frozen(kw_only=True)
class ServerLeft:
    """A server that a dead run took down, or was about to; `undoing` are the operator's programs
    that undo one which was begun.
    """

    server: str
    recovery: RecoveryRecord
    undoing: tuple[Undoing, ...] = ()

    @property
    def address(self) -> str:
        """`EX02/Server`."""
        return f"{self.server}/{SERVER_NAME}"

    @property
    def evidence(self) -> str:
        """What is known of it, in words."""
        if not self.recovery.content["is_member"]:
            return f"run {self.recovery.run} took it down; it is no member of a group"
        return (
            f"run {self.recovery.run} brought it into maintenance mode, or was about to: everything"
            " goes back to what the record on the host says"
        )


def server_left_lane(left: ServerLeft, inventory: Inventory) -> Lane:
    """Return the lane; its steps lead back, and each is tried whatever became of the others."""
    lane = LaneBuilder(left.address, left.server, database=SERVER_NAME, database_guid=SERVER_ID)
    content, root = left.recovery.content, inventory.host_root
    _add_server(lane, left)
    _add_mode(lane, left, root)
    running = [name for name in _running(left) if name.lower().startswith("msexchange")]
    _add(
        lane,
        Action.START_SERVICES,
        host_script("start-services", {"root": root, "services": sorted(running)}),
        summary="services of Exchange that ran before run again",
    )
    for each in content["alone"]:
        call = cmdlets.get_database(str(each["guid"]))
        _add(
            lane,
            Action.AWAIT_DATABASES,
            call,
            summary=f"until {each['name']} is mounted again",
            poll=Poll(
                call=call,
                until=equals("objects.0.Mounted", True),
                failed=None,
                interval_s=POLL_S,
            ),
        )
    for identity in content["awaited"]:
        _add(
            lane,
            Action.AWAIT_COPY,
            cmdlets.get_copy(str(identity)),
            summary=f"until the copy {identity} is healthy",
            poll=well_poll(str(identity), interval_s=POLL_S, is_lagged=True),
        )
    for undoing in left.undoing:
        _add(
            lane,
            Action.CUSTOM_PROCESS,
            undoing.call,
            summary=undoing.summary,
            time_limit_s=undoing.time_limit_s,
            postcondition=one_of("exit_code", *undoing.allowed_exit_codes),
            may_fail=True,
        )
    _add_records(lane, left, root)
    return lane.lane()


def _add_server(lane: LaneBuilder, left: ServerLeft) -> None:
    # the run may have died with the transport stopped: it is started below
    needed = NEEDED_SERVICES - set(TRANSPORT_SERVICES)
    names = sorted(name for name in _running(left) if name in needed)
    call = host_script("server-state", {"services": names})
    _add(
        lane,
        Action.AWAIT_SERVER,
        call,
        summary=f"until {left.server} answers and its services run",
        poll=Poll(
            call=call, until=equals("server.is_back", True), failed=None, interval_s=POLL_S
        ),
        time_limit_s=HOUR,
    )


def _add_mode(lane: LaneBuilder, left: ServerLeft, root: str) -> None:
    content, server = left.recovery.content, left.server
    components = [str(each) for each in content["components"]]
    for component in reversed(components):
        _add(
            lane,
            Action.RESTORE_COMPONENT,
            cmdlets_server.set_component(server, component, ACTIVE),
            summary=f"{component}: active again for the requester Maintenance",
            probe=component_probe(server, component),
            attempts_max=3,
        )
    if content["is_member"]:
        _add(
            lane,
            Action.RESUME_NODE,
            host_script(
                "cluster-node",
                {"root": root, "run": left.recovery.run, "node": server, "wanted": "as-it-was"},
            ),
            summary="cluster node: as it was, by the host's record",
            postcondition=equals("is_as_wanted", True),
            attempts_max=3,
        )
    policy = content["activation_policy"]
    if policy is not None:
        _add(
            lane,
            Action.RESTORE_ACTIVATION,
            cmdlets_server.set_activation(server, str(policy)),
            summary=f"activation policy: {policy}, as it was",
            probe=policy_probe(server, str(policy), BLOCKED),
            attempts_max=3,
        )
    wanted = {each.lower() for each in TRANSPORT_SERVICES}
    names = [name for name in _running(left) if name.lower() in wanted]
    if HUB_TRANSPORT in components and names:
        stopped = _add(
            lane,
            Action.STOP_SERVICES,
            host_job("stop-services", {"root": root, "record": SERVER_ID, "services": names}),
            summary=f"{', '.join(names)}: stopped, to start with the new state",
        )
        _add(
            lane,
            Action.RESTORE_SERVICES,
            host_job("restore-services", {"root": root, "record": SERVER_ID}),
            summary=f"{', '.join(names)}: as they were, by the host's record",
            runs_when=RunsWhen.UNDO_OF,
            undo_of=stopped,
            attempts_max=3,
        )


def _add_records(lane: LaneBuilder, left: ServerLeft, root: str) -> None:
    _add(
        lane,
        Action.REMOVE_SENTINEL,
        sentinel_removed(root, guid=SERVER_ID, database=SERVER_NAME, what=SERVER),
        summary="remove the scheduled task that watches while the server is down",
        runs_when=RunsWhen.ALL_WELL,
    )
    _add(
        lane,
        Action.CLOSE_RECOVERY_RECORD,
        record_released(root, left.recovery, guid=SERVER_ID, text=_CLOSED_TEXT),
        summary=f"close the recovery record of run {left.recovery.run}",
        runs_when=RunsWhen.ALL_WELL,
    )


def _running(left: ServerLeft) -> Iterator[str]:
    """The services that ran when the run began."""
    for each in left.recovery.content["services"]:
        if each["state"] == "Running":
            yield str(each["name"])


def _add(lane: LaneBuilder, action: Action, call: Any, *, summary: str, **differs: Any) -> str:
    """A step that leads back, whatever its action does elsewhere."""
    return lane.add(
        action,
        call,
        summary=summary,
        reason=Reason.WAY_BACK,
        direction=Direction.BACK,
        **{"runs_when": RunsWhen.ALWAYS, **differs},
    )
