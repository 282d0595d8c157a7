"""How long the lanes of a plan take and when each begins, by the plan's own estimates; one after
the other.
"""

from __future__ import annotations

from functools import lru_cache

from goexchange.model.plan import Action, Decision, Lane, PlanBody, RunsWhen, Step
from goexchange.model.same import Same
from goexchange.schedule.outage import Outage
from goexchange.schedule.rates import NO_TIME, Duration, fixed

_DOWN = (Action.DISMOUNT, Action.TAKE_SERVER_DOWN)  # where an outage begins
_BACK = (Action.MOUNT, Action.AWAIT_SERVER)  # and ends
WAYS_BACK = (
    RunsWhen.AWAY_BEFORE_SWAP,
    RunsWhen.AWAY_AFTER_SWAP,
    RunsWhen.ORIGINAL_LOST,
    RunsWhen.MOUNT_TRIED,
)


def lead_s(lane: Lane) -> int:
    """How long the lane works before it takes the database down."""
    first = dismount_number(lane)
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
        after_swap=_after_swap(lane),
        way_back=_estimated(lane, (Action.SWAP_BACK, Action.MOUNT_ORIGINAL), _last_way(lane)),
    )


def swap_and_way_back_s(lane: Lane) -> int:
    """What has to stay free at the end, by p90: the swap with its mount, and the way back."""
    after_swap = _after_swap(lane)
    way_back = _estimated(lane, (Action.SWAP_BACK, Action.MOUNT_ORIGINAL), _last_way(lane))
    is_down = any(each.action is Action.DISMOUNT for each in lane.steps)
    return after_swap.p90_s + way_back.p90_s if is_down else 0


@lru_cache(maxsize=4)
def begins_of(same: Same[PlanBody]) -> dict[str, int]:
    """Seconds from the begin of the run to that of each lane."""
    found: dict[str, int] = {}
    begins_s = 0
    for lane in same.value.lanes:
        found[lane.id] = begins_s
        begins_s += length_s(same.value, lane)
    return found


def length_s(body: PlanBody, lane: Lane) -> int:
    """How long a lane takes by its p90: the outage and everything beside it."""
    outage = outage_of(body, lane)
    down = _outage_numbers(lane)
    beside = sum(
        p90_of(each)
        for each in lane.steps
        if each.runs_when not in WAYS_BACK and each.number not in down
    )
    return beside + (0 if outage is None else outage.down.p90_s)


def _outage_numbers(lane: Lane) -> range:
    mounts = [each.number for each in lane.steps if each.action in _BACK]
    return range(dismount_number(lane), max(mounts, default=0) + 1)


def dismount_number(lane: Lane) -> int:
    """The number of the step that takes the database down; the one after the last without any."""
    found = [each.number for each in lane.steps if each.action in _DOWN]
    return found[0] if found else len(lane.steps) + 1


def _estimated(lane: Lane, actions: tuple[Action, ...], runs_when: RunsWhen) -> Duration:
    result = NO_TIME
    for each in lane.steps:
        if each.action in actions and each.runs_when is runs_when:
            result = result + Duration(p50_s=each.estimate_s or 0, p90_s=p90_of(each))
    return result


def _after_swap(lane: Lane) -> Duration:
    """The swap with its mount, and the passes over the new file between them."""
    found = _estimated(lane, (Action.SWAP, Action.MOUNT), RunsWhen.ALL_WELL)
    passes = (each for each in lane.steps if each.action is Action.STORE_INTEGRITY)
    for each in passes:
        if any(one.action is Action.SWAP and one.number < each.number for one in lane.steps):
            found = found + Duration(p50_s=each.estimate_s or 0, p90_s=p90_of(each))
    return found


def _last_way(lane: Lane) -> RunsWhen:
    has_swap = any(each.action is Action.SWAP for each in lane.steps)
    return RunsWhen.AWAY_AFTER_SWAP if has_swap else RunsWhen.AWAY_BEFORE_SWAP


def _decision(body: PlanBody, lane: Lane) -> Decision | None:
    return _decisions(Same(body)).get((lane.server, lane.database))


@lru_cache(maxsize=4)
def _decisions(same: Same[PlanBody]) -> dict[tuple[str, str | None], Decision]:
    """The first decision of each address."""
    return {(each.server, each.database): each for each in reversed(same.value.decisions)}
