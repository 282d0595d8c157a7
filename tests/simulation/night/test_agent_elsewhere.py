"""A vendor's agent on a backup server: started there, found again there, proved by the Exchange
server.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from goexchange.driver import effects
from goexchange.errors import ExitCode
from goexchange.model.plan import Action, Need
from goexchange.model.run import LaneState
from goexchange.report.model import build_report
from goexchange.report.report_text import render_text
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.site import one_database
from goexchange.world.faults import AgentTrouble
from goexchange.world.site import with_backup_server
from goexchange.world.truth import true_database
from tests.simulation.night.documents import AT, INVENTORY, inventory, specification
from tests.simulation.night.test_backup_methods import (
    AGENT,
    BY_AGENT,
    lane_actions,
    result_of,
    text_with,
)

MACHINE = "BKUP01"
THERE = BY_AGENT.replace("start]", "start, '%server%']").replace(
    "poll_every: 1m", f"poll_every: 1m, runs_on: {MACHINE}"
)
STOCK = inventory(INVENTORY.replace("windows:", f"machines: {{{MACHINE}: {{}}}}\nwindows:", 1))


def night(text: str | None = None) -> Night:
    wanted = text_with(after=THERE) if text is None else text
    return make_night(with_backup_server(one_database()), [specification(wanted)], STOCK, at=AT)


def steps_on(of: Night, server: str) -> list[Action]:
    return [
        step.action for lane in of.plan.body.lanes for step in lane.steps if step.server == server
    ]


def started_on(of: Night) -> list[str]:
    """The hosts where jobs of the agent's kind began, in order."""
    world = of.performer.world
    return [job_host for (job_host, _), job in world.jobs.items() if job.kind == "agent"]


def test_the_agent_works_on_its_machine_and_the_exchange_server_proves_it() -> None:
    assert "start, '%server%'" in THERE and AGENT not in THERE
    well = night()
    assert steps_on(well, MACHINE) == [Action.TRY_TARGET, Action.ONLINE_BACKUP]
    order = lane_actions(well.plan)
    assert order.index(Action.TRY_TARGET) < order.index(Action.DISMOUNT)
    [said] = [each for each in well.plan.body.backups if "by the agent" in each]
    assert f"C:\\agent\\backup.cmd on {MACHINE}" in said
    result = well.run_to_end()
    assert result.exit_code == ExitCode.OK, result
    assert started_on(well) == [MACHINE]
    assert result_of(well, Action.PROVE_BACKUP)["proved"] is True
    text = render_text(build_report(well.plan, well.performer.records), width=160)
    assert f"on {MACHINE}" in text


def test_no_endpoint_of_the_machine_is_ever_asked() -> None:
    well = night()
    asked: list[object] = []
    while not isinstance(effect := well.next(), effects.Finish):
        if isinstance(effect, effects.Send) and effect.server == MACHINE:
            asked.append(effect.call)
        well.take(well.performer.perform(effect))
    assert asked and all(type(each).__name__ == "ScriptCall" for each in asked)


@pytest.mark.parametrize("hours", [-3, 3])
def test_the_clock_of_the_machine_proves_nothing(hours: int) -> None:
    """Its job may say that it began hours ago, or will begin: the engine's events are told by the
    clock of the Exchange server.
    """
    well = night()
    while not isinstance(effect := well.next(), effects.Finish):
        event = well.performer.perform(effect)
        is_poll = isinstance(effect, effects.Send) and effect.server == MACHINE
        answer = getattr(event, "result", None)
        if is_poll and isinstance(answer, dict) and answer.get("started_at"):
            answer["started_at"] = _moved(answer["started_at"], hours)
        well.take(event)
    proof = result_of(well, Action.PROVE_BACKUP)
    assert (proof["is_newer"], proof["event_completed"]) == (True, True)
    # the copies are told by that clock too: one from before the start is none of this backup
    assert proof["proved"] is (hours < 0)


def _moved(text: str, hours: int) -> str:
    from goexchange.codec import parse_time, time_text

    return time_text(parse_time(text) + timedelta(hours=hours))


def test_a_backup_from_before_the_start_does_not_count_by_a_machine_that_is_late() -> None:
    """The machine says that its job began hours ago; the stamp of an older backup is newer."""
    broken = night()
    broken.performer.world.faults.trouble_next_agent(AgentTrouble.LEAVES_OUT)
    database = broken.performer.world.database_named("DB05")
    while not isinstance(effect := broken.next(), effects.Finish):
        event = broken.performer.perform(effect)
        answer = getattr(event, "result", None)
        is_poll = isinstance(effect, effects.Send) and effect.server == MACHINE
        if is_poll and isinstance(answer, dict) and answer.get("started_at"):
            answer["started_at"] = _moved(answer["started_at"], -48)
        broken.take(event)
    assert effect.result.databases[0].state is LaneState.UNPROTECTED
    assert result_of(broken, Action.ONLINE_BACKUP)["end"] == "succeeded"
    assert true_database(broken.performer.world, database).is_mounted


def test_a_controller_that_dies_while_the_agent_runs_finds_its_job_again() -> None:
    dying = night()
    while not started_on(dying):
        dying.take(dying.performer.perform(dying.next()))
    dying.kill()
    dying.performer.clock.move(seconds=600)
    result = dying.run_to_end()
    assert dying.controllers == 2
    assert result.exit_code == ExitCode.OK, result
    assert started_on(dying) == [MACHINE], "found again, not started twice"


def test_a_machine_that_is_down_before_the_run_stops_it_before_anything() -> None:
    away = night()
    away.performer.world.reboot(MACHINE)
    result = away.run_to_end()
    assert result.exit_code == ExitCode.UNREACHABLE
    assert f"{MACHINE} could not be observed" in result.verdict
    assert not [one for one in away.performer.world.effects if one.kind == "dismount"]


def test_a_machine_that_goes_away_later_is_noticed_before_the_outage() -> None:
    away = night()
    while not any(one.data.get("step", "").endswith("place-sentinel")
                  for one in away.performer.records if one.kind.value == "outcome"):  # fmt: skip
        away.take(away.performer.perform(away.next()))
    host = away.performer.world.hosts[MACHINE]
    away.performer.world.reboot(MACHINE)
    host.down_until = away.performer.now() + timedelta(days=2)
    result = away.run_to_end()
    assert not [one for one in away.performer.world.effects if one.kind == "dismount"]
    assert result.exit_code not in (ExitCode.OK, ExitCode.UNPROTECTED)


def test_a_machine_that_goes_away_in_the_outage_keeps_nothing_down() -> None:
    away = night()
    while not [one for one in away.performer.world.effects if one.kind == "dismount"]:
        away.take(away.performer.perform(away.next()))
    host = away.performer.world.hosts[MACHINE]
    away.performer.world.reboot(MACHINE)
    host.down_until = away.performer.now() + timedelta(days=2)
    result = away.run_to_end()
    database = away.performer.world.database_named("DB05")
    assert true_database(away.performer.world, database).is_mounted
    assert result.databases[0].state is LaneState.UNPROTECTED, result


def test_a_program_that_is_not_there_is_found_before_the_outage() -> None:
    misspelt = THERE.replace("agent\\backup.cmd', start", "agnet\\b.cmd', start")
    broken = night(text_with(after=misspelt))
    result = broken.run_to_end()
    assert "C:\\agnet\\b.cmd cannot be read" in result.databases[0].why
    assert not [one for one in broken.performer.world.effects if one.kind == "dismount"]


def test_a_machine_that_was_not_seen_is_refused_by_name() -> None:
    blind = make_night(one_database(), [specification(text_with(after=THERE))], STOCK, at=AT)
    [decision] = blind.plan.body.decisions
    assert decision.need is Need.NOT_POSSIBLE
    assert MACHINE in decision.explanation and "it was not observed" in decision.explanation
