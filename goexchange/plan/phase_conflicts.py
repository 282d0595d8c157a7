"""The steps that a specification asks for when somebody else's backup is in the way: suspend, wait
with a limit, put back.
"""

from __future__ import annotations

from goexchange.model.desired import BackupConflicts, ConflictPolicy
from goexchange.model.plan import Action, Poll, Reason, RunsWhen
from goexchange.plan import words
from goexchange.plan.builder import HOUR, LaneBuilder
from goexchange.plan.calls import controller, equals, host_job, one_of
from goexchange.plan.context import LaneContext

LOOKS_EVERY = 5  # times the polling interval: a look at a whole server is not cheap
COMMAND_LIMIT_S = HOUR // 4


def add_suspend(lane: LaneBuilder, context: LaneContext) -> str | None:
    """Suspend other backups by the declared command; the step's id, None where nothing is
    suspended.
    """
    conflicts = context.spec.conflicts
    if ConflictPolicy.SUSPEND not in _policies(conflicts) or not conflicts.suspend:
        return None
    return lane.add(
        Action.SUSPEND_BACKUPS,
        host_job("command", {"command": list(conflicts.suspend), "follow": None}),
        summary=f"other backups suspended: {' '.join(conflicts.suspend)}",
        reason=Reason.ASKED_FOR,
        time_limit_s=COMMAND_LIMIT_S,
        postcondition=one_of("exit_code", 0),
        undo="let them go on",
        origin=conflicts.place,
    )


def add_put_back(lane: LaneBuilder, context: LaneContext, *, suspended: str | None) -> None:
    """Let suspended backups go on, whatever happened in between."""
    conflicts = context.spec.conflicts
    if suspended is None or not conflicts.resume:
        return
    lane.add(
        Action.RESUME_BACKUPS,
        host_job("command", {"command": list(conflicts.resume), "follow": None}),
        summary=f"other backups go on: {' '.join(conflicts.resume)}",
        reason=Reason.ASKED_FOR,
        runs_when=RunsWhen.UNDO_OF,
        undo_of=suspended,
        time_limit_s=COMMAND_LIMIT_S,
        postcondition=one_of("exit_code", 0),
        origin=conflicts.place,
    )


def add_wait(
    lane: LaneBuilder, context: LaneContext, *, runs_when: RunsWhen = RunsWhen.ALL_WELL
) -> None:
    """Wait until no backup is in the way, up to the declared limit; none where both policies
    refuse.
    """
    conflicts = context.spec.conflicts
    if set(_policies(conflicts)) == {ConflictPolicy.REFUSE}:
        return
    look = controller(
        "observe",
        {
            "server": context.server.name,
            "databases": [context.database.guid],
            "running": conflicts.running.value,
            "scheduled": conflicts.scheduled.value,
        },
    )
    lane.add(
        Action.AWAIT_BACKUPS,
        look,
        summary="until no backup of anybody else is in the way,"
        f" <= {words.span(conflicts.wait_max_s)}",
        reason=Reason.ASKED_FOR,
        runs_when=runs_when,
        poll=Poll(
            call=look,
            until=equals("is_clear", True),
            failed=None,
            interval_s=LOOKS_EVERY * context.pace.poll_interval_s,
        ),
        time_limit_s=conflicts.wait_max_s,
        estimate_s=0,  # what is in the way is known when all lanes are: `expected_waits`
        estimate_p90_s=0,
        origin=conflicts.place,
    )


def _policies(conflicts: BackupConflicts) -> tuple[ConflictPolicy, ConflictPolicy]:
    return (conflicts.running, conflicts.scheduled)
