"""A controller killed anywhere, its store gone for good: `release` works from the host alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from attrs import define, evolve

from goexchange.app import host_record, releasing
from goexchange.app.release_hosts import Reached
from goexchange.app.running import Site
from goexchange.driver import effects
from goexchange.driver.identity import RunIdentity
from goexchange.driver.machine import Machine
from goexchange.errors import ExitCode, HostRefused, Locked
from goexchange.model.configuration import SecretReference
from goexchange.model.plan import Action, ExchangeCall
from goexchange.model.remembered import Standing
from goexchange.model.run import RunResult
from goexchange.settings.loading import load_configuration
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.performer import Performer
from goexchange.simulation.site import one_database
from goexchange.world.refusals import ScriptFailed
from goexchange.world.truth import TrueDatabase, true_database
from tests.simulation.night.documents import AT, inventory, specification

LEASE = timedelta(hours=2)
EDB = "D:\\DB05\\DB05.edb"


@define
class WorldSession:
    """A host of the world as the verbs talk to one."""

    performer: Performer
    server: str = "EX01"

    def script(
        self,
        script: str,
        arguments: Mapping[str, Any],
        *,
        time_limit_s: float,
        secret: SecretReference | None = None,
    ) -> dict[str, Any]:
        sent = json.loads(json.dumps(dict(arguments)))
        try:
            answer = self.performer.world.script(self.server, "gxadmin", script, sent)
        except ScriptFailed as failed:
            raise HostRefused(failed.message, code=failed.code) from failed
        return dict(json.loads(json.dumps(answer)))

    def exchange(self, calls: Sequence[ExchangeCall], *, time_limit_s: float) -> dict[str, Any]:
        world = self.performer.world
        found = [
            world.to_plain(world.cmdlet(self.server, "gxadmin", one.cmdlet, dict(one.parameters)))
            for one in calls
        ]
        names = ("objects", "errors", "warnings")
        return {name: [each for one in found for each in one[name]] for name in names}

    def close(self) -> None:
        """Nothing is open."""


def site() -> Site:
    settings, _ = load_configuration(None, flags={}, environment={})
    assert settings is not None
    return Site(inventory=inventory(), settings=settings)


def prepare(
    night: Night, server: str = "EX01", *, silent: Sequence[str] = (), only: str | None = None
) -> releasing.Prepared:
    """What a release of that server, or of one database, would do; who is silent is not asked."""

    def reach(servers: Sequence[str]) -> Reached:
        sessions = {
            each: WorldSession(night.performer, each) for each in servers if each not in silent
        }
        return sessions, dict.fromkeys(set(servers) & set(silent), "it does not answer")

    session = WorldSession(night.performer, server)
    left = host_record.look(session, server, inventory())
    assert isinstance(left.recoveries, tuple)
    records = [
        each
        for each in left.recoveries
        if each.is_open and only in (None, each.content.get("database"))
    ]
    return releasing.prepare_on(
        session, left, records, site=site(), reach=reach, is_whole=only is None
    )


def release(night: Night, prepared: releasing.Prepared) -> RunResult:
    """Carry the plan out in a store of its own."""
    assert prepared.plan is not None
    performer = evolve(night.performer, records=[], lease_number=0)
    identity = RunIdentity(
        run="20261129T010000-aaaa",
        holder="other:1",
        controller="other",
        started_by="maria",
        tool="goexchange 0",
        proved_dead=prepared.runs,
    )
    machine = Machine(plan=prepared.plan, run=identity)
    while not isinstance(effect := machine.next(performer.now()), effects.Finish):
        machine.accept(performer.perform(effect), performer.now())
    night.performer.lease_number = performer.lease_number
    return effect.result


def truth(night: Night) -> TrueDatabase:
    world = night.performer.world
    return true_database(world, world.database_named("DB05"))


def killed_after(number: int) -> Night | None:
    """A night whose controller died after so many effects, and a whole lease of silence."""
    night = make_night(one_database(), [specification()], inventory(), at=AT)
    for _ in range(number):
        effect = night.next()
        if isinstance(effect, effects.Finish):
            return None
        night.take(night.performer.perform(effect))
    night.kill()
    night.performer.clock.move(seconds=LEASE.total_seconds())
    night.performer.world.advance()
    return night


def test_released_after_a_kill_anywhere() -> None:
    number, ends, stood = 1, Counter[int](), Counter[Standing]()
    while (night := killed_after(number)) is not None:
        number += 9
        before = truth(night)
        assert before.present is not None or before.originals
        was_new = "DB05" in night.checks.was_new_mounted
        original = night.checks.first["DB05"]
        prepared = prepare(night)
        assert not prepared.undecided
        if prepared.plan is None:
            assert before.is_mounted  # nothing was begun, or all was over
            continue
        stood.update(each.standing for each in prepared.left)
        result = release(night, prepared)
        ends[result.exit_code] += 1
        after = truth(night)
        assert after.is_mounted and after.is_mount_at_startup and after.present is not None
        assert (after.present.signature != original) == was_new, number
        assert not night.performer.world.hosts["EX01"].sentinels
        again = prepare(night)
        assert again.plan is None and not again.undecided
    assert {Standing.IN_PLACE, Standing.NEW} <= set(stood), stood  # the swap itself: below
    assert set(ends) == {int(ExitCode.OK), int(ExitCode.UNPROTECTED)}, ends


def kill_at(action: Action, *, sent: bool = True) -> Night:
    """A night whose controller died right before, or right after, a step was sent."""
    night = make_night(one_database(), [specification()], inventory(), at=AT)
    steps = {one.id: one for lane in night.plan.body.lanes for one in lane.steps}
    while True:
        effect = night.next()
        assert not isinstance(effect, effects.Finish)
        is_it = isinstance(effect, effects.Send) and effect.purpose in steps
        is_it = is_it and steps[effect.purpose].action is action  # type: ignore[union-attr]
        if is_it and not sent:
            break
        event = night.performer.perform(effect)
        if is_it:
            break
        night.take(event)
    night.kill()
    return night


def test_a_living_controller_is_not_released() -> None:
    night = kill_at(Action.REBUILD)
    with pytest.raises(Locked, match="sign of life"):
        prepare(night)


def test_a_rebuilt_file_that_was_never_mounted_gives_way_to_the_original() -> None:
    night = kill_at(Action.SWAP)
    night.performer.clock.move(seconds=LEASE.total_seconds())
    prepared = prepare(night)
    assert [each.standing for each in prepared.left] == [Standing.BACK]
    assert release(night, prepared).exit_code == ExitCode.OK
    after = truth(night)
    assert after.present is not None and after.present.signature == night.checks.first["DB05"]


def test_a_file_mounted_between_look_and_act_keeps_its_place() -> None:
    """The host itself refuses the way back: the header is another one than was looked at."""
    night = kill_at(Action.SWAP)
    night.performer.clock.move(seconds=LEASE.total_seconds())
    prepared = prepare(night)
    world = night.performer.world
    world.cmdlet("EX01", "maria", "Mount-Database", {"Identity": "DB05"})
    world.mail("DB05", pages=2)
    world.cmdlet("EX01", "maria", "Dismount-Database", {"Identity": "DB05", "Confirm": False})
    result = release(night, prepared)
    assert result.exit_code == ExitCode.ROLLBACK_FAILED
    assert "header-differs" in result.databases[0].why
    after = truth(night)
    assert after.present is not None and after.present.signature != night.checks.first["DB05"]
    second = prepare(night)
    assert [each.standing for each in second.left] == [Standing.NEW]
    assert release(night, second).exit_code == ExitCode.UNPROTECTED
    assert truth(night).is_mounted


def test_an_original_that_is_gone_is_not_decided() -> None:
    night = kill_at(Action.REBUILD)
    night.performer.clock.move(seconds=LEASE.total_seconds())
    night.performer.world.advance()
    host = night.performer.world.hosts["EX01"]
    host.files.release_all()
    host.files.delete(EDB)
    prepared = prepare(night)
    assert prepared.plan is None
    assert [each.standing for each in prepared.undecided] == [Standing.UNDECIDED]
    assert "is there" in prepared.undecided[0].evidence


def test_a_database_that_does_not_mount_ends_as_a_release_that_failed() -> None:
    night = kill_at(Action.DISMOUNT)
    night.performer.clock.move(seconds=LEASE.total_seconds())
    prepared = prepare(night)
    host = night.performer.world.hosts["EX01"]
    host.files.write(EDB, b"\0" * 131072)
    result = release(night, prepared)
    assert result.exit_code == ExitCode.ROLLBACK_FAILED
    assert result.databases[0].state.value == "left-offline"


def test_a_resume_after_a_release_takes_what_is_so_and_takes_nothing_down() -> None:
    """The old store comes back, and somebody resumes the run that was released meanwhile."""
    number, resumed = 6, 0
    while (night := killed_after(number)) is not None:
        number += 23
        was_new = "DB05" in night.checks.was_new_mounted
        prepared = prepare(night)
        if prepared.plan is None:
            continue
        release(night, prepared)
        world = night.performer.world
        before = Counter(effect.kind for effect in world.effects)
        while not isinstance(effect := night.next(), effects.Finish):
            event = night.performer.perform(effect)
            assert night._machine is not None
            night._machine.accept(event, night.performer.now())
        resumed += 1
        counts = Counter(one.kind for one in world.effects)
        assert counts["dismount"] == before["dismount"], number
        assert counts["swap"] == before["swap"] and counts["rebuild"] == before["rebuild"]
        after = truth(night)
        assert after.is_mounted and after.is_mount_at_startup and after.present is not None
        assert (after.present.signature != night.checks.first["DB05"]) == was_new
    assert resumed > 4


def after_failed_mount(ending: str) -> Night:
    """A rebuilt file that does not mount, and a controller that dies before a call of the way
    back.
    """
    night = make_night(one_database(), [specification()], inventory(), at=AT)
    night.performer.world.faults.fail_next_mount("DB05", error=-550, leaves_logs=True)
    while not (
        isinstance(effect := night.next(), effects.Send) and effect.purpose.endswith(ending)
    ):
        night.take(night.performer.perform(effect))
    night.kill()
    night.performer.clock.move(seconds=LEASE.total_seconds())
    night.performer.world.advance()
    return night


@pytest.mark.parametrize(
    ("ending", "standing"),
    [("-swap-back", Standing.BACK), ("-move-logs-aside", Standing.IN_PLACE)],
)
def test_the_logs_of_a_tried_mount_are_out_of_the_way_before_the_original_mounts(
    ending: str, standing: Standing
) -> None:
    night = after_failed_mount(ending)
    host = night.performer.world.hosts["EX01"]
    folder = night.performer.world.database_named("DB05").stream.folder
    logs = {path.rpartition("\\")[2] for path in host.files.names_in(folder)}
    prepared = prepare(night)
    assert [each.standing for each in prepared.left] == [standing]
    result = release(night, prepared)
    assert result.exit_code == ExitCode.OK, result
    after = truth(night)
    assert after.is_mounted and after.present is not None
    assert after.present.signature == night.checks.first["DB05"]
    aside = [path for path in host.files.below(folder) if "\\gx-logs-" in path]
    assert logs <= {path.rpartition("\\")[2] for path in aside}, "nothing was deleted"
    assert prepare(night).plan is None


def test_logs_that_were_moved_aside_already_are_left_alone() -> None:
    night = after_failed_mount("-mount-original")
    (left,) = prepare(night).left
    assert left.remembered is not None and left.remembered.tried_logs is None
    assert release(night, prepare(night)).exit_code == ExitCode.OK
    assert truth(night).is_mounted
