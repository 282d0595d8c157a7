"""Somebody else's backup is in the way: refused, waited for up to a limit, or suspended and put
back, whatever happens in between.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from goexchange.errors import ExitCode
from goexchange.guard import evaluate
from goexchange.model.plan import Verdict, VerdictKind
from goexchange.model.run import LaneState, RunResult
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.site import one_database
from goexchange.world.backup_engine import wbadmin
from goexchange.world.tasks import TaskState
from goexchange.world.truth import true_database
from goexchange.world.vendor_agent import TASK
from tests.simulation.crash_points import crash_everywhere
from tests.simulation.night.documents import AT, INVENTORY, SPECIFICATION, inventory, specification

HOLD = r"suspend: ['C:\agent\backup.cmd', hold], resume: ['C:\agent\backup.cmd', release]"
WAIT = "{running: wait, scheduled: wait, wait_max: 2h}"
SUSPEND = f"{{running: suspend, scheduled: suspend, wait_max: 10m, {HOLD}}}"
OPENS = datetime.fromisoformat("2026-11-28T21:00:00+00:00")


def night(conflicts: str, *, inventory_text: str = INVENTORY) -> Night:
    text = SPECIFICATION.replace("schedule:", f"  conflicts: {conflicts}\nschedule:")
    return make_night(one_database(), [specification(text)], inventory(inventory_text), at=AT)


def begin_foreign_backup(of: Night, *, lasts: timedelta) -> None:
    world = of.performer.world
    wbadmin(world, world.hosts["EX01"], job=None, target="F:", volumes=("D:", "L:"))
    world.backups[-1].ends_at = world.now() + lasts


def schedule_task(of: Night, at: datetime) -> TaskState:
    task = TaskState(TASK, "Ready", ("C:\\agent\\backup.cmd start",), at)
    of.performer.world.hosts["EX01"].tasks[TASK] = task
    return task


def seen_at_start(of: Night, guard: str) -> Verdict:
    from goexchange.model.actual import ActualState

    now = of.performer.now()
    actual = ActualState(observed_at_utc=now, servers=(of.performer.observe("EX01", ()),))
    [verdict] = [
        each for each in evaluate.at_plan(of.plan.body, actual, now) if each.guard == guard
    ]
    return verdict


def ended(of: Night) -> RunResult:
    result = of.run_to_end()
    world = of.performer.world
    assert true_database(world, world.database_named("DB05")).is_mounted
    return result


def kinds(of: Night) -> list[str]:
    return [each.kind for each in of.performer.world.effects]


def moment_of(of: Night, kind: str) -> datetime:
    return next(each.at for each in of.performer.world.effects if each.kind == kind)


def test_a_running_backup_is_waited_for() -> None:
    waiting = night(WAIT)
    begin_foreign_backup(waiting, lasts=timedelta(minutes=50))
    verdict = seen_at_start(waiting, "no-backup-running")
    assert verdict.kind is VerdictKind.DUE
    assert "waits for it, <= 7200 s" in str(verdict.evidence)
    assert ended(waiting).exit_code == ExitCode.OK
    assert moment_of(waiting, "dismount") > AT + timedelta(minutes=50)


def test_without_a_policy_it_is_refused_as_before() -> None:
    refused = night("{}")
    begin_foreign_backup(refused, lasts=timedelta(minutes=50))
    assert seen_at_start(refused, "no-backup-running").kind is VerdictKind.BLOCK
    assert ended(refused).exit_code != ExitCode.OK
    assert "dismount" not in kinds(refused)


def test_the_wait_has_a_limit_and_says_what_was_in_the_way() -> None:
    waiting = night(WAIT)
    begin_foreign_backup(waiting, lasts=timedelta(hours=5))
    result = ended(waiting)
    assert result.exit_code == ExitCode.STOPPED
    assert result.databases[0].state is LaneState.FAILED
    assert "await-backups: it did not come to an end within 7200 s" in result.databases[0].why
    assert "Exchange sees a backup of DB05 in progress" in result.databases[0].why
    assert "dismount" not in kinds(waiting)


def test_a_scheduled_backup_is_waited_for_until_it_has_run() -> None:
    waiting = night(WAIT)
    due = AT + timedelta(seconds=90)
    schedule_task(waiting, due)
    waiting.performer.world.faults.start_foreign_backup("EX01", at=due, volumes=("D:", "L:"))
    assert seen_at_start(waiting, "no-backup-running").kind is VerdictKind.DUE
    assert ended(waiting).exit_code == ExitCode.OK
    assert moment_of(waiting, "full-backup") < moment_of(waiting, "dismount")


def test_a_schedule_of_windows_server_backup_counts_too() -> None:
    refused = night("{running: wait}")
    state = refused.performer.world.hosts["EX01"].windows_backup
    state.next_scheduled = AT + timedelta(seconds=60)
    verdict = seen_at_start(refused, "no-backup-running")
    assert verdict.kind is VerdictKind.BLOCK  # `scheduled` stays with its default
    assert "Windows Server Backup is scheduled" in verdict.evidence


def test_declared_backups_are_waited_over() -> None:
    """The vendor's schedule is declared from 22:00 to 23:00 in the zone of the window."""
    declared = ", declared: [{name: nightly, due: '22:00', lasts: 1h}]}"
    waiting = night(WAIT[:-1] + declared)
    assert seen_at_start(waiting, "no-declared-work").kind is VerdictKind.DUE
    assert ended(waiting).exit_code == ExitCode.OK
    assert moment_of(waiting, "dismount") >= OPENS + timedelta(hours=1)


@pytest.mark.parametrize(("kind", "is_taken_down"), [("backup", True), ("patching", False)])
def test_declared_backups_can_be_suspended_patching_cannot(kind: str, is_taken_down: bool) -> None:
    work = (
        f"other_work:\n  theirs: {{kind: {kind}, servers: [EX01], zone: Europe/Berlin,"
        ' days: [SAT], from: "22:00", to: "23:50"}\n'
    )
    held = night(SUSPEND, inventory_text=INVENTORY + work)
    result = ended(held)
    assert ("dismount" in kinds(held)) is is_taken_down
    assert (result.exit_code == ExitCode.OK) is is_taken_down
    assert kinds(held).count("backups-released") == kinds(held).count("backups-held") == 1


def test_a_suspended_backup_goes_on_after_the_work() -> None:
    held = night(SUSPEND)
    task = schedule_task(held, AT + timedelta(minutes=2))
    begin_foreign_backup(held, lasts=timedelta(hours=5))
    assert ended(held).exit_code == ExitCode.OK
    assert task.state == "Ready"
    order = [each for each in kinds(held) if each in ("backups-held", "dismount", "mount")]
    assert order == ["backups-held", "dismount", "mount"]
    assert kinds(held).index("backups-released") > kinds(held).index("mount")


def test_it_goes_on_whatever_becomes_of_the_work() -> None:
    held = night(SUSPEND)
    task = schedule_task(held, AT + timedelta(minutes=2))
    held.performer.world.faults.fail_next_eseutil("/d", error=-1018)
    assert ended(held).exit_code == ExitCode.STOPPED
    assert task.state == "Ready"


def test_a_suspend_command_that_fails_ends_the_run_before_the_outage() -> None:
    held = night(SUSPEND.replace("hold", "hold-all"))
    result = ended(held)
    assert result.exit_code == ExitCode.STOPPED
    assert "suspend-backups" in result.databases[0].why
    assert "dismount" not in kinds(held)


def test_a_controller_that_dies_anywhere_leaves_nothing_suspended() -> None:
    held = night(SUSPEND)
    schedule_task(held, AT + timedelta(minutes=2))

    def judge(after: Night, result: RunResult) -> None:
        assert after.performer.world.hosts["EX01"].tasks[TASK].state == "Ready"
        assert kinds(after).count("backups-held") == 1

    crash_everywhere(held, every=9, judge=judge)
