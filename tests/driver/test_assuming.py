"""A step in doubt that looking cannot decide: a person answers, once, and that is named."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.driver.assuming import why_not_answerable
from goexchange.driver.identity import Assumption
from goexchange.errors import ExitCode
from goexchange.journal.replay import replay
from goexchange.model.plan import Action
from goexchange.model.run import RecordKind
from goexchange.report.deviations import deviations
from tests.driver.plans import plan_of, rebuild_lane
from tests.driver.twin import RUN, Twin, drive, machine_of

PLAN = plan_of(rebuild_lane())
DISMOUNT = next(step.id for step in PLAN.body.lanes[0].steps if step.action is Action.DISMOUNT)


def in_doubt(*, is_away: bool) -> Twin:
    """The dismount was sent and its answer lost; the probe gets no answer, now and later."""
    twin = Twin()
    fate = "after" if is_away else "before"
    twin.lose = lambda number, send: fate if "dismount" in send.purpose else None
    assert drive(machine_of(PLAN, twin), twin).exit_code == ExitCode.UNKNOWN
    assert replay(twin.journal).in_doubt == (DISMOUNT,)
    twin.lose = lambda number, send: "before" if "probe" in send.purpose else None
    return twin


def answered(twin: Twin, *, is_done: bool, step: str = DISMOUNT) -> Any:
    assumed = Assumption(step=step, is_done=is_done, by="maria")
    return machine_of(PLAN, twin, run=evolve(RUN, assumed=assumed))


def kinds(twin: Twin, kind: RecordKind) -> list[Any]:
    return [record.data for record in twin.journal if record.kind is kind]


def test_done_goes_on_without_sending_it_again() -> None:
    twin = in_doubt(is_away=True)
    machine = answered(twin, is_done=True)
    while not kinds(twin, RecordKind.ANSWER):
        machine.accept(twin.perform(machine.next(twin.now)), twin.now)
    twin.lose = lambda number, send: "before" if send.purpose == f"probe {DISMOUNT}" else None
    assert drive(machine, twin).exit_code == ExitCode.OK
    assert twin.effects["Dismount-Database old"] == 1
    answer = kinds(twin, RecordKind.ANSWER)
    assert [(one["step"], one["answer"], one["by"]) for one in answer] == [
        (DISMOUNT, "done", "maria")
    ]
    assumed = [one for one in kinds(twin, RecordKind.LOOKED) if one["cause"] == "assumed"]
    assert [(one["step"], one["meaning"]) for one in assumed] == [(DISMOUNT, "done")]
    told = [one for one in deviations(PLAN, twin.journal) if one.kind == "assumed"]
    assert len(told) == 1 and "maria" in told[0].text


def test_not_done_sends_it_again() -> None:
    twin = in_doubt(is_away=False)
    machine = answered(twin, is_done=False)
    while not kinds(twin, RecordKind.ANSWER):
        machine.accept(twin.perform(machine.next(twin.now)), twin.now)
    while not [one for one in kinds(twin, RecordKind.LOOKED) if one["cause"] == "assumed"]:
        machine.accept(twin.perform(machine.next(twin.now)), twin.now)
    twin.lose = lambda number, send: None
    assert drive(machine, twin).exit_code == ExitCode.OK
    assert twin.effects["Dismount-Database old"] == 1


@pytest.mark.parametrize("is_done", [True, False])
def test_refused_when_looking_can_tell(is_done: bool) -> None:
    """Nothing is sent, whichever answer is given."""
    twin = in_doubt(is_away=True)
    twin.lose = lambda number, send: None
    before = twin.effects.copy()
    result = drive(answered(twin, is_done=is_done), twin)
    assert result.exit_code == ExitCode.NOT_NOW
    assert "looking can tell" in result.verdict and "has taken effect" in result.verdict
    assert twin.effects == before and not kinds(twin, RecordKind.ANSWER)
    assert drive(machine_of(PLAN, twin), twin).exit_code == ExitCode.OK


def test_refused_for_what_needs_no_answer() -> None:
    twin = in_doubt(is_away=True)
    state = replay(twin.journal)
    rebuild = next(one.id for one in PLAN.body.lanes[0].steps if one.action is Action.REBUILD)
    assert why_not_answerable(PLAN, state, DISMOUNT) is None
    assert "no step nonsense" in str(why_not_answerable(PLAN, state, "nonsense"))
    why = str(why_not_answerable(PLAN, state, rebuild))
    assert "not in doubt" in why and DISMOUNT in why
    result = drive(answered(twin, is_done=True, step=rebuild), twin)
    assert result.exit_code == ExitCode.NOT_NOW and "not in doubt" in result.verdict
