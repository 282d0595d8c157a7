"""A run that worked on several hosts, its controller dead and its store gone: `release` ends and
puts back what it left on each of them, or says what it could not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from attrs import evolve

from goexchange.codec import time_text
from goexchange.driver import effects
from goexchange.errors import ExitCode, Locked
from goexchange.model.plan import Action
from goexchange.model.run import LaneState
from goexchange.simulation.night import Night
from goexchange.world import jobs
from goexchange.world.copies import activate, resume
from goexchange.world.scripts_records import fence_of, open_recoveries
from goexchange.world.truth import true_database
from goexchange.world.world import World
from tests.counted import count
from tests.reliability.scenarios import Scenario, night_of, simple
from tests.simulation.night.test_copies import LOOK, performed, statuses, until
from tests.simulation.night.test_copies import THREE as LOOK_OF_THREE
from tests.simulation.night.test_release import prepare, release
from tests.simulation.night.test_reseeding import ALL_WELL, THREE, kinds

SEVERAL = evolve(simple(), servers=2, needs=(("rebuild",), ("rebuild",)))
ROOT = "C:\\ProgramData\\goexchange"
WELL = {"EX01": "Mounted", "EX02": "Healthy"}
FINE = (ExitCode.OK, ExitCode.UNPROTECTED)


def die(night: Night) -> Night:
    """The controller dies, what it has begun takes much longer, and a lease of silence goes by."""
    night.kill()
    world, clock = night.performer.world, night.performer.clock
    for job in world.jobs.values():
        if job.state == jobs.REQUESTED and job.starts_at is not None:
            clock.move_to(max(job.starts_at, clock.now()))
            world.advance()
        if job.state == jobs.RUNNING and job.ends_at is not None:
            job.ends_at += timedelta(days=1)
    clock.move(seconds=night.plan.body.rules.lease_s + 2.0)
    world.advance()
    return night


def running(world: World) -> list[tuple[str, str]]:
    return [
        (job.kind, host)
        for (host, _), job in world.jobs.items()
        if job.state in (jobs.RUNNING, jobs.REQUESTED)
    ]


def left_of(world: World) -> list[str]:
    """Everything that nothing may be left of."""
    return [
        *(f"{kind} on {host}" for kind, host in running(world)),
        *(f"sentinel on {name}" for name, host in world.hosts.items() if host.sentinels),
        *(
            f"record on {name}"
            for name, host in world.hosts.items()
            if open_recoveries(host, world.site.root)
        ),
    ]


def moments(night: Night, every: int) -> Iterator[tuple[int, Night]]:
    """The night, dead after each so many effects."""
    number = 0
    while not isinstance(effect := night.next(), effects.Finish):
        night.take(night.performer.perform(effect))
        number += 1
        if number % every == 0:
            yield number, die(night.fork())


def looking() -> Night:
    night = night_of(LOOK)
    while not running(night.performer.world):
        night.take(night.performer.perform(night.next()))
    return die(night)


@pytest.mark.parametrize("server", ["EX01", "EX02"])
def test_a_look_that_runs_on_another_host_is_ended_there_and_its_copy_goes_on(server: str) -> None:
    night = looking()
    world = night.performer.world
    assert running(world) == [("eseutil", "EX02")]
    prepared = prepare(night, server)
    assert prepared.plan is not None and prepared.is_whole
    assert release(night, prepared).exit_code == ExitCode.OK
    assert prepare(night, "EX02").plan is None  # the record was closed a moment ago
    night.performer.clock.move(seconds=120)
    assert statuses(world) == WELL and not left_of(world)
    assert [each.host for each in world.effects if each.kind == "job-cancelled"] == ["EX02"]
    assert prepare(night, server).plan is None and prepare(night, server).is_whole


def test_a_host_that_had_begun_nothing_yet_is_claimed_all_the_same() -> None:
    """A controller that was only frozen is refused there when it wakes up."""
    night = night_of(LOOK)
    until(night, Action.DETECT_ERRORS)
    world = die(night).performer.world
    before = fence_of(world.hosts["EX02"], world.site.root)
    prepared = prepare(night)
    assert not running(world) and release(night, prepared).exit_code == ExitCode.OK
    assert fence_of(world.hosts["EX02"], world.site.root) > before


def test_a_host_that_is_silent_is_named_and_the_record_stays_open_until_it_answers() -> None:
    night = looking()
    world = night.performer.world
    prepared = prepare(night, silent=["EX02"])
    assert [(each.server, each.why) for each in prepared.behind] == [
        ("EX02", "it does not answer")
    ]
    assert not prepared.is_whole and prepared.plan is not None
    release(night, prepared)
    assert statuses(world)["EX02"] == "Suspended" and running(world)  # nothing was tried there
    assert open_recoveries(world.hosts["EX01"], world.site.root)
    again = prepare(night)
    assert again.is_whole and release(night, again).exit_code == ExitCode.OK
    night.performer.clock.move(seconds=120)
    assert statuses(world) == WELL and not left_of(world)


def test_from_the_copys_host_alone_its_job_is_ended_and_the_other_host_is_named() -> None:
    night = looking()
    prepared = prepare(night, "EX02", silent=["EX01"])
    assert [each.server for each in prepared.behind] == ["EX01"] and not prepared.left
    assert prepared.plan is not None and [each.server for each in prepared.jobs] == ["EX02"]
    assert release(night, prepared).exit_code == ExitCode.OK
    assert not running(night.performer.world)


def test_a_database_that_became_active_elsewhere_gets_its_copy_back() -> None:
    night = night_of(LOOK_OF_THREE)
    until(night, Action.CANCEL_JOBS)
    world = die(night).performer.world
    activate(world, world.database_named("DB11"), "EX02")
    prepared = prepare(night)
    assert [each.database.server for each in prepared.left] == ["EX02"]
    assert release(night, prepared).exit_code == ExitCode.OK
    night.performer.clock.move(seconds=120)
    assert statuses(world) == {"EX01": "Healthy", "EX02": "Mounted", "EX03": "Healthy"}
    assert not left_of(world)


def test_a_rebuilt_database_that_became_active_elsewhere_is_named() -> None:
    night = night_of(THREE)
    until(night, Action.DISMOUNT)
    world = die(night).performer.world
    database = world.database_named("DB11")
    resume(world, database, "EX02")
    activate(world, database, "EX02")
    prepared = prepare(night)
    (behind,) = prepared.behind
    assert prepared.plan is None and "does not tell of the database DB11" in behind.why


def test_one_database_alone_leaves_the_others_of_its_run() -> None:
    night = night_of(SEVERAL)
    while not [each for each in performed(night) if each == (Action.REBUILD, "EX01")]:
        night.take(night.performer.perform(night.next()))
    die(night)
    prepared = prepare(night, only="DB11")
    assert [each.database.name for each in prepared.left] == ["DB11"] and prepared.is_whole


def test_a_controller_that_is_seen_alive_on_another_host_is_not_released() -> None:
    night = looking()
    files, now = night.performer.world.hosts["EX02"].files, night.performer.now()
    (sign,) = (each for each in files.below(ROOT) if each.endswith("alive.json"))
    files.write_json(sign, {**(files.read_json(sign) or {}), "alive_at": time_text(now)})
    with pytest.raises(Locked, match="EX02"):
        prepare(night)
    with pytest.raises(Locked, match="EX02"):  # nothing else is left there
        prepare(night, "EX02", silent=["EX01"])


@pytest.mark.parametrize(("scenario", "well", "every"), [(LOOK, WELL, 3), (THREE, ALL_WELL, 14)])
def test_released_after_a_death_at_any_moment_nothing_is_left_on_any_host(
    scenario: Scenario, well: dict[str, str], every: int
) -> None:
    points, ends = 0, Counter[int]()
    for number, night in moments(night_of(scenario), every):
        points += 1
        world = night.performer.world
        was_new, original = "DB11" in night.checks.was_new_mounted, night.checks.first["DB11"]
        prepared = prepare(night)
        assert prepared.is_whole, number
        if prepared.plan is not None:
            result = release(night, prepared)
            ends[result.exit_code] += 1
            assert result.exit_code in FINE, (number, result)
        night.performer.clock.move(seconds=120)
        assert statuses(world) == well and not left_of(world), number
        after = true_database(world, world.database_named("DB11"))
        assert after.present is not None and after.is_mount_at_startup
        assert (after.present.signature != original) == was_new, number
        assert not kinds(world, "seed-begun") or was_new, number
    count(points)
    assert points > 15 and ends[ExitCode.OK], ends


def test_several_servers_are_brought_back_at_once_by_the_name_of_one() -> None:
    found = Counter[str]()
    for number, night in moments(night_of(SEVERAL), 61):
        world = night.performer.world
        prepared = prepare(night, "EX01" if number % 2 else "EX02")
        assert prepared.is_whole, number
        if prepared.plan is not None:
            found.update(each.server for each in prepared.left)
            result = release(night, prepared)
            assert result.exit_code in FINE, (number, result)
            assert all(one.state is not LaneState.LEFT_OFFLINE for one in result.databases)
        down = [each.description.name for each in world.databases.values() if not each.mounted_on]
        assert not running(world) and not down, number
    assert set(found) == {"EX01", "EX02"}
