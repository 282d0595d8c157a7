"""Live progress: a record as a line for a pipeline, the state of a run as rows for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from goexchange.journal.replay import RunState
from goexchange.model.plan import Lane, Plan, Step, VerdictKind
from goexchange.model.run import LaneState, OutcomeKind, Record, RecordKind, StepRecord
from goexchange.report.plan_words import action_words, is_way_back, lane_title, step_detail
from goexchange.report.reading import int_at, number_at, rows_at, text_at
from goexchange.report.shown import shown
from goexchange.report.units import (
    clock_text,
    count_text,
    duration_text,
    rate_text,
    seconds_between,
    share_text,
    size_text,
    zone_of,
)

NO_ESTIMATE = "no estimate yet"
_RUNS_FOR_ESTIMATE = 3
_QUIET_VERDICTS = (VerdictKind.PASS.value, VerdictKind.DUE.value)


@frozen(kw_only=True)
class LiveHead:
    """The first line of a live view: times in words."""

    run: str
    elapsed: str
    window_left: str
    time_left: str


@frozen(kw_only=True)
class LiveRow:
    """One lane of a live view. `done_share` is between 0 and 1, None when it cannot be said."""

    lane: str
    title: str
    state: LaneState
    phase: str
    detail: str
    amount: str
    done_share: float | None
    rate: str
    elapsed: str
    limit: str


def steps_by_id(plan: Plan) -> Mapping[str, Step]:
    """The steps of a plan by their ids, for `pipeline_line`."""
    return {step.id: step for lane in plan.body.lanes for step in lane.steps}


def pipeline_line(record: Record, steps: Mapping[str, Step]) -> str | None:
    """One record as one line without colour, time in UTC; None for a record not worth a line."""
    text = _record_text(record, steps)
    return None if text is None else shown(f"{clock_text(record.at_utc)}Z  {text}")


def heartbeat_lines(plan: Plan, state: RunState, now: datetime) -> tuple[str, ...]:
    """One line for each running step; a pipeline prints them once a minute to be seen alive."""
    rows = (row for row in live_rows(plan, state, now) if row.state is LaneState.RUNNING)
    return tuple(
        shown(f"{clock_text(now)}Z  {row.title}  {row.phase}  {_joined(row)}") for row in rows
    )


def live_head(plan: Plan, state: RunState, now: datetime) -> LiveHead:
    """The run as a whole: time passed, what is left of the window, how long it will take."""
    window = plan.body.window
    left = "none"
    if window is not None:
        seconds = seconds_between(now, window.closes_at_utc) or 0
        zone = zone_of(window.zone)
        until = f"{window.closes_at_utc.astimezone(zone):%H:%M}"
        left = f"{duration_text(seconds)} (until {until})" if seconds > 0 else f"closed at {until}"
    return LiveHead(
        run=shown(state.run or "not started"),
        elapsed=duration_text(seconds_between(state.started_at_utc, now) or 0),
        window_left=left,
        time_left=_time_left(plan, state, now),
    )


def live_rows(plan: Plan, state: RunState, now: datetime) -> tuple[LiveRow, ...]:
    """A row for every lane that has begun, in the order of the plan."""
    return tuple(
        _live_row(lane, state, now)
        for lane in plan.body.lanes
        if state.lane(lane.id).state is not LaneState.WAITING
    )


def _live_row(lane: Lane, state: RunState, now: datetime) -> LiveRow:
    folded = state.lane(lane.id)
    step = _step_in_hand(lane, state)
    seen = state.step(step.id) if step else None
    is_running = folded.state is LaneState.RUNNING and seen is not None and seen.is_in_doubt
    amount, share, rate = _moved(seen) if seen and is_running else ("", None, "")
    said = "" if is_running else ", done"  # between two steps: how long ago
    last = max((one.number for one in lane.steps), default=0)
    ended = folded.state is not LaneState.RUNNING
    since = folded.started_at_utc
    if seen is not None and not ended:
        since = seen.last_sent_at_utc if is_running else seen.ended_at_utc
    until = now if folded.ended_at_utc is None else folded.ended_at_utc
    return LiveRow(
        lane=lane.id,
        title=lane_title(lane),
        state=folded.state,
        phase=folded.state.value.replace("-", " ")
        if ended or step is None
        else f"{step.number}/{last} {action_words(step.action)}{said}",
        detail=shown(folded.why) if ended or step is None else step_detail(step),
        amount=amount,
        done_share=share,
        rate=rate,
        elapsed=duration_text(seconds_between(since, until) or 0),
        limit=f"<= {duration_text(step.time_limit_s)}" if step and is_running else "",
    )


def _step_in_hand(lane: Lane, state: RunState) -> Step | None:
    """The step that was sent last."""
    sent = [
        (at, step.number, step)
        for step in lane.steps
        for at in [state.step(step.id).last_sent_at_utc]
        if at is not None
    ]
    return max(sent, key=lambda one: one[:2])[2] if sent else None


def _moved(seen: StepRecord) -> tuple[str, float | None, str]:
    done, total = int_at(seen.progress, "done_bytes"), int_at(seen.progress, "total_bytes")
    rate = number_at(seen.progress, "rate_bytes_s")
    if done is None:
        return shown(text_at(seen.progress, "text") or ""), None, ""
    amount = size_text(done) if not total else f"{size_text(done)} of {size_text(total)}"
    share = min(1.0, done / total) if total else None
    return amount, share, rate_text(rate) if rate else ""


def _time_left(plan: Plan, state: RunState, now: datetime) -> str:
    """What the estimates leave, steps in hand counted from their start; p90 if there is one."""
    if plan.body.estimate.earlier_runs < _RUNS_FOR_ESTIMATE:
        return NO_ESTIMATE
    ended = {OutcomeKind.DONE, OutcomeKind.ALREADY, OutcomeKind.FAILED, OutcomeKind.CANCELLED}
    left = 0.0
    for lane in plan.body.lanes:
        if state.lane(lane.id).state not in (LaneState.WAITING, LaneState.RUNNING):
            continue
        for step in lane.steps:
            seen = state.step(step.id)
            if is_way_back(step) or seen.outcome in ended or seen.skipped_because is not None:
                continue
            spent = seconds_between(seen.last_sent_at_utc, now) or 0 if seen.is_in_doubt else 0
            left += max(0.0, (step.estimate_s or 0) - spent)
    pairs = [(one.outage_s, one.outage_p90_s) for one in plan.body.decisions]
    ratios = [p90 / p50 for p50, p90 in pairs if p50 and p90]
    worst = f", p90 {duration_text(left * max(ratios))}" if ratios else ""
    return f"about {duration_text(left)}{worst}"


def _record_text(record: Record, steps: Mapping[str, Step]) -> str | None:
    data, kind = record.data, record.kind
    if kind in (RecordKind.INTENT, RecordKind.PROGRESS, RecordKind.OUTCOME, RecordKind.LOOKED):
        return _step_text(record, steps)
    if kind is RecordKind.RUN_STARTED:
        return f"run {text_at(data, 'run')} of plan {text_at(data, 'plan')} started"
    if kind is RecordKind.RUN_RESUMED:
        return f"resumed by {text_at(data, 'started_by')} on {text_at(data, 'controller')}"
    if kind is RecordKind.LANE_STARTED:
        return f"{text_at(data, 'lane')}  begins"
    if kind is RecordKind.LANE_ENDED:
        why = text_at(data, "why")
        return f"{text_at(data, 'lane')}  {text_at(data, 'state')}" + (f": {why}" if why else "")
    if kind is RecordKind.GUARD:
        verdict = data.get("verdict")
        if text_at(verdict, "kind") in _QUIET_VERDICTS:
            return None  # dozens of them; they are in the report
        said = f"{text_at(verdict, 'guard')}: {text_at(verdict, 'kind')}"
        return f"{text_at(verdict, 'address')}  guard {said} ({text_at(verdict, 'evidence')})"
    if kind is RecordKind.NOTICE:
        return f"notice {text_at(data, 'event')} to {text_at(data, 'audience')}"
    if kind is RecordKind.REQUEST:
        return f"{text_at(data, 'request')} asked by {text_at(data, 'by')}"
    if kind is RecordKind.QUESTION:
        choices = ", ".join(map(str, rows_at(data, "choices")))
        return f"QUESTION {text_at(data, 'step')}: {text_at(data, 'evidence')} ({choices})"
    if kind is RecordKind.RUN_ENDED:
        return f"run ended: {text_at(data, 'verdict')}, exit code {int_at(data, 'exit_code')}"
    if kind is RecordKind.LEASE and text_at(data, "state") == "lost":
        return f"the lease of {text_at(data, 'server')} was LOST"
    return None


def _step_text(record: Record, steps: Mapping[str, Step]) -> str | None:
    data = record.data
    step_id = text_at(data, "step") or "unknown step"
    name = step_id
    if step_id in steps:
        step = steps[step_id]
        lane = step.server if step.database is None else f"{step.server}/{step.database}"
        name = f"{lane}  {step.number} {action_words(step.action)}"
    if record.kind is RecordKind.INTENT:
        attempt = int_at(data, "attempt") or 1
        again = f", attempt {attempt}" if attempt > 1 else ""
        return f"{name}: begins{again}" + (
            f" ({step_detail(steps[step_id])})" if step_id in steps else ""
        )
    if record.kind is RecordKind.LOOKED:
        return f"{name}: looked at, {(text_at(data, 'meaning') or '').replace('-', ' ')}"
    if record.kind is RecordKind.PROGRESS:
        done, total = int_at(data, "done_bytes"), int_at(data, "total_bytes")
        rate = number_at(data, "rate_bytes_s")
        if done is None:
            words = text_at(data, "text")
            return f"{name}: {words}" if words else None
        whole = f" of {size_text(total)} ({share_text(done, total)})" if total else ""
        return f"{name}: {size_text(done)}{whole}" + (f", {rate_text(rate)}" if rate else "")
    seconds = number_at(data, "seconds")
    took = f" after {duration_text(seconds)}" if seconds is not None else ""
    found = len(rows_at(data, "findings"))
    told = f", {count_text(found, 'finding')}" if found else ""
    return f"{name}: {text_at(data, 'outcome')}{took}{told}"


def _joined(row: LiveRow) -> str:
    share = f"{100 * row.done_share:.0f}%" if row.done_share is not None else ""
    parts = (row.amount, share, row.rate, f"since {row.elapsed}", row.limit)
    return ", ".join(part for part in parts if part)
