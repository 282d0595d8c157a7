"""When the lane of a question begins and how long it still takes, by the plan's own estimates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from goexchange.guard.guard import Answer, Moment, Question, is_due
from goexchange.model.plan import Action, ControllerCall
from goexchange.model.same import Same
from goexchange.schedule.lane_times import (
    WAYS_BACK,
    begins_of,
    dismount_number,
    length_s,
    p90_of,
)


def start_of(question: Question) -> datetime:
    """When the lane begins: now, or at plan when the window opens and the lanes before it have
    ended.
    """
    if question.moment is Moment.STEP:
        return question.now
    before_s = begins_of(Same(question.body))[question.lane.id]
    return run_begins(question) + timedelta(seconds=before_s)


def run_begins(question: Question) -> datetime:
    """When the run begins: now, or when the window opens."""
    window = question.body.window
    return question.now if window is None else max(question.now, window.opens_at_utc)


def lane_length_s(question: Question) -> int:
    """How long the lane takes by its p90."""
    return length_s(question.body, question.lane)


def remaining_s(question: Question) -> int:
    """How long the lane still takes by its p90: all of it, or from the step that is decided on."""
    whole_s, step = lane_length_s(question), question.step
    if step is None:
        return whole_s
    first = dismount_number(question.lane)
    return whole_s - sum(
        p90_of(each)
        for each in question.lane.steps
        if each.number <= min(step.number, first - 1) and each.runs_when not in WAYS_BACK
    )


def left_to_wait(question: Question, kind: str, signs: Sequence[str]) -> Answer | None:
    """*Due* where the lane has a step that waits for signs of this kind (`running`, `scheduled`);
    None where it has none, and when the wait is over.
    """
    if question.moment is Moment.STEP:
        return None
    for step in question.steps(Action.AWAIT_BACKUPS):
        if isinstance(step.call, ControllerCall) and step.call.arguments[kind] != "refuse":
            policy = step.call.arguments[kind]
            what = "waits for it" if policy == "wait" else "suspends it, and waits until it is"
            return is_due(f"{'; '.join(signs)}: the lane {what}, <= {step.time_limit_s} s")
    return None
