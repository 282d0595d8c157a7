"""When the lanes of a plan begin and how long they take, by the plan's own estimates; one after
the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from goexchange.guard.guard import Answer, Moment, Question, is_due
from goexchange.model.plan import Action, ControllerCall, Decision, Lane, PlanBody, RunsWhen, Step
from goexchange.model.same import Same
from goexchange.schedule.outage import Outage
from goexchange.schedule.rates import NO_TIME, Duration, fixed

WAYS_BACK = (
    RunsWhen.AWAY_BEFORE_SWAP,
    RunsWhen.AWAY_AFTER_SWAP,
    RunsWhen.ORIGINAL_LOST,
    RunsWhen.MOUNT_TRIED,
)


def start_of(question: Question) -> datetime:
    """When the lane begins: now, or at plan when the window opens and the lanes before it have
    ended.
    """
    if question.moment is Moment.STEP:
        return question.now
    before_s = _begins(Same(question.body))[question.lane.id]
    return run_begins(question) + timedelta(seconds=before_s)


def run_begins(question: Question) -> datetime:
    """When the run begins: now, or when the window opens."""
    window = question.body.window
    return question.now if window is None else max(question.now, window.opens_at_utc)


def lane_length_s(question: Question) -> int:
    """How long the lane takes by its p90."""
    return _length_s(question.body, question.lane)


def remaining_s(question: Question) -> int:
    """How long the lane still takes by its p90: all of it, or from the step that is decided on."""
    whole_s, step = lane_length_s(question), question.step
    if step is None:
        return whole_s
    first = _dismount_number(question.lane)
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


def lead_s(lane: Lane) -> int:
    """How long the lane works before it takes the database down."""
    first = _dismount_number(lane)
    return sum(p90_of(each) for each in lane.steps if each.number < first)


def p90_of(step: Step) -> int:
    """What nine of ten times are below: as planned, else twice the estimate; 0 without one."""
    if step.estimate_p90_s is not None:
        return step.estimate_p90_s
    return fixed(step.estimate_s or 0).p90_s


def outage_of(body: PlanBody, lane: Lane) -> Outage | None:
    """The lane's outage by the plan's decision; None when it has none."""
    decision = _decision(body, lane)
    if decision is None or decision.outage_s is None or decision.outage_p90_s is None:
        return None
    return Outage(
        down=Duration(p50_s=decision.outage_s, p90_s=decision.outage_p90_s),
        after_swap=_estimated(lane, (Action.SWAP, Action.MOUNT), RunsWhen.ALL_WELL),
        way_back=_estimated(lane, (Action.SWAP_BACK, Action.MOUNT_ORIGINAL), _last_way(lane)),
    )


def swap_and_way_back_s(lane: Lane) -> int:
    """What has to stay free at the end, by p90: the swap with its mount, and the way back."""
    after_swap = _estimated(lane, (Action.SWAP, Action.MOUNT), RunsWhen.ALL_WELL)
    way_back = _estimated(lane, (Action.SWAP_BACK, Action.MOUNT_ORIGINAL), _last_way(lane))
    is_down = any(each.action is Action.DISMOUNT for each in lane.steps)
    return after_swap.p90_s + way_back.p90_s if is_down else 0


@lru_cache(maxsize=4)
def _begins(same: Same[PlanBody]) -> dict[str, int]:
    """Seconds from the begin of the run to that of each lane."""
    found: dict[str, int] = {}
    begins_s = 0
    for lane in same.value.lanes:
        found[lane.id] = begins_s
        begins_s += _length_s(same.value, lane)
    return found


def _length_s(body: PlanBody, lane: Lane) -> int:
    """The outage and everything beside it by their p90."""
    outage = outage_of(body, lane)
    down = _outage_numbers(lane)
    beside = sum(
        p90_of(each)
        for each in lane.steps
        if each.runs_when not in WAYS_BACK and each.number not in down
    )
    return beside + (0 if outage is None else outage.down.p90_s)


def _outage_numbers(lane: Lane) -> range:
    mounts = [each.number for each in lane.steps if each.action is Action.MOUNT]
    return range(_dismount_number(lane), max(mounts, default=0) + 1)


def _dismount_number(lane: Lane) -> int:
    found = [each.number for each in lane.steps if each.action is Action.DISMOUNT]
    return found[0] if found else len(lane.steps) + 1


def _estimated(lane: Lane, actions: tuple[Action, ...], runs_when: RunsWhen) -> Duration:
    result = NO_TIME
    for each in lane.steps:
        if each.action in actions and each.runs_when is runs_when:
            result = result + Duration(p50_s=each.estimate_s or 0, p90_s=p90_of(each))
    return result


def _last_way(lane: Lane) -> RunsWhen:
    has_swap = any(each.action is Action.SWAP for each in lane.steps)
    return RunsWhen.AWAY_AFTER_SWAP if has_swap else RunsWhen.AWAY_BEFORE_SWAP


def _decision(body: PlanBody, lane: Lane) -> Decision | None:
    return _decisions(Same(body)).get((lane.server, lane.database))


@lru_cache(maxsize=4)
def _decisions(same: Same[PlanBody]) -> dict[tuple[str, str | None], Decision]:
    """The first decision of each address."""
    return {(each.server, each.database): each for each in reversed(same.value.decisions)}
