"""What leads a server back whose run is gone: by the record on the host, and by nothing else."""

from __future__ import annotations

from typing import Any

from goexchange.model.left import RecoveryRecord
from goexchange.model.plan import Action, Lane
from goexchange.model.remembered import Undoing
from goexchange.model.server import SERVER_ID
from goexchange.plan.calls import host_job
from goexchange.plan.release_server import ServerLeft, server_left_lane
from tests.unit.plan.builders import NOW, guid, inventory

MEMBER: dict[str, Any] = {
    "is_member": True,
    "components": ["HubTransport", "ServerWideOffline"],
    "activation_policy": "Unrestricted",
    "awaited": ["DB07\\EX02"],
    "alone": [],
    "services": [
        {"name": "MSExchangeTransport", "state": "Running"},
        {"name": "MSExchangeIS", "state": "Running"},
        {"name": "MSExchangePop3", "state": "Stopped"},
    ],
}
SINGLE: dict[str, Any] = {
    "is_member": False,
    "components": [],
    "activation_policy": None,
    "awaited": [],
    "alone": [{"name": "DB01", "guid": guid(1)}],
    "services": [{"name": "MSExchangeIS", "state": "Running"}],
}
UNDO = Undoing(
    summary="agents on again",
    call=host_job("command", {"command": ["on.cmd"], "follow": None}),
    time_limit_s=60,
    allowed_exit_codes=(0,),
)


def left(content: dict[str, Any], *undoing: Undoing) -> ServerLeft:
    record = RecoveryRecord(
        run="r-1",
        database_guid=SERVER_ID,
        is_open=True,
        opened_at_utc=NOW,
        written_at_utc=NOW,
        phase="down",
        content=content,
    )
    return ServerLeft(server="EX02", recovery=record, undoing=undoing)


def actions(lane: Lane) -> list[Action]:
    return [each.action for each in lane.steps]


def test_a_member_comes_out_of_maintenance_mode_as_the_record_says() -> None:
    found = left(MEMBER)
    lane = server_left_lane(found, inventory())
    performed = actions(lane)
    assert performed.count(Action.RESTORE_COMPONENT) == 2
    assert {Action.RESUME_NODE, Action.RESTORE_ACTIVATION, Action.AWAIT_COPY} <= set(performed)
    assert {Action.STOP_SERVICES, Action.RESTORE_SERVICES} <= set(performed)
    assert "maintenance mode" in found.evidence
    (started,) = [each for each in lane.steps if each.action is Action.START_SERVICES]
    assert "MSExchangePop3" not in str(started.call)  # it did not run before


def test_where_no_transport_ran_none_is_restarted() -> None:
    quiet = {**MEMBER, "services": MEMBER["services"][1:]}
    assert Action.STOP_SERVICES not in actions(server_left_lane(left(quiet), inventory()))


def test_of_a_server_without_a_group_only_its_databases_are_waited_for() -> None:
    found = left(SINGLE, UNDO)
    lane = server_left_lane(found, inventory())
    performed = actions(lane)
    assert not {
        Action.RESTORE_COMPONENT,
        Action.RESUME_NODE,
        Action.RESTORE_ACTIVATION,
        Action.STOP_SERVICES,
    } & set(performed)
    (waited,) = [each for each in lane.steps if each.action is Action.AWAIT_DATABASES]
    assert waited.summary == "until DB01 is mounted again"
    (undone,) = [each for each in lane.steps if each.action is Action.CUSTOM_PROCESS]
    assert undone.summary == "agents on again" and undone.may_fail
    assert performed[-2:] == [Action.REMOVE_SENTINEL, Action.CLOSE_RECOVERY_RECORD]
    assert "no member of a group" in found.evidence
