"""After a night: what is left on the host, why it stays, and that only what may go is removed."""

from __future__ import annotations

from attrs import evolve

from goexchange.app.leftovers import Found, look_on
from goexchange.driver import effects
from goexchange.driver.identity import RunIdentity
from goexchange.driver.machine import Machine
from goexchange.errors import ExitCode
from goexchange.model.plan import Action
from goexchange.model.run import RunResult
from goexchange.plan.leftovers import Leftover, LeftoverKind
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.site import one_database
from tests.simulation.night.documents import AT, inventory, specification
from tests.simulation.night.test_release import (
    LEASE,
    WorldSession,
    kill_at,
    prepare,
    release,
    site,
)


def look(night: Night) -> Found:
    return look_on(WorldSession(night.performer), "EX01", site=site())


def by_kind(found: Found, kind: LeftoverKind) -> list[Leftover]:
    return [each for each in found.items if each.kind is kind]


def remove(night: Night, found: Found) -> RunResult:
    assert found.plan is not None
    identity = RunIdentity(
        run="20261129T010000-bbbb",
        holder="other:1",
        controller="other",
        started_by="maria",
        tool="goexchange 0",
    )
    performer = evolve(night.performer, records=[])
    machine = Machine(plan=found.plan, run=identity)
    while not isinstance(effect := machine.next(performer.now()), effects.Finish):
        machine.accept(performer.perform(effect), performer.now())
    return effect.result


def ended_night() -> Night:
    night = make_night(one_database(), [specification()], inventory(), at=AT)
    assert night.run_to_end().exit_code == ExitCode.OK
    return night


def test_after_a_good_night_everything_but_the_set_may_go_and_goes() -> None:
    night = ended_night()
    found = look(night)
    staying = [each for each in found.items if not each.may_go]
    assert [each.kind for each in staying] == [LeftoverKind.SET]
    (original,) = by_kind(found, LeftoverKind.ORIGINAL)
    assert "proved" in original.reason and original.what.startswith("D:\\DB05\\DB05.edb.before-")
    assert len(by_kind(found, LeftoverKind.JOB)) > 5
    assert by_kind(found, LeftoverKind.RECORD) and by_kind(found, LeftoverKind.RUN)
    assert not found.unknown
    result = remove(night, found)
    assert result.exit_code == ExitCode.OK, result
    files = night.performer.world.hosts["EX01"].files
    assert not files.exists(original.what)
    assert files.exists("D:\\DB05\\DB05.edb") and files.below("E:\\sets")
    left = [each for each in look(night).items if each.kind is not LeftoverKind.SET]
    assert [each.what for each in left if each.kind is not LeftoverKind.RUN] == []


def test_the_original_stays_until_a_backup_of_the_new_file_is_proved() -> None:
    night = kill_at(Action.ONLINE_BACKUP)
    (original,) = by_kind(look(night), LeftoverKind.ORIGINAL)
    assert not original.may_go and "is open" in original.reason
    # Even when the record were closed by hand: no proof, no removal.
    files = night.performer.world.hosts["EX01"].files
    for path in files.below("C:\\ProgramData\\goexchange\\recovery"):
        if path.endswith("record.json"):
            files.write_json(path, {**files.read_json(path), "state": "closed"})
    night.performer.clock.move(seconds=7200)
    night.performer.world.advance()
    (original,) = by_kind(look(night), LeftoverKind.ORIGINAL)
    assert not original.may_go and "no backup of the file in service is proved" in original.reason


def test_nothing_of_an_open_run_may_go() -> None:
    night = kill_at(Action.REBUILD)
    found = look(night)
    assert found.items and not [each for each in found.items if each.may_go]
    assert found.plan is None


def test_a_file_that_changed_since_it_was_looked_at_stays() -> None:
    night = ended_night()
    found = look(night)
    (original,) = by_kind(found, LeftoverKind.ORIGINAL)
    night.performer.clock.move(seconds=10)
    files = night.performer.world.hosts["EX01"].files
    files.append(original.what, b"\0" * 4096)
    assert remove(night, found).exit_code == ExitCode.OK
    assert files.exists(original.what)


def test_what_a_released_run_left_may_go() -> None:
    night = kill_at(Action.REBUILD)
    night.performer.clock.move(seconds=LEASE.total_seconds())
    night.performer.world.advance()
    assert release(night, prepare(night)).exit_code == ExitCode.OK
    found = look(night)
    runs = [each.what for each in by_kind(found, LeftoverKind.RUN) if each.may_go]
    assert night.run in runs
    assert all(each.may_go for each in by_kind(found, LeftoverKind.JOB))
    assert all(each.may_go for each in by_kind(found, LeftoverKind.WORK_FOLDER))


def test_a_rebuilt_file_that_did_not_mount_may_go_afterwards() -> None:
    night = make_night(one_database(), [specification()], inventory(), at=AT)
    night.performer.world.faults.fail_next_mount("DB05", error=-550)
    night.run_to_end()
    found = look(night)
    (aside,) = by_kind(found, LeftoverKind.SET_ASIDE)
    assert aside.may_go and "never mounted" in aside.reason
