"""What a plan may not be, whoever made it: each breach of its contract, made once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from goexchange.model.plan import (
    Action,
    Binding,
    BindingKind,
    ExchangeCall,
    Lane,
    OnDoubt,
    PlanBody,
    RunsWhen,
    Step,
)
from goexchange.plan.check import BrokenPlan, breaches, check_body
from goexchange.plan.planner import make_draft
from goexchange.powershell.cmdlets import CmdletRefused
from tests.unit.plan.builders import NOW, inventory, spec, state

BODY = make_draft([spec()], inventory(), state(), now=NOW)
LANE = BODY.lanes[0]


def with_lanes(*lanes: Lane) -> PlanBody:
    return evolve(BODY, lanes=lanes)


def without(*actions: Action) -> PlanBody:
    steps = tuple(step for step in LANE.steps if step.action not in actions)
    numbered = (evolve(step, number=number) for number, step in enumerate(steps, start=1))
    return with_lanes(evolve(LANE, steps=tuple(numbered)))


def changed(action: Action, change: Callable[[Step], Step]) -> PlanBody:
    steps = tuple(change(step) if step.action is action else step for step in LANE.steps)
    return with_lanes(evolve(LANE, steps=steps))


LATER = Binding(argument="x", kind=BindingKind.HEADER_DIGEST, step="EX01/DB05/99-mount")


@pytest.mark.parametrize(
    ("body", "breach"),
    [
        (with_lanes(LANE, LANE), "two lanes are called"),
        (with_lanes(evolve(LANE, needs=("EX09",))), "needs EX09, which does not come before it"),
        (with_lanes(evolve(LANE, steps=(LANE.steps[0], *LANE.steps))), "two steps are called"),
        (changed(Action.MOUNT, lambda one: evolve(one, number=1)), "has the number 1 and not"),
        (changed(Action.MOUNT, lambda one: evolve(one, binds=(LATER,))), "is no earlier step"),
        (changed(Action.MOUNT, lambda one: evolve(one, undo_of="x")), "undoes x, which is no"),
        (
            changed(Action.NOTIFY, lambda one: evolve(one, runs_when=RunsWhen.UNDO_OF)),
            "does not say what it undoes",
        ),
        (changed(Action.DISMOUNT, lambda one: evolve(one, undo="")), "what takes it back"),
        (changed(Action.SWAP, lambda one: evolve(one, guards=())), "no verified set as its guard"),
        (changed(Action.SWAP, lambda one: evolve(one, guards=("luck",))), "unknown guard luck"),
        (
            changed(Action.MOUNT, lambda one: evolve(one, on_doubt=OnDoubt.PROBE, probe=None)),
            "would be probed when in doubt and has no probe",
        ),
        (without(Action.MOUNT_ORIGINAL), "dismounts and has no way back before the swap"),
        (without(Action.MOUNT_ORIGINAL), "swaps and has no way back after the swap"),
        (without(Action.PLACE_SENTINEL), "dismounts without recovery record or sentinel"),
        (without(Action.OPEN_RECOVERY_RECORD), "dismounts without recovery record or sentinel"),
        (without(Action.HASH_BACK), "swaps and has no step hash-back"),
        (without(Action.PROVE_BACKUP), "swaps and has no proved online backup after it"),
        (without(Action.RESTORE_MOUNT_AT_STARTUP), "changes mount at startup and never puts it"),
    ],
)
def test_a_breach_is_named_and_such_a_plan_is_never_sealed(body: PlanBody, breach: str) -> None:
    assert breach in "; ".join(breaches(body))
    with pytest.raises(BrokenPlan, match="breaks its own contract"):
        check_body(body)


@pytest.mark.parametrize("parameters", [{"Identity": " "}, {"Confirm": False}])
def test_a_cmdlet_that_names_nobody_is_in_no_plan(parameters: dict[str, object]) -> None:
    def nobody(step: Step) -> Step:
        assert isinstance(step.call, ExchangeCall)
        return evolve(step, call=evolve(step.call, parameters=parameters))

    with pytest.raises(CmdletRefused, match="Identity"):
        check_body(changed(Action.DISMOUNT, nobody))


def test_a_lane_that_returns_a_file_can_put_everything_back() -> None:
    taken = evolve(LANE.steps[-1], action=Action.RETURN_FILE)
    body = with_lanes(evolve(LANE, steps=(*LANE.steps[:-1], taken)))
    assert "returns a file and has no step return-present" in "; ".join(breaches(body))


def test_what_the_planner_makes_keeps_the_contract() -> None:
    check_body(BODY)
