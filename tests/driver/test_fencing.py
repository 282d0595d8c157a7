"""Who may still act: leases that cannot be asked for, hosts that know better, groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from attrs import define, evolve

from goexchange.codec import digest, to_plain
from goexchange.driver import effects as to_do
from goexchange.driver.calls import changes, longest_cmdlet_s, scope_leases
from goexchange.driver.fencing import RAISES_MAX
from goexchange.errors import ExitCode
from goexchange.model.actual import ActualServer, ActualState
from goexchange.model.plan import Action, ExchangeCall, Plan
from goexchange.model.run import LaneState, RecordKind, RunResult
from goexchange.model.unknown import Unknown
from tests.driver.plans import NOW, ORIGINAL, plan_of, rebuild_lane, with_step
from tests.driver.test_silent_hosts import Silent
from tests.driver.twin import Refusal, Twin, drive, machine_of

LEASE_S = 300


def walk(twin: Twin, plan: Plan, *, effects_max: int = 3000) -> Iterator[to_do.Effect]:
    """Perform to the end, and show each effect before it is performed."""
    machine = machine_of(plan, twin)
    for _ in range(effects_max):
        effect = machine.next(twin.now)
        yield effect
        if isinstance(effect, to_do.Finish):
            return
        machine.accept(twin.perform(effect), twin.now)
    raise AssertionError("the machine does not come to an end")


def end_of(effects: list[to_do.Effect]) -> RunResult:
    assert isinstance(effects[-1], to_do.Finish)
    return effects[-1].result


def is_change(effect: to_do.Effect) -> bool:
    return (
        isinstance(effect, to_do.Send)
        and isinstance(effect.call, ExchangeCall)
        and changes(effect.call)
    )


def test_right_before_each_cmdlet_the_host_and_the_lease_are_read_again() -> None:
    plan = plan_of(rebuild_lane(with_passes=True))
    effects = list(walk(Twin(), plan))
    cmdlets = [place for place, effect in enumerate(effects) if is_change(effect)]
    assert len(cmdlets) >= 5
    for place in cmdlets:
        fence, lease, cmdlet = effects[place - 2 : place + 1]
        assert isinstance(fence, to_do.Send) and fence.purpose == "keep"
        assert isinstance(lease, to_do.RenewLeases)
        assert isinstance(cmdlet, to_do.Send) and cmdlet.time_limit_s <= LEASE_S


@pytest.mark.parametrize("cmdlet", ["Dismount-Database", "Mount-Database"])
def test_a_host_that_has_seen_a_higher_number_gets_no_cmdlet(cmdlet: str) -> None:
    twin = Twin()
    seen: list[to_do.Effect] = []
    for effect in walk(twin, plan_of(rebuild_lane())):
        seen.append(effect)
        is_next = (
            isinstance(effect, to_do.Append)
            and effect.drafts[-1].kind is RecordKind.INTENT
            and effect.drafts[-1].data["call"].get("cmdlet") == cmdlet
        )
        if is_next:
            twin.claimed = 99
    assert "fenced" in end_of(seen).verdict
    assert not twin.effects[f"{cmdlet} old"] and not twin.effects[f"{cmdlet} new"]
    is_down = cmdlet == "Mount-Database"
    assert end_of(seen).exit_code == (ExitCode.LEFT_OFFLINE if is_down else ExitCode.UNKNOWN)


def test_a_host_that_does_not_say_so_keeps_its_database_up() -> None:
    twin = Twin(lose=lambda number, send: "before" if send.purpose == "keep" else None)
    result = drive(machine_of(plan_of(rebuild_lane()), twin), twin)
    assert result.databases[0].state is LaneState.FAILED
    assert "the host does not keep the run" in result.databases[0].why
    assert twin.is_mounted and not twin.effects["Dismount-Database old"]


def test_what_brings_mail_back_does_not_wait_for_the_host_to_say_so() -> None:
    twin = Twin()
    twin.lose = lambda number, send: (
        "before"
        if send.purpose == "keep" and twin.effects["swap"] and not twin.is_mounted
        else None
    )
    result = drive(machine_of(plan_of(rebuild_lane()), twin), twin)
    assert twin.is_mounted and twin.files[ORIGINAL] == "new"
    assert result.exit_code == ExitCode.OK


def test_a_lease_store_that_is_away_lets_nothing_start() -> None:
    twin = Twin(is_store_away=lambda now: True)
    result = drive(machine_of(plan_of(rebuild_lane()), twin), twin)
    assert (result.exit_code, result.verdict) == (ExitCode.UNREACHABLE, "the share is away")
    assert not twin.journal and not twin.sends


@pytest.mark.parametrize("minutes", [1, 4, 20, 33])
@pytest.mark.parametrize("begins_s", [5, 30, 60, 100])
def test_a_lease_store_that_comes_back_costs_time_only(begins_s: int, minutes: int) -> None:
    begins = NOW + timedelta(seconds=begins_s)
    back = begins + timedelta(minutes=minutes)
    twin = Twin(is_store_away=lambda now: begins <= now < back)
    expires = NOW + timedelta(seconds=LEASE_S)
    seen: list[to_do.Effect] = []
    for effect in walk(twin, plan_of(rebuild_lane())):
        seen.append(effect)
        if isinstance(effect, to_do.RenewLeases) and not twin.is_store_away(twin.now):
            expires = twin.now + timedelta(seconds=LEASE_S)
        if isinstance(effect, to_do.Send):
            assert twin.now + timedelta(seconds=effect.time_limit_s) <= expires, effect.purpose
    assert end_of(seen).exit_code == ExitCode.OK
    assert len(seen) < 1500, "nobody asks without end"


def test_a_lease_store_that_stays_away_ends_the_run_and_says_what_is_down() -> None:
    begins = NOW + timedelta(seconds=30)
    twin = Twin(is_store_away=lambda now: now >= begins)
    lane = with_step(rebuild_lane(), Action.REBUILD, time_limit_s=86_400)
    twin.is_rebuild_endless = True
    seen: list[to_do.Effect] = []
    last_sent = NOW
    for effect in walk(twin, plan_of(lane)):
        seen.append(effect)
        if isinstance(effect, to_do.Send):
            last_sent = twin.now
    assert end_of(seen).exit_code == ExitCode.LEFT_OFFLINE
    assert "whether it is ours is not known" in end_of(seen).verdict
    assert last_sent < begins + timedelta(seconds=LEASE_S)
    assert not any(isinstance(each, to_do.ReleaseLeases) for each in seen)


def test_a_member_of_a_group_takes_the_groups_lease_too() -> None:
    def with_group(group: object) -> Plan:
        plan = plan_of(rebuild_lane())
        servers = tuple(
            evolve(server, availability_group=group) for server in (observed(), other())
        )
        facts = ActualState(observed_at_utc=NOW, servers=servers)
        body = evolve(plan.body, facts=facts)
        return evolve(plan, body=body, sha256=digest(to_plain(body)))

    assert scope_leases(with_group("DAG1")) == ("dag:DAG1", "EX01")
    assert scope_leases(with_group(None)) == ("EX01",)
    assert scope_leases(with_group(Unknown("not asked"))) == ("EX01",)
    plan, twin = with_group("DAG1"), Twin()
    effects = list(walk(twin, plan))
    taken = [each for each in effects if isinstance(each, to_do.AcquireLeases)]
    assert taken[0].servers == ("dag:DAG1", "EX01")
    assert taken[0].cmdlet_limit_s == longest_cmdlet_s(plan) == LEASE_S
    assert end_of(effects).exit_code == ExitCode.OK
    leases = {str(r.data["server"]) for r in twin.journal if r.kind is RecordKind.LEASE}
    assert leases == {"dag:DAG1", "EX01"}
    again = list(walk(twin, plan))
    assert end_of(again).exit_code == ExitCode.OK


def observed() -> ActualServer:
    return Twin().observe()


def other() -> ActualServer:
    """A server of the facts that the plan does not act on."""
    return evolve(Twin().observe(), name="EX99")


@define(kw_only=True)
class Contested(Silent):
    """A host that somebody else claims again and again."""

    claims: int = 0
    raised_by: int = 10

    def _claim_fence(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        self.claims += 1
        self.claimed = arguments["fence"] + self.raised_by
        raise Refusal("fenced")


def test_a_host_that_others_go_on_claiming_is_left_to_them() -> None:
    twin = Contested()
    result = drive(machine_of(plan_of(rebuild_lane()), twin), twin)
    assert "refused our fencing number" in result.verdict and twin.claims == RAISES_MAX
    assert twin.is_mounted and not twin.effects and twin.recovery == "none"


def test_a_host_that_refuses_and_does_not_say_why_is_left_to_others() -> None:
    twin = Contested()
    twin.is_unseen = lambda of: bool(twin.claims)
    result = drive(machine_of(plan_of(rebuild_lane()), twin), twin)
    assert "refused our fencing number" in result.verdict and twin.claims == 1
    assert twin.is_mounted and not twin.effects


def test_a_host_of_another_store_that_hides_its_runs_is_not_taken() -> None:
    """Its number is higher than ours, and whether that run has ended nobody knows."""
    twin = Silent(claimed=7)
    twin.seen = lambda server: evolve(
        server, host=evolve(server.host, open_recoveries=Unknown("access denied"))
    )
    result = drive(machine_of(plan_of(rebuild_lane()), twin), twin)
    assert result.exit_code == ExitCode.LOCKED
    assert "whether its run has ended is not known: access denied" in result.verdict
    assert twin.claimed == 7 and not twin.effects
