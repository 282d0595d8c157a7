"""A pause and what ends it, asked for between any two effects of a run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache

import pytest

from goexchange.driver import effects as to_do
from goexchange.driver import events as came
from goexchange.driver.events import Request
from goexchange.errors import ExitCode
from goexchange.model.plan import Action, Direction, Plan
from goexchange.model.run import LaneState, Record, RecordKind, RunResult
from tests.driver.plans import (
    NOW,
    ORIGINAL,
    plan_of,
    process_lanes,
    rebuild_lane,
    with_step,
)
from tests.driver.twin import Twin, drive, machine_of

LONG = timedelta(hours=2)
Ask = Callable[[Twin, int], Request | None]


@cache
def night() -> Plan:
    before, after = process_lanes()
    return plan_of(before, rebuild_lane(), after)


def driven(twin: Twin, plan: Plan, ask: Ask, *, effects_max: int = 5000) -> RunResult:
    """Drive to the end; `ask` says what is asked before which effect."""
    machine = machine_of(plan, twin)
    for number in range(effects_max):
        effect = machine.next(twin.now)
        if isinstance(effect, to_do.Finish):
            return effect.result
        request = ask(twin, number)
        if request is not None:
            machine.accept(came.Requested(request=request, by="maria", id=f"{number}"), twin.now)
            continue
        machine.accept(twin.perform(effect), twin.now)
    raise AssertionError("the machine does not come to an end")


def paused_at(number: int, then: Request | None, *, after: timedelta = LONG) -> Ask:
    """Ask for a pause before that effect, and for something else some time later."""
    state: dict[str, object] = {}

    def ask(twin: Twin, seen: int) -> Request | None:
        if "at" not in state:
            if seen < number:
                return None
            state["at"] = twin.now
            return Request.PAUSE
        if then is None or "then" in state or twin.now < state["at"] + after:  # type: ignore[operator]
            return None
        state["then"] = True
        return then

    return ask


def in_turn(*words: tuple[Callable[[Twin], bool], Request]) -> Ask:
    """Ask for one thing after the other, each as soon as its time has come."""
    left = list(words)

    def ask(twin: Twin, _: int) -> Request | None:
        return left.pop(0)[1] if left and left[0][0](twin) else None

    return ask


def after_long(twin: Twin) -> bool:
    return twin.now > NOW + LONG


@cache
def effects_of_a_night() -> int:
    count = 0

    def ask(_: Twin, number: int) -> None:
        nonlocal count
        count = number

    assert driven(Twin(), night(), ask).exit_code == ExitCode.OK
    return count


def between(journal: list[Record], first: str, last: str) -> list[Record]:
    """The records after one request, up to another."""
    at = {
        str(record.data["request"]): place
        for place, record in enumerate(journal)
        if record.kind is RecordKind.REQUEST
    }
    return journal[at[first] + 1 : at.get(last, len(journal))] if first in at else []


def new_steps(records: list[Record], plan: Plan) -> list[str]:
    """First intents of steps that do not bring mail back."""
    directions = {step.id: step.direction for lane in plan.body.lanes for step in lane.steps}
    return [
        str(record.data["step"])
        for record in records
        if record.kind is RecordKind.INTENT
        and directions[str(record.data["step"])] is not Direction.BACK
    ]


def test_no_new_step_while_paused_and_the_same_end_after_it_from_every_state() -> None:
    held = 0
    for number in range(0, effects_of_a_night(), 7):
        twin = Twin()
        result = driven(twin, night(), paused_at(number, Request.PROCEED))
        assert result.exit_code == ExitCode.OK, (number, result)
        assert not new_steps(between(twin.journal, "pause", "proceed"), night()), number
        assert twin.effects["swap"] == 1 and twin.is_mounted, number
        held += twin.now > NOW + LONG
    assert held > effects_of_a_night() * 0.1, "most pauses were long ones"


def test_a_pause_never_keeps_a_database_down_beyond_the_deadline() -> None:
    deadline = NOW + timedelta(hours=1)
    plan = plan_of(rebuild_lane(), latest_swap_utc=deadline)
    turned = 0
    for number in range(20, effects_of_a_night(), 5):
        twin = Twin()
        # long after the deadline, so that steps that are only tidying can end the run
        result = driven(twin, plan, paused_at(number, Request.PROCEED, after=5 * LONG))
        mounts = [
            record
            for record in twin.journal
            if record.kind is RecordKind.OUTCOME and "mount" in str(record.data["step"])
        ]
        assert twin.is_mounted and mounts[-1].at_utc < NOW + 10 * LONG, number
        downs = [
            record.at_utc
            for record in twin.journal
            if record.kind is RecordKind.INTENT and str(record.data["step"]).endswith("-dismount")
        ]
        backs = [
            record.at_utc
            for record in twin.journal
            if record.kind is RecordKind.OUTCOME
            and str(record.data["step"]).endswith(("-mount", "-mount-original"))
        ]
        if downs:
            assert backs and backs[0] < deadline + timedelta(minutes=2), number
        if result.exit_code == ExitCode.STOPPED:
            turned += 1
            assert result.databases[0].why.startswith("overrun"), number
            assert twin.files[ORIGINAL] == "old"
    assert turned > 6


def test_the_step_that_mounts_is_never_held() -> None:
    twin = Twin()
    machine = machine_of(plan_of(rebuild_lane()), twin)
    asked = False
    while twin.now < NOW + LONG:
        effect = machine.next(twin.now)
        if not asked and twin.effects["swap"]:
            asked = True
            machine.accept(came.Requested(request=Request.PAUSE, by="maria"), twin.now)
            continue
        machine.accept(twin.perform(effect), twin.now)
    assert asked and twin.is_mounted and twin.at_startup and not twin.sentinel
    assert not machine.is_finished, "the backup waits for the word to go on"


@pytest.mark.parametrize("number", range(20, 160, 11))
def test_abort_ends_a_pause(number: int) -> None:
    twin = Twin()
    result = driven(twin, night(), paused_at(number, Request.ABORT))
    assert twin.is_mounted and twin.now < NOW + 2 * LONG
    before_the_swap = not twin.effects["swap"]
    assert (result.exit_code == ExitCode.STOPPED) is before_the_swap
    assert twin.effects["job command"] == 2, "what a process before did is undone"


def test_stop_ends_a_pause_and_finishes_the_database_in_hand() -> None:
    twin = Twin()
    result = driven(twin, night(), paused_at(60, Request.STOP))
    assert result.databases[0].state is LaneState.DONE


def test_no_database_begins_while_paused_and_stop_then_skips_it() -> None:
    twin = Twin()
    plan = plan_of(rebuild_lane())

    def has_begun(seen: Twin) -> bool:
        return any(record.kind is RecordKind.RUN_STARTED for record in seen.journal)

    ask = in_turn((has_begun, Request.PAUSE), (after_long, Request.STOP))
    result = driven(twin, plan, ask)
    assert result.databases[0].state is LaneState.SKIPPED
    assert (result.exit_code, twin.effects.total()) == (ExitCode.STOPPED, 0)


def test_a_hold_starts_no_other_database_and_lifts_no_pause() -> None:
    twin = Twin(asked=[(NOW, Request.HOLD)])
    result = drive(machine_of(plan_of(rebuild_lane()), twin), twin)
    assert result.databases[0].state is LaneState.SKIPPED
    assert "hold" in result.databases[0].why
    twin = Twin(asked=[(NOW + timedelta(seconds=20), Request.HOLD)])
    plan = night()
    assert drive(machine_of(plan, twin), twin).databases[0].state is LaneState.DONE
    from goexchange.driver.pausing import is_paused

    assert is_paused(("pause", "hold")) and not is_paused(("pause", "hold", "proceed"))


def test_a_resume_is_a_word_to_go_on() -> None:
    plan, twin = plan_of(rebuild_lane()), Twin()
    machine = machine_of(plan, twin)
    asked = False
    for _ in range(120):
        effect = machine.next(twin.now)
        if not asked and not twin.is_mounted:
            asked = True
            machine.accept(came.Requested(request=Request.PAUSE, by="maria"), twin.now)
            continue
        machine.accept(twin.perform(effect), twin.now)
    assert asked and not twin.is_mounted
    assert drive(machine_of(plan, twin), twin).exit_code == ExitCode.OK


def test_what_was_asked_is_journalled_with_its_name_in_the_store() -> None:
    twin = Twin()
    driven(twin, night(), paused_at(30, Request.PROCEED))
    asked = [dict(each.data) for each in twin.journal if each.kind is RecordKind.REQUEST]
    assert asked[0] == {"request": "pause", "by": "maria", "id": "30"}


def test_a_step_with_attempts_left_waits_too() -> None:
    twin = Twin(refusals={"Dismount-Database": ["busy"]})
    plan = plan_of(with_step(rebuild_lane(), Action.DISMOUNT, attempts_max=2))

    def has_failed(seen: Twin) -> bool:
        outcomes = [each.data for each in seen.journal if each.kind is RecordKind.OUTCOME]
        return any(each["outcome"] == "failed" for each in outcomes)

    ask = in_turn((has_failed, Request.PAUSE), (after_long, Request.PROCEED))
    assert driven(twin, plan, ask).exit_code == ExitCode.OK
    assert not new_steps(between(twin.journal, "pause", "proceed"), plan)
