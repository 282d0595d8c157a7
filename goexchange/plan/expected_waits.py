"""How long the lanes wait for other people's backups and declared work: the p90 of a wait counts in
the window's arithmetic like that of every other step.

It is known when all lanes are: what is due while a lane works depends on the lanes before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from attrs import evolve, frozen

from goexchange.facts.backup_signs import (
    RUNNING_BACKUP_TOOLS,
    names_of,
    open_begin,
    others_tasks,
)
from goexchange.model.actual import ActualHost, WindowsBackup
from goexchange.model.desired import ConflictPolicy
from goexchange.model.history import Work
from goexchange.model.plan import Action, Lane, PlanBody, PlannedWork, RunsWhen, Step
from goexchange.model.unknown import Unknown
from goexchange.plan import words
from goexchange.plan.context import LaneContext
from goexchange.schedule.lane_times import length_s
from goexchange.schedule.rates import Duration

_NEVER_SUSPENDED = frozenset({"patching", "reboot"})
_DAY = timedelta(days=1)


@frozen(kw_only=True)
class _Stretch:
    """When a lane works, by p90, without the wait itself and with it."""

    begins: datetime
    ends: datetime

    def meets(self, begins: datetime, ends: datetime) -> bool:
        return begins <= self.ends and self.begins <= ends


def with_waits(body: PlanBody, contexts: Sequence[LaneContext]) -> PlanBody:
    """The plan with the time that each wait is expected to take."""
    by_lane = {each.lane_id: each for each in contexts}
    opens = body.evaluated_at_utc
    if body.window is not None:
        opens = max(opens, body.window.opens_at_utc)
    lanes: list[Lane] = []
    before_s = 0
    for lane in body.lanes:
        context = by_lane.get(lane.id)
        timed = lane
        if context is not None and _wait_of(lane) is not None:
            begins = opens + timedelta(seconds=before_s)
            timed = _with_wait(body, lane, context, begins=begins)
        lanes.append(timed)
        before_s += length_s(body, timed)
    return evolve(body, lanes=tuple(lanes))


def _wait_of(lane: Lane) -> Step | None:
    """The wait before the work; the one before a backup after it finds the same things over."""
    for step in lane.steps:
        if step.action is Action.AWAIT_BACKUPS and step.runs_when is RunsWhen.ALL_WELL:
            return step
    return None


def _with_wait(body: PlanBody, lane: Lane, context: LaneContext, *, begins: datetime) -> Lane:
    wait = _wait_of(lane)
    assert wait is not None
    ends = begins + timedelta(seconds=length_s(body, lane) + wait.time_limit_s)
    sign = next(_signs(body, context, stretch=_Stretch(begins=begins, ends=ends)), None)
    if sign is None:
        return lane
    duration, source = _expected(context, wait)
    expected = evolve(
        wait,
        estimate_s=duration.p50_s,
        estimate_p90_s=duration.p90_s,
        summary=f"{wait.summary}; expected: {sign} ({source})",
    )
    return evolve(
        lane, steps=tuple(expected if each.id == wait.id else each for each in lane.steps)
    )


def _expected(context: LaneContext, wait: Step) -> tuple[Duration, str]:
    """From earlier waits, else the stated time and the limit; never more than the limit."""
    limit_s = wait.time_limit_s
    found = context.times.of(Work.WAIT, 0)
    p50_s = min(found.duration.p50_s, limit_s)
    if not found.is_measured:
        said = f"stated {words.span(p50_s)}, by p90 the whole {words.span(limit_s)}"
        return Duration(p50_s=p50_s, p90_s=limit_s), said
    return Duration(p50_s=p50_s, p90_s=min(found.duration.p90_s, limit_s)), found.source


def _signs(body: PlanBody, context: LaneContext, *, stretch: _Stretch) -> Iterator[str]:
    """What the lane is expected to wait for, in words. Unknown facts say nothing here: the guards
    stop at them.
    """
    conflicts = context.spec.conflicts
    if conflicts.running is not ConflictPolicy.REFUSE:
        yield from _running(context)
    if conflicts.scheduled is not ConflictPolicy.REFUSE:
        yield from _scheduled(context.host, stretch)
        for work in body.other_work:
            is_met = work.server == context.server.name and stretch.meets(
                work.begins_at_utc, work.ends_at_utc
            )
            if is_met and not _is_suspended(context, work):
                yield f"'{work.name}' is declared for {work.begins_at_utc:%Y-%m-%d %H:%M} UTC"


def _running(context: LaneContext) -> Iterator[str]:
    host = context.host
    if context.database.is_backup_running is True:
        yield "a backup of it runs now"
    if isinstance(host.windows_backup, WindowsBackup) and host.windows_backup.is_running:
        yield "Windows Server Backup runs now"
    processes = () if isinstance(host.processes, Unknown) else host.processes
    for name in sorted(names_of(processes) & RUNNING_BACKUP_TOOLS):
        yield f"{name} runs now"
    events = () if isinstance(host.backup_events, Unknown) else host.backup_events
    begun = open_begin(events, booted_at=host.booted_at_utc)
    if begun is not None:
        yield f"event {begun.event_id} began a backup that has no end"


def _scheduled(host: ActualHost, stretch: _Stretch) -> Iterator[str]:
    """What is due in that time. A host tells the next start only: one before it is taken to come
    again at the same hour.
    """
    backup = host.windows_backup
    if isinstance(backup, WindowsBackup):
        due = _at_hour_of(backup.next_scheduled_utc, stretch)
        if due is not None:
            yield f"Windows Server Backup at {due:%Y-%m-%d %H:%M} UTC"
    for task in others_tasks(() if isinstance(host.tasks, Unknown) else host.tasks):
        due = _at_hour_of(task.next_run_utc, stretch)
        if due is not None:
            yield f"the task {task.name} at {due:%Y-%m-%d %H:%M} UTC"


def _at_hour_of(start: datetime | None, stretch: _Stretch) -> datetime | None:
    if start is None:
        return None
    if start < stretch.begins:
        start += -((start - stretch.begins) // _DAY) * _DAY
    return start if stretch.begins <= start <= stretch.ends else None


def _is_suspended(context: LaneContext, work: PlannedWork) -> bool:
    is_held = context.spec.conflicts.scheduled is ConflictPolicy.SUSPEND
    return is_held and work.kind not in _NEVER_SUSPENDED
