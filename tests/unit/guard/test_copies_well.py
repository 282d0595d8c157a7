"""Before a copy is suspended every copy and every member of the group is known to be well."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.guard.copies_well import COPIES_WELL
from goexchange.guard.evaluate import at_plan, at_start, before_step
from goexchange.model import actual, copies
from goexchange.model.desired import VerifyMode
from goexchange.model.plan import Action, ExchangeCall, Plan, Step, Verdict, VerdictKind
from goexchange.model.run import StepRecord
from goexchange.model.unknown import Unknown
from goexchange.plan.planner import make_draft
from goexchange.plan.sealing import seal
from tests.unit.plan.builders import (
    IN_WINDOW,
    NOW,
    active,
    conditions,
    copy,
    database,
    group,
    inventory,
    members,
    script,
    spec,
    state,
)

UNREAD = Unknown("it could not be read")


class NothingDone:
    """A run that has done nothing yet."""

    run = "r-1"

    def step(self, step: str) -> StepRecord:
        return StepRecord(step=step)


def plan(*held: copies.ActualCopy) -> Plan:
    wanted = spec(
        script=script(verify=VerifyMode.OFFLINE), conditions=conditions(white_space_max=0.9)
    )
    return seal(make_draft([wanted], inventory(), state(*members(*held)), now=NOW), NOW, "me")


def suspends(of: Plan) -> Step:
    return next(each for each in of.body.lanes[0].steps if each.action is Action.SUSPEND_COPY)


def verdicts(seen: actual.ActualState, *planned: copies.ActualCopy) -> list[Verdict]:
    """At plan, at start and before the step."""
    made = plan(*planned)
    every = (
        at_plan(made.body, seen, NOW),
        at_start(made, seen, IN_WINDOW, None),
        before_step(made, suspends(made), NothingDone(), seen, IN_WINDOW),
    )
    return [each for found in every for each in found if each.guard == COPIES_WELL.id]


def kinds(seen: actual.ActualState) -> set[VerdictKind]:
    found = verdicts(seen)
    assert len(found) == 3
    assert all(each.remedy for each in found if each.kind is not VerdictKind.PASS)
    return {each.kind for each in found}


def test_all_well_passes_at_every_moment() -> None:
    assert kinds(state(*members())) == {VerdictKind.PASS}
    assert "2 copies, all well; 1 left" in verdicts(state(*members()))[0].evidence


@pytest.mark.parametrize("fact", COPIES_WELL.reads)
def test_an_unknown_fact_never_passes(fact: str) -> None:
    where, _, name = fact.partition(".")
    differs: dict[str, Any] = {name: UNREAD}
    if where == "database":
        one = database(copies=("EX01", "EX02"), is_replicated=True)
        differs = {"databases": (evolve(one, **differs),)}
    assert kinds(state(*members(**differs))) == {VerdictKind.UNKNOWN}


@pytest.mark.parametrize("name", ["servers", "operational", "in_maintenance"])
def test_an_unknown_fact_of_the_group_never_passes(name: str) -> None:
    assert kinds(state(*members(group=group(**{name: UNREAD})))) == {VerdictKind.UNKNOWN}


def test_a_member_that_nobody_saw_never_passes() -> None:
    assert kinds(state(members()[0])) == {VerdictKind.UNKNOWN}
    assert kinds(state(*members(active()))) == {VerdictKind.UNKNOWN}


@pytest.mark.parametrize(
    "differs",
    [
        {"status": UNREAD},
        {"status": "healthy"},
        {"status": "Seeding"},
        {"status": "Suspended"},
        {"copy_queue_logs": UNREAD},
        {"copy_queue_logs": 11},
        {"replay_queue_logs": 11},
        {"is_active": True},
    ],
)
def test_a_copy_that_is_not_well_blocks(differs: dict[str, Any]) -> None:
    assert VerdictKind.PASS not in kinds(state(*members(active(), copy(**differs))))


@pytest.mark.parametrize(
    "differs",
    [
        {"is_activation_suspended": True},
        {"is_activation_suspended": UNREAD},
        {"replay_lag_s": 86400.0},
        {"replay_lag_s": UNREAD},
        {"is_active": UNREAD},
    ],
)
def test_a_copy_that_may_not_be_suspended_any_more_blocks(differs: dict[str, Any]) -> None:
    assert VerdictKind.PASS not in kinds(state(*members(active(), copy(**differs))))


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        ("DB05\\EX09", "there is no copy DB05\\EX09 any more"),
        ("DB05\\EX01", "the copy on EX01 is active now"),
    ],
)
def test_the_very_copy_of_the_step_has_to_be_a_passive_one(identity: str, words: str) -> None:
    made = plan()
    (lane,) = made.body.lanes
    step = suspends(made)
    assert isinstance(step.call, ExchangeCall)
    call = evolve(step.call, parameters={**step.call.parameters, "Identity": identity})
    steps = [evolve(each, call=call) if each.id == step.id else each for each in lane.steps]
    body = evolve(made.body, lanes=(evolve(lane, steps=tuple(steps)),))
    (found,) = [
        each
        for each in at_plan(body, state(*members()), NOW)
        if each.guard == COPIES_WELL.id
    ]
    assert found.kind is VerdictKind.BLOCK and words in found.evidence


def test_an_active_copy_that_is_not_mounted_blocks() -> None:
    assert kinds(state(*members(active(status="Dismounted"), copy()))) == {VerdictKind.BLOCK}


@pytest.mark.parametrize(
    "differs", [{"operational": ("EX01",)}, {"in_maintenance": ("EX02",)}]
)
def test_a_member_that_is_down_or_in_maintenance_blocks(differs: dict[str, Any]) -> None:
    assert kinds(state(*members(group=group(**differs)))) == {VerdictKind.BLOCK}


@pytest.mark.parametrize(
    ("differs", "words"),
    [
        ({"is_activation_suspended": True, "suspend_comment": "mine"}, None),
        ({"is_activation_suspended": True}, "suspended with another comment now"),
        ({"is_activation_suspended": False}, "is not suspended any more"),
        ({"is_activation_suspended": UNREAD}, "could not be read"),
        ({"is_activation_suspended": True, "suspend_comment": UNREAD}, "could not be read"),
    ],
)
def test_an_activation_is_what_the_plan_knows_how_to_put_back(
    differs: dict[str, Any], words: str | None
) -> None:
    known = copy(is_activation_suspended=True, suspend_comment="mine")
    found = verdicts(state(*members(active(), copy(**differs))), active(), known)
    assert len(found) == 3
    assert all((each.kind is VerdictKind.PASS) == (words is None) for each in found)
    assert all(words is None or words in each.evidence for each in found)
