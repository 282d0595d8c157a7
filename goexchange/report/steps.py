"""What became of every step, from the records of the journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from goexchange.model.plan import Action, Lane, Plan, Step
from goexchange.model.report import (
    Interval,
    LaneReport,
    PassCount,
    ReportedFinding,
    StepLog,
    StepState,
)
from goexchange.model.run import LaneState, OutcomeKind, Record, RecordKind
from goexchange.report.plan_words import call_text, is_way_back, short_why
from goexchange.report.reading import int_at, mapping_at, rows_at, text_at

TOOK_EFFECT = frozenset({StepState.DONE, StepState.ALREADY})
_OF_A_STEP = frozenset(
    {RecordKind.INTENT, RecordKind.OUTCOME, RecordKind.LOOKED, RecordKind.SKIPPED}
)
_MOUNTS = frozenset({Action.MOUNT.value, Action.MOUNT_ORIGINAL.value})
_PASSES = {
    Action.DETECT_ERRORS: "primary",
    Action.FIND_DAMAGE: "primary",
    Action.DETECT_ERRORS_TEMPORARY: "defragmented",
}
_REPEATED = frozenset(
    {
        Action.REPAIR_REQUEST.value,
        Action.STORE_INTEGRITY.value,
        Action.CHECK_MTA.value,
    }
)
_DETECTS = frozenset({*(one.value for one in _PASSES), *_REPEATED})
_STATES = {kind.value: StepState(kind.value) for kind in OutcomeKind}


def lane_reports(plan: Plan, records: Sequence[Record]) -> tuple[LaneReport, ...]:
    """Every lane of the plan with its steps, in the order of the plan."""
    of_step: dict[str, list[Record]] = {}
    of_lane: dict[str, list[Record]] = {}
    for record in records:
        if record.kind in _OF_A_STEP:
            of_step.setdefault(text_at(record.data, "step") or "", []).append(record)
        elif record.kind in (RecordKind.LANE_STARTED, RecordKind.LANE_ENDED):
            of_lane.setdefault(text_at(record.data, "lane") or "", []).append(record)
    return tuple(
        _lane_report(
            lane,
            tuple(_step_log(lane, step, of_step.get(step.id, ())) for step in lane.steps),
            of_lane.get(lane.id, ()),
        )
        for lane in plan.body.lanes
    )


def first_done(lane: LaneReport, *actions: Action) -> StepLog | None:
    """The first step with one of these actions that took effect."""
    return next(iter(all_done(lane, *actions)), None)


def all_done(lane: LaneReport, *actions: Action) -> tuple[StepLog, ...]:
    """The steps with one of these actions that took effect."""
    wanted = {action.value for action in actions}
    return tuple(step for step in lane.steps if step.action in wanted and step.state in TOOK_EFFECT)


def pass_counts(lane: LaneReport) -> tuple[PassCount, ...]:
    """Errors and warnings by pass, for the passes that looked at all."""
    names = dict.fromkeys(name for step in lane.steps for name in [_pass_of_log(step)] if name)
    return tuple(
        PassCount(
            pass_name=name,
            looks=len(looked),
            errors=_count(looked, "error"),
            warnings=_count(looked, "warning"),
            passes=_of_each_pass(looked),
        )
        for name in names
        for looked in [[step for step in lane.steps if _pass_of_log(step) == name]]
    )


def _of_each_pass(looked: Sequence[StepLog]) -> tuple[tuple[int, int], ...]:
    """Errors and warnings of each pass of the store's own correction."""
    sent = [step for step in looked if step.action in _REPEATED]
    found = [one for step in sent for one in step.findings]
    return tuple(
        (_number(found, "error", attempt), _number(found, "warning", attempt))
        for attempt in range(1, max([step.attempts for step in sent], default=0) + 1)
    )


def _number(found: Iterable[ReportedFinding], severity: str, attempt: int) -> int:
    return sum(
        one.number for one in found if one.severity == severity and one.attempt == attempt
    )


def _lane_report(lane: Lane, steps: tuple[StepLog, ...], records: Sequence[Record]) -> LaneReport:
    started = next((one for one in records if one.kind is RecordKind.LANE_STARTED), None)
    ended = records[-1] if records and records[-1].kind is RecordKind.LANE_ENDED else None
    state = text_at(ended.data, "state") if ended else None
    return LaneReport(
        lane=lane.id,
        server=lane.server,
        database=lane.database,
        state=state or (LaneState.RUNNING.value if started else None),
        why=short_why(lane.id, text_at(ended.data, "why") if ended else None),
        started_at_utc=started.at_utc if started else None,
        ended_at_utc=ended.at_utc if ended else None,
        offline=_offline(steps),
        steps=steps,
    )


def _offline(steps: Iterable[StepLog]) -> tuple[Interval, ...]:
    """From every dismount that took effect to the mount after it."""
    changes = sorted(
        (
            (step.ended_at_utc, step.action in _MOUNTS)
            for step in steps
            if step.state in TOOK_EFFECT
            and step.ended_at_utc is not None
            and (step.action in _MOUNTS or step.action == Action.DISMOUNT.value)
        ),
    )
    intervals: list[Interval] = []
    since: datetime | None = None
    for at, is_mount in changes:
        if not is_mount:
            since = since or at
        elif since is not None:
            intervals.append(Interval(start_utc=since, end_utc=at))
            since = None
    if since is not None:
        intervals.append(Interval(start_utc=since, end_utc=None))
    return tuple(intervals)


def _step_log(lane: Lane, step: Step, records: Sequence[Record]) -> StepLog:
    intents = [one for one in records if one.kind is RecordKind.INTENT]
    last = _decisive(records)
    state, why = _state(last, has_intent=bool(intents))
    outcome = last if last is not None and last.kind is RecordKind.OUTCOME else None
    data: Mapping[str, object] = outcome.data if outcome else {}
    ended = last.at_utc if last is not None and state is not StepState.SKIPPED else None
    return StepLog(
        id=step.id,
        number=step.number,
        lane=lane.id,
        action=step.action.value,
        summary=step.summary,
        call=call_text(step),
        state=state,
        attempts=max(
            [len(intents), *(int_at(one.data, "attempt") or 0 for one in intents)], default=0
        ),
        started_at_utc=intents[0].at_utc if intents else (outcome.at_utc if outcome else None),
        ended_at_utc=ended if state is not StepState.IN_DOUBT else None,
        estimate_s=step.estimate_s,
        is_way_back=is_way_back(step),
        why=why,
        findings=_found(step, records, data),
        result=mapping_at(data, "result"),
        output_tail=text_at(data, "output_tail") or "",
        pass_name=step.pass_name,
    )


def _found(
    step: Step, records: Sequence[Record], last: Mapping[str, object]
) -> tuple[ReportedFinding, ...]:
    """What a step found at its end; of one that is repeated, what every pass found."""
    ends: Sequence[Mapping[str, object]] = [last]
    if step.action.value in _REPEATED:
        ends = [one.data for one in records if one.kind is RecordKind.OUTCOME]
    return tuple(_finding(one, step) for end in ends for one in rows_at(end, "findings"))


def _decisive(records: Sequence[Record]) -> Record | None:
    """The record that says how the step ended: the last one, unless it was sent again after it."""
    last = records[-1] if records else None
    return None if last is None or last.kind is RecordKind.INTENT else last


def _state(last: Record | None, *, has_intent: bool) -> tuple[StepState, str | None]:
    if last is None:
        return (StepState.IN_DOUBT if has_intent else StepState.NOT_REACHED), None
    if last.kind is RecordKind.SKIPPED:
        is_consequence = text_at(last.data, "cause") == "lane-ended"
        return StepState.SKIPPED, None if is_consequence else text_at(last.data, "why")
    if last.kind is RecordKind.LOOKED:
        evidence = text_at(last.data, "evidence")
        is_done = text_at(last.data, "meaning") == "done"
        return (StepState.DONE if is_done else StepState.IN_DOUBT), evidence
    word = text_at(last.data, "outcome")
    return (_STATES.get(word or "", StepState.IN_DOUBT)), text_at(last.data, "result.why")


def _finding(plain: object, step: Step) -> ReportedFinding:
    default = step.pass_name or _PASSES.get(step.action)
    if isinstance(plain, str):
        return ReportedFinding(severity="error", pass_name=default, text=plain)
    return ReportedFinding(
        severity=text_at(plain, "severity") or "error",
        pass_name=text_at(plain, "pass_name") or default,
        text=text_at(plain, "text") or str(plain),
        number=int_at(plain, "number") or 1,
        attempt=int_at(plain, "attempt"),
    )


def _pass_of_log(step: StepLog) -> str | None:
    """The pass that a detection belongs to; None for other steps and for those that did not run."""
    if step.action not in _DETECTS or step.state in (StepState.NOT_REACHED, StepState.SKIPPED):
        return None
    if step.state is StepState.FAILED and not step.findings:
        return None  # it came to no verdict: "none found" would be a guess
    if step.pass_name:
        return step.pass_name
    return _PASSES.get(Action(step.action), "primary")


def _count(steps: Iterable[StepLog], severity: str) -> int:
    return sum(
        one.number for step in steps for one in step.findings if one.severity == severity
    )
