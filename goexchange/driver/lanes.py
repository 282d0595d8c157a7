"""Which step of a lane comes next: a readable table over what the lane's steps have done so far.

The plan holds every step, the ways back included. The driver walks the list in order and takes the
first step that is
not finished and whose `runs_when` holds; nothing else decides the order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from attrs import frozen

from goexchange.driver.conditions import holds
from goexchange.driver.lane_of_server import is_of_server, is_taken, still_out
from goexchange.journal.replay import RunState
from goexchange.model.plan import (
    BACKUP_OF,
    Action,
    ExchangeCall,
    Lane,
    Plan,
    Reason,
    RunsWhen,
    Step,
)
from goexchange.model.run import OutcomeKind, StepRecord
from goexchange.model.same import Same

_HAPPENED = (OutcomeKind.DONE, OutcomeKind.ALREADY)
_MOUNTS = (Action.MOUNT, Action.MOUNT_ORIGINAL)
_INTO_SERVICE = (*_MOUNTS, Action.START_MTA)
_SEEN_IN_SERVICE = (Action.CONFIRM_MOUNTED, Action.CONFIRM_MTA)
_NEEDS_EARLIER = {  # a step of these makes no sense without the earlier one of its lane
    Action.COPY_BACK: Action.SET_ASIDE,
    Action.HASH_BACK: Action.COPY_BACK,
    Action.RETURN_PRESENT: Action.PUT_AWAY,
    Action.RETURN_LOGS: Action.RETURN_PRESENT,
    **BACKUP_OF,
    Action.AWAIT_REPAIR_REQUESTS: Action.REPAIR_REQUEST,
}
_OF_COPIES = (Action.SUSPEND_COPY, Action.RESUME_COPY, Action.AWAIT_COPY, Action.SEED_COPY)
_LOST = ("header-differs", "file-not-found")  # the host's words for an original that is no more


@frozen(kw_only=True)
class LaneFacts:
    """What a lane has done to its database, as the journal says it.

    Shape: `is_swapped` is also true when the swap stopped half-way, and when an earlier file takes
    the place of the present one: that one is the *new* file then; `is_mount_tried` that a mount
    of the new file was sent, whatever came of it, or isinteg over it: either may write into the
    logs; `is_new_file_mounted` is the point of no return;
    `is_original_lost` that the host found the original missing or another one than the recorded;
    `is_set_back` that the set was copied into its place and read back;
    `is_away` means taken down by us (or found down by a lane that mounts) and not in service;
    `is_put_back` that a person was seen to have put the original back after that;
    `is_copy_suspended` that a passive copy was, and neither was resumed nor seeded, or that its
    activation is to be suspended again; `is_copy_behind` that one was not seen healthy again, or
    not as somebody had it; `is_stream_new` that the logs of a tried
    mount were moved aside, so that no copy can go on with them.
    """

    has_failed: bool
    is_dismounted: bool
    is_swapped: bool
    is_mount_tried: bool
    is_new_file_mounted: bool
    is_original_lost: bool
    is_set_back: bool
    is_in_service: bool
    is_away: bool
    is_put_back: bool
    is_setting_changed: bool
    is_record_open: bool
    is_sentinel_placed: bool
    is_copy_suspended: bool = False
    is_copy_behind: bool = False
    is_stream_new: bool = False


def happened(record: StepRecord) -> bool:
    """Whether the step is known to have taken effect."""
    return record.outcome in _HAPPENED


def wants_again(step: Step, record: StepRecord) -> bool:
    """Whether a step that has an outcome is to be sent once more."""
    if record.outcome is OutcomeKind.FAILED:
        return record.attempts < step.attempts_max and not _is_given_up(step, record)
    if step.repeat is None or not happened(record):
        return False
    return record.attempts < step.repeat.times_max and not holds(step.repeat.until, record.result)


def _is_given_up(step: Step, record: StepRecord) -> bool:
    """A copy of the set goes on after its job was lost with the host, and after nothing else: what
    a time limit or a full disk ended would end so again.
    """
    was_lost = record.result is not None and record.result.get("is_lost") is True
    copies = (Action.COPY_SET, Action.COPY_REBUILT, Action.COPY_EVIDENCE, Action.COPY_FOR_REPAIR)
    return step.action in copies and not was_lost


def is_finished(step: Step, record: StepRecord) -> bool:
    """Whether nothing more is done about the step."""
    if record.skipped_because is not None:
        return True
    return record.outcome is not None and not wants_again(step, record)


def has_failed(step: Step, record: StepRecord) -> bool:
    """Whether the step ended without what it was for."""
    return is_finished(step, record) and record.outcome in (
        OutcomeKind.FAILED,
        OutcomeKind.CANCELLED,
    )


def facts_of(lane: Lane, state: RunState) -> LaneFacts:
    """Read what the lane has done from the journal; asked often of one state, read once."""
    return _facts_of(Same(lane), Same(state))


@lru_cache(maxsize=64)
def _facts_of(same_lane: Same[Lane], same_state: Same[RunState]) -> LaneFacts:
    lane, state = same_lane.value, same_state.value
    is_dismounted = (
        _any_happened(lane, (Action.DISMOUNT,), state)
        or _is_mta_touched(lane, state)
        or is_taken(lane, state)
        or _may_have_stayed_down(lane, state)
    )
    is_swapped = any(
        _is_swapped(state.step(step.id)) for step in _of(lane, (Action.SWAP, Action.TAKE_ASIDE))
    )
    is_mounted = _is_in_service(lane, state)
    found_down = not _of(lane, (Action.DISMOUNT,)) and any(
        has_failed(step, state.step(step.id)) or step.id in state.again
        for step in _of(lane, (Action.MOUNT,))
    )
    if is_release(lane) and lane_has_failed(lane, state):
        found_down = True
    is_new_file_mounted = any(
        step.id in state.took_effect and (is_swapped or step.is_point_of_no_return)
        for step in _of(lane, (Action.MOUNT,))
    )
    return LaneFacts(
        has_failed=lane_has_failed(lane, state),
        is_dismounted=is_dismounted,
        is_swapped=is_swapped,
        is_mount_tried=is_swapped
        and any(state.step(step.id).attempts for step in opens_new_file(lane)),
        is_new_file_mounted=is_new_file_mounted,
        is_original_lost=any(
            _is_lost(step, state.step(step.id)) for step in _of(lane, (Action.SWAP_BACK,))
        ),
        is_set_back=_any_happened(lane, (Action.HASH_BACK,), state),
        is_in_service=is_mounted,
        is_away=(is_dismounted or found_down) and not is_mounted,
        is_put_back=is_new_file_mounted and _is_put_back(lane, state),
        is_setting_changed=_any_happened(lane, (Action.SET_MOUNT_AT_STARTUP,), state),
        is_record_open=_any_happened(lane, (Action.OPEN_RECOVERY_RECORD,), state),
        is_sentinel_placed=_any_happened(lane, (Action.PLACE_SENTINEL,), state),
        is_copy_suspended=bool(suspended_copies(lane, state) or loose_copies(lane, state)),
        is_copy_behind=bool(copies_behind(lane, state) or loose_copies(lane, state)),
        is_stream_new=_any_happened(lane, (Action.MOVE_LOGS_ASIDE,), state),
    )


def _may_have_stayed_down(lane: Lane, state: RunState) -> bool:
    """Whether the host may have come up without the database: once mount at startup is switched
    off, a restart or another node leaves it down, and whoever gives up before the dismount mounts
    it all the same.
    """
    sent = any(state.step(step.id).attempts for step in _of(lane, (Action.SET_MOUNT_AT_STARTUP,)))
    return sent and lane_has_failed(lane, state)


def opens_new_file(lane: Lane) -> list[Step]:
    """The steps that open the file that was swapped in, and may write into the logs by that: its
    mount, and the passes of isinteg over it.
    """
    swaps = [step.number for step in _of(lane, (Action.SWAP,))]
    passes = _of(lane, (Action.STORE_INTEGRITY,))
    over_new = [step for step in passes if any(number < step.number for number in swaps)]
    return [*over_new, *_of(lane, (Action.MOUNT,))]


def is_release(lane: Lane) -> bool:
    """Whether the lane brings back what another run left: it does nothing else."""
    return all(step.reason is Reason.WAY_BACK for step in lane.steps)


def is_proved(lane: Lane, state: RunState) -> bool:
    """Whether an online backup of the file in service is proved."""
    return _any_happened(lane, (Action.PROVE_BACKUP,), state)


def lane_has_failed(lane: Lane, state: RunState) -> bool:
    """Whether the lane gave up its purpose: a step failed that may not, or the lane was turned
    back.
    """
    if state.lane(lane.id).turned_back is not None:
        return True
    return any(
        not step.may_fail and has_failed(step, state.steps[step.id])
        for step in lane.steps
        if step.id in state.steps
    )


def _is_between(lane: LaneFacts) -> bool:
    """It failed after the swap, and the new file was never mounted."""
    return lane.has_failed and lane.is_swapped and not lane.is_new_file_mounted


def is_of_other_stream(lane: LaneFacts) -> bool:
    """No suspended copy can go on: another file is in service, or its logs began anew."""
    return lane.is_new_file_mounted or lane.is_stream_new


RUNS_WHEN: Mapping[RunsWhen, Callable[[LaneFacts], bool]] = {
    RunsWhen.ALL_WELL: lambda lane: not lane.has_failed,
    RunsWhen.AWAY_BEFORE_SWAP: lambda lane: (
        lane.has_failed and lane.is_dismounted and not lane.is_swapped
    ),
    RunsWhen.AWAY_AFTER_SWAP: lambda lane: _is_between(lane),
    RunsWhen.ORIGINAL_LOST: lambda lane: _is_between(lane) and lane.is_original_lost,
    RunsWhen.MOUNT_TRIED: lambda lane: (
        _is_between(lane) and lane.is_mount_tried and not lane.is_in_service
    ),
    RunsWhen.SETTINGS_CHANGED: lambda lane: lane.is_setting_changed,
    RunsWhen.IN_SERVICE_AGAIN: lambda lane: lane.is_in_service,
    RunsWhen.REBUILT_IN_SERVICE: lambda lane: lane.is_new_file_mounted and lane.is_in_service,
    RunsWhen.RECORD_OPEN_AND_IN_SERVICE: lambda lane: (
        lane.is_record_open and not lane.is_away and not lane.is_copy_suspended
    ),
    RunsWhen.COPIES_FIT: lambda lane: (
        lane.has_failed and not lane.is_away and not is_of_other_stream(lane)
    ),
    RunsWhen.COPIES_DIFFER: lambda lane: lane.is_in_service and is_of_other_stream(lane),
    RunsWhen.ALWAYS: lambda lane: True,
}


def runs_now(step: Step, lane: Lane, state: RunState, facts: LaneFacts) -> bool:
    """Whether the step's condition over earlier outcomes holds; `facts` are those of the lane in
    that state.
    """
    if step.action is Action.SUSPEND_ACTIVATION:
        return _is_copy_back(copy_of(step), lane, state)
    if step.runs_when is RunsWhen.UNDO_OF:
        if step.action is Action.RETURN_ACTIVE and not _may_return(step, lane, state):
            return False
        return state.step(step.undo_of or "").attempts > 0
    # Also when the lane gave up before the dismount; a release removes another run's.
    if step.action is Action.REMOVE_SENTINEL and not is_release(lane):
        is_over = not facts.is_away and not facts.is_copy_suspended
        return facts.is_sentinel_placed and is_over
    if not RUNS_WHEN[step.runs_when](facts):
        return False
    if step.action in _OF_COPIES and step.undo_of is not None:
        return state.step(step.undo_of).attempts > 0 and _is_its_turn(step, lane, state)
    is_mounted_already = facts.is_in_service and step.action in _MOUNTS
    if step.runs_when is RunsWhen.AWAY_BEFORE_SWAP and is_mounted_already:
        return False
    return _has_its_earlier(step, lane, state)


def _may_return(step: Step, lane: Lane, state: RunState) -> bool:
    """An active copy goes back to a server that is in service, where its copy was seen well."""
    taken = next((each for each in lane.steps if each.id == step.undo_of), None)
    if taken is None or not happened(state.step(taken.id)) or not _is_in_service(lane, state):
        return False
    awaited = [each for each in _of(lane, (Action.AWAIT_COPY,)) if each.undo_of == taken.id]
    return all(happened(state.step(each.id)) for each in awaited)


def _is_its_turn(step: Step, lane: Lane, state: RunState) -> bool:
    """Copies are seeded one at a time, each healthy before the next."""
    earlier = [each for each in _of(lane, (Action.SEED_COPY,)) if each.number < step.number]
    touched = [each for each in earlier if state.step(each.undo_of or "").attempts]
    return step.action is not Action.SEED_COPY or all(
        happened(state.step(each.id)) for each in touched
    )


def next_step(lane: Lane, state: RunState) -> Step | None:
    """Return the step to do now: one in doubt first, else the first unfinished one whose condition
    holds.
    """
    for step in lane.steps:
        if state.step(step.id).is_in_doubt:
            return step
    facts = facts_of(lane, state)
    for step in lane.steps:
        if not is_finished(step, state.step(step.id)) and runs_now(step, lane, state, facts):
            return step
    return None


def step_of(plan: Plan, step: str) -> Step | None:
    """Find a step of the plan by its id."""
    return next(
        (found for lane in plan.body.lanes for found in lane.steps if found.id == step), None
    )


def _has_its_earlier(step: Step, lane: Lane, state: RunState) -> bool:
    """Whether the step that this one rests on took effect, where its road has one."""
    if step.action is Action.MOUNT_ORIGINAL and step.runs_when is RunsWhen.AWAY_AFTER_SWAP:
        return _is_way_clear(lane, state)
    if step.action not in _NEEDS_EARLIER:
        return True
    earlier = [
        found
        for found in _of(lane, (_NEEDS_EARLIER[step.action],))
        if found.runs_when is step.runs_when and found.number < step.number
    ]
    return all(happened(state.step(found.id)) or found.may_fail for found in earlier)


def _is_way_clear(lane: Lane, state: RunState) -> bool:
    """Whether the original, or the set's copy of it, is in place, and what a tried mount left is
    out of the way.
    """
    facts = facts_of(lane, state)
    puts_back = (Action.SWAP_BACK, Action.RETURN_PRESENT)
    is_in_place = _any_happened(lane, puts_back, state) or facts.is_set_back
    logs = _of(lane, (Action.MOVE_LOGS_ASIDE,)) if facts.is_mount_tried else []
    logs += _of(lane, (Action.RETURN_LOGS,))
    return is_in_place and all(happened(state.step(step.id)) for step in logs)


def _is_lost(step: Step, record: StepRecord) -> bool:
    code = record.result["code"] if record.result and "code" in record.result else None
    return has_failed(step, record) and code in _LOST


def _is_swapped(record: StepRecord) -> bool:
    if happened(record):
        return True
    seen = record.result["state"] if record.result and "state" in record.result else None
    return seen in ("between", "after", "foreign")


def _is_put_back(lane: Lane, state: RunState) -> bool:
    """Whether the last look at the file in place, before the record, saw the original."""
    looks = [
        state.looked[step.id].seen
        for step in _of(lane, (Action.WRITE_DATABASE_RECORD,))
        if step.id in state.looked
    ]
    return any(isinstance(seen, dict) and seen.get("file_in_place") == "original" for seen in looks)


def _is_in_service(lane: Lane, state: RunState) -> bool:
    """Mounted; a server is so again when everything that was taken from it is put back."""
    if not is_of_server(lane):
        return _is_mounted(lane, state)
    was_out = is_taken(lane, state) or is_release(lane)
    return was_out and not still_out(lane, state)


def _is_mounted(lane: Lane, state: RunState) -> bool:
    brought = _of(lane, _INTO_SERVICE)
    mounted = [state.step(step.id) for step in brought if happened(state.step(step.id))]
    last_mount = max(
        (record.ended_at_utc for record in mounted if record.ended_at_utc), default=None
    )
    if last_mount is None:
        return False
    failed = (
        state.step(step.id)
        for step in _of(lane, _SEEN_IN_SERVICE)
        if has_failed(step, state.step(step.id))
    )
    return not any(record.ended_at_utc and record.ended_at_utc >= last_mount for record in failed)


def suspended_copies(lane: Lane, state: RunState) -> tuple[str, ...]:
    """The copies, `DB07\\EX03`, that the lane suspended, or may have, and that replicate neither by
    a resume nor by a seed.
    """
    return _touched_without(lane, state, (Action.RESUME_COPY, Action.SEED_COPY))


def copies_behind(lane: Lane, state: RunState) -> tuple[str, ...]:
    """The copies that the lane suspended, or may have, and that were not seen healthy again."""
    return _touched_without(lane, state, (Action.AWAIT_COPY, Action.SEED_COPY))


def loose_copies(lane: Lane, state: RunState) -> tuple[str, ...]:
    """The copies that replicate again, and whose activation is not suspended again, as it was."""
    return tuple(
        copy_of(step)
        for step in _of(lane, (Action.SUSPEND_ACTIVATION,))
        if _is_copy_back(copy_of(step), lane, state) and not happened(state.step(step.id))
    )


def _is_copy_back(identity: str, lane: Lane, state: RunState) -> bool:
    """Whether the lane has let a copy replicate again, by a resume or by a seed."""
    return any(
        copy_of(step) == identity and happened(state.step(step.id))
        for step in _of(lane, (Action.RESUME_COPY, Action.SEED_COPY))
    )


def copy_of(step: Step) -> str:
    """The copy that a step of copies is about."""
    assert isinstance(step.call, ExchangeCall)
    return str(step.call.parameters["Identity"])


def _touched_without(
    lane: Lane, state: RunState, actions: tuple[Action, ...]
) -> tuple[str, ...]:
    """The copies that a suspension was sent for, without those that such a step has ended well for,
    in the order of the lane.
    """
    over = {copy_of(step) for step in _of(lane, actions) if happened(state.step(step.id))}
    touched = [
        copy_of(step)
        for step in _of(lane, (Action.SUSPEND_COPY,))
        if state.step(step.id).attempts
    ]
    if Action.AWAIT_COPY in actions and is_of_server(lane):  # they were where the server was
        touched += [
            copy_of(step)
            for step in _of(lane, (Action.AWAIT_COPY,))
            if state.step(step.undo_of or "").attempts
        ]
    return tuple(each for each in touched if each not in over)


def _is_mta_touched(lane: Lane, state: RunState) -> bool:
    """Whether the message transfer agent was stopped by this lane, or may have been in part."""
    return any(state.step(step.id).attempts for step in _of(lane, (Action.STOP_MTA,)))


def _any_happened(lane: Lane, actions: Iterable[Action], state: RunState) -> bool:
    return any(happened(state.step(step.id)) for step in _of(lane, actions))


def _of(lane: Lane, actions: Iterable[Action]) -> list[Step]:
    by_action = _by_action(Same(lane))
    return [step for action in actions for step in by_action.get(action, ())]


@lru_cache(maxsize=64)
def _by_action(lane: Same[Lane]) -> Mapping[Action, tuple[Step, ...]]:
    found: dict[Action, tuple[Step, ...]] = {}
    for step in lane.value.steps:
        found[step.action] = (*found.get(step.action, ()), step)
    return found
