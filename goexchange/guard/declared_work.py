"""Nobody else's declared work (patching, a reboot, a backup) falls into the time of a lane."""

from __future__ import annotations

from datetime import datetime, timedelta

from goexchange.guard.guard import AT_ALL_TIMES, Answer, Guard, Question, blocks, passes
from goexchange.guard.timing import left_to_wait, remaining_s, start_of
from goexchange.model.plan import Action, ControllerCall, PlannedWork
from goexchange.model.run import OutcomeKind
from goexchange.schedule.lane_times import outage_of

_NEVER_SUSPENDED = frozenset({"patching", "reboot"})


def _no_declared_work(question: Question) -> Answer:
    begins, ends = _stretch(question)
    met = _met(question)
    if not met:
        return passes(f"none from {begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M} UTC")
    return left_to_wait(question, "scheduled", list(map(_text, met))) or blocks(
        f"{'; '.join(map(_text, met))}; the database's work is from {begins:%Y-%m-%d %H:%M} to"
        f" {ends:%Y-%m-%d %H:%M} UTC by p90",
        "apply outside that time, or change `other_work` of the inventory or"
        " `backup.conflicts.declared`",
        is_time_only=True,
        works=[each.name for each in met],
    )


def works_in_the_way(question: Question) -> list[str]:
    """Declared work of others while the lane is at work, in words."""
    return [_text(each) for each in _met(question)]


def _stretch(question: Question) -> tuple[datetime, datetime]:
    """From now, or the begin of the lane, to its end by p90 with the way back."""
    begins = start_of(question)
    outage = outage_of(question.body, question.lane)
    way_back_s = 0 if outage is None else outage.way_back.p90_s
    return begins, begins + timedelta(seconds=remaining_s(question) + way_back_s)


def _met(question: Question) -> list[PlannedWork]:
    begins, ends = _stretch(question)
    return [
        each
        for each in question.body.other_work
        if each.server == question.lane.server
        and each.begins_at_utc < ends
        and begins < each.ends_at_utc
        and not _is_suspended(question, each)
    ]


def _is_suspended(question: Question, work: PlannedWork) -> bool:
    """Whether the lane's own command has suspended it: backups only, never patching or a reboot."""
    run = question.run
    if run is None or work.kind in _NEVER_SUSPENDED:
        return False
    return any(
        record.outcome in (OutcomeKind.DONE, OutcomeKind.ALREADY)
        for step in question.steps(Action.SUSPEND_BACKUPS)
        if (record := run.step(step.id))
    ) and any(
        isinstance(step.call, ControllerCall) and step.call.arguments["scheduled"] == "suspend"
        for step in question.steps(Action.AWAIT_BACKUPS)
    )


def _text(work: PlannedWork) -> str:
    kind = "" if work.kind == "other" else f"{work.kind} "
    return (
        f"{kind}'{work.name}' is declared from {work.begins_at_utc:%Y-%m-%d %H:%M} to"
        f" {work.ends_at_utc:%Y-%m-%d %H:%M} UTC"
    )


NO_DECLARED_WORK = Guard(
    id="no-declared-work",
    rule="no declared patching, reboot or backup of somebody else in the time the run takes",
    moments=AT_ALL_TIMES,
    reads=(),
    judge=_no_declared_work,
)
