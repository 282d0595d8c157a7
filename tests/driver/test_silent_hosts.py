"""Hosts and stores that do not answer, or answer no: what the run does then, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from attrs import define, evolve, field

from goexchange.driver import effects as to_do
from goexchange.driver import events as came
from goexchange.errors import ExitCode
from goexchange.model.actual import ActualServer
from goexchange.model.plan import Action, Plan
from goexchange.model.run import LaneState, RecordKind, RunResult
from goexchange.model.unknown import Unknown
from tests.driver.plans import NOW, ORIGINAL, plan_of, rebuild_lane, with_step
from tests.driver.twin import Twin, drive, machine_of

PLAN = plan_of(rebuild_lane(verify_set=True))


@define(kw_only=True)
class Silent(Twin):
    """A twin that may be silent where the other always answers."""

    is_unseen: Callable[[Twin], bool] = lambda twin: False
    seen: Callable[[ActualServer], ActualServer] = lambda server: server
    verified: list[came.Event] = field(factory=list)  # what verifying comes to, one by one
    numbers: list[int] = field(factory=list)  # what renewals give, one by one
    deaf: set[str] = field(factory=set)  # cmdlets that say yes and do nothing

    def perform(self, effect: to_do.Effect) -> came.Event:
        if isinstance(effect, to_do.Observe) and self.is_unseen(self):
            self.now += timedelta(seconds=1)
            return came.Lost(message="nobody answers")
        if isinstance(effect, to_do.VerifySet) and self.verified:
            self.now += timedelta(seconds=1)
            return self.verified.pop(0)
        if isinstance(effect, to_do.RenewLeases) and self.numbers:
            self.number = self.numbers.pop(0)
        return super().perform(effect)

    def observe(self) -> ActualServer:
        return self.seen(super().observe())

    def cmdlet(self, call: Any) -> list[dict[str, Any]]:
        return [] if call.cmdlet in self.deaf else super().cmdlet(call)


def run(twin: Twin, plan: Plan = PLAN) -> RunResult:
    return drive(machine_of(plan, twin), twin)


def outcome(twin: Twin, action: Action, plan: Plan = PLAN) -> dict[str, Any]:
    step = next(one.id for one in plan.body.lanes[0].steps if one.action is action)
    found = [
        one.data
        for one in twin.journal
        if one.kind is RecordKind.OUTCOME and one.data["step"] == step
    ]
    return dict(found[-1])


def has_asked_nobody(twin: Twin) -> bool:
    return not [one for one in twin.journal if one.kind is RecordKind.QUESTION]


# -- the claim


def test_a_host_that_is_silent_at_the_claim_is_claimed_before_anything_is_sent_to_it() -> None:
    twin = Silent()
    order: list[str] = []

    def lose(number: int, send: to_do.Send) -> str | None:
        is_silent = twin.now < NOW + timedelta(minutes=3)
        order.append("" if is_silent else send.purpose)
        return "before" if is_silent else None

    twin.lose = lose
    assert run(twin).exit_code == ExitCode.OK
    assert next(purpose for purpose in order if purpose) == "claim"
    assert twin.claimed == twin.number


def test_a_host_that_refuses_the_claim_for_another_reason_ends_the_run() -> None:
    twin = Silent(refusals={"claim-fence": ["internal"] * 50})
    result = run(twin)
    assert result.exit_code == ExitCode.STOPPED and not twin.effects
    assert "refused our fencing number: internal" in result.verdict


def test_numbers_that_move_under_a_run_end_it() -> None:
    twin = Silent(numbers=[9])
    result = run(twin)
    assert "somebody held the lease in between" in result.verdict
    sent = twin.sends
    assert drive(machine_of(PLAN, twin), twin).exit_code == ExitCode.OK and twin.sends > sent


# -- looking


def test_a_host_that_is_seen_at_the_second_look_is_no_reason_to_give_up() -> None:
    looks = iter([True, True])
    twin = Silent(is_unseen=lambda twin: next(looks, False))
    assert run(twin).exit_code == ExitCode.OK


def test_nothing_begins_on_a_host_that_cannot_be_seen() -> None:
    twin = Silent(is_unseen=lambda twin: True)
    result = run(twin)
    assert result.exit_code == ExitCode.UNREACHABLE and not twin.journal and not twin.effects
    assert "EX01 could not be observed: nobody answers" in result.verdict


def test_without_its_last_look_no_database_is_taken_down() -> None:
    twin = Silent()
    twin.is_unseen = lambda twin: twin.sentinel and twin.is_mounted
    result = run(twin)
    assert result.exit_code == ExitCode.STOPPED and not twin.effects["Dismount-Database old"]
    assert "could not be observed" in outcome(twin, Action.LAST_LOOK)["result"]["why"]


# -- the set's verification


@pytest.mark.parametrize(
    "event",
    [came.Lost(message="the verifier is away"), came.Refused(code="no-set", message="no set")],
)
def test_a_set_that_cannot_be_verified_is_not_swapped_for(event: came.Event) -> None:
    twin = Silent(verified=[event])
    result = run(twin)
    assert result.exit_code == ExitCode.STOPPED and not twin.effects["swap"] and twin.is_mounted
    assert "the set could not be verified" in outcome(twin, Action.VERIFY_SET)["result"]["why"]


def test_a_verification_without_an_end_has_a_limit() -> None:
    plan = plan_of(with_step(rebuild_lane(verify_set=True), Action.VERIFY_SET, time_limit_s=30))
    twin = Silent(verified=[came.Woke()] * 60)
    run(twin, plan)
    assert not twin.effects["swap"] and twin.is_mounted
    why = outcome(twin, Action.VERIFY_SET, plan)["result"]["why"]
    assert why == "it did not end within its time limit of 30 s"


# -- what is sent


def test_a_job_that_the_host_refuses_to_start_has_failed() -> None:
    twin = Silent(refusals={"start-job": ["root-not-protected"]})
    result = run(twin)
    assert result.exit_code == ExitCode.STOPPED and twin.is_mounted
    assert "the job was refused: root-not-protected" in result.databases[0].why


def test_a_cmdlet_that_says_yes_and_does_nothing_has_failed() -> None:
    twin = Silent(deaf={"Dismount-Database"})
    result = run(twin)
    assert result.exit_code == ExitCode.STOPPED and twin.is_mounted
    why = outcome(twin, Action.DISMOUNT)["result"]["why"]
    assert why == "Exchange said yes, but it is not so"


def test_not_seen_mounted_is_not_the_same_as_not_mounted() -> None:
    twin = Silent(
        lose=lambda number, send: "before" if "confirm-mounted" in send.purpose else None
    )
    result = run(twin)
    assert result.exit_code == ExitCode.UNKNOWN
    assert result.databases[0].state is LaneState.UNDECIDED and not has_asked_nobody(twin)
    twin.lose = lambda number, send: None
    assert run(twin).exit_code == ExitCode.OK


def test_an_undecided_database_keeps_the_next_one_up() -> None:
    lane = rebuild_lane(verify_set=True)
    second = evolve(
        lane,
        id="EX01/DB06",
        steps=tuple(
            evolve(step, id=step.id.replace("DB05", "DB06"), binds=()) for step in lane.steps
        ),
    )
    plan = plan_of(lane, second, failures_max=9)
    twin = Silent(
        lose=lambda number, send: "before" if "confirm-mounted" in send.purpose else None
    )
    result = run(twin, plan)
    assert result.exit_code == ExitCode.UNKNOWN
    assert [one.state for one in result.databases] == [LaneState.UNDECIDED, LaneState.SKIPPED]
    assert "EX01/DB05 is not decided" in result.databases[1].why


# -- logs of a tried mount


def no_databases(server: ActualServer) -> ActualServer:
    return evolve(server, databases=Unknown("Exchange is silent"))


def nobody(server: ActualServer) -> ActualServer:
    return evolve(server, databases=())


@pytest.mark.parametrize(
    ("twin", "why"),
    [
        (Silent(seen=no_databases), "the databases of EX01 are not known: Exchange is silent"),
        (Silent(seen=nobody), "whether the database is mounted is not known"),
    ],
)
def test_logs_of_who_knows_whom_are_not_moved(twin: Silent, why: str) -> None:
    """What was seen before the failed mount does not count: Exchange is asked again."""
    real, twin.seen = twin.seen, lambda server: server
    twin.unmountable.add("new")
    machine = machine_of(PLAN, twin)
    while not twin.effects["swap back"]:
        machine.accept(twin.perform(machine.next(twin.now)), twin.now)
    twin.seen = real
    result = drive(machine, twin)
    assert result.exit_code == ExitCode.LEFT_OFFLINE and twin.logs == 3
    (question,) = [one.data for one in twin.journal if one.kind is RecordKind.QUESTION]
    assert question["evidence"] == why
    twin.seen = lambda server: server
    drive(machine_of(PLAN, twin), twin)
    assert twin.logs == 0 and twin.is_mounted and twin.files[ORIGINAL] == "old"


def test_logs_are_not_moved_when_nobody_can_say_whose_they_are() -> None:
    twin = Silent(unmountable={"new"})
    machine = machine_of(PLAN, twin)
    while not twin.effects["swap back"]:
        machine.accept(twin.perform(machine.next(twin.now)), twin.now)
    twin.is_unseen = lambda twin: True
    assert drive(machine, twin).exit_code == ExitCode.LEFT_OFFLINE and twin.logs == 3
