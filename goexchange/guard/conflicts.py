"""Nobody else works on the database: no backup, no move, no repair, no setup, no run of ours that
has not ended.

Hard signs block; hints are shown in the evidence and ask for a second look.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from goexchange.facts.backup_signs import (
    RESIDENT_BACKUP_TOOLS,
    RUNNING_BACKUP_TOOLS,
    names_of,
    open_begin,
    others_tasks,
)
from goexchange.guard.guard import (
    AT_ALL_TIMES,
    Answer,
    Guard,
    Moment,
    Question,
    blocks,
    is_due,
    need,
    passes,
)
from goexchange.guard.timing import left_to_wait, remaining_s, start_of
from goexchange.model.actual import ActualDatabase, ActualHost, Generation, ScheduledTask
from goexchange.model.unknown import Unknown

OTHER_WORK = frozenset({"eseutil", "exsetup", "exsetupui"})


def _no_backup_running(question: Question) -> Answer:
    hard = hard_signs(question)
    if hard:
        return left_to_wait(question, "running", hard) or blocks(
            "; ".join(hard), "wait until that backup has ended, and apply again", signs=hard
        )
    scheduled = scheduled_signs(question)
    if scheduled:
        return left_to_wait(question, "scheduled", scheduled) or blocks(
            "; ".join(scheduled),
            "apply outside that time, or suspend that backup",
            scheduled=scheduled,
        )
    hints = _hints(question)
    text = "no backup running or scheduled in the time the run takes"
    return passes(f"{text}; look again: {', '.join(hints)}" if hints else text, hints=hints)


def hard_signs(question: Question) -> list[str]:
    """Signs that somebody's backup is running now."""
    host = question.host
    signs = [
        f"Exchange sees a backup of {each.name} in progress"
        for each in question.databases
        if _backup_in_progress(each)
    ]
    if need(host.windows_backup, "the state of Windows Server Backup").is_running:
        signs.append("Windows Server Backup is running a job")
    signs += [f"{name} is running" for name in _running(host) & RUNNING_BACKUP_TOOLS]
    events = need(host.backup_events, "the backup events")
    begun = open_begin(events, booted_at=host.booted_at_utc)
    if begun is not None:
        signs.append(
            f"event {begun.event_id} of {begun.at_utc:%Y-%m-%d %H:%M} UTC began a backup"
            " that has no end"
        )
    return signs


def _backup_in_progress(database: ActualDatabase) -> bool:
    """Whether a backup of it runs; a dismounted one has no status and cannot be in a backup of the
    store.
    """
    if database.is_mounted is False:
        return False
    return need(database.is_backup_running, f"whether a backup of {database.name} is in progress")


def scheduled_signs(question: Question) -> list[str]:
    """Backups and tasks that begin while the lane is at work."""
    host = question.host
    begins = start_of(question)
    ends = begins + timedelta(seconds=remaining_s(question))
    found = []
    next_backup = need(host.windows_backup, "the state of Windows Server Backup").next_scheduled_utc
    if _inside(next_backup, begins, ends):
        found.append(f"Windows Server Backup is scheduled for {next_backup:%Y-%m-%d %H:%M} UTC")
    for task in others_tasks(_tasks(question)):
        if _inside(task.next_run_utc, begins, ends):
            found.append(f"the task {task.name} runs at {task.next_run_utc:%Y-%m-%d %H:%M} UTC")
    return found


def _tasks(question: Question) -> tuple[ScheduledTask, ...]:
    """The tasks of the host's scheduler; on Windows Server 2003 nobody can list them, which the
    consent to the plan says.
    """
    is_old = question.server.generation is Generation.EXCHANGE_2003
    if is_old and isinstance(question.host.tasks, Unknown):
        return ()
    return need(question.host.tasks, "the scheduled tasks")


def _inside(moment: datetime | None, begins: datetime, ends: datetime) -> bool:
    return moment is not None and begins <= moment <= ends


def _hints(question: Question) -> list[str]:
    return [
        f"{name} is resident" for name in sorted(_running(question.host) & RESIDENT_BACKUP_TOOLS)
    ]


def _running(host: ActualHost) -> set[str]:
    return names_of(need(host.processes, "the running processes"))


def _no_other_maintenance(question: Question) -> Answer:
    database, host = question.database, question.host
    found = []
    if need(database.has_moves, "whether mailboxes are moved into or out of it"):
        found.append("mailboxes are moved into or out of it")
    if need(host.is_reboot_pending, "whether a restart of Windows is pending"):
        found.append("Windows waits for a restart")
    found += [f"{name} is running" for name in sorted(_running(host) & OTHER_WORK)]
    if found:
        return blocks("; ".join(found), "let that work end first", conflicts=found)
    requests = database.has_repair_requests
    if isinstance(requests, Unknown) and question.moment is not Moment.STEP:
        return is_due(f"repair requests: {requests.reason}")
    if need(requests, "whether a repair request of it waits or runs"):
        return blocks(
            "a repair request of it waits or runs", "let it end first", conflicts=["repair"]
        )
    return passes("no move, repair, setup, eseutil or pending restart", conflicts=[])


def _no_open_run(question: Question) -> Answer:
    recoveries = need(question.host.open_recoveries, "the recovery records on the host")
    own = None if question.run is None else question.run.run
    mine = [
        each
        for each in recoveries
        if each.database_guid in (None, question.lane.database_guid) and each.run != own
    ]
    if mine:
        return blocks(
            f"run {mine[0].run} has not ended on it (phase {mine[0].phase})",
            f"goexchange resume {mine[0].run}",
            runs=[each.run for each in mine],
        )
    return passes("no earlier run is open on it", runs=[])


NO_BACKUP_RUNNING = Guard(
    id="no-backup-running",
    rule="no backup of the server runs, or is scheduled in the time the run takes",
    moments=AT_ALL_TIMES,
    reads=(
        "server.databases",
        "database.is_backup_running",
        "host.windows_backup",
        "host.processes",
        "host.backup_events",
        "host.tasks",
    ),
    judge=_no_backup_running,
)
NO_OTHER_MAINTENANCE = Guard(
    id="no-other-maintenance",
    rule="no mailbox move, repair request, Exchange setup, other eseutil or pending restart",
    moments=AT_ALL_TIMES,
    reads=(
        "server.databases",
        "database.has_moves",
        "database.has_repair_requests",
        "host.is_reboot_pending",
        "host.processes",
    ),
    judge=_no_other_maintenance,
)
NO_OPEN_RUN = Guard(
    id="no-open-run",
    rule="no earlier run is still open on the database",
    moments=AT_ALL_TIMES,
    reads=("host.open_recoveries",),
    judge=_no_open_run,
)
