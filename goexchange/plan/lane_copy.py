"""The lane that looks at a suspended passive copy: the database stays mounted all the time
(`procedure.md` 1 and 8).

The lane belongs to the active copy's server; what touches files runs where the copy is. Whatever
happens, the copy's job is ended and the copy resumed, and the lane waits until it is healthy.
"""

from __future__ import annotations

from typing import Any

from goexchange.facts.generations import page_bytes_of
from goexchange.model.history import Work
from goexchange.model.left import activation_of
from goexchange.model.plan import Action, Lane, RunsWhen
from goexchange.plan import words
from goexchange.plan.builder import LaneBuilder, timed
from goexchange.plan.calls import equals, eseutil_job, host_script
from goexchange.plan.context import LaneContext
from goexchange.plan.copy_back import (
    RESUMES_MAX,
    activation_commands,
    add_activation_back,
    resumed_probe,
    seeds_of,
    suspended_probe,
    well_poll,
)
from goexchange.plan.estimates import known_size
from goexchange.plan.host_records import (
    add_close_record,
    add_open_record,
    add_remove_sentinel,
    keeper_of,
)
from goexchange.plan.passive import Passive
from goexchange.plan.phase_after import add_record
from goexchange.plan.phase_backup import add_backup_before, add_online_backup
from goexchange.plan.phase_before import (
    PASS_PRIMARY,
    add_copies_sentinel,
    add_last_look,
    recovery_content,
)
from goexchange.plan.phase_conflicts import add_put_back, add_suspend, add_wait
from goexchange.plan.processes import add_processes_after, add_processes_before
from goexchange.powershell import cmdlets

CATCHES_UP_S = 60  # without history: what was written meanwhile is copied and replayed
SUSPEND_GUARDS = (
    "identity",
    "not-recovery",
    "copies-well",
    "no-backup-running",
    "no-other-maintenance",
    "no-declared-work",
    "window",
)


def copy_lane(context: LaneContext, *, needs: tuple[str, ...]) -> Lane:
    """Return the lane of a replicated database whose passive copy is looked at."""
    passive = context.passive
    assert passive is not None  # chosen before
    lane = LaneBuilder(
        context.lane_id,
        context.server.name,
        database=context.database.name,
        database_guid=context.database.guid,
    )
    _add_record(lane, context, passive)
    add_copies_sentinel(lane, context)
    undone = add_processes_before(lane, context)
    backups = add_suspend(lane, context)
    add_wait(lane, context)
    add_backup_before(lane, context)
    add_last_look(lane, context)
    suspended = _add_suspend_copy(lane, context, passive)
    _add_looks(lane, context, passive)
    add_copy_back(lane, context, passive, undo_of=suspended)
    add_remove_sentinel(lane, keeper_of(context), watches="over the copy")
    if context.coverage is not None:
        add_online_backup(lane, context, coverage=context.coverage, runs_when=RunsWhen.ALL_WELL)
    add_put_back(lane, context, suspended=backups)
    add_processes_after(lane, context, undone=undone, has_outage=False)
    add_record(lane, context, runs_when=RunsWhen.ALWAYS)
    add_close_record(lane, keeper_of(context))
    return lane.lane(needs=needs)


def _add_record(lane: LaneBuilder, context: LaneContext, passive: Passive) -> None:
    """The recovery record names the copy: whoever comes after a dead run resumes it."""
    content = {
        **recovery_content(context),
        "suspended_copy": passive.copy.identity,
        **activation_of(passive.held),
    }
    add_open_record(lane, keeper_of(context), says=(content, _text(passive)))


def _add_suspend_copy(lane: LaneBuilder, context: LaneContext, passive: Passive) -> str:
    identity = passive.copy.identity
    left = words.counted(passive.well_left, "copy", "copies")
    return lane.add(
        Action.SUSPEND_COPY,
        cmdlets.suspend_copy(identity, f"goexchange: {context.spec.name}, errors are looked for"),
        summary=f"copy on {passive.copy.server}: replicating -> suspended;"
        f" {left} {'stays' if passive.well_left == 1 else 'stay'}, the database stays mounted",
        guards=SUSPEND_GUARDS,
        probe=suspended_probe(identity),
        undo="resume it, and wait until it is healthy",
        estimate_s=5,
    )


def _add_looks(lane: LaneBuilder, context: LaneContext, passive: Passive) -> None:
    """Header and page checksums of the copy's file, where it lies. A copy's file is not shut down
    cleanly, so nothing is looked at that needs that.
    """
    path, on = context.paths.original, {"server": passive.server.name}
    size = known_size(context.database)
    lane.add(
        Action.READ_HEADER,
        host_script(
            "read-header",
            {
                "path": path,
                "eseutil": passive.eseutil,
                "log_folder": None,
                "log_prefix": None,
                "page_bytes": page_bytes_of(context.server.generation),
            },
        ),
        summary=f"both headers of the copy on {passive.server.name}",
        estimate_s=5,
        **on,
    )
    lane.add(
        Action.DETECT_ERRORS,
        eseutil_job(
            passive.eseutil,
            ("/k", path),
            folder=context.paths.work_folder,
            expected_bytes=size,
        ),
        summary=f"page checksums of the copy on {passive.server.name}",
        postcondition=equals("ok", True),
        pass_name=PASS_PRIMARY,
        **timed(None if size is None else context.times.of(Work.PAGE_CHECKSUMS, size)),
        **on,
    )


def add_copy_back(
    lane: LaneBuilder, context: LaneContext, passive: Passive, *, undo_of: str
) -> None:
    """End what still has the copy's file open, resume the copy, wait until it is healthy."""
    back: dict[str, Any] = {"runs_when": RunsWhen.UNDO_OF, "undo_of": undo_of}
    identity = passive.copy.identity
    lane.add(
        Action.CANCEL_JOBS,
        host_script("cancel-job", {"root": context.root}),
        summary=f"nothing of ours has the copy's file on {passive.server.name} open any more",
        server=passive.server.name,
        may_fail=True,
        estimate_s=2,
        **back,
    )
    lane.add(
        Action.RESUME_COPY,
        cmdlets.resume_copy(identity, replication_only=passive.held.is_activation_suspended),
        summary=f"copy on {passive.copy.server}: suspended -> replicating",
        probe=resumed_probe(identity),
        attempts_max=RESUMES_MAX,
        estimate_s=5,
        **back,
    )
    add_activation_back(lane, passive.held, undo_of=undo_of)
    lane.add(
        Action.AWAIT_COPY,
        cmdlets.get_copy(identity),
        summary=f"until the copy on {passive.copy.server} is healthy and its queues are short",
        poll=well_poll(identity, interval_s=context.pace.poll_interval_s),
        estimate_s=CATCHES_UP_S,
        **back,
    )


def _text(passive: Passive) -> str:
    """RECOVERY.txt: what a person with nothing but a console does."""
    quoted = "'" + passive.copy.identity.replace("'", "''") + "'"
    lives_on = "" if seeds_of(passive.server) else " -BeginSeed"
    columns = "Format-List Name, Status, CopyQueueLength, ReplayQueueLength"
    only = " -ReplicationOnly" if passive.held.is_activation_suspended else ""
    lines = [
        f"Looking for errors in the passive copy {passive.copy.identity} stopped.",
        "The database itself was never taken down. The copy may still be suspended.",
        "",
        f"1. On {passive.server.name}, end any eseutil.exe that works on the copy's file.",
        "2. Let the copy replicate again, and look until it is Healthy:",
        f"   Resume-MailboxDatabaseCopy -Identity {quoted}{only}",
        *(f"   {each}" for each in activation_commands(passive.held)),
        f"   Get-MailboxDatabaseCopyStatus -Identity {quoted} | {columns}",
        "",
        "3. Only when it stays FailedAndSuspended, seed it again from a healthy copy:",
        f"   Update-MailboxDatabaseCopy -Identity {quoted} -DeleteExistingFiles{lives_on}",
        *(f"   {each}" for each in activation_commands(passive.held)),
    ]
    return "\r\n".join(lines) + "\r\n"
