"""Custom processes in whole nights: how they end, how often they run, and what undoes them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from goexchange.driver import effects
from goexchange.driver.events import Request, Requested
from goexchange.errors import ExitCode
from goexchange.model.plan import Action, LanePhase
from goexchange.model.run import OutcomeKind, RecordKind, RunResult, StepRecord
from goexchange.report.plan_text import PlanLayout, render_plan
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.site import one_database, several_servers
from goexchange.world.truth import TrueDatabase, true_database
from tests.simulation.crash_points import crash_everywhere
from tests.simulation.night.documents import AT, INVENTORY, SPECIFICATION, inventory, specification

OFF = "{name: av off, run: ['C:\\ops\\av.cmd', suspend], treat_failure_as_error: true%s}"
ON = "{name: av on, run: ['C:\\ops\\av.cmd', resume], undoes: av off%s}"


def night(before: str = "", after: str = "") -> Night:
    text = SPECIFICATION + f"custom_processes:\n  before: [{before}]\n  after: [{after}]\n"
    return make_night(one_database(), [specification(text)], inventory(), at=AT)


def processes(made: Night) -> dict[str, StepRecord]:
    """What became of the custom processes, by their names."""
    state = made.checks.watch.state
    return {
        step.summary.split(":")[0]: state.step(step.id)
        for lane in made.plan.body.lanes
        for step in lane.steps
        if step.action is Action.CUSTOM_PROCESS
    }


def database_of(made: Night) -> TrueDatabase:
    world = made.performer.world
    return true_database(world, world.database_named("DB05"))


def command(words: str, *, fails: bool, more: str = "") -> str:
    return f"{{name: own, run: [{words}], treat_failure_as_error: {str(fails).lower()}{more}}}"


MATRIX = [
    # words, more of the process, what the step comes to, in its result
    ("'C:\\ops\\av.cmd', suspend", "", OutcomeKind.DONE, {"exit_code": 0}),
    ("'C:\\ops\\fail.cmd'", "", OutcomeKind.FAILED, {"exit_code": 3}),
    ("'C:\\ops\\fail.cmd'", ", success_exit_codes: [0, 3]", OutcomeKind.DONE, {"exit_code": 3}),
    ("'C:\\ops\\gone.cmd'", "", OutcomeKind.FAILED, {"exit_code": -1}),
    ("'C:\\ops\\never.cmd'", ", limit: {timeout: 5m}", OutcomeKind.FAILED, {}),
    (
        "'C:\\ops\\never.cmd'",
        ", limit: {completion: false, timeout: 5m}",
        OutcomeKind.DONE,
        {"is_left_running": True},
    ),
    (
        "'C:\\ops\\fail.cmd'",
        ", limit: {completion: false, timeout: 5m}",
        OutcomeKind.FAILED,
        {"exit_code": 3},
    ),
    ("'C:\\ops\\launch.cmd'", "", OutcomeKind.DONE, {"exit_code": 0, "followed": 0}),
    ("'C:\\ops\\launch.cmd'", ", follow: export.exe", OutcomeKind.DONE, {"followed": 1}),
    ("'C:\\ops\\launch.cmd', badly", ", follow: export.exe", OutcomeKind.FAILED, {"exit_code": 7}),
    ("'C:\\ops\\launch.cmd'", ", follow: other.exe", OutcomeKind.FAILED, {"exit_code": -1}),
    ("'C:\\ops\\ask.cmd'", "", OutcomeKind.FAILED, {"exit_code": 1}),
    ("'C:\\ops\\ask.cmd', console", "", OutcomeKind.FAILED, {}),
    ("'C:\\ops\\talk.cmd'", "", OutcomeKind.DONE, {"left_out_bytes": 100_000_008 - 2**20}),
]


@pytest.mark.parametrize("is_error", [False, True])
@pytest.mark.parametrize(("words", "more", "outcome", "result"), MATRIX)
def test_how_a_process_ends(
    words: str, more: str, outcome: OutcomeKind, result: dict[str, Any], is_error: bool
) -> None:
    made = night(f"{OFF % ''}, {command(words, fails=is_error, more=more)}", ON % "")
    ended = made.run_to_end()
    own = processes(made)["own"]
    assert own.outcome is outcome
    assert result.items() <= (own.result or {}).items()
    stops = is_error and outcome is OutcomeKind.FAILED
    assert ended.exit_code == (ExitCode.STOPPED if stops else ExitCode.OK), ended
    assert database_of(made).is_mounted
    # what a process before did is undone whatever happened in between
    assert processes(made)["av on"].outcome is OutcomeKind.DONE
    tails = [r.data["output_tail"] for r in made.performer.records if r.kind is RecordKind.OUTCOME]
    assert max(len(tail) for tail in tails) <= made.plan.body.rules.output_tail_bytes


def test_what_only_its_time_ends_is_waited_for_exactly_and_left_running() -> None:
    made = night(
        command(
            "'C:\\ops\\never.cmd'", fails=True, more=", limit: {completion: false, timeout: 5m}"
        )
    )
    made.run_to_end()
    own = processes(made)["own"]
    assert own.ended_at_utc is not None and own.first_sent_at_utc is not None
    assert 300 <= (own.ended_at_utc - own.first_sent_at_utc).total_seconds() < 302
    host = made.performer.world.hosts["EX01"]
    assert "never.cmd" in {each.process_name for each in host.processes.values()}


def test_one_that_never_ends_is_ended_at_its_limit() -> None:
    made = night(command("'C:\\ops\\never.cmd'", fails=False))  # the default: ten minutes
    made.run_to_end()
    own = processes(made)["own"]
    assert own.ended_at_utc is not None and own.first_sent_at_utc is not None
    assert 600 <= (own.ended_at_utc - own.first_sent_at_utc).total_seconds() < 640
    host = made.performer.world.hosts["EX01"]
    assert "never.cmd" not in {each.process_name for each in host.processes.values()}


@pytest.mark.parametrize("scope", ["run", "server", "database"])
def test_what_undoes_runs_when_the_run_fails_in_between(scope: str) -> None:
    """Whatever the scope: the run is turned back while the database is down."""
    made = night(OFF % f", per: {scope}", ON % f", per: {scope}")
    while True:
        effect = made.next()
        if isinstance(effect, effects.Finish):
            break
        is_copying = isinstance(effect, effects.Send) and "copy-set" in effect.purpose
        if is_copying:
            made.take(Requested(request=Request.ABORT, by="tester"))
            effect = made.next()
        made.take(made.performer.perform(effect))
    assert effect.result.exit_code == ExitCode.STOPPED
    assert processes(made)["av on"].outcome is OutcomeKind.DONE
    assert database_of(made).is_mounted


def several(before: str, after: str, *, count: int = 3) -> Night:
    names = [f"EX{number:02d}" for number in range(1, count + 1)]
    text = SPECIFICATION.replace("servers: [EX01]", f"servers: [{', '.join(names)}]")
    text += "strategy: {servers_at_once: 3, failures_max: 3}\n"
    text += f"custom_processes:\n  before: [{before}]\n  after: [{after}]\n"
    entry = '  EX01: {address: ex01.lab.example, site: berlin, generation: "2019"}\n'
    entries = "".join(entry.replace("EX01", name).replace("ex01", name.lower()) for name in names)
    site = several_servers(count)
    return make_night(
        site, [specification(text)], inventory(INVENTORY.replace(entry, entries)), at=AT
    )


def test_one_per_run_stands_alone_before_all_servers_and_after_all() -> None:
    made = several(OFF % ", per: run", ON % ", per: run")
    lanes = made.plan.body.lanes
    assert [lane.phase for lane in (lanes[0], lanes[-1])] == [
        LanePhase.BEFORE_ALL,
        LanePhase.AFTER_ALL,
    ]
    assert made.run_to_end().exit_code == ExitCode.OK
    begun = [r.data["lane"] for r in made.performer.records if r.kind is RecordKind.LANE_STARTED]
    ended = [r.data["lane"] for r in made.performer.records if r.kind is RecordKind.LANE_ENDED]
    assert begun[0] == ended[0] == "run:before" and begun[-1] == ended[-1] == "run:after"
    order = [
        (r.kind, r.data["lane"])
        for r in made.performer.records
        if r.kind in (RecordKind.LANE_STARTED, RecordKind.LANE_ENDED)
    ]
    assert order[:2] == [
        (RecordKind.LANE_STARTED, "run:before"),
        (RecordKind.LANE_ENDED, "run:before"),
    ]
    assert order[-1] == (RecordKind.LANE_ENDED, "run:after")
    assert len(begun) == 5
    world = made.performer.world
    runs = [job for job in world.jobs.values() if job.kind == "command"]
    assert len(runs) == 2  # once for the run, not for each server


def test_a_process_before_the_run_that_fails_keeps_every_server_as_it_is() -> None:
    own = command("'C:\\ops\\fail.cmd'", fails=True, more=", per: run")
    made = several(f"{OFF % ', per: run'}, {own}", ON % ", per: run")
    made.run_to_end()
    assert processes(made)["av on"].outcome is OutcomeKind.DONE
    assert not [effect for effect in made.performer.world.effects if effect.kind == "dismount"]


def test_a_kill_at_every_boundary_starts_no_process_twice() -> None:
    def judge(ended: Night, _result: RunResult) -> None:
        jobs = ended.performer.world.jobs.values()
        words = Counter(job.request["command"][1] for job in jobs if job.kind == "command")
        assert words == {"suspend": 1, "resume": 1}
        assert database_of(ended).is_mounted

    made = night(OFF % ", per: run", ON % ", per: run")
    report = crash_everywhere(made, every=8, judge=judge)
    assert report.ends == {int(ExitCode.OK): report.points}
    assert report.points > 25


def test_the_plan_shows_each_program_and_what_runs_once() -> None:
    made = several(f"{OFF % ', per: run'}, {command('s.exe', fails=True)}", ON % ", per: run")
    text = render_plan(made.plan, PlanLayout(width=100))
    assert "Once for the run, on EX01" in text
    for words in ("av off: C:\\ops\\av.cmd suspend", "own: s.exe", "av on: C:\\ops\\av.cmd resume"):
        assert words in " ".join(text.split()), words
