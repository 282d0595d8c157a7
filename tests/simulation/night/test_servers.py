"""Nights of several servers: who goes first, how many at once, and that none disturbs another."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta

from attrs import evolve

from goexchange.driver import effects
from goexchange.driver.events import LeasesDenied, Request, Requested
from goexchange.errors import ExitCode
from goexchange.model.run import LaneState, RecordKind
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.site import several_servers
from goexchange.world.truth import true_database
from tests.simulation.crash_points import crash_in_rounds
from tests.simulation.night.documents import AT, INVENTORY, SPECIFICATION, inventory, specification

Span = tuple[datetime, datetime]


def night(
    strategy: str, *, count: int = 3, group: tuple[str, ...] = (), pace: float = 1.0
) -> Night:
    names = [f"EX{number:02d}" for number in range(1, count + 1)]
    text = SPECIFICATION.replace("servers: [EX01]", f"servers: [{', '.join(names)}]")
    text += f"strategy: {{{strategy}}}\n"
    entry = '  EX01: {address: ex01.lab.example, site: berlin, generation: "2019"}\n'
    entries = "".join(entry.replace("EX01", name).replace("ex01", name.lower()) for name in names)
    made = INVENTORY.replace(entry, entries)
    site = several_servers(count, group=group)
    slower = evolve(site, rates=site.rates.scaled(pace))
    return make_night(slower, [specification(text)], inventory(made), at=AT)


def spans(of: Night) -> dict[str, Span]:
    """When each server's lanes began and ended, by the journal."""
    found: dict[str, Span] = {}
    for record in of.performer.records:
        if record.kind in (RecordKind.LANE_STARTED, RecordKind.LANE_ENDED):
            server = str(record.data["lane"]).split("/")[0]
            first = found[server][0] if server in found else record.at_utc
            found[server] = (first, record.at_utc)
    return found


def at_once(of: Night) -> int:
    """How many servers were at work at the same time, at most."""
    every = spans(of).values()
    return max(sum(begun <= at < ended for begun, ended in every) for at, _ in every)


def test_as_many_servers_as_the_specification_says_are_at_work_at_once() -> None:
    one, two = night("servers_at_once: 1"), night("servers_at_once: 2")
    assert one.run_to_end().exit_code == two.run_to_end().exit_code == ExitCode.OK
    assert (at_once(one), at_once(two)) == (1, 2)
    lasted = [max(end for _, end in spans(each).values()) - AT for each in (one, two)]
    assert lasted[1] < lasted[0] * 0.8
    for number in (1, 2, 3):
        world = two.performer.world
        assert true_database(world, world.database_named(f"DB{number:02d}")).is_mounted
    once = Counter(effect.kind for effect in two.performer.world.effects)
    assert once["swap"] == once["mount"] == once["dismount"] == 3


def test_the_canary_goes_first_and_alone() -> None:
    of = night("servers_at_once: 3, canary: EX02")
    assert of.run_to_end().exit_code == ExitCode.OK
    found = spans(of)
    assert all(found["EX02"][1] <= found[name][0] for name in ("EX01", "EX03"))
    assert at_once(of) == 2


def test_nothing_follows_a_canary_that_failed_whatever_the_budget() -> None:
    of = night("servers_at_once: 3, canary: EX02, failures_max: 5")
    of.performer.world.faults.fail_next_mount("DB02", error=-550)
    result = of.run_to_end()
    states = {one.server: one.state for one in result.databases}
    assert states["EX02"] is LaneState.FAILED
    assert states["EX01"] is states["EX03"] is LaneState.SKIPPED
    kinds = Counter((e.kind, e.database) for e in of.performer.world.effects)
    assert not kinds["dismount", "DB01"] and not kinds["dismount", "DB03"]


def test_batches_begin_when_the_one_before_has_ended() -> None:
    of = night("servers_at_once: 9, batches: [1, 2]", count=5)
    assert of.run_to_end().exit_code == ExitCode.OK
    found = spans(of)
    assert [len(wave) for wave in of.plan.body.order.waves] == [1, 2, 2]
    for before, after in zip(of.plan.body.order.waves, of.plan.body.order.waves[1:], strict=False):
        assert max(found[one][1] for one in before) <= min(found[one][0] for one in after)


def test_of_an_availability_group_one_member_is_taken_at_a_time() -> None:
    of = night("servers_at_once: 3", group=("EX01", "EX03"))
    assert of.plan.body.order.one_at_a_time == (("EX01", "EX03"),)
    assert of.run_to_end().exit_code == ExitCode.OK
    found = spans(of)
    assert found["EX01"][1] <= found["EX03"][0]
    assert at_once(of) == 2


def test_one_failure_stops_what_has_not_begun_and_nothing_that_has() -> None:
    of = night("servers_at_once: 2")
    of.performer.world.faults.fail_next_mount("DB01", error=-550)
    result = of.run_to_end()
    assert [one.state for one in result.databases] == [
        LaneState.FAILED,
        LaneState.DONE,
        LaneState.SKIPPED,
    ]
    assert result.exit_code == ExitCode.STOPPED


def test_a_lost_lease_ends_every_track_and_nothing_is_sent_after_it() -> None:
    of = night("servers_at_once: 2")
    while sum("dismount" in str(r.data) for r in of.performer.records) < 3:
        of.take(of.performer.perform(of.next()))
    denied = False
    while not isinstance(effect := of.next(), effects.Finish):
        assert not denied
        if isinstance(effect, effects.RenewLeases):
            denied = True
            of.take(LeasesDenied(message="EX01 is somebody else's"))
        else:
            of.take(of.performer.perform(effect))
    assert denied and re.search("lease lost", effect.result.verdict)


def test_an_abort_is_heard_by_every_track() -> None:
    of = night("servers_at_once: 2")
    rebuilding = 0
    while rebuilding < 2:
        effect = of.next()
        rebuilding += (
            isinstance(effect, effects.Send)
            and "start-job" in str(effect.call)
            and ("-rebuild" in effect.purpose)
        )
        of.take(of.performer.perform(effect))
    of.take(Requested(request=Request.ABORT, by="operator"))
    result = of.run_to_end()
    assert result.exit_code == ExitCode.STOPPED
    states = [one.state for one in result.databases]
    assert states == [LaneState.FAILED, LaneState.FAILED, LaneState.SKIPPED]
    world = of.performer.world
    for name in ("DB01", "DB02", "DB03"):
        assert true_database(world, world.database_named(name)).is_mounted


def test_a_kill_while_two_servers_are_at_work_changes_nothing() -> None:
    def judge(ended: Night, _: object) -> None:
        world = ended.performer.world
        for name in ("DB01", "DB02"):
            assert true_database(world, world.database_named(name)).is_mounted
        assert not any(host.sentinels for host in world.hosts.values())

    report = crash_in_rounds(night("servers_at_once: 2", count=2), lives=40, every=4, judge=judge)
    assert report.points > 150
    assert report.ends == {int(ExitCode.OK): report.points}


def test_sentinels_of_servers_at_work_are_fed_in_time() -> None:
    of = night("servers_at_once: 2", count=2, pace=0.01)
    assert of.run_to_end().exit_code == ExitCode.OK
    lasted = [end - begun for begun, end in spans(of).values()]
    assert min(lasted) > timedelta(minutes=20)  # far longer than a sentinel waits
    assert "sentinel-spoke" not in {effect.kind for effect in of.performer.world.effects}
