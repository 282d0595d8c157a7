"""What must never stand in a journal: predicates on plan and records, asserted before every append
in production too.

I2 a swap without a verified set of that very file; I5 a step sent again after it took effect; I6 an
outcome without an
intent; I7 a doubt decided without looking; I17 an older file put back after the first mount of a
new one; I18 a step
that brings mail back refused by a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from goexchange.driver.again import may_be_opened
from goexchange.driver.lanes import happened, wants_again
from goexchange.driver.records import sealing_of
from goexchange.errors import GoexchangeError
from goexchange.ese.header import DatabaseState
from goexchange.journal.chain import Draft
from goexchange.journal.replay import RunState, fold, replay
from goexchange.model.backup_set import SetMethod
from goexchange.model.plan import Action, Direction, JobCall, Lane, OnDoubt, Plan, Step
from goexchange.model.run import Record, RecordKind, StepRecord


class BrokenInvariant(GoexchangeError):
    """A mistake of ours: the record would break an invariant. It is not written, and nothing is
    sent.
    """

    id = "broken-invariant"


@frozen(kw_only=True)
class Violation:
    """One invariant, broken by one record."""

    invariant: str
    step: str
    why: str


class Watch:
    """Follows a journal record by record and says which would break an invariant."""

    def __init__(self, plan: Plan, records: Sequence[Record] = ()) -> None:
        self._places = {step.id: (lane, step) for lane in plan.body.lanes for step in lane.steps}
        self.state = replay(())
        self._unlooked: set[str] = set()  # in doubt since a resume, and not looked at yet
        for record in records:
            self.take(record)

    def take(self, record: Record) -> None:
        """Follow one record that stands in the journal."""
        self.state = fold(self.state, record)
        if record.kind is RecordKind.RUN_RESUMED:
            self._unlooked = set(self.state.in_doubt)
        elif record.kind is RecordKind.LOOKED:
            self._unlooked.discard(record.data["step"])

    def violations(self, kind: RecordKind, data: Mapping[str, Any]) -> tuple[Violation, ...]:
        """What a record of that content would break now."""
        if kind is RecordKind.RUN_RESUMED and "steps_again" in data:
            return tuple(self._opened(data["steps_again"]))
        if kind not in _CHECKED or "step" not in data:
            return ()
        if data["step"] not in self._places:
            return (Violation(invariant="I8", step=data["step"], why="the plan has no such step"),)
        lane, step = self._places[data["step"]]
        return tuple(self._found(kind, data, lane, step))

    def _opened(self, steps: Iterable[str]) -> Iterable[Violation]:
        """I5: a resume opens nothing again that could do harm twice."""
        for name in steps:
            _, step = self._places[name]
            if not may_be_opened(step, self.state):
                yield Violation(invariant="I5", step=name, why="it may not be opened again")

    def require(self, drafts: Iterable[Draft]) -> None:
        """Raise BrokenInvariant for the first draft that would break one."""
        for draft in drafts:
            broken = self.violations(draft.kind, draft.data)
            if broken:
                first = broken[0]
                raise BrokenInvariant(f"{first.invariant} at {first.step}: {first.why}")

    def _found(
        self, kind: RecordKind, data: Mapping[str, Any], lane: Lane, step: Step
    ) -> Iterable[Violation]:
        record = self.state.step(step.id)
        for invariant, check in _CHECKS[kind]:
            why = check(_Case(lane=lane, step=step, record=record, state=self.state, data=data))
            if why is not None:
                yield Violation(invariant=invariant, step=step.id, why=why)
        if (
            step.id in self._unlooked
            and step.on_doubt is OnDoubt.PROBE
            and kind is not RecordKind.SKIPPED
        ):
            yield Violation(invariant="I7", step=step.id, why="it was in doubt and nobody looked")


@frozen(kw_only=True)
class _Case:
    lane: Lane
    step: Step
    record: StepRecord
    state: RunState
    data: Mapping[str, Any]


def _set_of_that_file(case: _Case) -> str | None:
    """I2: header, copy, page check, read-back, seal, all of one file that is clean; also of a set
    that is copied back, and of the evidence that a repair rests on.
    """
    rests = (Action.SWAP, Action.COPY_BACK, Action.REPAIR)
    if case.step.action not in rests or not _of_lane(case, Action.SWAP):
        return None
    kind = sealing_of(case.lane)
    for action in _RESTS_ON[kind.method]:
        steps = [step for step in case.lane.steps if step.action is action]
        is_optional = action is Action.VERIFY_SET
        if not steps and not is_optional:
            return f"the lane has no step {action.value}"
        if not all(happened(case.state.step(step.id)) for step in steps):
            return f"{action.value} has not ended well"
    header = _result(case, Action.READ_HEADER)
    if header["state"] != int(DatabaseState.CLEAN_SHUTDOWN) or not header["headers_alike"]:
        return "the original was not shut down cleanly"
    copied, read_back = (
        _result(case, kind.copy)["files"],
        _result(case, kind.hashed)["files"],
    )
    if sorted(map(_print_of, copied)) != sorted(map(_print_of, read_back)):
        return "what was read back is not what was copied"
    if not any(one["size_bytes"] == header["size_bytes"] for one in copied):
        return "the copy is not of the file whose header was read"
    dismounted = [
        case.state.step(step.id).ended_at_utc
        for step in case.lane.steps
        if step.action is Action.DISMOUNT
    ]
    read = case.state.step(_step(case, Action.READ_HEADER).id).first_sent_at_utc
    if not all(ended is not None and read is not None and ended <= read for ended in dismounted):
        return "the header was read before the dismount"
    return None


_RESTS_ON = {
    SetMethod.OFFLINE_COPY: (
        Action.READ_HEADER,
        Action.COPY_SET,
        Action.VERIFY_SET_ON_HOST,
        Action.HASH_SET,
        Action.SEAL_SET,
        Action.VERIFY_SET,
    ),
    SetMethod.EVIDENCE: (
        Action.READ_HEADER,
        Action.FIND_DAMAGE,
        Action.COPY_EVIDENCE,
        Action.REREAD_SOURCE,
        Action.CHECK_EVIDENCE,
        Action.HASH_EVIDENCE,
        Action.SEAL_EVIDENCE,
    ),
}


def _not_twice(case: _Case) -> str | None:
    """I5: an intent only for a step that has not taken effect, or whose repetition the plan asks
    for.
    """
    if happened(case.record) and not wants_again(case.step, case.record):
        return "it has taken effect already"
    if (
        case.record.is_in_doubt
        and isinstance(case.step.call, JobCall)
        and case.data["attempt"] != case.record.attempts
    ):
        return "its job is in doubt, and another would be started"
    if case.record.is_in_doubt and case.step.on_doubt is OnDoubt.PROBE:
        looked = case.state.looked.get(case.step.id)
        if looked is None or looked.meaning != "not-done":
            return "it is in doubt and was not seen undone"
    return None


def _after_intent(case: _Case) -> str | None:
    """I6: what happened was announced."""
    return None if case.record.is_in_doubt else "there is no intent before it"


def _no_older_file(case: _Case) -> str | None:
    """I17: after the first mount of a new file no way back."""
    if case.step.action not in _PUTS_BACK:
        return None
    passed = [
        step
        for step in case.lane.steps
        if step.is_point_of_no_return and step.id in case.state.took_effect
    ]
    return f"{passed[0].id} was the point of no return" if passed else None


def _never_refused(case: _Case) -> str | None:
    """I18: what brings mail back is refused by no guard, deadline or operator's stop."""
    if case.step.direction is not Direction.BACK or "cause" not in case.data:
        return None
    is_down = any(
        step.action is Action.DISMOUNT and happened(case.state.step(step.id))
        for step in case.lane.steps
    )
    is_rule = case.data["cause"] in ("guard", "overrun", "abort")
    return f"refused by {case.data['why']}" if is_rule and is_down else None


_PUTS_BACK = (
    Action.SWAP_BACK,
    Action.SET_ASIDE,
    Action.COPY_BACK,
    Action.MOVE_LOGS_ASIDE,
    Action.PUT_AWAY,
    Action.RETURN_PRESENT,
    Action.RETURN_LOGS,
    Action.MOUNT_ORIGINAL,
)
_CHECKS: Mapping[RecordKind, tuple[tuple[str, Callable[[_Case], str | None]], ...]] = {
    RecordKind.INTENT: (("I2", _set_of_that_file), ("I5", _not_twice), ("I17", _no_older_file)),
    RecordKind.OUTCOME: (("I6", _after_intent),),
    RecordKind.PROGRESS: (("I6", _after_intent),),
    RecordKind.SKIPPED: (("I18", _never_refused),),
}
_CHECKED = frozenset(_CHECKS)


def _of_lane(case: _Case, action: Action) -> bool:
    return any(step.action is action for step in case.lane.steps)


def _step(case: _Case, action: Action) -> Step:
    return next(step for step in case.lane.steps if step.action is action)


def _result(case: _Case, action: Action) -> Mapping[str, Any]:
    result = case.state.step(_step(case, action).id).result
    assert result is not None
    return result


def _print_of(one: Mapping[str, Any]) -> tuple[str, int, str]:
    return str(one["path"]).lower(), one["size_bytes"], one["sha256"]
