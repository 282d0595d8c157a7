"""Copies that a lane has suspended: what is sent to them, what is owed, and what a person types."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from attrs import define, evolve

from goexchange.driver import effects as to_do
from goexchange.driver import events as came
from goexchange.driver.again import owed
from goexchange.driver.copies import copy_commands, not_redundant
from goexchange.driver.lanes import facts_of, runs_now
from goexchange.driver.steps import perform
from goexchange.journal.replay import LaneRecord, RunState, replay
from goexchange.model.plan import Action, RunsWhen
from goexchange.model.run import LaneState, OutcomeKind, StepRecord
from goexchange.plan.planner import make_draft
from goexchange.plan.sealing import seal
from tests.driver.alone import Saying, played, step_in, talk_of
from tests.driver.test_polling import copy
from tests.driver.twin import Twin
from tests.unit.plan.builders import NOW, replicated_rebuild

WANTED, INVENTORY, SEEN = replicated_rebuild()
PLAN = seal(make_draft([WANTED], INVENTORY, SEEN, now=NOW), NOW, "me")
[LANE] = PLAN.body.lanes
FAILED, DONE = OutcomeKind.FAILED, OutcomeKind.DONE
EX02, EX03 = (step for step in LANE.steps if step.action is Action.SEED_COPY)


def after(outcomes: Mapping[str, OutcomeKind], *, state: LaneState = LaneState.FAILED) -> RunState:
    """A run whose steps, by id, came to that; every other up to the mount went well."""
    seen = step_in(LANE, Action.CONFIRM_MOUNTED)
    steps = {
        step.id: StepRecord(step=step.id, attempts=1, outcome=DONE, result={}, ended_at_utc=NOW)
        for step in LANE.steps
        if step.number <= seen.number and step.runs_when in (RunsWhen.ALL_WELL, seen.runs_when)
    }
    for name, outcome in outcomes.items():
        steps[name] = StepRecord(
            step=name, attempts=1, outcome=outcome, result={"why": "it said no"}
        )
    return RunState(
        run="r1",
        steps=steps,
        took_effect=frozenset(name for name, each in steps.items() if each.outcome is DONE),
        lanes={LANE.id: LaneRecord(lane=LANE.id, state=state)},
        lane_of=dict.fromkeys(steps, LANE.id),
    )


def suspended() -> dict[str, OutcomeKind]:
    return {step.id: DONE for step in LANE.steps if step.action is Action.SUSPEND_COPY}


def test_a_copy_of_another_stream_is_seeded_by_hand_and_never_resumed() -> None:
    state = after({**suspended(), EX02.id: FAILED})
    assert "DB05\\EX02" in not_redundant(LANE, state)
    commands = [each for each in copy_commands(LANE, state) if "EX02" in each]
    assert commands[0].startswith("Update-MailboxDatabaseCopy -Identity 'DB05\\EX02'")
    assert not [each for each in commands if each.startswith("Resume-")]


def test_a_copy_is_seeded_only_when_the_one_before_it_is_well() -> None:
    """Of two copies that cannot go on, one at a time is away."""
    well = after({**suspended(), EX02.id: DONE})
    failed = after({**suspended(), EX02.id: FAILED})

    assert runs_now(EX03, LANE, well, facts_of(LANE, well))
    assert not runs_now(EX03, LANE, failed, facts_of(LANE, failed))
    assert runs_now(EX02, LANE, failed, facts_of(LANE, failed))


def test_a_resume_owes_the_seed_of_a_copy_that_is_not_well() -> None:
    found = owed(PLAN, after({**suspended(), EX02.id: FAILED}), {})
    assert found.lanes == (LANE.id,) and EX02.id in found.steps
    found = owed(PLAN, after({**suspended(), EX02.id: DONE, EX03.id: DONE}), {})
    assert not {EX02.id, EX03.id} & set(found.steps)


@define(kw_only=True)
class Seeding(Saying):
    """Hosts that keep the run, and answer what is asked of the copy as the test gave it."""

    def _send(self, send: to_do.Send) -> came.Event:
        return Twin._send(self, send) if send.purpose == "keep" else super()._send(send)


def seeded(*replies: came.Event) -> tuple[StepRecord, list[str]]:
    """What the seed of the copy on EX03 comes to, and what was asked."""
    twin = Seeding(number=1, claimed=1, replies=list(replies))
    lane = evolve(LANE, steps=(EX03,))
    talk = talk_of(PLAN, twin)
    played(talk, perform(talk, lane, EX03), twin)
    return replay(twin.journal).step(EX03.id), twin.purposes


REFUSED = came.Refused(code="exchange", message="the copy is being seeded")


def test_a_seed_that_somebody_has_begun_is_waited_for_and_not_begun_again() -> None:
    record, asked = seeded(copy("Seeding"), copy("Healthy"))
    assert record.outcome is DONE and record.attempts == 1
    assert EX03.id not in asked, "it was looked at alone"


@pytest.mark.parametrize(
    ("then", "outcome"),
    [((copy("Seeding"), copy("Healthy")), DONE), ((copy("Suspended"),), FAILED)],
)
def test_a_refused_seed_is_done_where_it_is_under_way(
    then: tuple[came.Event, ...], outcome: OutcomeKind
) -> None:
    record, asked = seeded(copy("Suspended"), REFUSED, *then)
    assert record.outcome is outcome and asked.count(EX03.id) == 1
    assert outcome is DONE or "the copy is being seeded" in str(record.result)
