"""Generated nights with generated faults: every invariant holds, and whatever is laid out fires."""

from __future__ import annotations

import pytest
from attrs import evolve

from goexchange.simulation.faults import Fault, FaultKind, Place
from tests.counted import count
from tests.reliability.mutants import MUTANTS, Mutant, hunt
from tests.reliability.points import crash_points
from tests.reliability.run import CHUNK, play_seeds
from tests.reliability.scenarios import simple
from tests.reliability.seeds import Case, case_of, command_for, play
from tests.reliability.shrinking import shrunk

SEEDS = 300
QUICK = {
    "the intent comes after the act",
    "no sentinel is placed",
    "mount at startup is not put back",
    "a job in doubt is started anew",
    "the rebuilt file is never checked",
    "guard window passes always",
    "guard copies-well passes always",
    "guard copies-held passes always",
    "copies that are left suspended are not named",
    "guard members-well passes always",
    "guard mode-as-planned passes always",
    "components are not given back",
    "sets are without the streaming file",
}


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK * 3))
def test_every_night_keeps_its_promises(first: int) -> None:
    tally = play_seeds(range(first, first + CHUNK * 3))
    said = [f"{command_for(one.seed)}: {one.invariants}: {one.text}" for one in tally.broken]
    assert not said, "\n".join(said)
    assert tally.nights == CHUNK * 3 and tally.events > 100 * tally.nights
    assert sum(tally.fired.values()) > tally.nights // 2
    assert set(tally.fired) <= {kind.value for kind in FaultKind}


def test_the_same_seed_is_the_same_night() -> None:
    case = case_of(17)
    assert case == case_of(17)
    first, second = play(case, is_told=True), play(case, is_told=True)
    assert first == second


@pytest.mark.parametrize("scenario", [0, 1, 2, 4])  # in the one between little is to be done
def test_a_controller_killed_anywhere_in_a_generated_night_is_followed(scenario: int) -> None:
    points = crash_points((scenario, 60))
    count(points.points)
    assert not points.broken
    assert points.points >= 8  # a short night has few boundaries


@pytest.mark.parametrize(
    "mutant", [one for one in MUTANTS if one.name in QUICK], ids=lambda one: one.name
)
def test_bugs_put_in_on_purpose_are_noticed(mutant: Mutant) -> None:
    assert hunt(mutant, seeds_max=20).by


def test_a_night_that_breaks_is_shrunk_to_what_breaks_it() -> None:
    """Two things happen in a night with two databases; one of them, with one database, is enough
    to show that the safety net is missing.
    """
    step = "EX01/DB11/08-read-header"
    case = Case(
        scenario=evolve(simple(), needs=(("rebuild", "verify"),), has_processes=True),
        faults=tuple(Fault(kind=kind, step=step, place=Place.SEND) for kind in
                     (FaultKind.SLOW, FaultKind.LOST_ANSWER)),
    )  # fmt: skip
    mutant = next(one for one in MUTANTS if one.name == "no sentinel is placed")
    with mutant.patch():
        story = play(case)
        small, told = shrunk(case, story)
    assert {one.invariant for one in story.violations} == {"I1"}
    assert not small.faults and small.scenario.needs == (("rebuild",),)
    assert not small.scenario.has_processes
    assert any("dismount" in line for line in told.timeline)
