"""A run that ended badly is gone on with: what is owed is looked at and tried again, no more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from attrs import evolve

from goexchange.driver import effects as to_do
from goexchange.driver.ending import commands_for
from goexchange.driver.invariants import Watch
from goexchange.errors import ExitCode
from goexchange.journal.chain import Draft, seal
from goexchange.journal.replay import replay
from goexchange.model.actual import OpenRecovery
from goexchange.model.plan import Action, JobCall, Plan
from goexchange.model.run import LaneState, RecordKind, RunResult
from goexchange.plan.calls import equals
from goexchange.powershell import cmdlets
from tests.driver.plans import (
    ASIDE,
    GUID,
    KEPT,
    NOW,
    ORIGINAL,
    plan_of,
    rebuild_lane,
    verify_lane,
    with_step,
)
from tests.driver.twin import Twin, drive, fork, machine_of

PLAN = plan_of(rebuild_lane())


def ended(twin: Twin, plan: Plan = PLAN) -> RunResult:
    return drive(machine_of(plan, twin), twin)


def until(twin: Twin, purpose: str, plan: Plan = PLAN, *, takes_effect: bool) -> None:
    """Drive to the sending of a step, and die there."""
    machine = machine_of(plan, twin)
    while not (
        isinstance(effect := machine.next(twin.now), to_do.Send)
        and effect.purpose.endswith(purpose)
    ):
        machine.accept(twin.perform(effect), twin.now)
    if takes_effect:
        twin.perform(effect)


def put_back(twin: Twin, *, mounted: bool = True) -> None:
    """A person does what RECOVERY.txt says."""
    twin.files[ASIDE] = twin.files.pop(ORIGINAL)
    twin.files[ORIGINAL] = twin.files.pop(KEPT)
    twin.is_mounted = mounted


def is_tidy(twin: Twin) -> bool:
    return (twin.is_mounted, twin.at_startup, twin.sentinel, twin.recovery) == (
        True,
        True,
        False,
        "closed",
    )


def records(twin: Twin, kind: RecordKind) -> list[dict[str, object]]:
    return [dict(record.data) for record in twin.journal if record.kind is kind]


def is_mounting_old(twin: Twin) -> bool:
    twin.unmountable = {"new", "old"}
    return ended(twin).exit_code == ExitCode.ROLLBACK_FAILED


def test_a_database_that_was_left_down_is_mounted_by_the_resume() -> None:
    twin = Twin()
    assert is_mounting_old(twin)
    twin.unmountable = {"new"}
    result = ended(twin)
    assert (result.exit_code, result.databases[0].state) == (ExitCode.STOPPED, LaneState.FAILED)
    assert is_tidy(twin) and twin.files[ORIGINAL] == "old"
    assert (twin.effects["swap back"], twin.effects["swap"]) == (1, 1)
    resumed = records(twin, RecordKind.RUN_RESUMED)[-1]
    assert resumed["lanes_again"] == ["EX01/DB05"]


def test_a_database_that_still_does_not_mount_is_left_down_again_and_said_so() -> None:
    twin = Twin()
    assert is_mounting_old(twin)
    result = ended(twin)
    assert result.exit_code == ExitCode.ROLLBACK_FAILED and result.databases[0].commands
    assert twin.sentinel and twin.recovery == "open"


def test_a_database_mounted_by_hand_meanwhile_is_seen_and_tidied_up() -> None:
    twin = Twin()
    assert is_mounting_old(twin)
    twin.is_mounted = True
    mounts = twin.sends
    result = ended(twin)
    assert result.exit_code == ExitCode.STOPPED and is_tidy(twin)
    assert not twin.effects["Mount-Database old"], "a person did it"
    assert twin.sends > mounts
    looked = [one for one in records(twin, RecordKind.LOOKED) if one["cause"] == "resume"]
    assert [one["meaning"] for one in looked] == ["done"]
    assert ended(twin).exit_code == ExitCode.STOPPED, "and now there is nothing left to do"
    assert len(records(twin, RecordKind.RUN_RESUMED)) == 1


def test_a_rebuilt_file_mounted_by_hand_is_never_replaced_and_is_backed_up() -> None:
    """The way back could not begin; a person has mounted the rebuilt file, and it takes mail."""
    twin = Twin(unmountable={"new"}, refusals={"swap-back": ["file-in-use"]})
    assert ended(twin).exit_code == ExitCode.ROLLBACK_FAILED
    twin.is_mounted = True
    result = ended(twin)
    assert (result.exit_code, result.databases[0].state) == (ExitCode.OK, LaneState.DONE)
    assert is_tidy(twin)
    assert (twin.files[ORIGINAL], twin.effects["swap back"]) == ("new", 0)
    assert twin.effects["job wbadmin"] == 1


def test_a_swap_back_that_failed_is_tried_again() -> None:
    twin = Twin(unmountable={"new"}, refusals={"swap-back": ["file-in-use"]})
    assert ended(twin).exit_code == ExitCode.ROLLBACK_FAILED
    assert ended(twin).exit_code == ExitCode.STOPPED
    assert is_tidy(twin) and twin.files[ORIGINAL] == "old"
    assert not twin.effects["Mount-Database new"], "what did not mount is not tried again"


def test_a_new_file_that_went_down_is_mounted_again_and_nothing_older_takes_its_place() -> None:
    twin = Twin()
    machine = machine_of(PLAN, twin)
    while not (
        isinstance(effect := machine.next(twin.now), to_do.Send) and "confirm" in effect.purpose
    ):
        machine.accept(twin.perform(effect), twin.now)
    twin.is_mounted, twin.unmountable = False, {"new"}
    assert drive(machine, twin).exit_code == ExitCode.LEFT_OFFLINE
    assert ended(twin).exit_code == ExitCode.LEFT_OFFLINE
    assert (twin.files[ORIGINAL], twin.effects["swap back"]) == ("new", 0)
    twin.unmountable = set()
    assert ended(twin).exit_code == ExitCode.OK
    assert is_tidy(twin) and twin.files[ORIGINAL] == "new"


def test_a_database_taken_down_to_be_looked_at_is_mounted_by_the_resume() -> None:
    twin, plan = Twin(unmountable={"old"}), plan_of(verify_lane())
    assert ended(twin, plan).exit_code == ExitCode.ROLLBACK_FAILED
    twin.unmountable = set()
    assert ended(twin, plan).exit_code == ExitCode.OK, "it was looked at, and it is back"
    assert is_tidy(twin)


def test_a_failed_backup_is_started_again_by_the_resume() -> None:
    twin = Twin(tool_fails={"wbadmin"})
    assert ended(twin).exit_code == ExitCode.UNPROTECTED
    twin.tool_fails = set()
    result = ended(twin)
    assert (result.exit_code, result.databases[0].commands) == (ExitCode.OK, ())
    assert twin.effects["job wbadmin"] == 2
    assert (twin.effects["Mount-Database new"], twin.effects["swap"]) == (1, 1)


def test_a_backup_that_was_not_proved_is_proved_by_the_resume_or_made_again() -> None:
    twin = Twin(is_proving=False)
    assert ended(twin).exit_code == ExitCode.UNPROTECTED
    twin.is_proving = True
    assert ended(twin).exit_code == ExitCode.OK
    assert twin.effects["job wbadmin"] == 1, "the time stamp came late, the backup was good"
    other = Twin(is_proving=False)
    assert ended(other).exit_code == ExitCode.UNPROTECTED
    assert ended(other).exit_code == ExitCode.UNPROTECTED
    assert other.effects["job wbadmin"] == 2


@pytest.mark.parametrize("action", [Action.RESTORE_MOUNT_AT_STARTUP, Action.REMOVE_SENTINEL])
def test_what_was_not_put_back_is_put_back_by_the_resume(action: Action) -> None:
    twin = Twin()
    name = "Set-MailboxDatabase" if action is Action.RESTORE_MOUNT_AT_STARTUP else "sentinel"
    until(twin, "-confirm-mounted", takes_effect=False)
    twin.refusals = {name: ["busy"]} if name != "sentinel" else {}
    if name == "sentinel":
        twin.refusing_sentinel = True
    assert ended(twin).exit_code == ExitCode.STOPPED
    twin.refusing_sentinel = False
    assert ended(twin).exit_code == ExitCode.OK
    assert is_tidy(twin)


def test_a_backup_that_a_guard_held_up_is_made_by_the_resume() -> None:
    twin = Twin()
    lane = with_step(rebuild_lane(), Action.ONLINE_BACKUP, guards=("backup-free",))
    twin.blocked = {"backup-free"}
    assert ended(twin, plan_of(lane)).exit_code == ExitCode.UNPROTECTED
    twin.blocked = set()
    assert ended(twin, plan_of(lane)).exit_code == ExitCode.OK
    assert is_tidy(twin) and twin.effects["job wbadmin"] == 1


def left_down() -> Twin:
    twin = Twin(unmountable={"new"}, refusals={"swap-back": ["file-in-use"]})
    assert ended(twin).exit_code == ExitCode.ROLLBACK_FAILED
    twin.unmountable = set()  # it would mount now, and is not tried: the way back goes on
    return twin


def mounted_by_hand() -> Twin:
    twin = left_down()
    twin.is_mounted = True
    return twin


def unprotected() -> Twin:
    twin = Twin(tool_fails={"wbadmin"})
    assert ended(twin).exit_code == ExitCode.UNPROTECTED
    twin.tool_fails = set()
    return twin


@pytest.mark.parametrize(
    ("begin", "code", "effect", "in_place"),
    [
        (left_down, ExitCode.STOPPED, "Mount-Database old", "old"),
        (mounted_by_hand, ExitCode.OK, "job wbadmin", "new"),
        (unprotected, ExitCode.OK, "job wbadmin", "new"),
    ],
)
def test_a_kill_in_the_resume_of_an_ended_run_changes_nothing(
    begin: Callable[[], Twin], code: ExitCode, effect: str, in_place: str
) -> None:
    twin = begin()
    before = twin.effects[effect]
    machine, points = machine_of(PLAN, twin), 0
    while not isinstance(coming := machine.next(twin.now), to_do.Finish):
        event = twin.perform(coming)
        points += 1
        left = fork(twin)
        assert ended(left).exit_code == code, coming
        assert is_tidy(left) and left.files[ORIGINAL] == in_place
        assert left.effects[effect] == before + 1, coming
        assert not left.effects["Mount-Database new"] or in_place == "new"
        machine.accept(event, twin.now)
    assert points > 15


def test_nothing_that_leads_away_may_be_opened_again() -> None:
    twin = Twin()
    ended(twin)
    watch = Watch(PLAN, twin.journal)
    for step in PLAN.body.lanes[0].steps:
        resumed = {"lanes_again": ["EX01/DB05"], "steps_again": [step.id], "steps_in_doubt": []}
        found = watch.violations(RecordKind.RUN_RESUMED, resumed)
        is_harmful = step.action in (Action.SWAP, Action.DISMOUNT, Action.REBUILD, Action.COPY_SET)
        assert not is_harmful or [one.invariant for one in found] == ["I5"], step.id


def test_the_point_of_no_return_is_not_forgotten_when_a_mount_is_opened_again() -> None:
    twin = Twin()
    ended(twin)
    lane = PLAN.body.lanes[0]
    mount = next(step for step in lane.steps if step.action is Action.MOUNT)
    back = next(step for step in lane.steps if step.action is Action.SWAP_BACK)
    watch = Watch(PLAN, twin.journal)
    opened = {"lanes_again": [lane.id], "steps_again": [mount.id], "steps_in_doubt": []}
    intent = {"step": back.id, "lane": lane.id, "attempt": 1, "call": {}}
    watch.take(seal([Draft(RecordKind.RUN_RESUMED, opened)], after=twin.journal[-1], at=NOW)[0])
    assert [one.invariant for one in watch.violations(RecordKind.INTENT, intent)] == ["I17"]


@pytest.mark.parametrize("mounted", [True, False])
@pytest.mark.parametrize(
    ("purpose", "takes_effect"), [("-swap", True), ("-mount", False), ("-mount", True)]
)
def test_an_original_put_back_by_hand_is_not_taken_for_the_rebuilt_file(
    purpose: str, takes_effect: bool, mounted: bool
) -> None:
    twin = Twin()
    until(twin, purpose, takes_effect=takes_effect)
    put_back(twin, mounted=mounted)
    result = ended(twin)
    assert (result.exit_code, result.databases[0].state) == (ExitCode.STOPPED, LaneState.FAILED)
    assert "a person has put the original back" in result.databases[0].why
    assert is_tidy(twin) and twin.files[ORIGINAL] == "old"
    assert twin.record["rebuilt_at_utc"] is None
    assert twin.record["signature"] == twin.signature_of("old")
    assert not twin.effects["job wbadmin"], "nothing was rebuilt"


def test_a_record_never_speaks_of_a_file_that_is_not_in_place() -> None:
    """The original came back while the online backup ran."""
    twin = Twin()
    until(twin, "-online-backup", takes_effect=True)
    put_back(twin)
    result = ended(twin)
    assert result.databases[0].state is LaneState.FAILED
    assert "a person has put the original back" in result.databases[0].why
    assert twin.record["rebuilt_at_utc"] is None and twin.record["protected_at_utc"] is None


def test_no_record_is_written_when_nobody_can_tell_which_file_is_in_place() -> None:
    twin = Twin()
    until(twin, "-online-backup", takes_effect=True)
    del twin.files[KEPT]
    result = ended(twin)
    assert "which file is in place cannot be told" in result.databases[0].why
    assert not twin.record


def test_a_mount_in_doubt_with_an_unknown_file_is_asked_about() -> None:
    twin = Twin()
    until(twin, "-mount", takes_effect=True)
    del twin.files[KEPT]
    result = ended(twin)
    assert result.exit_code == ExitCode.LEFT_OFFLINE, "it is not said to be in service"
    assert records(twin, RecordKind.QUESTION)
    assert result.databases[0].commands[0] == "goexchange resume r1"
    assert not any("Rename" in one or "Move" in one for one in result.databases[0].commands)


def test_a_new_store_raises_its_numbers_above_the_host_s() -> None:
    twin = Twin(claimed=41)
    assert ended(twin).exit_code == ExitCode.OK
    assert twin.claimed == 42
    assert [one["number"] for one in records(twin, RecordKind.LEASE)][0] == 42


def test_a_number_that_a_host_tells_only_when_it_refuses_is_raised_too() -> None:
    twin = Twin()
    machine = machine_of(PLAN, twin)
    while not (
        isinstance(effect := machine.next(twin.now), to_do.Send) and effect.purpose == "claim"
    ):
        machine.accept(twin.perform(effect), twin.now)
    twin.claimed = 7
    assert drive(machine, twin).exit_code == ExitCode.OK
    assert twin.claimed == 8


def test_a_run_of_another_store_that_has_not_ended_is_not_fenced_off() -> None:
    open_run = OpenRecovery(run="other", database_guid="g", opened_at_utc=NOW, phase="open")
    twin = Twin(claimed=41, recoveries=(open_run,))
    result = ended(twin)
    assert result.exit_code == ExitCode.LOCKED and "run other" in result.verdict
    assert not twin.journal and twin.claimed == 41, "no plan is spent"


def test_a_store_that_cannot_raise_is_refused_before_anything_is_written() -> None:
    twin = Twin(claimed=41, is_raising=False)
    result = ended(twin)
    assert result.exit_code == ExitCode.LOCKED and "41" in result.verdict
    assert not twin.journal


def with_passes() -> Plan:
    return plan_of(rebuild_lane(with_passes=True))


def test_old_and_foreign_repair_requests_are_not_ours() -> None:
    twin = Twin(
        repairs=[
            ("FolderView", NOW - timedelta(days=1), 5),
            ("SearchFolder", NOW + timedelta(hours=1), 9),
        ]
    )
    twin.now = NOW + timedelta(hours=2)
    assert ended(twin, with_passes()).exit_code == ExitCode.OK
    assert [kind for kind, _, _ in twin.repairs[2:]] == ["FolderView"], "one pass found nothing"


def test_a_repair_request_that_is_refused_for_another_is_sent_again_later() -> None:
    twin = Twin(repairs=[("SearchFolder", NOW, 0)])
    assert ended(twin, with_passes()).exit_code == ExitCode.OK
    mine = [created for kind, created, _ in twin.repairs if kind == "FolderView"]
    assert len(mine) == 1 and mine[0] >= NOW + timedelta(seconds=30)


def test_a_repair_request_that_is_refused_to_the_end_is_not_taken_for_done() -> None:
    twin = Twin(repairs=[("SearchFolder", NOW + timedelta(days=3), 0)])
    lane = with_step(rebuild_lane(with_passes=True), Action.REPAIR_REQUEST, time_limit_s=600)
    assert ended(twin, plan_of(lane)).exit_code == ExitCode.OK, "it may fail"
    outcomes = [one for one in records(twin, RecordKind.OUTCOME) if "repair" in str(one["step"])]
    assert [one["outcome"] for one in outcomes] == ["failed"]


@pytest.mark.parametrize(("found", "outcome"), [(0, "done"), (3, "failed")])
def test_what_a_detection_found_is_judged_when_it_has_ended(found: int, outcome: str) -> None:
    lane = with_step(
        rebuild_lane(with_passes=True),
        Action.REPAIR_REQUEST,
        postcondition=equals("ours.corruptions_detected", 0),
        repeat=None,
    )
    twin = Twin(repair_finds=found)
    assert ended(twin, plan_of(lane)).exit_code == ExitCode.OK, "it may fail"
    outcomes = [one for one in records(twin, RecordKind.OUTCOME) if "repair" in str(one["step"])]
    assert [one["outcome"] for one in outcomes] == [outcome]


def test_work_is_looked_at_soon_and_then_at_leisure() -> None:
    twin = Twin()
    machine, waits = machine_of(PLAN, twin), []
    while not isinstance(effect := machine.next(twin.now), to_do.Finish):
        if isinstance(effect, to_do.WaitUntil):
            waits.append((effect.moment - twin.now).total_seconds())
        machine.accept(twin.perform(effect), twin.now)
    assert min(waits) < 1 and max(waits) <= 60


def test_a_person_is_told_to_move_the_flush_maps_too_and_what_the_setting_was() -> None:
    twin = Twin(unmountable={"new"}, refusals={"swap-back": ["file-in-use"]})
    commands = ended(twin).databases[0].commands
    moved = [one.split("-Destination ")[1].strip("'} ") for one in commands if "Move-Item" in one]
    maps = [one.replace(".edb", ".jfm") for one in (ASIDE, ORIGINAL)]
    assert moved == [ASIDE, maps[0], ORIGINAL, maps[1]]
    assert all("Test-Path" in one for one in commands if ".jfm" in one)
    assert not any("MountAtStartup" in one for one in commands), "it is back already"
    lane = rebuild_lane()
    until(twin := Twin(), "-copy-set", takes_effect=True)
    state = replay(twin.journal)
    assert "Set-MailboxDatabase -Identity 'DB05' -MountAtStartup $true" in commands_for(lane, state)
    was_off = with_step(
        lane, Action.RESTORE_MOUNT_AT_STARTUP, call=cmdlets.set_mount_at_startup(GUID, False)
    )
    assert commands_for(was_off, state)[-1].endswith("-MountAtStartup $false")


def test_progress_says_how_much_there_is_and_findings_say_of_which_pass_they_are() -> None:
    lane = rebuild_lane()
    steps = tuple(
        evolve(step, call=evolve(step.call, expected_bytes=2_000_000))
        if isinstance(step.call, JobCall)
        else step
        for step in lane.steps
    )
    twin = Twin(tool_fails={"/g"})
    assert ended(twin, plan_of(evolve(lane, steps=steps))).exit_code == ExitCode.STOPPED
    found = [one["findings"] for one in records(twin, RecordKind.OUTCOME) if one["findings"]]
    text = "the database is corrupted"
    (finding,) = found[0]
    assert (finding["severity"], finding["pass_name"], finding["text"]) == (
        "error",
        "primary",
        text,
    )
    assert {one["total_bytes"] for one in records(twin, RecordKind.PROGRESS)} == {2_000_000}


def test_every_look_says_why_it_was_taken() -> None:
    twin = Twin()
    until(twin, "-dismount", takes_effect=True)
    twin.lose = lambda number, send: "after" if number == 60 else None
    ended(twin)
    causes = {one["cause"] for one in records(twin, RecordKind.LOOKED)}
    assert {"postcondition", "resume"} <= causes <= {"postcondition", "resume", "lost"}
