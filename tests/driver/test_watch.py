"""What the driver refuses to write, record by record: each invariant that plan and journal alone
can decide, broken once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest
from attrs import evolve

from goexchange.driver.invariants import Watch
from goexchange.model.plan import Action, Plan
from goexchange.model.run import Record, RecordKind
from tests.driver.plans import plan_of, rebuild_lane
from tests.driver.twin import Twin, drive, machine_of

PLAN = plan_of(rebuild_lane())
IDS = {step.action: step.id for step in PLAN.body.lanes[0].steps}


@cache
def records() -> tuple[Record, ...]:
    """The journal of a quiet night."""
    twin = Twin()
    assert drive(machine_of(PLAN, twin), twin).exit_code == 0
    return tuple(twin.journal)


def before_intent(action: Action) -> list[Record]:
    """The journal up to the first intent of an action."""
    found: list[Record] = []
    for record in records():
        if record.kind is RecordKind.INTENT and record.data["step"] == IDS[action]:
            return found
        found.append(record)
    raise AssertionError(f"no intent of {action}")


def changed(
    journal: Sequence[Record], action: Action, change: Callable[[dict[str, Any]], None]
) -> list[Record]:
    """The journal with the result of one action changed."""
    found = []
    for record in journal:
        if record.kind is RecordKind.OUTCOME and record.data["step"] == IDS[action]:
            result = dict(record.data["result"])
            change(result)
            record = evolve(record, data={**record.data, "result": result})
        found.append(record)
    return found


def intent(action: Action, attempt: int = 1) -> dict[str, Any]:
    return {"step": IDS[action], "lane": PLAN.body.lanes[0].id, "attempt": attempt}


def broken(
    journal: Sequence[Record], kind: RecordKind, data: dict[str, Any], plan: Plan = PLAN
) -> list[tuple[str, str]]:
    return [(one.invariant, one.why) for one in Watch(plan, journal).violations(kind, data)]


def test_every_record_of_a_quiet_night_is_good() -> None:
    watch = Watch(PLAN)
    for record in records():
        assert not watch.violations(record.kind, record.data)
        watch.take(record)


def other_digest(result: dict[str, Any]) -> None:
    result["files"] = [{**one, "sha256": "0" * 64} for one in result["files"]]


@pytest.mark.parametrize(
    ("action", "change", "why"),
    [
        (Action.READ_HEADER, lambda result: result.update(state=2), "not shut down cleanly"),
        (Action.READ_HEADER, lambda result: result.update(headers_alike=False), "not shut down"),
        (Action.HASH_SET, other_digest, "what was read back is not what was copied"),
        (Action.READ_HEADER, lambda result: result.update(size_bytes=1), "not of the file whose"),
    ],
)
def test_no_swap_without_a_good_set_of_that_very_file(
    action: Action, change: Callable[[dict[str, Any]], None], why: str
) -> None:
    journal = before_intent(Action.SWAP)
    assert not broken(journal, RecordKind.INTENT, intent(Action.SWAP))
    found = broken(changed(journal, action, change), RecordKind.INTENT, intent(Action.SWAP))
    assert [invariant for invariant, _ in found] == ["I2"]
    assert why in found[0][1]


def test_no_swap_of_a_lane_that_makes_no_set() -> None:
    lane = PLAN.body.lanes[0]
    steps = tuple(step for step in lane.steps if step.action is not Action.HASH_SET)
    plan = plan_of(evolve(lane, steps=steps))
    journal = [one for one in before_intent(Action.SWAP) if one.data.get("step") in _ids(plan)]
    found = broken(journal, RecordKind.INTENT, intent(Action.SWAP), plan)
    assert found == [("I2", "the lane has no step hash-set")]


def _ids(plan: Plan) -> set[str]:
    return {step.id for lane in plan.body.lanes for step in lane.steps}


def test_no_swap_of_a_file_whose_header_was_read_before_the_dismount() -> None:
    journal = before_intent(Action.SWAP)
    late = [
        evolve(one, at_utc=journal[-1].at_utc)
        if one.kind is RecordKind.OUTCOME and one.data["step"] == IDS[Action.DISMOUNT]
        else one
        for one in journal
    ]
    found = broken(late, RecordKind.INTENT, intent(Action.SWAP))
    assert found == [("I2", "the header was read before the dismount")]


def test_nothing_takes_effect_twice() -> None:
    journal = before_intent(Action.SWAP)
    found = broken(journal, RecordKind.INTENT, intent(Action.DISMOUNT, 2))
    assert found == [("I5", "it has taken effect already")]


def test_no_second_job_while_one_is_in_doubt() -> None:
    journal = before_intent(Action.REBUILD)
    journal = [*journal, *records()[len(journal) : len(journal) + 1]]  # and its intent
    assert Watch(PLAN, journal).state.step(IDS[Action.REBUILD]).is_in_doubt
    found = broken(journal, RecordKind.INTENT, intent(Action.REBUILD, 2))
    assert found == [("I5", "its job is in doubt, and another would be started")]


def test_a_step_in_doubt_is_not_sent_before_it_was_seen_undone() -> None:
    journal = before_intent(Action.DISMOUNT)
    journal = [*journal, *records()[len(journal) : len(journal) + 1]]
    found = broken(journal, RecordKind.INTENT, intent(Action.DISMOUNT, 2))
    assert found == [("I5", "it is in doubt and was not seen undone")]


def test_after_a_resume_nothing_is_said_of_a_doubt_before_a_look() -> None:
    journal = before_intent(Action.DISMOUNT)
    journal = [*journal, *records()[len(journal) : len(journal) + 1]]
    resumed = evolve(
        journal[-1],
        kind=RecordKind.RUN_RESUMED,
        data={"controller": "here", "lanes_again": [], "steps_again": []},
    )
    done = next(
        one
        for one in records()
        if one.kind is RecordKind.OUTCOME and one.data["step"] == IDS[Action.DISMOUNT]
    )
    found = broken([*journal, resumed], RecordKind.OUTCOME, dict(done.data))
    assert found == [("I7", "it was in doubt and nobody looked")]
    looked = evolve(
        journal[-1],
        kind=RecordKind.LOOKED,
        data={"step": IDS[Action.DISMOUNT], "meaning": "done", "seen": {}, "evidence": "seen"},
    )
    assert not broken([*journal, resumed, looked], RecordKind.OUTCOME, dict(done.data))


def test_a_step_outside_the_plan_is_no_step() -> None:
    data = {"step": "EX09/DB99/01-dismount", "lane": "EX09/DB99", "attempt": 1}
    assert broken(records(), RecordKind.INTENT, data) == [("I8", "the plan has no such step")]
