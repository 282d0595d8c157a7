"""While a replicated database is rebuilt its active copy stays, and the others stay suspended."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.guard.copies_held import COPIES_HELD
from goexchange.guard.evaluate import at_plan, before_step
from goexchange.model import actual
from goexchange.model.plan import Action, Plan, Step, Verdict, VerdictKind
from goexchange.model.unknown import Unknown
from goexchange.plan.planner import make_draft
from goexchange.plan.sealing import seal
from tests.unit.guard.test_copies_well import NothingDone
from tests.unit.plan.builders import (
    IN_WINDOW,
    NOW,
    active,
    copy,
    group,
    members,
    replicated_rebuild,
    state,
)

UNREAD = Unknown("it could not be read")
THREE = ("EX01", "EX02", "EX03")


def plan() -> Plan:
    specification, inventory, seen = replicated_rebuild()
    return seal(make_draft([specification], inventory, seen, now=NOW), NOW, "me")


def seen(*held: Any, **differs: Any) -> actual.ActualState:
    return replicated_rebuild(*held, **differs)[2]


def step_of(of: Plan, action: Action, number: int = 0) -> Step:
    found = [each for each in of.body.lanes[0].steps if each.action is action]
    return found[number]


def verdict(step: Step, state: actual.ActualState) -> Verdict:
    found = before_step(plan(), step, NothingDone(), state, IN_WINDOW)
    return next(each for each in found if each.guard == COPIES_HELD.id)


def held(*, second: str = "Suspended", **differs: Any) -> tuple[Any, ...]:
    return (
        active(**differs),
        copy(status="Suspended"),
        copy(server="EX03", status=second, activation_preference=3),
    )


def test_it_is_named_where_something_is_taken_away_and_due_until_then() -> None:
    made = plan()
    named = [
        each.action for each in made.body.lanes[0].steps if COPIES_HELD.id in each.guards
    ]
    assert named == [Action.SUSPEND_COPY, Action.NOTIFY, Action.DISMOUNT, Action.SWAP]
    at_first = [each for each in at_plan(made.body, seen(), NOW) if each.guard == COPIES_HELD.id]
    assert [each.kind for each in at_first] == [VerdictKind.DUE]


def test_held_copies_pass_before_the_dismount() -> None:
    found = verdict(step_of(plan(), Action.DISMOUNT), seen(*held()))
    assert found.kind is VerdictKind.PASS and "active on EX01" in found.evidence


def test_before_a_second_one_is_suspended_the_first_is_and_it_is_well_itself() -> None:
    second = step_of(plan(), Action.SUSPEND_COPY, 1)
    assert verdict(second, seen(*held(second="Healthy"))).kind is VerdictKind.PASS
    assert verdict(second, seen(*held(second="Failed"))).kind is VerdictKind.BLOCK
    loose = (active(), copy(), copy(server="EX03"))
    found = verdict(second, seen(*loose))
    assert found.kind is VerdictKind.BLOCK and "not suspended any more" in found.evidence


def test_the_queue_of_a_lagged_copy_may_be_long() -> None:
    second = step_of(plan(), Action.SUSPEND_COPY, 1)
    lagged = copy(server="EX03", replay_lag_s=86400.0, replay_queue_logs=900)
    found = verdict(second, seen(active(), copy(status="Suspended"), lagged))
    assert found.kind is VerdictKind.PASS


@pytest.mark.parametrize("status", ["Healthy", "Seeding", "ServiceDown", "Initializing"])
def test_a_copy_that_is_not_suspended_any_more_blocks_the_dismount(status: str) -> None:
    found = verdict(step_of(plan(), Action.DISMOUNT), seen(*held(second=status)))
    assert found.kind is VerdictKind.BLOCK and status in found.evidence


def test_right_before_the_swap_only_the_active_copy_counts() -> None:
    swap = step_of(plan(), Action.SWAP)
    down = held(second="ServiceDown", status="Dismounted")
    assert verdict(swap, seen(*down)).kind is VerdictKind.PASS
    moved = (
        active(is_active=False, status="Healthy"),
        copy(is_active=True, status="Mounted"),
        copy(server="EX03", status="Suspended"),
    )
    found = verdict(swap, seen(*moved))
    assert found.kind is VerdictKind.BLOCK and "its active copy is on EX02" in found.evidence
    nowhere = held(is_active=False)
    assert "its active copy is on no server" in verdict(swap, seen(*nowhere)).evidence


@pytest.mark.parametrize("action", [Action.DISMOUNT, Action.SWAP])
@pytest.mark.parametrize("differs", [{"is_active": UNREAD}, {"status": UNREAD}])
def test_what_could_not_be_read_never_passes_a_dismount(
    action: Action, differs: dict[str, Any]
) -> None:
    unread = (*held()[:2], copy(server="EX03", **{"status": "Suspended", **differs}))
    found = verdict(step_of(plan(), action), seen(*unread))
    is_moot = action is Action.SWAP and "status" in differs
    assert (found.kind is VerdictKind.PASS) is is_moot


@pytest.mark.parametrize("fact", COPIES_HELD.reads)
def test_an_unknown_fact_never_passes(fact: str) -> None:
    where, _, name = fact.partition(".")
    state_now = seen(*held())
    first, *others = state_now.servers
    if where == "server":
        first = evolve(first, **{name: UNREAD})
    else:
        assert isinstance(first.databases, tuple)
        first = evolve(first, databases=(evolve(first.databases[0], **{name: UNREAD}),))
    unread = evolve(state_now, servers=(first, *others))
    assert verdict(step_of(plan(), Action.DISMOUNT), unread).kind is VerdictKind.UNKNOWN


def test_members_of_two_are_the_same_to_it() -> None:
    assert group().servers == ("EX01", "EX02") and len(members()) == 2
    assert len(state(*members()).servers) == 2
