"""Every end that a run can have, and what the machine refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest

from goexchange.driver import effects as to_do
from goexchange.driver import events as came
from goexchange.driver.events import IllegalEvent, Request
from goexchange.driver.machine import Machine
from goexchange.errors import ExitCode
from goexchange.model.plan import Action, ScriptCall
from goexchange.model.run import LaneState, OutcomeKind, RecordKind, RunResult
from tests.driver.plans import (
    NOW,
    ORIGINAL,
    TEMPORARY,
    plan_of,
    process_lanes,
    rebuild_lane,
    verify_lane,
    with_step,
)
from tests.driver.twin import RUN, ScriptedGuards, Twin, drive, machine_of


def run(twin: Twin, *lanes: object, **rules: object) -> RunResult:
    plan = plan_of(*(lanes or (rebuild_lane(),)), **rules)  # type: ignore[arg-type]
    return drive(machine_of(plan, twin), twin)


def kinds(twin: Twin, kind: RecordKind) -> list[dict[str, object]]:
    return [dict(record.data) for record in twin.journal if record.kind is kind]


def is_back_as_it_was(twin: Twin) -> bool:
    calm = (twin.is_mounted, twin.at_startup, twin.sentinel, twin.files[ORIGINAL]) == (
        True,
        True,
        False,
        "old",
    )
    return calm and TEMPORARY not in twin.files and twin.recovery == "closed"


def test_a_quiet_night_is_done() -> None:
    twin = Twin()
    result = run(twin)
    assert (result.exit_code, result.verdict) == (ExitCode.OK, "done")
    assert twin.fed > 0, "the sentinel is fed while the database is down"
    assert [notice["event"] for notice in kinds(twin, RecordKind.NOTICE)] == [
        "storage-offline",
        "storage-online",
    ]


@pytest.mark.parametrize("fails", ["/k", "/g", "/d", "copy-files", "hash-files"])
def test_what_fails_before_the_swap_mounts_the_original(fails: str) -> None:
    twin = Twin(tool_fails={fails})
    result = run(twin)
    assert (result.exit_code, result.databases[0].state) == (ExitCode.STOPPED, LaneState.FAILED)
    assert is_back_as_it_was(twin)
    assert twin.effects["swap"] == 0


def test_a_failure_within_the_budget_is_partial() -> None:
    twin = Twin(tool_fails={"/d"})
    assert run(twin, failures_max=1).exit_code == ExitCode.PARTIAL


def test_a_damaged_copy_never_lets_the_swap_happen() -> None:
    twin = Twin(is_copy_damaged=True)
    result = run(twin)
    assert "differs from its source" in result.databases[0].why
    assert is_back_as_it_was(twin)


def test_a_job_that_is_lost_with_its_host_takes_the_way_back() -> None:
    twin = Twin(lost_job_kinds={"copy-files"})
    assert run(twin).exit_code == ExitCode.STOPPED
    assert is_back_as_it_was(twin)


def test_a_job_that_does_not_end_is_cancelled_at_its_limit() -> None:
    twin = Twin(is_rebuild_endless=True)
    lane = with_step(rebuild_lane(), Action.REBUILD, time_limit_s=100)
    assert "time limit" in run(twin, lane).databases[0].why
    assert not [job for job in twin.jobs.values() if job.state == "running"]
    assert is_back_as_it_was(twin)


def test_a_new_file_that_does_not_mount_is_swapped_back() -> None:
    twin = Twin(unmountable={"new"})
    result = run(twin)
    assert (result.exit_code, twin.effects["swap back"]) == (ExitCode.STOPPED, 1)
    assert (twin.is_mounted, twin.files[ORIGINAL], twin.at_startup) == (True, "old", True)


def test_a_swap_that_stops_half_way_is_taken_back() -> None:
    twin = Twin(tool_fails={"swap-half"})
    assert run(twin).exit_code == ExitCode.STOPPED
    assert (twin.is_mounted, twin.files[ORIGINAL]) == (True, "old")


def test_nothing_mounts_and_a_person_is_told_what_to_type() -> None:
    twin = Twin(unmountable={"new", "old"})
    result = run(twin)
    database = result.databases[0]
    assert (result.exit_code, database.state) == (ExitCode.ROLLBACK_FAILED, LaneState.LEFT_OFFLINE)
    assert database.commands == ("Mount-Database -Identity 'DB05'",)
    assert twin.at_startup, "the setting is back, and the original in its place"
    assert twin.sentinel, "it speaks until somebody mounts it"


def test_a_file_that_does_not_stay_mounted_is_left_offline_and_never_replaced() -> None:
    twin = Twin()
    plan = plan_of(rebuild_lane())
    machine = machine_of(plan, twin)
    while not (
        isinstance(effect := machine.next(twin.now), to_do.Send) and "confirm" in effect.purpose
    ):
        machine.accept(twin.perform(effect), twin.now)
    twin.is_mounted = False
    result = drive(machine, twin)
    assert result.exit_code == ExitCode.LEFT_OFFLINE
    assert twin.files[ORIGINAL] == "new" and twin.effects["swap back"] == 0


@pytest.mark.parametrize("twin", [Twin(tool_fails={"wbadmin"}), Twin(is_proving=False)])
def test_without_a_proved_backup_it_is_unprotected(twin: Twin) -> None:
    result = run(twin)
    assert (result.exit_code, result.databases[0].state) == (
        ExitCode.UNPROTECTED,
        LaneState.UNPROTECTED,
    )
    assert twin.is_mounted and twin.files[ORIGINAL] == "new" and twin.at_startup
    assert result.databases[0].commands == (
        "wbadmin start backup -backupTarget:E: -include:D: -vssFull -quiet",
    )


def test_a_guard_before_the_outage_ends_the_lane_before_it() -> None:
    twin = Twin(blocked={"no-backup-running"})
    result = run(twin)
    assert result.exit_code == ExitCode.STOPPED
    assert twin.effects["Dismount-Database old"] == 0
    assert is_back_as_it_was(twin)


@pytest.mark.parametrize("guard", ["clean-shutdown", "verified-set"])
def test_a_guard_during_the_outage_takes_the_way_back(guard: str) -> None:
    twin = Twin(blocked={guard})
    result = run(twin)
    assert guard in result.databases[0].why
    assert is_back_as_it_was(twin)


def test_a_guard_that_gives_no_verdict_blocks() -> None:
    class Silent(ScriptedGuards):
        def before_step(self, *arguments: object) -> tuple[()]:
            return ()

    twin = Twin()
    result = drive(Machine(plan=plan_of(rebuild_lane()), run=RUN, guards=Silent(twin)), twin)
    assert "not decided" in result.databases[0].why
    assert twin.effects["Dismount-Database old"] == 0


@pytest.mark.parametrize(("mount_s", "is_turned"), [(0, False), (600, True)])
def test_the_longest_run_keeps_the_time_for_mounting_and_the_way_back_free(
    mount_s: int, is_turned: bool
) -> None:
    lane = with_step(rebuild_lane(), Action.MOUNT, estimate_s=mount_s, estimate_p90_s=mount_s)
    quiet = Twin()
    assert run(quiet, lane).exit_code == ExitCode.OK
    took_s = int((quiet.journal[-1].at_utc - quiet.journal[0].at_utc).total_seconds())
    result = run(Twin(), lane, run_time_max_s=took_s + 300)
    assert result.databases[0].why.startswith("overrun") is is_turned


def test_the_overrun_deadline_takes_the_way_back_before_the_swap_only() -> None:
    twin = Twin()
    result = run(twin, latest_swap_utc=NOW + timedelta(seconds=45))
    assert result.databases[0].why.startswith("overrun")
    assert (result.exit_code, is_back_as_it_was(twin)) == (ExitCode.STOPPED, True)
    late = Twin()
    assert (
        run(late, latest_swap_utc=NOW + timedelta(seconds=45), overrun="finish").exit_code
        == ExitCode.OK
    )


def test_no_outage_begins_after_the_deadline() -> None:
    twin = Twin()
    assert run(twin, run_time_max_s=1).exit_code == ExitCode.STOPPED
    assert twin.effects["Dismount-Database old"] == 0


@pytest.mark.parametrize("seconds", [3, 20, 40])
def test_abort_takes_the_way_back_at_once(seconds: int) -> None:
    twin = Twin(asked=[(NOW + timedelta(seconds=seconds), Request.ABORT)])
    result = run(twin)
    assert result.databases[0].why.startswith("abort")
    assert (result.exit_code, is_back_as_it_was(twin)) == (ExitCode.STOPPED, True)
    assert kinds(twin, RecordKind.REQUEST) == [{"request": "abort", "by": "operator"}]


def test_stop_finishes_the_database_in_hand_and_undoes_what_was_done_for_it() -> None:
    before, after = process_lanes()
    twin = Twin(asked=[(NOW + timedelta(seconds=20), Request.STOP)])
    result = run(twin, before, rebuild_lane(), after)
    assert result.databases[0].state is LaneState.DONE
    assert twin.effects["job command"] == 2, "the process that undoes another runs whatever happens"


def test_a_failed_lane_stops_the_next_but_not_what_undoes() -> None:
    before, after = process_lanes()
    twin = Twin(tool_fails={"command"})
    result = run(twin, before, rebuild_lane(), after)
    assert result.databases[0].state is LaneState.SKIPPED
    assert (result.exit_code, twin.effects["job command"]) == (ExitCode.STOPPED, 2)


@pytest.mark.parametrize("fails", [set(), {"/d"}, {"command"}, {"wbadmin"}])
def test_what_a_tool_prints_is_kept_without_its_secrets(fails: set[str]) -> None:
    before, after = process_lanes()
    twin = Twin(echo="tool -Password hunter2\r\n", tool_fails=fails)
    run(twin, before, rebuild_lane(), after, verify_lane())
    kept = [str(one["output_tail"]) for one in kinds(twin, RecordKind.OUTCOME)]
    assert any("-Password ***" in each for each in kept)
    assert not [record for record in twin.journal if "hunter2" in str(record.data)]


def test_a_denied_lease_changes_nothing() -> None:
    twin = Twin(denied="EX01 is held by there:9 since 20:00 until 20:05")
    result = run(twin)
    assert (result.exit_code, result.verdict) == (ExitCode.LOCKED, twin.denied)
    assert not twin.journal and not twin.effects and not twin.sends


def test_a_lost_lease_sends_and_writes_nothing_more() -> None:
    twin = Twin()
    plan = plan_of(rebuild_lane())
    machine = machine_of(plan, twin)
    while twin.is_mounted:
        machine.accept(twin.perform(machine.next(twin.now)), twin.now)
    twin.renewal_denied = True
    before = twin.sends
    twin.now += timedelta(seconds=400)  # the process was frozen past its lease
    while not isinstance(effect := machine.next(twin.now), to_do.Finish):
        if isinstance(effect, to_do.RenewLeases):
            before, length = twin.sends, len(twin.journal)
        machine.accept(twin.perform(effect), twin.now)
    assert (effect.result.exit_code, twin.sends, len(twin.journal)) == (
        ExitCode.LEFT_OFFLINE,
        before,
        length,
    )
    assert "lease lost" in effect.result.verdict


def test_a_host_that_fences_us_off_ends_the_run() -> None:
    twin = Twin(refusals={"start-job": ["fenced"]})
    result = run(twin)
    assert (result.exit_code, twin.is_mounted) == (ExitCode.LEFT_OFFLINE, False)


@pytest.mark.parametrize(
    ("guard", "code"),
    [("premises", ExitCode.STALE), ("approval", ExitCode.UNAPPROVED), ("start", ExitCode.NOT_NOW)],
)
def test_a_guard_of_the_start_refuses_and_nothing_is_written(guard: str, code: ExitCode) -> None:
    twin = Twin(blocked={guard})
    assert run(twin).exit_code == code
    assert not twin.journal and not twin.effects


def test_looking_that_cannot_tell_asks_a_person_and_a_resume_looks_again() -> None:
    plan, twin = plan_of(rebuild_lane()), Twin()
    twin.lose = lambda number, send: "after" if "dismount" in send.purpose else None
    result = drive(machine_of(plan, twin), twin)
    assert result.exit_code == ExitCode.UNKNOWN
    assert result.databases[0].commands[0] == "goexchange resume r1"
    assert kinds(twin, RecordKind.QUESTION)[0]["choices"] == ["done", "not-done", "look-again"]
    twin.lose = lambda number, send: None
    assert drive(machine_of(plan, twin), twin).exit_code == ExitCode.OK
    assert twin.effects["Dismount-Database old"] == 1


def test_a_host_that_never_answers_brings_no_endless_loop() -> None:
    twin = Twin(lose=lambda number, send: "before" if send.purpose != "claim" else None)
    result = run(twin)
    assert result.exit_code in (ExitCode.STOPPED, ExitCode.UNKNOWN)
    assert twin.is_mounted


def test_what_was_so_already_is_journalled_so() -> None:
    twin = Twin(refusals={"Set-MailboxDatabase": ["busy"]}, at_startup=False)
    assert run(twin).exit_code == ExitCode.OK
    outcomes = [
        one["outcome"] for one in kinds(twin, RecordKind.OUTCOME) if "05-set" in str(one["step"])
    ]
    assert outcomes == [OutcomeKind.ALREADY.value]


def test_a_step_with_attempts_left_is_tried_again() -> None:
    twin = Twin(refusals={"Mount-Database": ["busy"]})
    lane = with_step(rebuild_lane(), Action.MOUNT, attempts_max=2)
    assert run(twin, lane).exit_code == ExitCode.OK
    assert [
        one["attempt"] for one in kinds(twin, RecordKind.OUTCOME) if "19-mount" in str(one["step"])
    ] == [1, 2]


def test_a_database_taken_down_to_be_looked_at_comes_back() -> None:
    twin = Twin(tool_fails={"/k"})
    assert run(twin, verify_lane()).exit_code == ExitCode.STOPPED
    assert is_back_as_it_was(twin)
    assert run(Twin(), verify_lane()).exit_code == ExitCode.OK


def test_passes_repeat_until_nothing_is_found() -> None:
    twin = Twin()
    assert run(twin, rebuild_lane(with_passes=True)).exit_code == ExitCode.OK
    assert [kind for kind, _, _ in twin.repairs] == ["FolderView"]


def test_an_event_that_answers_nothing_is_refused_and_changes_nothing() -> None:
    plan, twin = plan_of(rebuild_lane()), Twin()
    wrong: tuple[came.Event, ...] = (
        came.Woke(),
        came.Released(),
        came.Answered(result={}),
        came.Appended(records=()),
        came.LeasesDenied(message="x"),
        came.Lost(message="x"),
        came.Refused(code="x", message="x"),
    )
    machine = machine_of(plan, twin)
    with pytest.raises(IllegalEvent):
        machine.accept(came.Woke(), twin.now)
    while not isinstance(effect := machine.next(twin.now), to_do.Finish):
        for event in wrong:
            if type(event) not in came.LEGAL_EVENTS[type(effect)] or isinstance(
                event, came.Appended
            ):
                state = machine.state
                with pytest.raises(IllegalEvent):
                    machine.accept(event, twin.now)
                assert machine.next(twin.now) is effect and machine.state is state
        machine.accept(twin.perform(effect), twin.now)
    with pytest.raises(IllegalEvent):
        machine.accept(came.Woke(), twin.now)
    assert machine.is_finished and effect.result.exit_code == ExitCode.OK


def test_a_process_that_is_told_to_end_never_hides_a_database_that_is_down() -> None:
    twin = Twin()
    machine = machine_of(plan_of(rebuild_lane()), twin)
    machine.accept(twin.perform(machine.next(twin.now)), twin.now)
    assert machine.standing(ExitCode.TERMINATED).exit_code == ExitCode.TERMINATED
    while twin.is_mounted:
        machine.accept(twin.perform(machine.next(twin.now)), twin.now)
    while not isinstance(machine.next(twin.now), to_do.Append):
        machine.accept(twin.perform(machine.next(twin.now)), twin.now)
    assert machine.standing(ExitCode.TERMINATED).exit_code == ExitCode.UNKNOWN
    while machine.state.in_doubt:
        machine.accept(twin.perform(machine.next(twin.now)), twin.now)
    assert machine.standing(ExitCode.TERMINATED).exit_code == ExitCode.LEFT_OFFLINE


def test_a_clock_that_goes_back_moves_nothing_back() -> None:
    twin = Twin()
    machine = machine_of(plan_of(rebuild_lane()), twin)
    for number in range(10_000):
        effect = machine.next(twin.now)
        if isinstance(effect, to_do.Finish):
            break
        event = twin.perform(effect)
        machine.accept(event, twin.now - timedelta(hours=1) if number % 7 == 0 else twin.now)
    assert effect.result.exit_code == ExitCode.OK


def test_a_plan_whose_scripts_are_not_the_packaged_ones_is_refused() -> None:
    twin = Twin()
    other = ScriptCall(script="claim-fence", digest="0" * 64, arguments={})
    lane = with_step(rebuild_lane(), Action.PLACE_SENTINEL, call=other)
    result = run(twin, lane)
    assert result.exit_code == ExitCode.STALE
    assert "claim-fence" in result.verdict
    assert not twin.journal


@pytest.mark.parametrize("is_endless", [False, True])
def test_a_long_verification_keeps_lease_and_sentinel_alive(is_endless: bool) -> None:
    twin = Twin()
    machine = machine_of(plan_of(rebuild_lane()), twin)
    asked, renewed, fed = 0, 0, 0
    while not isinstance(effect := machine.next(twin.now), to_do.Finish):
        renewed += isinstance(effect, to_do.RenewLeases) and 0 < asked < 200
        if isinstance(effect, to_do.VerifySet) and (asked < 200 or is_endless):
            asked, fed = asked + 1, twin.fed if asked == 0 else fed
            twin.now += timedelta(seconds=600 if is_endless else 5)
            machine.accept(came.Woke(), twin.now)
            continue
        machine.accept(twin.perform(effect), twin.now)
    assert renewed > 3 and twin.fed - fed > 10
    assert effect.result.exit_code == (ExitCode.STOPPED if is_endless else ExitCode.OK)
    assert is_endless is (twin.files[ORIGINAL] == "old")


def test_a_verdict_about_another_set_is_no_verdict() -> None:
    twin = Twin(is_set_exchanged=True)
    assert "another set" in run(twin).databases[0].why
    assert is_back_as_it_was(twin)
