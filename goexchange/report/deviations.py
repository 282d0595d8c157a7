"""What did not go straight, in the order of the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from goexchange.model.plan import Action, Plan, Step
from goexchange.model.report import Deviation, LaneReport, StepState
from goexchange.model.run import LaneState, Record, RecordKind
from goexchange.report.moves import moves
from goexchange.report.plan_words import action_words, is_way_back, short_why
from goexchange.report.reading import flag_at, int_at, rows_at, text_at
from goexchange.report.units import NOT_RECORDED, count_text

Steps = Mapping[str, Step]


def deviations(plan: Plan, records: Sequence[Record]) -> tuple[Deviation, ...]:
    """Failures, retries, looks at steps in doubt, ways back, requests, resumes, skips."""
    steps = {step.id: step for lane in plan.body.lanes for step in lane.steps}
    turned_back = {
        text_at(one.data, "lane")
        for one in records
        if one.kind is RecordKind.LANE_ENDED and text_at(one.data, "state") != LaneState.DONE.value
    }
    found: list[Deviation] = []
    doubtful: set[str] = set()  # left in doubt by an earlier process; other looks only confirm
    for record in records:
        if record.kind is RecordKind.RUN_RESUMED:
            doubtful = set(map(str, rows_at(record.data, "steps_in_doubt")))
        if record.kind is RecordKind.LOOKED and _only_confirms(record, doubtful):
            continue
        if record.kind in _READERS:
            found.extend(_READERS[record.kind](record, steps))
        elif record.kind is RecordKind.SKIPPED:
            found.extend(_skipped(record, steps, turned_back))
    moved = tuple(moves(plan, records))
    return tuple(sorted((*found, *moved), key=_moment)) if moved else tuple(found)


def in_doubt(lanes: Sequence[LaneReport]) -> tuple[Deviation, ...]:
    """The steps that were sent and of which the journal holds no end."""
    return tuple(
        Deviation(
            at_utc=step.started_at_utc,
            kind="in doubt",
            address=lane.lane,
            text=f"step {step.number} {action_words(Action(step.action))}: no outcome recorded",
        )
        for lane in lanes
        for step in lane.steps
        if step.state is StepState.IN_DOUBT
    )


def _moment(deviation: Deviation) -> datetime:
    assert deviation.at_utc is not None  # each is that of a record
    return deviation.at_utc


def _deviation(record: Record, kind: str, text: str, address: str | None = None) -> Deviation:
    return Deviation(at_utc=record.at_utc, kind=kind, address=address or "", text=text)


def _name(record: Record, steps: Steps) -> tuple[str, str]:
    """The lane and the words of the step a record is about."""
    step_id = text_at(record.data, "step") or NOT_RECORDED
    if step_id not in steps:
        return "", step_id
    step = steps[step_id]
    lane = step.server if step.database is None else f"{step.server}/{step.database}"
    return lane, f"step {step.number} {action_words(step.action)}"


def _intent(record: Record, steps: Steps) -> Iterator[Deviation]:
    attempt = int_at(record.data, "attempt") or 1
    lane, name = _name(record, steps)
    step_id = text_at(record.data, "step") or ""
    repeats = steps[step_id].repeat is not None if step_id in steps else False
    if attempt > 1:
        word = "pass" if repeats else "attempt"
        yield _deviation(
            record, "repeated" if repeats else "retried", f"{name}: {word} {attempt}", lane
        )


def _outcome(record: Record, steps: Steps) -> Iterator[Deviation]:
    lane, name = _name(record, steps)
    word = text_at(record.data, "outcome")
    step_id = text_at(record.data, "step") or ""
    if word in ("failed", "cancelled"):
        findings = [text_at(one, "text") or str(one) for one in rows_at(record.data, "findings")]
        why = text_at(record.data, "result.why")
        told = "; ".join(([why] if why else []) + findings)
        yield _deviation(record, word, f"{name}: {told or 'see the step log'}", lane)
    elif word == "already":
        yield _deviation(
            record, "already so", f"{name}: its result was there before it was sent", lane
        )
    if step_id in steps and is_way_back(steps[step_id]) and word in ("done", "already"):
        yield _deviation(record, "way back", f"{name}: {word}", lane)


def _only_confirms(record: Record, doubtful: set[str]) -> bool:
    """Whether a look is the ordinary one after a step that was answered."""
    if text_at(record.data, "cause") == "assumed":
        return True  # nothing was seen: the answer has a line of its own
    was_doubtful = text_at(record.data, "step") in doubtful
    return text_at(record.data, "meaning") == "done" and not was_doubtful


def _looked(record: Record, steps: Steps) -> Iterator[Deviation]:
    lane, name = _name(record, steps)
    meaning = (text_at(record.data, "meaning") or NOT_RECORDED).replace("-", " ")
    evidence = text_at(record.data, "evidence") or "evidence not recorded"
    yield _deviation(record, "looked at", f"{name}: {meaning} ({evidence})", lane)


def _resumed(record: Record, _: Steps) -> Iterator[Deviation]:
    torn = int_at(record.data, "torn_bytes")
    doubtful = rows_at(record.data, "steps_in_doubt")
    cut = f"; {count_text(torn, 'byte')} of a torn last record cut" if torn else ""
    names = f"; in doubt: {', '.join(map(str, doubtful))}" if doubtful else ""
    by = text_at(record.data, "started_by") or NOT_RECORDED
    where = text_at(record.data, "controller") or NOT_RECORDED
    server = text_at(record.data, "rebuilt_from")
    lost = f"; the store was lost, {server} had kept the run" if server else ""
    yield _deviation(record, "resumed", f"by {by} on {where}{lost}{cut}{names}")


def _requested(record: Record, _: Steps) -> Iterator[Deviation]:
    by = text_at(record.data, "by") or NOT_RECORDED
    yield _deviation(
        record, "operator", f"{text_at(record.data, 'request') or NOT_RECORDED} asked by {by}"
    )


def _asked(record: Record, steps: Steps) -> Iterator[Deviation]:
    lane, name = _name(record, steps)
    choices = ", ".join(map(str, rows_at(record.data, "choices")))
    evidence = text_at(record.data, "evidence") or NOT_RECORDED
    yield _deviation(
        record,
        "question",
        f"{name}: {evidence}" + (f"; choices: {choices}" if choices else ""),
        lane,
    )


def _assumed(record: Record, steps: Steps) -> Iterator[Deviation]:
    lane, name = _name(record, steps)
    answer = (text_at(record.data, "answer") or NOT_RECORDED).replace("-", " ")
    by = text_at(record.data, "by") or NOT_RECORDED
    evidence = text_at(record.data, "evidence") or NOT_RECORDED
    text = f"{name}: {answer}, answered by {by}; looking could not tell ({evidence})"
    yield _deviation(record, "assumed", text, lane)


def _lease(record: Record, _: Steps) -> Iterator[Deviation]:
    if text_at(record.data, "state") == "lost":
        yield _deviation(
            record, "lease lost", f"the lease of {text_at(record.data, 'server')} was lost"
        )


def _lane_ended(record: Record, _: Steps) -> Iterator[Deviation]:
    state = text_at(record.data, "state")
    if state != LaneState.DONE.value:
        lane = text_at(record.data, "lane") or ""
        why = short_why(lane, text_at(record.data, "why")) or "why is not recorded"
        yield _deviation(
            record, (state or NOT_RECORDED).replace("-", " "), why, text_at(record.data, "lane")
        )


def _skipped(record: Record, steps: Steps, turned_back: set[str | None]) -> Iterator[Deviation]:
    """A skipped step is worth a line unless it is an idle way back or follows from a failure."""
    lane, name = _name(record, steps)
    step_id = text_at(record.data, "step") or ""
    is_idle_way_back = step_id in steps and is_way_back(steps[step_id])
    is_consequence = not flag_at(record.data, "turns_back") and (
        lane in turned_back or text_at(record.data, "cause") == "lane-ended"
    )
    if not is_idle_way_back and not is_consequence:
        yield _deviation(
            record, "skipped", f"{name}: {text_at(record.data, 'why') or NOT_RECORDED}", lane
        )


_READERS: Mapping[RecordKind, Callable[[Record, Steps], Iterator[Deviation]]] = {
    RecordKind.INTENT: _intent,
    RecordKind.OUTCOME: _outcome,
    RecordKind.LOOKED: _looked,
    RecordKind.RUN_RESUMED: _resumed,
    RecordKind.REQUEST: _requested,
    RecordKind.QUESTION: _asked,
    RecordKind.ANSWER: _assumed,
    RecordKind.LEASE: _lease,
    RecordKind.LANE_ENDED: _lane_ended,
}
