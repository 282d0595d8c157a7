"""Nights in which a member of a group of Exchange 2010 is taken down: without component states and
without handing messages over, by single steps all the same.
"""

from __future__ import annotations

from typing import Any

import pytest

from goexchange.errors import ExitCode
from goexchange.guard.approval import check_approval
from goexchange.model.plan import Action, Consent, ExchangeCall, Need, VerdictKind
from goexchange.model.run import RunResult
from goexchange.simulation.aftermath import at_rest
from goexchange.simulation.checks_of_server import differing
from goexchange.simulation.night import Night, NightBroken
from goexchange.world.copies import activate, fail_copy
from goexchange.world.scripts_records import open_recoveries
from tests.simulation.crash_points import crash_everywhere
from tests.simulation.night.server_nights import (
    SPECIFICATION,
    old_server_night,
    sent,
    standing,
    until,
)
from tests.simulation.night.test_release import LEASE, release
from tests.simulation.night.test_server_maintenance import losing, prepared_release

ROOT = "C:\\ProgramData\\goexchange"


def test_everything_goes_in_order_and_comes_back_to_what_it_was() -> None:
    night = old_server_night(activation_policy="IntrasiteOnly")
    world = night.performer.world
    before, boots = standing(world), world.hosts["EX01"].boots
    result = night.run_to_end()
    assert result.exit_code == ExitCode.OK, result
    assert standing(world) == before and world.hosts["EX01"].boots == boots + 1
    assert before["components"] == {} and before["policy"] == "IntrasiteOnly"
    assert sent(night) == [
        Action.OPEN_RECOVERY_RECORD, Action.PLACE_SENTINEL, Action.LAST_LOOK, Action.PAUSE_NODE,
        Action.BLOCK_ACTIVATION, Action.MOVE_ACTIVE, Action.TAKE_SERVER_DOWN, Action.AWAIT_SERVER,
        Action.RESUME_NODE, Action.RESTORE_ACTIVATION, Action.START_SERVICES,
        Action.REMOVE_SENTINEL, Action.AWAIT_COPY, Action.AWAIT_COPY, Action.RETURN_ACTIVE,
        Action.WRITE_DATABASE_RECORD, Action.CLOSE_RECOVERY_RECORD,
    ]  # fmt: skip
    assert not at_rest(night, result, rival=None)
    host = world.hosts["EX01"]
    assert not host.sentinels and not open_recoveries(host, ROOT)


def test_no_cmdlet_is_sent_that_the_version_lacks() -> None:
    night = old_server_night()
    calls = [step.call for lane in night.plan.body.lanes for step in lane.steps]
    cmdlets = {each.cmdlet for each in calls if isinstance(each, ExchangeCall)}
    assert cmdlets == {
        "Get-MailboxDatabaseCopyStatus", "Move-ActiveMailboxDatabase", "Set-MailboxServer",
    }  # fmt: skip
    assert night.run_to_end().exit_code == ExitCode.OK


def test_nothing_runs_without_the_consent_which_says_what_is_left_alone() -> None:
    plan = old_server_night().plan
    (need,) = plan.body.consents
    assert need.consent is Consent.UNCONFIRMED_GENERATION and need.address == "EX01"
    assert "transport is not drained" in need.finding
    assert "primary active manager of DAG1 is this server" in need.finding
    verdict = check_approval(plan, None, plan.body.evaluated_at_utc)
    assert verdict.kind is VerdictKind.BLOCK and "unconfirmed-generation" in verdict.evidence


def test_a_server_without_a_group_needs_both_consents() -> None:
    from attrs import evolve

    from tests.simulation.night.documents import inventory
    from tests.simulation.night.server_nights import (
        INVENTORY_2010,
        old_group_site,
        server_night,
    )

    whole = old_group_site(availability_group=None)
    databases = tuple(evolve(each, copies=("EX01",)) for each in whole.databases)
    alone = evolve(whole, servers=whole.servers[:1], groups=(), databases=databases)
    lines = [each for each in INVENTORY_2010.splitlines() if "EX02" not in each]
    text = "\n".join(each for each in lines if "EX03" not in each and "groups:" not in each)
    night = server_night(site=alone, by=inventory(text + "\n"))
    found = [each.consent for each in night.plan.body.consents]
    assert found == [Consent.UNCONFIRMED_GENERATION, Consent.SERVER_OUTAGE]
    assert night.run_to_end().exit_code == ExitCode.OK


def test_a_member_that_somebody_has_in_maintenance_holds_the_others_back() -> None:
    night = old_server_night()
    night.performer.world.hosts["EX03"].mode.node = "Paused"
    result = night.run_to_end()
    assert result.exit_code == ExitCode.NOT_NOW, result
    assert Action.PAUSE_NODE not in sent(night)


def test_a_member_that_goes_away_meanwhile_turns_the_run_back() -> None:
    night = old_server_night()
    until(night, Action.BLOCK_ACTIVATION)
    night.performer.world.hosts["EX03"].mode.node = "Paused"
    night.run_to_end()
    assert Action.TAKE_SERVER_DOWN not in sent(night)
    assert not list(differing(night.performer.world.hosts["EX01"]))


def test_a_copy_that_fails_elsewhere_meanwhile_turns_the_run_back() -> None:
    night = old_server_night()
    until(night, Action.MOVE_ACTIVE)
    world = night.performer.world
    fail_copy(world, world.database_named("DB22"), "EX03")
    result = night.run_to_end()
    assert result.exit_code != ExitCode.OK and Action.TAKE_SERVER_DOWN not in sent(night)
    assert not list(differing(world.hosts["EX01"]))


def test_a_node_that_was_paused_and_a_policy_that_was_blocked_stay_so() -> None:
    night = old_server_night(activation_policy="Blocked", node_state="Paused")
    before = standing(night.performer.world)
    assert night.run_to_end().exit_code == ExitCode.OK
    assert standing(night.performer.world) == before
    kinds = {each.kind for each in night.performer.world.effects}
    assert not {"node-paused", "node-resumed", "policy-set"} & kinds


def test_members_go_one_after_the_other() -> None:
    night = old_server_night(SPECIFICATION.replace("[EX01]", "['dag:DAG1']"))
    world = night.performer.world
    active = standing(world)["active"]
    result = night.run_to_end()
    assert result.exit_code == ExitCode.OK, result
    restarted = [each.host for each in world.effects if each.kind == "reboot"]
    assert restarted == ["EX01", "EX02", "EX03"] and standing(world)["active"] == active


def test_the_nights_notice_a_member_that_goes_beside_one_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """I12: without its guards the run takes a second member down."""
    from goexchange.guard import members
    from goexchange.guard.guard import Guard, passes
    from goexchange.guard.registry import GUARDS

    night = old_server_night()
    for guard in (members.MEMBERS_WELL, members.NOTHING_ACTIVE):
        blind = Guard(
            id=guard.id, rule=guard.rule, moments=guard.moments, reads=guard.reads,
            judge=lambda question: passes("whatever"),
        )  # fmt: skip
        monkeypatch.setitem(GUARDS, guard.id, blind)
    until(night, Action.MOVE_ACTIVE)
    world = night.performer.world
    world.hosts["EX03"].mode.node = "Paused"
    activate(world, world.database_named("DB22"), "EX01")
    with pytest.raises(NightBroken) as broken:
        night.run_to_end()
    told = {(each.invariant, each.step) for each in broken.value.violations}
    assert {("I12", "DB22"), ("I12", "EX01")} <= told


def test_a_host_without_the_cluster_s_cmdlets_is_not_known_to_be_in_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Windows Server 2008 has no such module: nothing is planned, and nothing tried."""
    from goexchange.world import scripts

    observe = scripts._PLAYS["observe-host"]

    def without(world: Any, host: Any, arguments: Any) -> dict[str, Any]:
        told = observe(world, host, arguments)
        failed = {"part": "cluster_nodes", "message": "FailoverClusters was not loaded"}
        return {**told, "cluster_nodes": None, "failures": [*told["failures"], failed]}

    monkeypatch.setitem(scripts._PLAYS, "observe-host", without)
    (found,) = old_server_night().plan.body.decisions
    assert found.need is Need.NOT_POSSIBLE
    assert "FailoverClusters was not loaded" in found.explanation


def test_a_release_brings_it_out_by_the_host_s_record_wherever_the_controller_died() -> None:
    released = 0
    for action in (Action.BLOCK_ACTIVATION, Action.MOVE_ACTIVE, Action.TAKE_SERVER_DOWN,
                   Action.RESTORE_ACTIVATION, Action.RETURN_ACTIVE):  # fmt: skip
        night = old_server_night(activation_policy="IntrasiteOnly")
        until(night, action)
        night.kill()
        night.performer.clock.move(seconds=LEASE.total_seconds())
        night.performer.world.advance()
        result = release(night, prepared_release(night))
        assert result.exit_code == ExitCode.OK, (action, result)
        host = night.performer.world.hosts["EX01"]
        assert not list(differing(host)) and not host.sentinels, action
        released += 1
    assert released == 5


@pytest.mark.long
def test_a_controller_killed_at_every_boundary_leaves_the_server_as_it_was() -> None:
    before: dict[str, Any] = {}

    def judge(night: Night, result: RunResult) -> None:
        assert result.exit_code == ExitCode.OK, result
        assert standing(night.performer.world) == before

    night = old_server_night()
    before |= standing(night.performer.world)
    assert crash_everywhere(night, judge=judge).points > 180


@pytest.mark.long
@pytest.mark.parametrize("fate", ["before", "after"])
def test_any_lost_call_changes_nothing_of_what_it_comes_to(fate: str) -> None:
    for number in range(1, 80, 4):
        night = old_server_night()
        before = standing(night.performer.world)
        losing(night, number, fate)
        result = night.run_to_end()
        assert result.exit_code == ExitCode.OK, (number, result)
        assert standing(night.performer.world) == before, number
