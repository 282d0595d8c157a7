"""Nights in which a server is taken down: into maintenance mode, its commands, and everything back
to what it was, whatever happens in between.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from attrs import define

from goexchange.app import host_record, releasing
from goexchange.driver import effects
from goexchange.driver.events import Request, Requested
from goexchange.errors import ExitCode, NotNow
from goexchange.model.actual import ActualState
from goexchange.model.plan import Action, Consent, Decision, Need, Reason
from goexchange.model.run import LaneState, RunResult
from goexchange.plan.planner import make_draft
from goexchange.report.model import build_report
from goexchange.report.report_text import render_text
from goexchange.simulation.aftermath import at_rest
from goexchange.simulation.checks_of_server import differing
from goexchange.simulation.night import Night, NightBroken
from goexchange.world.copies import activate, fail_copy
from goexchange.world.scripts_records import open_recoveries
from tests.simulation.crash_points import crash_everywhere
from tests.simulation.night.documents import inventory, specification
from tests.simulation.night.server_nights import (
    INVENTORY,
    SPECIFICATION,
    group_site,
    sent,
    server_night,
    standing,
    until,
)
from tests.simulation.night.test_release import LEASE, WorldSession, release
from tests.simulation.night.test_release import site as release_site

ROOT = "C:\\ProgramData\\goexchange"
FIRMWARE = SPECIFICATION.replace("updates.cmd', install], restarts: true", "firmware.cmd']")
IN_MODE = (
    ("HubTransport", "Maintenance", "Draining"),
    ("ServerWideOffline", "Maintenance", "Inactive"),
)


def said(before: dict[str, Any]) -> dict[str, Any]:
    """The standing, an entry of Maintenance that says Active taken for none: it means the same."""
    kept = {
        name: {who: state for who, state in by.items() if (who, state) != ("Maintenance", "Active")}
        for name, by in before["components"].items()
    }
    return {**before, "components": kept}


def decided(night: Night, text: str = SPECIFICATION) -> Decision:
    performer = night.performer
    servers = tuple(performer.observe(each, ()) for each in performer.world.hosts)
    seen = ActualState(observed_at_utc=performer.now(), servers=servers)
    body = make_draft(
        [specification(text)], inventory(INVENTORY), seen, now=performer.now()
    )
    (found,) = body.decisions
    return found


def test_everything_goes_in_order_and_comes_back_to_what_it_was() -> None:
    night = server_night()
    world = night.performer.world
    before, boots = standing(world), world.hosts["EX01"].boots
    result = night.run_to_end()
    assert result.exit_code == ExitCode.OK, result
    assert said(standing(world)) == said(before)
    assert world.hosts["EX01"].boots == boots + 1
    wanted = [
        Action.OPEN_RECOVERY_RECORD, Action.PLACE_SENTINEL, Action.LAST_LOOK, Action.SET_COMPONENT,
        Action.STOP_SERVICES, Action.RESTORE_SERVICES, Action.REDIRECT_MESSAGES,
        Action.AWAIT_QUEUES, Action.PAUSE_NODE, Action.BLOCK_ACTIVATION, Action.MOVE_ACTIVE,
        Action.SET_COMPONENT, Action.TAKE_SERVER_DOWN, Action.AWAIT_SERVER,
        Action.RESTORE_COMPONENT, Action.RESUME_NODE, Action.RESTORE_ACTIVATION,
        Action.RESTORE_COMPONENT, Action.STOP_SERVICES, Action.RESTORE_SERVICES,
        Action.START_SERVICES, Action.REMOVE_SENTINEL, Action.AWAIT_COPY, Action.AWAIT_COPY,
        Action.RETURN_ACTIVE, Action.WRITE_DATABASE_RECORD, Action.CLOSE_RECOVERY_RECORD,
    ]  # fmt: skip
    assert sent(night) == wanted
    assert not at_rest(night, result, rival=None)
    host = world.hosts["EX01"]
    assert not host.sentinels and not open_recoveries(host, ROOT)
    assert decided(night).need is Need.NOTHING
    assert decided(night).reasons == (Reason.MEETS_SPECIFICATION,)


def test_the_report_says_what_was_done_to_the_server() -> None:
    night = server_night()
    night.run_to_end()
    text = render_text(build_report(night.plan, night.performer.records), width=120)
    assert "EX01/Server" in text and "dismounted" not in text


def test_what_another_requester_or_an_administrator_has_set_stays_as_it_is() -> None:
    site = group_site(
        components=(("OwaProxy", "Functional", "Inactive"), ("EcpProxy", "Maintenance", "Inactive"),
                    ("HubTransport", "Sidelined", "Draining")),
        activation_policy="IntrasiteOnly",
        node_state="Paused",
    )  # fmt: skip
    night = server_night(site=site)
    before = standing(night.performer.world)
    assert night.run_to_end().exit_code == ExitCode.OK
    after = standing(night.performer.world)
    assert said(after) == said(before)
    assert after["policy"] == "IntrasiteOnly" and after["node"] == "Paused"
    kinds = {each.kind for each in night.performer.world.effects}
    assert not {"node-paused", "node-resumed"} & kinds


def test_a_server_that_was_in_maintenance_mode_stays_in_it() -> None:
    site = group_site(components=IN_MODE, activation_policy="Blocked", node_state="Paused")
    night = server_night(site=site)
    before = standing(night.performer.world)
    assert night.run_to_end().exit_code == ExitCode.OK
    assert standing(night.performer.world)["components"] == before["components"]
    assert Action.SET_COMPONENT not in sent(night) and Action.BLOCK_ACTIVATION not in sent(night)


def test_active_copies_stay_where_they_went_when_the_specification_says_so() -> None:
    text = SPECIFICATION.replace(
        "{name: server-maintenance}", "{name: server-maintenance, active_copies: stay}"
    )
    night = server_night(text)
    assert night.run_to_end().exit_code == ExitCode.OK
    world = night.performer.world
    assert world.database_named("DB11").active_server == "EX02"
    assert not list(differing(world.hosts["EX01"]))


def test_several_commands_run_one_after_the_other_each_on_a_server_that_is_back() -> None:
    more = "\n    - {name: firmware, run: ['C:\\ops\\firmware.cmd']}\nschedule"
    night = server_night(SPECIFICATION.replace("\nschedule", more))
    assert night.run_to_end().exit_code == ExitCode.OK
    mine = (Action.TAKE_SERVER_DOWN, Action.AWAIT_SERVER)
    assert [each for each in sent(night) if each in mine] == [*mine, *mine]


def test_a_command_that_ends_before_it_restarts_is_waited_for() -> None:
    later = SPECIFICATION.replace("install], restarts: true", "later], restarts: true,"
                                  "\n       success_exit_codes: [0, 3010]")  # fmt: skip
    night = server_night(later)
    boots = night.performer.world.hosts["EX01"].boots
    assert night.run_to_end().exit_code == ExitCode.OK
    assert night.performer.world.hosts["EX01"].boots == boots + 1


def test_a_restart_that_nobody_declared_is_no_success_and_everything_comes_back() -> None:
    night = server_night(SPECIFICATION.replace(", restarts: true", ""))
    before = standing(night.performer.world)
    result = night.run_to_end()
    (found,) = result.databases
    assert result.exit_code == ExitCode.STOPPED and found.state is LaneState.FAILED
    assert "`restarts: true` is not declared" in found.why
    assert said(standing(night.performer.world)) == said(before)
    assert decided(night).need is Need.MAINTAIN


def test_a_server_that_does_not_come_back_is_left_behind_and_a_resume_brings_it_out() -> None:
    night = server_night(SPECIFICATION.replace("back_within: 20m", "back_within: 2m"))
    world = night.performer.world
    until(night, Action.AWAIT_SERVER)
    world.hosts["EX01"].services["MSExchangeRepl"].state = "Stopped"
    result = night.run_to_end()
    (found,) = result.databases
    assert found.state is LaneState.LEFT_OFFLINE, result
    assert result.exit_code in (ExitCode.LEFT_OFFLINE, ExitCode.ROLLBACK_FAILED)
    assert "not running: MSExchangeRepl" in found.why
    assert f"goexchange resume {night.run}" in found.commands
    world.hosts["EX01"].services["MSExchangeRepl"].state = "Running"
    night.kill()
    again = night.run_to_end()
    assert again.databases[0].state is not LaneState.LEFT_OFFLINE, again
    assert not list(differing(world.hosts["EX01"]))
    assert world.database_named("DB11").active_server == "EX01"


@pytest.mark.parametrize("component", ["HubTransport", "ServerWideOffline"])
def test_a_component_that_does_not_go_ends_it_before_anything_is_run(component: str) -> None:
    night = server_night()
    night.performer.world.faults.stuck_components.add(("EX01", component))
    before = standing(night.performer.world)
    result = night.run_to_end()
    assert Action.TAKE_SERVER_DOWN not in sent(night)
    night.performer.world.faults.stuck_components.clear()
    assert said(standing(night.performer.world)) == said(before)
    assert result.exit_code == ExitCode.STOPPED, result


def test_messages_that_do_not_go_end_it_before_anything_is_moved() -> None:
    night = server_night()
    night.performer.world.faults.stuck_queues.add("EX01")
    result = night.run_to_end()
    (found,) = result.databases
    assert "7 messages wait still" in found.why and result.exit_code == ExitCode.STOPPED
    assert Action.MOVE_ACTIVE not in sent(night)
    assert not list(differing(night.performer.world.hosts["EX01"]))


def test_a_move_that_is_refused_ends_it_and_everything_comes_back() -> None:
    night = server_night()
    night.performer.world.faults.refuse_next_move("DB11")
    before = standing(night.performer.world)
    result = night.run_to_end()
    assert Action.TAKE_SERVER_DOWN not in sent(night)
    assert result.exit_code == ExitCode.STOPPED, result
    assert said(standing(night.performer.world)) == said(before)


def test_nothing_begins_when_a_copy_elsewhere_fails_between_plan_and_apply() -> None:
    night = server_night()
    world = night.performer.world
    fail_copy(world, world.database_named("DB11"), "EX03")
    result = night.run_to_end()
    assert result.exit_code == ExitCode.NOT_NOW and "members-well" in result.verdict
    assert not sent(night)


def test_a_copy_that_fails_on_the_way_turns_back_what_was_begun() -> None:
    night = server_night()
    world = night.performer.world
    before = standing(world)
    until(night, Action.BLOCK_ACTIVATION)
    fail_copy(world, world.database_named("DB11"), "EX02")
    result = night.run_to_end()
    assert Action.TAKE_SERVER_DOWN not in sent(night)
    assert result.exit_code == ExitCode.STOPPED, result
    after = standing(world)
    assert said({**after, "copies": {}}) == said({**before, "copies": {}})


def test_what_becomes_active_on_the_server_meanwhile_is_not_taken_down() -> None:
    night = server_night()
    world = night.performer.world
    until(night, Action.MOVE_ACTIVE)
    activate(world, world.database_named("DB22"), "EX01")  # by another hand
    result = night.run_to_end()
    assert Action.TAKE_SERVER_DOWN not in sent(night), result
    assert not list(differing(world.hosts["EX01"]))


def test_an_abort_waits_for_the_command_and_brings_the_server_out() -> None:
    night = server_night(FIRMWARE)
    until(night, Action.TAKE_SERVER_DOWN)
    night.take(night.performer.perform(night.next()))
    night.take(Requested(request=Request.ABORT, by="operator"))
    result = night.run_to_end()
    world = night.performer.world
    (job,) = [each for each in world.jobs.values() if each.kind == "command"]
    assert job.state == "ended"  # not cut off half-way
    assert result.exit_code in (ExitCode.OK, ExitCode.STOPPED)
    assert not list(differing(world.hosts["EX01"]))


def test_a_command_that_fails_or_never_ends_brings_the_server_out() -> None:
    for command in ("fail.cmd", "never.cmd"):
        night = server_night(FIRMWARE.replace("firmware.cmd", command))
        before = standing(night.performer.world)
        result = night.run_to_end()
        assert result.databases[0].state is LaneState.FAILED
        assert said(standing(night.performer.world)) == said(before)
        assert decided(night).need is Need.MAINTAIN


def test_a_copy_that_does_not_get_well_holds_the_next_member_and_is_said() -> None:
    night = server_night(SPECIFICATION.replace("[EX01]", "[EX01, EX02]"))
    world = night.performer.world
    until(night, Action.REMOVE_SENTINEL)
    fail_copy(world, world.database_named("DB22"), "EX01")
    result = night.run_to_end()
    first, second = result.databases
    assert first.state is LaneState.FAILED and first.why.startswith("not redundant")
    assert "DB22\\EX01" in " ".join(first.commands)
    assert second.state is LaneState.SKIPPED
    assert not [each for each in world.effects if each.host == "EX02" and each.kind == "reboot"]


def test_members_go_one_after_the_other_and_active_copies_are_where_they_were() -> None:
    night = server_night(SPECIFICATION.replace("[EX01]", "['dag:DAG1']"))
    world = night.performer.world
    active = standing(world)["active"]
    result = night.run_to_end()
    assert result.exit_code == ExitCode.OK, result
    restarted = [each.host for each in world.effects if each.kind == "reboot"]
    assert restarted == ["EX01", "EX02", "EX03"]
    assert standing(world)["active"] == active


def test_of_copies_that_stay_only_one_member_is_planned() -> None:
    text = SPECIFICATION.replace("[EX01]", "['dag:DAG1']").replace(
        "{name: server-maintenance}", "{name: server-maintenance, active_copies: stay}"
    )
    night = server_night(text)
    needs = {each.server: each.need for each in night.plan.body.decisions}
    assert needs == {
        "EX01": Need.MAINTAIN, "EX02": Need.NOT_POSSIBLE, "EX03": Need.NOT_POSSIBLE,
    }  # fmt: skip


@pytest.mark.long
def test_a_controller_killed_at_every_boundary_leaves_the_server_as_it_was() -> None:
    before: dict[str, Any] = {}

    def judge(night: Night, result: RunResult) -> None:
        assert result.exit_code == ExitCode.OK, result
        assert said(standing(night.performer.world)) == before

    night = server_night()
    before |= said(standing(night.performer.world))
    assert crash_everywhere(night, judge=judge).points > 300


def losing(night: Night, number: int, fate: str) -> None:
    """One call of the night is lost, before it arrived or with its answer."""
    calls = iter(range(1, 10_000))
    night.performer.is_losing = lambda send: fate if next(calls) == number else None


@pytest.mark.long
@pytest.mark.parametrize("fate", ["before", "after"])
def test_any_lost_call_changes_nothing_of_what_it_comes_to(fate: str) -> None:
    for number in range(1, 120, 4):
        night = server_night()
        before = said(standing(night.performer.world))
        losing(night, number, fate)
        result = night.run_to_end()
        assert result.exit_code == ExitCode.OK, (number, result)
        assert said(standing(night.performer.world)) == before, number


@define
class _Session(WorldSession):
    """The session of a release, on the members."""

    def script(
        self, script: str, arguments: Mapping[str, Any], *, time_limit_s: float
    ) -> dict[str, Any]:
        return super().script(script, json.loads(json.dumps(dict(arguments))), time_limit_s=1)


def prepared_release(night: Night) -> releasing.Prepared:
    session = _Session(night.performer)
    left = host_record.look(session, "EX01", inventory(INVENTORY))
    assert isinstance(left.recoveries, tuple)
    records = [each for each in left.recoveries if each.is_open]
    return releasing.prepare_on(session, left, records, site=release_site())


def killed_after(number: int) -> Night | None:
    night = server_night()
    for _ in range(number):
        effect = night.next()
        if isinstance(effect, effects.Finish):
            return None
        night.take(night.performer.perform(effect))
    night.kill()
    night.performer.clock.move(seconds=LEASE.total_seconds())
    night.performer.world.advance()
    return night


def test_a_release_brings_it_out_by_the_host_s_record_wherever_the_controller_died() -> None:
    number, released = 4, 0
    while (night := killed_after(number)) is not None:
        number += 23
        prepared = prepared_release(night)
        if prepared.plan is None:
            continue
        result = release(night, prepared)
        assert result.exit_code == ExitCode.OK, (number, result)
        world = night.performer.world
        assert not list(differing(world.hosts["EX01"])), number
        assert not world.hosts["EX01"].sentinels
        assert prepared_release(night).plan is None
        released += 1
    assert released > 5


def test_a_release_waits_for_a_command_that_still_runs() -> None:
    night = server_night(FIRMWARE.replace("firmware.cmd", "never.cmd"))
    until(night, Action.TAKE_SERVER_DOWN)
    for _ in range(6):
        night.take(night.performer.perform(night.next()))
    night.kill()
    night.performer.clock.move(seconds=timedelta(hours=2).total_seconds())
    night.performer.world.advance()
    with pytest.raises(NotNow, match="still runs on EX01"):
        prepared_release(night)


def test_a_broken_guard_is_noticed_by_the_nights(monkeypatch: pytest.MonkeyPatch) -> None:
    """I12: without its guards the run takes a member down with a database active on it."""
    from goexchange.guard import members
    from goexchange.guard.guard import passes

    night = server_night()
    world = night.performer.world
    for guard in (members.MEMBERS_WELL, members.NOTHING_ACTIVE):
        monkeypatch.setitem(
            __import__("goexchange.guard.registry", fromlist=["GUARDS"]).GUARDS,  # type: ignore[attr-defined]
            guard.id,
            type(guard)(
                id=guard.id, rule=guard.rule, moments=guard.moments, reads=guard.reads,
                judge=lambda question: passes("whatever"),
            ),
        )  # fmt: skip
    until(night, Action.MOVE_ACTIVE)
    activate(world, world.database_named("DB22"), "EX01")
    with pytest.raises(NightBroken) as broken:
        night.run_to_end()
    assert "I12" in {each.invariant for each in broken.value.violations}


def test_a_way_back_that_does_nothing_is_noticed_by_the_nights() -> None:
    """I9: a policy that somebody forgot to put back is found at the end."""
    night = server_night()
    until(night, Action.REMOVE_SENTINEL)
    night.performer.world.hosts["EX01"].mode.policy = "Blocked"
    with pytest.raises(NightBroken) as broken:
        night.run_to_end()
    assert {each.invariant for each in broken.value.violations} == {"I9"}


ALONE = SPECIFICATION
STANDALONE = INVENTORY.replace("availability_groups:\n  DAG1: {servers: [EX01, EX02, EX03]}\n", "")


def test_a_server_without_a_group_runs_its_commands_by_consent_to_the_outage() -> None:
    from attrs import evolve

    whole = group_site(availability_group=None)
    alone = evolve(
        whole,
        servers=whole.servers[:1],
        groups=(),
        databases=tuple(
            evolve(each, copies=("EX01",)) for each in whole.databases
        ),
    )
    text = STANDALONE.replace(
        '  EX02: {address: ex02.lab.example, site: berlin, generation: "2019"}\n', ""
    ).replace('  EX03: {address: ex03.lab.example, site: berlin, generation: "2019"}\n', "")
    night = server_night(site=alone, by=inventory(text))
    (need,) = night.plan.body.consents
    assert need.consent is Consent.SERVER_OUTAGE and "DB11 and DB22 are down" in need.finding
    result = night.run_to_end()
    assert result.exit_code == ExitCode.OK, result
    world = night.performer.world
    assert all(each.mounted_on == "EX01" for each in world.databases.values())
    assert Action.SET_COMPONENT not in sent(night) and Action.AWAIT_DATABASES in sent(night)


@pytest.mark.parametrize(
    ("component", "state"), [("HubTransport", "Draining"), ("ServerWideOffline", "Inactive")]
)
def test_what_somebody_else_took_out_of_service_since_is_not_touched(
    component: str, state: str
) -> None:
    """I8: the second member is worked on by hand while the first is down."""
    night = server_night(SPECIFICATION.replace("servers: [EX01]", "servers: [EX01, EX02]"))
    world = night.performer.world
    until(night, Action.RESTORE_COMPONENT)
    given = {
        "Identity": "EX02", "Component": component, "State": state, "Requester": "Maintenance",
    }  # fmt: skip
    assert not world.cmdlet("EX02", "operator", "Set-ServerComponentState", given).errors
    night.run_to_end()
    assert sent(night).count(Action.TAKE_SERVER_DOWN) == 1
    assert world.hosts["EX02"].mode.by[component]["Maintenance"] == state
    assert [each.by for each in world.effects if each.kind == "component-set"
            and each.host == "EX02"] == ["operator"]  # fmt: skip
