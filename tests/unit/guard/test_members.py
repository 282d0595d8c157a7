"""A member goes only while the rest of its group is well, and when nothing is active on it."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.guard.evaluate import at_plan, before_step
from goexchange.guard.members import AS_PLANNED, MEMBERS_WELL, NOTHING_ACTIVE
from goexchange.model import actual
from goexchange.model.plan import Action, Plan, Verdict, VerdictKind
from goexchange.model.run import StepRecord
from goexchange.model.server import ServerMode
from goexchange.model.unknown import Unknown
from goexchange.plan.sealing import seal
from tests.unit.plan.builders import IN_WINDOW, NOW, active, copy, group, state
from tests.unit.plan.server_builders import component, drafted, mode, of_group

UNREAD = Unknown("it could not be read")
PASS, BLOCK, UNKNOWN = VerdictKind.PASS, VerdictKind.BLOCK, VerdictKind.UNKNOWN
MOVED = (copy(server="EX01"), active(server="EX02"), copy(server="EX03"))


class NothingDone:
    """A run that has done nothing yet."""

    run = "r-1"

    def step(self, step: str) -> StepRecord:
        return StepRecord(step=step)


def plan() -> Plan:
    return seal(drafted(of_group()), NOW, "me")


def before_the_command(
    *servers: actual.ActualServer, at: Action = Action.TAKE_SERVER_DOWN
) -> dict[str, Verdict]:
    made = plan()
    step = next(each for each in made.body.lanes[0].steps if each.action is at)
    found = before_step(made, step, NothingDone(), state(*servers), IN_WINDOW)
    return {each.guard: each for each in found}


def on_well(*servers: actual.ActualServer) -> Verdict:
    return before_the_command(*servers)[MEMBERS_WELL.id]


def on_active(*servers: actual.ActualServer) -> Verdict:
    return before_the_command(*servers)[NOTHING_ACTIVE.id]


def on_mode(*servers: actual.ActualServer) -> Verdict:
    return before_the_command(*servers, at=Action.LAST_LOOK)[AS_PLANNED.id]


def told_by_first(*held: Any, **differs: Any) -> tuple[actual.ActualServer, ...]:
    """EX01 alone was asked, and told of every copy; that is what a look on the way is."""
    first = of_group()[0]
    return (evolve(first, copies=held or MOVED, **differs),)


def test_all_well_passes_at_plan_and_on_the_way() -> None:
    made = plan()
    found = [each for each in at_plan(made.body, state(*of_group()), NOW)
             if each.guard == MEMBERS_WELL.id]  # fmt: skip
    assert [each.kind for each in found] == [PASS] and "2 left of each" in found[0].evidence
    assert on_well(*told_by_first()).kind is PASS
    assert on_active(*told_by_first()).kind is PASS


@pytest.mark.parametrize("fact", MEMBERS_WELL.reads)
def test_an_unknown_fact_never_passes(fact: str) -> None:
    name = fact.partition(".")[2]
    assert on_well(evolve(of_group()[0], **{name: UNREAD})).kind is UNKNOWN
    assert on_well().kind is UNKNOWN
    assert on_active(evolve(of_group()[0], copies=UNREAD)).kind is UNKNOWN


@pytest.mark.parametrize("name", ["servers", "operational", "in_maintenance"])
def test_an_unknown_fact_of_the_group_never_passes(name: str) -> None:
    unread = group("EX01", "EX02", "EX03", **{name: UNREAD})
    assert on_well(*told_by_first(group=unread)).kind is UNKNOWN


def test_a_server_that_has_left_its_group_never_passes() -> None:
    assert on_well(*told_by_first(group=None)).kind is UNKNOWN


def test_a_copy_that_nobody_told_of_never_passes() -> None:
    assert on_well(*told_by_first(MOVED[0], MOVED[1])).kind is UNKNOWN


def test_the_member_s_own_maintenance_is_no_ailment() -> None:
    own = group("EX01", "EX02", "EX03", in_maintenance=("EX01",), operational=("EX02", "EX03"))
    assert on_well(*told_by_first(group=own)).kind is PASS


@pytest.mark.parametrize(
    "held",
    [
        (MOVED[0], MOVED[1], copy(server="EX03", status="Failed")),
        (MOVED[0], active(server="EX02", status="Dismounted"), MOVED[2]),
        (active(), copy(status="Failed"), copy(server="EX03")),
        (active(), copy(), copy(server="EX03", copy_queue_logs=500)),
    ],
)
def test_anything_that_is_not_well_elsewhere_blocks(held: tuple[Any, ...]) -> None:
    found = on_well(*told_by_first(*held))
    assert found.kind is BLOCK and found.remedy


def test_a_lagged_copy_that_is_healthy_is_well() -> None:
    lagged = copy(server="EX03", replay_lag_s=3600.0, replay_queue_logs=900)
    assert on_well(*told_by_first(MOVED[0], MOVED[1], lagged)).kind is PASS


def test_what_is_active_here_and_the_plan_does_not_move_blocks() -> None:
    made = plan()
    (lane,) = made.body.lanes
    from goexchange.model.plan import ControllerCall

    steps = tuple(
        evolve(each, call=evolve(each.call, arguments={**each.call.arguments, "moves": {}}))
        if each.action is Action.LAST_LOOK and isinstance(each.call, ControllerCall)
        else each
        for each in lane.steps
    )
    body = evolve(made.body, lanes=(evolve(lane, steps=steps),))
    found = [each for each in at_plan(body, state(*of_group()), NOW)
             if each.guard == MEMBERS_WELL.id]  # fmt: skip
    assert [each.kind for each in found] == [BLOCK]
    assert "which the plan does not know" in found[0].evidence


def test_a_target_that_is_gone_or_not_well_blocks() -> None:
    lagged = copy(server="EX02", replay_lag_s=3600.0, replay_queue_logs=900)
    blocked = on_well(*told_by_first(active(), lagged, copy(server="EX03")))
    assert blocked.kind is BLOCK and "the copy of DB05 on EX02" in blocked.evidence


@pytest.mark.parametrize("word", ["Mounted", "Mounting", "Dismounted", "Dismounting"])
def test_what_is_active_here_is_never_taken_down(word: str) -> None:
    held = (copy(server="EX01", status=word), active(server="EX02"), copy(server="EX03"))
    found = on_active(*told_by_first(*held))
    assert found.kind is BLOCK and "DB05" in found.evidence
    unread = (copy(server="EX01", status=UNREAD), *MOVED[1:])
    assert on_active(*told_by_first(*unread)).kind is UNKNOWN


def test_what_nobody_has_touched_since_the_plan_passes() -> None:
    assert on_mode(*of_group()).kind is PASS


@pytest.mark.parametrize(
    "now",
    [
        mode(component("HubTransport", "Draining", Maintenance="Draining")),
        mode(component("ServerWideOffline", "Inactive", Maintenance="Inactive")),
        mode(policy="Blocked"),
    ],
)
def test_what_somebody_else_took_of_it_since_the_plan_blocks(now: ServerMode) -> None:
    found = on_mode(evolve(of_group()[0], mode=now))
    assert found.kind is BLOCK and "EX01: server." in found.evidence and found.remedy


def test_a_mode_that_is_unread_never_passes() -> None:
    for unread in (UNREAD, ServerMode(components=UNREAD, activation_policy="Unrestricted")):
        assert on_mode(evolve(of_group()[0], mode=unread)).kind is UNKNOWN
    assert on_mode().kind is UNKNOWN


def test_the_mode_of_another_member_is_not_its_own() -> None:
    first, second, third = of_group()
    taken = mode(component("HubTransport", "Draining", Maintenance="Draining"))
    assert on_mode(first, evolve(second, mode=taken), third).kind is PASS
