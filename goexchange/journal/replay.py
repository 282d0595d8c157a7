"""Replay: the records of a journal folded into the state of the run, one record at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache, reduce
from typing import Any

from attrs import evolve, field, frozen

from goexchange.codec import parse_time
from goexchange.model.run import (
    Finding,
    LaneState,
    OutcomeKind,
    Record,
    RecordKind,
    StepRecord,
)


@frozen(kw_only=True)
class LaneRecord:
    """The folded state of one lane.

    Shape: `turned_back` says why the lane gave its purpose up without a failed step (a guard, the
    overrun deadline,
    an operator), None when it did not; `turned_back_at` is the step that was not sent for it.
    """

    lane: str
    state: LaneState = LaneState.RUNNING
    why: str = ""
    turned_back: str | None = None
    turned_back_at: str | None = None
    started_at_utc: datetime | None = None
    ended_at_utc: datetime | None = None


@frozen(kw_only=True)
class LeaseRecord:
    """The last word of the journal about the lease of one server."""

    server: str
    number: int
    holder: str
    expires_at_utc: datetime
    state: str


@frozen(kw_only=True)
class Looked:
    """What looking at a step in doubt found last: meaning `done`, `not-done` or `cannot-tell`."""

    step: str
    meaning: str
    seen: Any
    evidence: str


@frozen(kw_only=True)
class RunState:
    """Everything that the journal of a run says.

    Shape: `steps` and `lanes` hold only those that have a record; `facts` the last observation of
    each server as plain
    JSON; `ended` the last record of the run, None while it is open (a resume opens it again);
    `took_effect` the steps that ever did, whatever was tried again later; `again` those that a
    resume has opened again.
    """

    run: str | None = None
    plan_sha256: str | None = None
    started_at_utc: datetime | None = None
    last: Record | None = None
    steps: Mapping[str, StepRecord] = field(factory=dict)
    lanes: Mapping[str, LaneRecord] = field(factory=dict)
    lane_of: Mapping[str, str] = field(factory=dict)
    leases: Mapping[str, LeaseRecord] = field(factory=dict)
    facts: Mapping[str, Any] = field(factory=dict)
    looked: Mapping[str, Looked] = field(factory=dict)
    verdicts: tuple[Mapping[str, Any], ...] = ()
    notices: tuple[Mapping[str, Any], ...] = ()
    requests: tuple[str, ...] = ()
    questions: tuple[Mapping[str, Any], ...] = ()
    answers: tuple[Mapping[str, Any], ...] = ()
    resumes: int = 0
    took_effect: frozenset[str] = frozenset()
    again: frozenset[str] = frozenset()
    ended: Mapping[str, Any] | None = None

    def step(self, step: str) -> StepRecord:
        """Return the folded state of a step; one that has no record yet is untouched."""
        return self.steps[step] if step in self.steps else _untouched(step)

    def lane(self, lane: str) -> LaneRecord:
        """Return the folded state of a lane; one that has no record yet is waiting."""
        return (
            self.lanes[lane]
            if lane in self.lanes
            else LaneRecord(lane=lane, state=LaneState.WAITING)
        )

    @property
    def in_doubt(self) -> tuple[str, ...]:
        """The steps that have an intent and no outcome."""
        return tuple(step for step, record in self.steps.items() if record.is_in_doubt)


@cache
def _untouched(step: str) -> StepRecord:
    return StepRecord(step=step)


def replay(records: Iterable[Record]) -> RunState:
    """Fold a whole journal."""
    return reduce(fold, records, RunState())


def fold(state: RunState, record: Record) -> RunState:
    """Return the state after one more record."""
    return evolve(_FOLDS[record.kind](state, record), last=record)


def _lease(state: RunState, record: Record) -> RunState:
    data = record.data
    lease = LeaseRecord(
        server=data["server"],
        number=data["number"],
        holder=data["holder"],
        expires_at_utc=parse_time(data["expires_at_utc"]),
        state=data["state"],
    )
    return evolve(state, leases={**state.leases, lease.server: lease})


def _started(state: RunState, record: Record) -> RunState:
    return evolve(
        state,
        run=record.data["run"],
        plan_sha256=record.data["plan_sha256"],
        started_at_utc=record.at_utc,
    )


def _resumed(state: RunState, record: Record) -> RunState:
    """A resume opens the run again, the lanes that ended with a step in doubt, and what it names.

    A step that is opened again keeps its attempts and loses its end.
    """
    doubtful = {state.lane_of[step] for step in state.in_doubt if step in state.lane_of}
    doubtful |= _named(record, "lanes_again")
    again = _named(record, "steps_again")
    lanes = {
        name: _lane_again(lane, again) if name in doubtful else lane
        for name, lane in state.lanes.items()
    }
    steps = {name: _opened(each) if name in again else each for name, each in state.steps.items()}
    return evolve(
        state,
        lanes=lanes,
        steps=steps,
        again=state.again | again,
        resumes=state.resumes + 1,
        requests=(),
        ended=None,
    )


def _named(record: Record, member: str) -> frozenset[str]:
    """Ids in the record; none in one of an older version, which could not open anything again."""
    return frozenset(record.data[member]) if member in record.data else frozenset()


def _lane_again(lane: LaneRecord, again: frozenset[str]) -> LaneRecord:
    """The lane goes on; what turned it back counts no more where that very step is opened again."""
    lane = evolve(lane, state=LaneState.RUNNING, why="", ended_at_utc=None)
    is_over = lane.turned_back_at in again
    return evolve(lane, turned_back=None, turned_back_at=None) if is_over else lane


def _opened(step: StepRecord) -> StepRecord:
    return evolve(
        step,
        outcome=None,
        result=None,
        findings=(),
        output_tail="",
        skipped_because=None,
        progress=None,
        ended_at_utc=None,
    )


def _facts(state: RunState, record: Record) -> RunState:
    return evolve(state, facts={**state.facts, record.data["server"]: record.data["actual"]})


def _guard(state: RunState, record: Record) -> RunState:
    return evolve(state, verdicts=(*state.verdicts, record.data["verdict"]))


def _lane_started(state: RunState, record: Record) -> RunState:
    return _with_lane(
        state,
        evolve(
            state.lane(record.data["lane"]), state=LaneState.RUNNING, started_at_utc=record.at_utc
        ),
    )


def _lane_ended(state: RunState, record: Record) -> RunState:
    data = record.data
    lane = evolve(
        state.lane(data["lane"]),
        state=LaneState(data["state"]),
        why=data["why"],
        ended_at_utc=record.at_utc,
    )
    return _with_lane(state, lane)


def _intent(state: RunState, record: Record) -> RunState:
    data = record.data
    before = state.step(data["step"])
    step = evolve(
        before,
        attempts=data["attempt"],
        is_in_doubt=True,
        outcome=None,
        result=None,
        findings=(),
        output_tail="",
        progress=None,
        ended_at_utc=None,
        last_sent_at_utc=record.at_utc,
        first_sent_at_utc=before.first_sent_at_utc or record.at_utc,
    )
    state = evolve(state, lane_of={**state.lane_of, step.step: data["lane"]})
    return _with_step(state, step)


def _progress(state: RunState, record: Record) -> RunState:
    return _with_step(state, evolve(state.step(record.data["step"]), progress=record.data))


def _outcome(state: RunState, record: Record) -> RunState:
    data = record.data
    step = evolve(
        state.step(data["step"]),
        is_in_doubt=False,
        outcome=OutcomeKind(data["outcome"]),
        result=data["result"],
        findings=tuple(
            Finding(
                severity=one["severity"],
                pass_name=one["pass_name"],
                text=one["text"],
                number=one.get("number", 1),
                attempt=one.get("attempt"),
            )
            for one in data["findings"]
        ),
        output_tail=data["output_tail"],
        ended_at_utc=record.at_utc,
        requests=state.step(data["step"]).requests | _requests(data["result"]),
    )
    if step.outcome in (OutcomeKind.DONE, OutcomeKind.ALREADY):
        state = evolve(state, took_effect=state.took_effect | {step.step})
    return _with_step(state, step)


def _requests(result: Any) -> frozenset[str]:
    """The repair requests that an outcome counts as its own."""
    ours = result.get("ours") if isinstance(result, dict) else None
    return frozenset(ours.get("requests", ())) if isinstance(ours, dict) else frozenset()


def _looked(state: RunState, record: Record) -> RunState:
    data = record.data
    looked = Looked(
        step=data["step"], meaning=data["meaning"], seen=data["seen"], evidence=data["evidence"]
    )
    return evolve(state, looked={**state.looked, looked.step: looked})


def _skipped(state: RunState, record: Record) -> RunState:
    data = record.data
    state = _with_step(state, evolve(state.step(data["step"]), skipped_because=data["why"]))
    if not data["turns_back"]:
        return state
    lane = state.lane(data["lane"])
    turned = evolve(lane, turned_back=data["why"], turned_back_at=data["step"])
    return _with_lane(state, turned)


def _notice(state: RunState, record: Record) -> RunState:
    return evolve(state, notices=(*state.notices, record.data))


def _request(state: RunState, record: Record) -> RunState:
    return evolve(state, requests=(*state.requests, record.data["request"]))


def _question(state: RunState, record: Record) -> RunState:
    return evolve(state, questions=(*state.questions, record.data))


def _answer(state: RunState, record: Record) -> RunState:
    return evolve(state, answers=(*state.answers, record.data))


def _ended(state: RunState, record: Record) -> RunState:
    return evolve(state, ended=record.data)


def _with_step(state: RunState, step: StepRecord) -> RunState:
    return evolve(state, steps={**state.steps, step.step: step})


def _with_lane(state: RunState, lane: LaneRecord) -> RunState:
    return evolve(state, lanes={**state.lanes, lane.lane: lane})


_FOLDS: Mapping[RecordKind, Callable[[RunState, Record], RunState]] = {
    RecordKind.LEASE: _lease,
    RecordKind.RUN_STARTED: _started,
    RecordKind.RUN_RESUMED: _resumed,
    RecordKind.FACTS: _facts,
    RecordKind.GUARD: _guard,
    RecordKind.LANE_STARTED: _lane_started,
    RecordKind.INTENT: _intent,
    RecordKind.PROGRESS: _progress,
    RecordKind.OUTCOME: _outcome,
    RecordKind.LOOKED: _looked,
    RecordKind.SKIPPED: _skipped,
    RecordKind.LANE_ENDED: _lane_ended,
    RecordKind.NOTICE: _notice,
    RecordKind.REQUEST: _request,
    RecordKind.QUESTION: _question,
    RecordKind.ANSWER: _answer,
    RecordKind.RUN_ENDED: _ended,
}
