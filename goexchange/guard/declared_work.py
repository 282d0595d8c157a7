"""Nobody else's declared work (patching, a reboot, a backup) falls into the time of a lane."""

from __future__ import annotations

from datetime import timedelta

from goexchange.guard.guard import AT_ALL_TIMES, Answer, Guard, Question, blocks, passes
from goexchange.guard.timing import lane_length_s, outage_of, start_of
from goexchange.model.plan import PlannedWork


def _no_declared_work(question: Question) -> Answer:
    begins = start_of(question)
    outage = outage_of(question.body, question.lane)
    way_back_s = 0 if outage is None else outage.way_back.p90_s
    ends = begins + timedelta(seconds=lane_length_s(question) + way_back_s)
    met = [
        each
        for each in question.body.other_work
        if each.server == question.lane.server
        and each.begins_at_utc < ends
        and begins < each.ends_at_utc
    ]
    if not met:
        return passes(f"none from {begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M} UTC")
    return blocks(
        f"{'; '.join(map(_text, met))}; the database's work is from {begins:%Y-%m-%d %H:%M} to"
        f" {ends:%Y-%m-%d %H:%M} UTC by p90",
        "apply outside that time, or change `other_work` of the inventory or"
        " `backup.conflicts.declared`",
        is_time_only=True,
        works=[each.name for each in met],
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
