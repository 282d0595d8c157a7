"""What goes wrong in a night, and how the night must end then; every invariant is checked after
every event.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from goexchange.driver import effects
from goexchange.driver.events import Request, Requested
from goexchange.errors import ExitCode
from goexchange.model.plan import Action
from goexchange.model.run import LaneState, OutcomeKind, RunResult
from goexchange.simulation.crashes import crash_everywhere
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.site import one_database
from goexchange.world.faults import Faults
from goexchange.world.truth import TrueDatabase, true_database
from tests.simulation.night.documents import AT, INVENTORY, SPECIFICATION, inventory, specification

STATE_NOT_CLEAN = -550
BAD_PAGE = -1018


def night() -> Night:
    return make_night(one_database(), [specification()], inventory(), at=AT)


def truth(of: Night) -> TrueDatabase:
    world = of.performer.world
    return true_database(world, world.database_named("DB05"))


def fail_mounts(count: int) -> Callable[[Faults], None]:
    def plan(faults: Faults) -> None:
        for _ in range(count):
            faults.fail_next_mount("DB05", error=STATE_NOT_CLEAN)

    return plan


FAULTS_WITH_A_WAY_BACK: dict[str, Callable[[Faults], None]] = {
    "the new file does not mount": fail_mounts(1),
    "the rebuild ends with an error": lambda faults: faults.fail_next_eseutil("/d", error=BAD_PAGE),
    "the original has a bad page": lambda faults: faults.fail_next_eseutil("/k", error=BAD_PAGE),
    "the original is not sound": lambda faults: faults.fail_next_eseutil("/g", error=-1206),
    "a bit of the copy is flipped": lambda faults: faults.flip_bit_in_next_copy(),
}


@pytest.mark.parametrize("name", FAULTS_WITH_A_WAY_BACK)
def test_the_original_is_mounted_again(name: str) -> None:
    broken = night()
    before = truth(broken).present
    FAULTS_WITH_A_WAY_BACK[name](broken.performer.world.faults)
    result = broken.run_to_end()
    after = truth(broken)
    assert result.exit_code == ExitCode.STOPPED, result
    assert result.databases[0].state is LaneState.FAILED and result.databases[0].why
    assert after.is_mounted and after.is_mount_at_startup
    assert before is not None and after.present is not None
    assert after.present.signature == before.signature
    assert not broken.performer.world.hosts["EX01"].sentinels
    assert not broken.performer.world.hosts["EX01"].files.exists(
        "D:\\DB05\\gx-a026e9d8\\DB05.tmp.edb"
    )


@pytest.mark.parametrize("name", ["the new file does not mount", "the rebuild ends with an error"])
def test_a_kill_on_the_way_back_changes_nothing(name: str) -> None:
    broken = night()
    FAULTS_WITH_A_WAY_BACK[name](broken.performer.world.faults)

    def judge(ended: Night, result: RunResult) -> None:
        assert result.exit_code == ExitCode.STOPPED
        assert truth(ended).is_mounted and truth(ended).is_mount_at_startup

    crash_everywhere(broken, every=6, judge=judge)


def test_nothing_mounts_and_a_person_is_told_what_to_type() -> None:
    broken = night()
    fail_mounts(5)(broken.performer.world.faults)
    result = broken.run_to_end()
    database = result.databases[0]
    assert result.exit_code == ExitCode.ROLLBACK_FAILED
    assert database.state is LaneState.LEFT_OFFLINE
    assert any(
        command.startswith("Mount-Database -Identity 'DB05'") for command in database.commands
    )
    assert broken.performer.world.hosts["EX01"].sentinels, "the sentinel stays while it is down"


def test_a_failed_backup_leaves_the_new_file_in_service_and_unprotected() -> None:
    broken = night()
    before = truth(broken).present
    broken.performer.world.faults.fail_next_backup()
    result = broken.run_to_end()
    after = truth(broken)
    assert result.exit_code == ExitCode.UNPROTECTED
    assert result.databases[0].commands[0].startswith("wbadmin start backup")
    assert after.is_mounted and after.originals and before is not None
    assert after.has_set_of(before.signature), "original and set stay"


@pytest.mark.parametrize("fate", ["before", "after"])
def test_any_answer_may_be_lost(fate: str) -> None:
    calm = night()
    sends: list[effects.Send] = []

    def count(send: effects.Send) -> None:
        sends.append(send)

    calm.performer.is_losing = count
    calm.run_to_end()
    for number in range(0, len(sends), 4):
        broken, left = night(), [number]

        def lose(send: effects.Send, left: list[int] = left) -> str | None:
            left[0] -= 1
            return fate if left[0] == -1 else None

        broken.performer.is_losing = lose
        assert broken.run_to_end().exit_code == ExitCode.OK, sends[number]


def test_a_request_that_takes_effect_after_its_sender_died_is_waited_for() -> None:
    """The controller dies with the dismount on its way; it arrives half a minute later, under the
    eyes of the next one.
    """
    late = night()
    while not (
        isinstance(effect := late.next(), effects.Send) and effect.purpose.endswith("-dismount")
    ):
        late.take(late.performer.perform(effect))
    late.kill()
    arrives, call = late.performer.now() + timedelta(seconds=30), effect.call
    while not isinstance(coming := late.next(), effects.Finish):
        if late.performer.now() >= arrives and call is not None:
            late.performer.world.cmdlet("EX01", "gxadmin", call.cmdlet, dict(call.parameters))
            call = None
        late.take(late.performer.perform(coming))
    assert coming.result.exit_code == ExitCode.OK


@pytest.mark.parametrize(
    ("request_kind", "code"), [(Request.ABORT, ExitCode.STOPPED), (Request.STOP, ExitCode.OK)]
)
def test_abort_takes_the_way_back_and_stop_finishes_the_database_in_hand(
    request_kind: Request, code: ExitCode
) -> None:
    asked = night()
    before = truth(asked).present
    while not (
        isinstance(effect := asked.next(), effects.Send) and effect.purpose.endswith("-rebuild")
    ):
        asked.take(asked.performer.perform(effect))
    asked.take(Requested(request=request_kind, by="operator"))
    result = asked.run_to_end()
    after = truth(asked)
    assert result.exit_code == code, result
    assert after.is_mounted and after.present is not None and before is not None
    assert (after.present.signature == before.signature) is (request_kind is Request.ABORT)


def test_a_host_that_reboots_in_the_rebuild_comes_back_with_the_original() -> None:
    broken = night()
    while not (
        isinstance(effect := broken.next(), effects.Send) and effect.purpose.endswith("-rebuild")
    ):
        broken.take(broken.performer.perform(effect))
    broken.performer.world.faults.reboot("EX01", at=broken.performer.now() + timedelta(seconds=10))
    result = broken.run_to_end()
    assert result.exit_code == ExitCode.STOPPED, result
    assert truth(broken).is_mounted and truth(broken).is_mount_at_startup


def test_a_set_on_a_share_is_verified_by_our_own_verifier_too() -> None:
    share = r"\\backup01\exchange$"
    text = SPECIFICATION.replace(r"E:\sets", share)
    shares = f"shares:\n  - {{path: '{share}', mounted_at: /mnt/sets}}\n"
    made = make_night(one_database(), [specification(text)], inventory(INVENTORY + shares), at=AT)
    steps = [step for step in made.plan.body.lanes[0].steps if step.action is Action.VERIFY_SET]
    assert len(steps) == 1
    assert made.run_to_end().exit_code == ExitCode.OK
    assert made.checks.watch.state.step(steps[0].id).outcome is OutcomeKind.DONE
