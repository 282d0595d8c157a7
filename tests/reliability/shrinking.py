"""The smallest night that still breaks in the same way: fewer faults, then a smaller scenario."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from goexchange.simulation.stories import Story
from tests.reliability.scenarios import smaller
from tests.reliability.seeds import Case, play

TRIES_MAX = 200


def shrunk(case: Case, story: Story) -> tuple[Case, Story]:
    """Leave out what is not needed for one of the same invariants to break; with its timeline."""
    wanted = {one.invariant for one in story.violations}
    tries = 0
    found = True
    while found and tries < TRIES_MAX:
        found = False
        for candidate in _candidates(case):
            tries += 1
            told = play(candidate)
            if wanted & {one.invariant for one in told.violations}:
                case, found = candidate, True
                break
    return case, play(case, is_told=True)


def _candidates(case: Case) -> Iterator[Case]:
    for index in range(len(case.faults)):
        yield evolve(case, faults=(*case.faults[:index], *case.faults[index + 1 :]))
    for scenario in smaller(case.scenario):
        yield evolve(case, scenario=scenario)
    for index, fault in enumerate(case.faults):
        if fault.delay_s:
            less = evolve(fault, delay_s=0.0)
            yield evolve(case, faults=(*case.faults[:index], less, *case.faults[index + 1 :]))
