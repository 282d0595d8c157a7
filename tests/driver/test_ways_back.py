"""Between swap and first mount: the original, else the set; and whose logs may be moved."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from goexchange.driver import effects as to_do
from goexchange.driver.invariants import BrokenInvariant, Watch
from goexchange.errors import ExitCode
from goexchange.journal.chain import Draft
from goexchange.model.plan import Action, Lane, Plan
from goexchange.model.run import LaneState, Record, RecordKind
from tests.driver.plans import ASIDE, DATABASE, KEPT, ORIGINAL, SERVER, plan_of, rebuild_lane
from tests.driver.test_crashes import Killed, drive_until
from tests.driver.twin import Twin, drive, fork, machine_of

PLAN = plan_of(rebuild_lane())


def lane_of(plan: Plan) -> Lane:
    return plan.body.lanes[0]


def done(twin: Twin, plan: Plan = PLAN) -> list[Action]:
    """Steps of the lane that were sent, in the order in which they were first sent."""
    actions = {step.id: step.action for step in lane_of(plan).steps}
    sent = [one.data["step"] for one in twin.journal if one.kind is RecordKind.INTENT]
    return [actions[each] for each in dict.fromkeys(sent)]


def up_to_the_mount(twin: Twin) -> None:
    """Drive a run until the mount of the new file is about to be sent, and let its process die."""
    machine = machine_of(PLAN, twin)
    while not (
        isinstance(effect := machine.next(twin.now), to_do.Send)
        and effect.purpose.endswith("-mount")
    ):
        machine.accept(twin.perform(effect), twin.now)


def test_a_failed_mount_moves_the_logs_aside_and_mounts_the_original() -> None:
    twin = Twin(unmountable={"new"})
    result = drive(machine_of(PLAN, twin), twin)
    assert result.exit_code == ExitCode.STOPPED
    assert (twin.is_mounted, twin.files[ORIGINAL], twin.files[ASIDE]) == (True, "old", "new")
    assert twin.effects["logs moved"] == 1 and twin.logs == 0
    assert twin.effects["job copy-files"] == 1
    sent = done(twin)
    begin = sent.index(Action.SWAP_BACK)
    assert sent[begin : begin + 4] == [
        Action.SWAP_BACK,
        Action.MOVE_LOGS_ASIDE,
        Action.MOUNT_ORIGINAL,
        Action.CONFIRM_MOUNTED,
    ]


def test_without_a_tried_mount_the_log_stream_is_untouched() -> None:
    twin = Twin(tool_fails={"swap-half"})
    result = drive(machine_of(PLAN, twin), twin)
    assert result.exit_code == ExitCode.STOPPED and twin.is_mounted
    assert twin.files[ORIGINAL] == "old"
    assert (twin.logs, twin.effects["logs moved"]) == (3, 0)


@pytest.mark.parametrize("what", ["missing", "new"])
def test_an_original_that_is_lost_is_replaced_by_the_verified_set(what: str) -> None:
    twin = Twin(unmountable={"new"})
    up_to_the_mount(twin)
    del twin.files[KEPT]
    if what != "missing":
        twin.files[KEPT] = what
    result = drive(machine_of(PLAN, twin), twin)
    assert result.exit_code == ExitCode.STOPPED
    assert "the copy of the set is in its place" in result.databases[0].why
    assert (twin.is_mounted, twin.files[ORIGINAL], twin.at_startup) == (True, "old", True)
    assert twin.files[ASIDE] == "new", "the rebuilt file is kept"
    assert twin.effects["job copy-files"] == 2 and twin.effects["logs moved"] == 1


def test_a_copy_that_is_not_the_set_is_never_mounted() -> None:
    twin = Twin(unmountable={"new"})
    up_to_the_mount(twin)
    del twin.files[KEPT]
    twin.is_copy_damaged = True
    result = drive(machine_of(PLAN, twin), twin)
    assert result.exit_code == ExitCode.ROLLBACK_FAILED and not twin.is_mounted
    assert twin.effects["Mount-Database old"] == 0
    commands = result.databases[0].commands
    assert any(one.startswith("Copy-Item -LiteralPath 'E:\\sets\\") for one in commands)
    assert any(one.startswith("Get-FileHash") for one in commands)


def test_a_copy_that_fails_once_is_made_again() -> None:
    twin = Twin(unmountable={"new"})
    up_to_the_mount(twin)
    del twin.files[KEPT]
    twin.tool_fails = {"copy-files"}
    assert drive(machine_of(PLAN, twin), twin).exit_code == ExitCode.ROLLBACK_FAILED
    twin.tool_fails = set()
    twin.files.pop(ORIGINAL, None)
    assert drive(machine_of(PLAN, twin), twin).exit_code == ExitCode.STOPPED
    assert (twin.is_mounted, twin.files[ORIGINAL]) == (True, "old")


def test_a_set_that_would_be_copied_over_a_refusal_of_another_kind_is_not_used() -> None:
    """A file that somebody has open is not a lost one."""
    twin = Twin(unmountable={"new"}, refusals={"swap-back": ["file-in-use"]})
    result = drive(machine_of(PLAN, twin), twin)
    assert result.exit_code == ExitCode.ROLLBACK_FAILED
    assert twin.effects["job copy-files"] == 1 and KEPT in twin.files


def test_logs_that_another_database_uses_are_left_to_a_person() -> None:
    twin = Twin(unmountable={"new"}, others=("DB06",))
    result = drive(machine_of(PLAN, twin), twin)
    assert result.exit_code == ExitCode.LEFT_OFFLINE
    assert (twin.is_mounted, twin.files[ORIGINAL], twin.logs) == (False, "old", 3)
    asked = [one for one in twin.journal if one.kind is RecordKind.QUESTION]
    assert "DB06 may use the same logs" in asked[-1].data["evidence"]
    commands = result.databases[0].commands
    assert commands[0].startswith("goexchange resume ")
    assert any(one.startswith("Get-MailboxDatabase -Server 'EX01'") for one in commands)
    assert any("Move-Item -Destination 'L:\\DB05\\gx-logs-" in one for one in commands)
    assert commands[-2] == "Mount-Database -Identity 'DB05'"
    # The other database has gone elsewhere: the resume looks again, and goes on.
    twin.others = ()
    assert drive(machine_of(PLAN, twin), twin).exit_code == ExitCode.STOPPED
    assert (twin.is_mounted, twin.effects["logs moved"]) == (True, 1)


def test_logs_of_a_database_that_a_person_has_mounted_stay() -> None:
    twin = Twin(unmountable={"new"}, others=("DB06",))
    assert drive(machine_of(PLAN, twin), twin).exit_code == ExitCode.LEFT_OFFLINE
    twin.is_mounted = True
    assert drive(machine_of(PLAN, twin), twin).exit_code == ExitCode.STOPPED
    assert (twin.logs, twin.effects["logs moved"], twin.sentinel) == (3, 0, False)


def test_a_kill_at_any_effect_of_the_way_over_the_set_changes_nothing() -> None:
    first = Twin(unmountable={"new"})
    up_to_the_mount(first)
    del first.files[KEPT]
    machine, points = machine_of(PLAN, first), 0
    while not isinstance(effect := machine.next(first.now), to_do.Finish):
        event = first.perform(effect)
        points += 1
        left = fork(first)
        result = drive(machine_of(PLAN, left), left)
        assert result.exit_code == ExitCode.STOPPED, (effect, result)
        assert (left.is_mounted, left.files[ORIGINAL], left.at_startup) == (True, "old", True)
        assert (left.effects["Mount-Database old"], left.effects["job copy-files"]) == (1, 2)
        assert (left.effects["set aside"], left.effects["logs moved"]) == (1, 1), effect
        machine.accept(event, first.now)
    assert points > 40


def test_a_failure_after_the_first_mount_puts_nothing_old_back() -> None:
    twin = Twin(tool_fails={"wbadmin"})
    result = drive(machine_of(PLAN, twin), twin)
    assert result.exit_code == ExitCode.UNPROTECTED
    assert result.databases[0].state is LaneState.UNPROTECTED
    assert (twin.is_mounted, twin.files[ORIGINAL], twin.files[KEPT]) == (True, "new", "old")
    assert not {Action.SWAP_BACK, Action.COPY_BACK, Action.MOVE_LOGS_ASIDE} & set(done(twin))


def intents(records: list[Record]) -> Iterator[str]:
    return (one.data["step"] for one in records if one.kind is RecordKind.INTENT)


@pytest.mark.parametrize("action", [Action.SET_ASIDE, Action.COPY_BACK, Action.MOVE_LOGS_ASIDE])
def test_i17_nothing_of_the_way_back_is_sent_after_the_first_mount(action: Action) -> None:
    twin = Twin()
    drive(machine_of(PLAN, twin), twin)
    watch = Watch(PLAN, twin.journal)
    step = next(each for each in lane_of(PLAN).steps if each.action is action)
    intent = {"step": step.id, "lane": f"{SERVER}/{DATABASE}", "attempt": 1, "call": {}}
    with pytest.raises(BrokenInvariant, match="I17"):
        watch.require([Draft(RecordKind.INTENT, intent)])


def test_i2_a_set_that_was_never_proved_is_not_copied_back() -> None:
    twin = Twin(unmountable={"new"})
    up_to_the_mount(twin)
    seal = next(each for each in lane_of(PLAN).steps if each.action is Action.SEAL_SET)
    records = [one for one in twin.journal if one.data.get("step") != seal.id]
    watch = Watch(PLAN, records)
    step = next(each for each in lane_of(PLAN).steps if each.action is Action.COPY_BACK)
    intent = {"step": step.id, "lane": f"{SERVER}/{DATABASE}", "attempt": 1, "call": {}}
    with pytest.raises(BrokenInvariant, match="I2"):
        watch.require([Draft(RecordKind.INTENT, intent)])


def test_a_kill_before_a_tried_mount_was_answered_ends_well() -> None:
    for number in range(10, 400, 17):
        twin = Twin(unmountable={"new"})
        try:
            drive_until(machine_of(PLAN, twin), twin, effect_number=number, phase="after")
        except Killed:
            result = drive(machine_of(PLAN, twin), twin)
            assert result.exit_code == ExitCode.STOPPED, (number, result)
            assert (twin.is_mounted, twin.files[ORIGINAL]) == (True, "old")
