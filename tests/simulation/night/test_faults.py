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
from goexchange.model.actual import ActualHost, OpenRecovery
from goexchange.model.plan import Action, JobCall
from goexchange.model.run import LaneState, OutcomeKind, RunResult
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.site import one_database
from goexchange.world.faults import Faults
from goexchange.world.truth import TrueDatabase, true_database
from tests.simulation.crash_points import crash_everywhere
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
    """A mount whose answer died with its controller is tried once more, and may succeed then."""
    broken = night()
    before = truth(broken).present
    FAULTS_WITH_A_WAY_BACK[name](broken.performer.world.faults)

    def judge(ended: Night, result: RunResult) -> None:
        after = truth(ended)
        assert after.is_mounted and after.is_mount_at_startup
        assert before is not None and after.present is not None
        is_original = after.present.signature == before.signature
        assert result.exit_code == (ExitCode.STOPPED if is_original else ExitCode.OK)
        assert is_original or name == "the new file does not mount"

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


def test_a_database_that_a_person_mounted_meanwhile_is_tidied_up_by_the_resume() -> None:
    broken = night()
    fail_mounts(5)(broken.performer.world.faults)
    assert broken.run_to_end().exit_code == ExitCode.ROLLBACK_FAILED
    world = broken.performer.world
    while not truth(broken).is_mounted:  # the last faults are used up by hand
        world.cmdlet("EX01", "gxadmin", "Mount-Database", {"Identity": "DB05"})
        broken.performer.clock.move(seconds=60)
        world.advance()
    broken.kill()
    result = broken.run_to_end()
    assert result.exit_code == ExitCode.STOPPED
    assert result.databases[0].state is LaneState.FAILED
    assert truth(broken).is_mounted and truth(broken).is_mount_at_startup
    assert not world.hosts["EX01"].sentinels
    assert [one.run for one in _open_recoveries(broken)] == []


def _open_recoveries(of: Night) -> tuple[OpenRecovery, ...]:
    host = of.performer.observe("EX01", ()).host
    assert isinstance(host, ActualHost) and isinstance(host.open_recoveries, tuple)
    return host.open_recoveries


@pytest.mark.parametrize("mounts", [True, False])
def test_an_original_put_back_by_hand_is_what_the_resume_speaks_of(mounts: bool) -> None:
    broken = night()
    before = truth(broken).present
    while not (
        isinstance(effect := broken.next(), effects.Send) and effect.purpose.endswith("-mount")
    ):
        broken.take(broken.performer.perform(effect))
    broken.kill()
    world = broken.performer.world
    files, database = world.hosts["EX01"].files, world.database_named("DB05")
    kept = next(path for path in files.names_in("D:\\DB05") if ".edb.before-" in path)
    files.rename(database.edb_path, kept.replace(".before-", ".rebuilt-"))
    files.rename(kept, database.edb_path)
    if mounts:
        world.cmdlet("EX01", "gxadmin", "Mount-Database", {"Identity": "DB05"})
    result = broken.run_to_end()
    after = truth(broken)
    assert result.exit_code == ExitCode.STOPPED
    assert "a person has put the original back" in result.databases[0].why
    assert after.is_mounted and after.is_mount_at_startup
    assert before is not None and after.present is not None
    assert after.present.signature == before.signature
    host = broken.performer.observe("EX01", ()).host
    assert isinstance(host, ActualHost) and isinstance(host.records, tuple)
    assert [one.rebuilt_at_utc for one in host.records] == [None]


def test_a_new_store_goes_on_where_hosts_have_seen_higher_numbers() -> None:
    first = night()
    world = first.performer.world
    claim = {"root": first.performer.root, "fence": 99, "holder": "old store", "claimed_at": "x"}
    world.script("EX01", "gxadmin", "claim-fence", {**claim, "claimed_at": "2026-11-01T00:00:00Z"})
    assert first.run_to_end().exit_code == ExitCode.OK
    assert first.performer.lease_number == 100


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


def test_a_verifier_machine_that_never_looks_costs_the_night_and_no_database() -> None:
    share = r"\\backup01\exchange$"
    machine = "machines: {VERIFY01: {}}\nverifier: VERIFY01\n"
    made = make_night(
        one_database(),
        [specification(SPECIFICATION.replace(r"E:\sets", share))],
        inventory(INVENTORY + machine),
        at=AT,
    )
    (step,) = [each for each in made.plan.body.lanes[0].steps if each.action is Action.VERIFY_SET]
    result = made.run_to_end()
    assert result.exit_code == ExitCode.STOPPED
    record = made.checks.watch.state.step(step.id)
    assert record.outcome is OutcomeKind.FAILED and record.result is not None
    assert isinstance(step.call, JobCall)
    assert f"no verdict within {step.call.request['wait_s']} s" in str(record.result["why"])
    assert truth(made).is_mounted and truth(made).is_mount_at_startup


def test_a_set_on_a_share_is_verified_by_our_own_verifier_too() -> None:
    share = r"\\backup01\exchange$"
    text = SPECIFICATION.replace(r"E:\sets", share)
    shares = f"shares:\n  - {{path: '{share}', mounted_at: /mnt/sets}}\n"
    made = make_night(one_database(), [specification(text)], inventory(INVENTORY + shares), at=AT)
    steps = [step for step in made.plan.body.lanes[0].steps if step.action is Action.VERIFY_SET]
    assert len(steps) == 1
    assert made.run_to_end().exit_code == ExitCode.OK
    assert made.checks.watch.state.step(steps[0].id).outcome is OutcomeKind.DONE
