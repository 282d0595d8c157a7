"""Each invariant has a bug that breaks it: a check that cannot fail proves nothing."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.driver import effects
from goexchange.journal.chain import Draft, seal
from goexchange.model.plan import Action, OnDoubt, Plan, RunsWhen, Step
from goexchange.model.run import RecordKind, RunResult
from goexchange.simulation.checks import Checks
from goexchange.simulation.night import RUN, Night, NightBroken, make_night, night_of
from goexchange.simulation.site import one_database
from tests.simulation.night.documents import AT, SPECIFICATION, inventory, specification

SET_ACTIONS = (Action.COPY_SET, Action.VERIFY_SET_ON_HOST, Action.HASH_SET, Action.SEAL_SET)


def night() -> Night:
    return make_night(one_database(), [specification()], inventory(), at=AT)


def with_plan(of: Night, change: Any) -> Night:
    """The same night with a plan that a buggy planner might have made."""
    lanes = tuple(
        evolve(lane, steps=tuple(step for each in lane.steps if (step := change(each)) is not None))
        for lane in of.plan.body.lanes
    )
    plan: Plan = evolve(of.plan, body=evolve(of.plan.body, lanes=lanes))
    return night_of(plan, of.performer)


def broken_by(of: Night) -> set[str]:
    with pytest.raises(NightBroken) as caught:
        of.run_to_end()
    return {one.invariant for one in caught.value.violations}


def without_guards(step: Step, *dropped: Action) -> Step | None:
    return None if step.action in dropped else evolve(step, guards=())


def test_i2_a_swap_without_a_set_is_noticed_by_the_driver() -> None:
    assert broken_by(with_plan(night(), lambda step: without_guards(step, *SET_ACTIONS))) == {"I2"}


def test_i2_a_swap_whose_set_is_gone_is_noticed_on_the_true_state() -> None:
    broken = night()
    files = broken.performer.world.hosts["EX01"].files
    while not (
        isinstance(effect := broken.next(), effects.Send) and effect.purpose.endswith("-swap")
    ):
        broken.take(broken.performer.perform(effect))
    for path in files.below("E:\\sets"):
        files.delete(path)
    assert broken_by(broken) == {"I2"}


def test_i5_a_request_that_is_repeated_blindly_is_noticed() -> None:
    passes = specification(SPECIFICATION.replace("primary_passes_max: 0", "primary_passes_max: 1"))
    made = make_night(one_database(), [passes], inventory(), at=AT)
    blind = with_plan(made, lambda step: evolve(step, on_doubt=OnDoubt.REPEAT))
    lost: list[str] = []

    def lose(send: effects.Send) -> str | None:
        is_first = (
            "repair-request" in send.purpose and not lost and not send.purpose.startswith("p")
        )
        lost.extend([send.purpose] if is_first else [])
        return "after" if is_first else None

    blind.performer.is_losing = lose
    assert broken_by(blind) == {"I5"}


def test_i6_an_intent_that_was_not_flushed_is_noticed() -> None:
    """The disk said that the intent was flushed; after the kill it is not there."""
    lying = night()
    while not (
        isinstance(effect := lying.next(), effects.Send) and effect.purpose.endswith("-dismount")
    ):
        lying.take(lying.performer.perform(effect))
    lying.performer.perform(effect)
    checks = Checks(plan=lying.plan, run=RUN, user=lying.performer.user)
    found = checks.after_event(lying.performer.world, lying.performer.records[:-1])
    assert [(one.invariant, one.why) for one in found] == [
        ("I6", "dismount has no intent before it")
    ]


def test_i6_an_outcome_without_an_intent_is_noticed() -> None:
    made = night()
    step = made.plan.body.lanes[0].steps[0]
    outcome = {
        "step": step.id,
        "attempt": 1,
        "outcome": "done",
        "result": {},
        "findings": [],
        "output_tail": "",
        "seconds": 0,
    }
    records = seal([Draft(RecordKind.OUTCOME, outcome)], after=None, at=AT)
    assert {
        one.invariant for one in made.checks.after_event(made.performer.world, list(records))
    } == {"I6"}


def test_i17_a_way_back_after_the_first_mount_is_noticed_by_the_driver() -> None:
    def change(step: Step) -> Step:
        return evolve(step, runs_when=RunsWhen.ALWAYS) if step.action is Action.SWAP_BACK else step

    assert broken_by(with_plan(night(), change)) == {"I17"}


def test_i17_an_older_file_in_place_is_noticed_on_the_true_state() -> None:
    broken = night()
    while not (
        isinstance(effect := broken.next(), effects.Send)
        and effect.purpose.endswith("-confirm-mounted")
    ):
        broken.take(broken.performer.perform(effect))
    world = broken.performer.world
    files, database = world.hosts["EX01"].files, world.database_named("DB05")
    world.cmdlet("EX01", "gxadmin", "Dismount-Database", {"Identity": "DB05", "Confirm": False})
    kept = next(path for path in files.names_in("D:\\DB05") if ".before-" in path)
    files.rename(database.edb_path, database.edb_path + ".aside")
    files.rename(kept, database.edb_path)
    world.cmdlet("EX01", "gxadmin", "Mount-Database", {"Identity": "DB05"})
    found = {one.invariant for one in broken.checks.after_event(world, broken.performer.records)}
    assert "I17" in found


def test_i1_a_database_that_is_silently_down_is_noticed() -> None:
    made = night()
    made.performer.world.cmdlet(
        "EX01", "gxadmin", "Dismount-Database", {"Identity": "DB05", "Confirm": False}
    )
    checks = Checks(plan=made.plan, run=RUN, user=made.performer.user)
    quiet = RunResult(exit_code=0, verdict="done", databases=())
    assert [one.invariant for one in checks.at_end(made.performer.world, quiet)] == ["I1"]


def test_i7_and_i18_records_that_must_not_be_are_noticed() -> None:
    made = night()
    lane = made.plan.body.lanes[0]
    dismount = next(step for step in lane.steps if step.action is Action.DISMOUNT)
    mount = next(step for step in lane.steps if step.action is Action.MOUNT)
    intent = {"step": dismount.id, "lane": lane.id, "attempt": 1, "call": {}}
    outcome = {
        "step": dismount.id,
        "attempt": 1,
        "outcome": "done",
        "result": {},
        "findings": [],
        "output_tail": "",
        "seconds": 0,
    }
    refused = {
        "step": mount.id,
        "lane": lane.id,
        "why": "guard: window",
        "cause": "guard",
        "turns_back": False,
    }
    resumed = {
        "controller": "c",
        "started_by": "s",
        "torn_bytes": 0,
        "steps_in_doubt": [dismount.id],
    }
    drafts = [
        Draft(RecordKind.INTENT, intent),
        Draft(RecordKind.RUN_RESUMED, resumed),
        Draft(RecordKind.OUTCOME, outcome),
        Draft(RecordKind.SKIPPED, refused),
    ]
    records = list(seal(drafts, after=None, at=AT))
    assert [one.invariant for one in made.checks.after_event(made.performer.world, records)] == [
        "I7",
        "I18",
    ]
