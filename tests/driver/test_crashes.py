"""A controller that dies at any moment: a fresh machine goes on from what was flushed, and nothing
happens twice.
"""

from __future__ import annotations

from collections import Counter

import pytest

from goexchange.driver import effects as to_do
from goexchange.driver.machine import Machine
from goexchange.errors import ExitCode
from goexchange.model.plan import Plan
from goexchange.model.run import RecordKind
from tests.driver.plans import DATABASE, ORIGINAL, SERVER, plan_of, rebuild_lane, verify_lane
from tests.driver.twin import Twin, as_read_again, drive, fork, machine_of

REBUILT_ONCE = Counter(
    {
        "job eseutil /k": 3,
        "job eseutil /g": 1,
        "job eseutil /d": 1,
        "job copy-files": 1,
        "job hash-files": 1,
        "job wbadmin": 1,
        "Set-MailboxDatabase old": 1,
        "Set-MailboxDatabase new": 1,
        "Dismount-Database old": 1,
        "Mount-Database new": 1,
        "swap": 1,
    }
)


class Killed(Exception):
    """The controller is gone."""


def drive_until(machine: Machine, twin: Twin, *, effect_number: int, phase: str) -> int:
    """Perform up to one effect, and die before it takes effect or after; return how many there
    were.
    """
    count = 0
    while True:
        effect = machine.next(twin.now)
        if isinstance(effect, to_do.Finish):
            return count
        count += 1
        if count == effect_number and phase == "before":
            raise Killed
        event = twin.perform(effect)
        if count == effect_number:
            raise Killed  # it took effect, and nobody heard the answer
        machine.accept(event, twin.now)


def count_of(plan: Plan) -> int:
    twin = Twin()
    return drive_until(machine_of(plan, twin), twin, effect_number=-1, phase="never")


def test_a_kill_at_every_effect_ends_like_an_undisturbed_night() -> None:
    """Dying before an effect leaves what dying after the one before it leaves: one covers both."""
    plan, twin = plan_of(rebuild_lane()), Twin()
    machine, points = machine_of(plan, twin), 0
    while not isinstance(effect := machine.next(twin.now), to_do.Finish):
        event = twin.perform(effect)
        points += 1
        left = fork(twin)  # it took effect, and nobody heard the answer
        result = drive(machine_of(plan, left), left)
        assert result.exit_code == ExitCode.OK, (effect, result)
        assert left.effects == REBUILT_ONCE, effect
        assert (left.is_mounted, left.at_startup, left.sentinel) == (True, True, False)
        assert (left.recovery, left.files[ORIGINAL]) == ("closed", "new")
        machine.accept(event, twin.now)
    assert points > 100


@pytest.mark.parametrize("second", [2, 5])
def test_a_second_kill_shortly_after_the_resume_changes_nothing(second: int) -> None:
    plan = plan_of(rebuild_lane())
    for number in range(1, count_of(plan) + 1, 13):
        twin = Twin()
        for effect_number, phase in ((number, "after"), (second, "after"), (second + 1, "before")):
            try:
                drive_until(machine_of(plan, twin), twin, effect_number=effect_number, phase=phase)
            except Killed:
                continue
        result = drive(machine_of(plan, twin), twin)
        assert (result.exit_code, twin.effects) == (ExitCode.OK, REBUILT_ONCE), (number, second)


def test_a_kill_on_any_way_back_still_brings_the_original_back() -> None:
    plan = plan_of(rebuild_lane())
    for unmountable, fails in ((set(), {"/d"}), ({"new"}, set()), (set(), {"swap-half"})):
        number = 10
        while True:
            number += 11
            twin = Twin(unmountable=set(unmountable), tool_fails=set(fails))
            try:
                drive_until(machine_of(plan, twin), twin, effect_number=number, phase="after")
                break
            except Killed:
                pass
            result = drive(machine_of(plan, twin), twin)
            assert result.exit_code == ExitCode.STOPPED, (number, unmountable, fails, result)
            assert (twin.is_mounted, twin.files[ORIGINAL], twin.at_startup) == (True, "old", True)
            assert twin.effects["Mount-Database old"] == 1
            assert not twin.sentinel


@pytest.mark.parametrize("fate", ["before", "after"])
def test_every_answer_may_be_lost_once(fate: str) -> None:
    plan = plan_of(rebuild_lane())
    undisturbed = Twin()
    drive(machine_of(plan, undisturbed), undisturbed)
    for number in range(1, undisturbed.sends + 1, 2 if fate == "after" else 5):
        twin = Twin(lose=lambda count, send, number=number: fate if count == number else None)
        result = drive(machine_of(plan, twin), twin)
        assert (result.exit_code, twin.effects) == (ExitCode.OK, REBUILT_ONCE), (number, result)


def test_a_run_resumes_from_every_prefix_of_its_journal() -> None:
    """Each prefix with the host as it stood when the prefix was flushed."""
    plan, twin = plan_of(verify_lane()), Twin()
    machine, prefixes = machine_of(plan, twin), [fork(twin)]
    while not isinstance(effect := machine.next(twin.now), to_do.Finish):
        event = twin.perform(effect)
        machine.accept(event, twin.now)
        if isinstance(effect, to_do.Append):
            prefixes.append(fork(twin))
    for prefix in prefixes:
        assert as_read_again(prefix) == prefix.journal
        result = drive(machine_of(plan, prefix), prefix)
        assert (result.exit_code, prefix.effects) == (ExitCode.OK, twin.effects)
        assert (prefix.is_mounted, prefix.at_startup, prefix.sentinel) == (True, True, False)


def test_resuming_says_what_was_in_doubt() -> None:
    plan, twin = plan_of(rebuild_lane()), Twin()
    machine = machine_of(plan, twin)
    while not (
        isinstance(effect := machine.next(twin.now), to_do.Send)
        and effect.purpose.endswith("-dismount")
    ):
        machine.accept(twin.perform(effect), twin.now)
    twin.perform(effect)
    drive(machine_of(plan, twin), twin)
    resumed = [one for one in twin.journal if one.kind is RecordKind.RUN_RESUMED]
    assert [one.data["steps_in_doubt"] for one in resumed] == [[f"{SERVER}/{DATABASE}/06-dismount"]]
    looked = [
        one
        for one in twin.journal
        if one.kind is RecordKind.LOOKED and one.data["step"].endswith("-dismount")
    ]
    assert [one.data["meaning"] for one in looked] == ["done"]
    assert twin.effects["Dismount-Database old"] == 1


def test_an_ended_run_that_is_resumed_does_nothing() -> None:
    plan, twin = plan_of(rebuild_lane()), Twin()
    first = drive(machine_of(plan, twin), twin)
    length = len(twin.journal)
    assert drive(machine_of(plan, twin), twin) == first
    assert len(twin.journal) == length
