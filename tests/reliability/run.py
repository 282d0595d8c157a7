"""The long session: seeds, crash points, mutants, real kills; counts of everything; a zero fails.

`python -m tests.reliability.run --seeds N --points N --kills N` plays them on all cores; `--write`
puts the figures into docs/reliability.md; `--seed N` repeats one night and shrinks what breaks.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from attrs import field, frozen

from goexchange.simulation.faults import FaultKind
from tests.reliability import kills
from tests.reliability.figures import write_figures
from tests.reliability.guards import Blinded, blind
from tests.reliability.guards import names as guard_names
from tests.reliability.mutants import MUTANTS, Noticed, hunt_number
from tests.reliability.points import Points, crash_points
from tests.reliability.seeds import case_of, command_for, play, play_seed
from tests.reliability.shrinking import shrunk

CHUNK = 10
SCENARIOS_MIN = 50


@frozen(kw_only=True)
class Broken:
    """A seed whose night broke, and what is said of it."""

    seed: int
    invariants: str
    text: str


@frozen(kw_only=True)
class Tally:
    """What a number of seeds showed; it can be added up."""

    nights: int = 0
    events: int = 0
    seconds: float = 0.0
    controllers: int = 0
    fired: Counter[str] = field(factory=Counter)
    places: Counter[str] = field(factory=Counter)
    ends: Counter[int] = field(factory=Counter)
    broken: tuple[Broken, ...] = ()

    def plus(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(
            nights=self.nights + other.nights,
            events=self.events + other.events,
            seconds=self.seconds + other.seconds,
            controllers=self.controllers + other.controllers,
            fired=self.fired + other.fired,
            places=self.places + other.places,
            ends=self.ends + other.ends,
            broken=(*self.broken, *other.broken),
        )


@frozen(kw_only=True)
class Session:
    """Everything that one session showed."""

    tally: Tally
    points: Points
    noticed: tuple[Noticed, ...]
    blinded: tuple[Blinded, ...]
    hits: kills.Hits


def play_seeds(seeds: Sequence[int]) -> Tally:
    """Play some seeds in this process."""
    tally = Tally()
    for seed in seeds:
        began = time.process_time()
        try:
            case, story = play_seed(seed)
        except Exception as error:  # noqa: BLE001 - a mistake of ours: reported with its seed
            broken = Broken(seed=seed, invariants="error", text=f"{type(error).__name__}: {error}")
            tally = tally.plus(Tally(nights=1, broken=(broken,)))
            continue
        failed = ()
        if not story.is_good:
            text = f"{story.text}\n{case.text()}"
            failed = (Broken(seed=seed, invariants=story.broken(), text=text),)
        tally = tally.plus(
            Tally(
                nights=1,
                events=story.events,
                seconds=time.process_time() - began,
                controllers=story.controllers,
                fired=Counter(one.kind.value for one in story.fired),
                places=Counter(
                    f"{one.phase.value}: {_action_of(one.step)}" for one in story.fired if one.step
                ),
                ends=Counter(story.ends[-1:]),
                broken=failed,
            )
        )
    return tally


def _action_of(step: str) -> str:
    """`07-dismount` of any database is a dismount."""
    return step.rsplit("/", 1)[-1].partition("-")[2]


def repeat(seed: int) -> int:
    """One night again: its timeline, and when it broke the smallest night that breaks alike."""
    case = case_of(seed)
    story = play(case, is_told=True)
    _say(case.text())
    if story.is_good:
        _say("\n".join(story.timeline))
        _say(f"seed {seed} is good: ends {story.ends}")
        return 0
    small, small_story = shrunk(case, story)
    _say("\n".join(small_story.timeline))
    _say(f"\n{story.broken()}: {story.text}\nshrunk to:\n{small.text()}")
    return 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Play what is asked for; 0 when everything held and everything fired."""
    given = _arguments(arguments)
    if given.seed is not None:
        return repeat(given.seed)
    began = time.monotonic()
    jobs = given.jobs or os.cpu_count() or 1
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        tally = _seeds(pool, given.seeds, first=given.first)
        points = _points(pool, given.points)
        noticed = tuple(pool.map(hunt_number, range(len(MUTANTS)))) if given.mutants else ()
        blinded = tuple(pool.map(blind, guard_names())) if given.mutants else ()
    hits = kills.kill(given.kills, jobs=jobs)
    seconds = time.monotonic() - began
    problems = _problems(tally, points, noticed, is_full=given.seeds >= 300)
    problems += [f"nobody noticed: {one.guard} passes" for one in blinded if not one.noticed_by]
    problems += kills.problems(hits, given.kills)
    _report(tally, points, noticed, seconds)
    for one in blinded:
        _say(f"  guard {one.guard} passes always: {one.noticed_by or 'NOBODY'}")
    _say("\n".join(kills.report(hits, seconds)))
    for problem in problems:
        _say(f"FAILED: {problem}")
    if given.write:
        session = Session(tally=tally, points=points, noticed=noticed, blinded=blinded, hits=hits)
        write_figures(session, seconds=seconds, cores=jobs)
    return 1 if problems else 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Nights by seed, kills, mutants")
    parser.add_argument("--seeds", type=int, default=2000, help="how many nights")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--points", type=int, default=10_000, help="how many crash points")
    parser.add_argument("--kills", type=int, default=200, help="how many real kills")
    parser.add_argument("--seed", type=int, help="repeat one night, and shrink it")
    parser.add_argument("--no-mutants", dest="mutants", action="store_false")
    parser.add_argument("--jobs", type=int, help="processes (default: one for each core)")
    parser.add_argument("--write", action="store_true", help="write docs/reliability.md")
    return parser.parse_args(arguments)


def _chunked(count: int, *, first: int = 0) -> list[list[int]]:
    numbers = list(range(first, first + count))
    return [numbers[at : at + CHUNK] for at in range(0, len(numbers), CHUNK)]


def _gathered(found: Iterable[Any], start: Any, say: Callable[[Any], None]) -> Any:
    total = start
    for one in found:
        total = total.plus(one)
        say(total)
    return total


def _seeds(pool: ProcessPoolExecutor, count: int, *, first: int) -> Tally:
    told: set[int] = set()

    def say(total: Tally) -> None:
        for broken in total.broken:
            if broken.seed not in told:
                told.add(broken.seed)
                _say(f"{broken.invariants}: {command_for(broken.seed)}\n{broken.text}")

    total: Tally = _gathered(pool.map(play_seeds, _chunked(count, first=first)), Tally(), say)
    return total


def _points(pool: ProcessPoolExecutor, count: int) -> Points:
    """Crash points over at least fifty scenarios, until there are enough."""
    total = Points()
    scenario = 0
    while total.points < count or (count >= 10_000 and scenario < SCENARIOS_MIN):
        each = max(40, count // SCENARIOS_MIN)
        batch = [(scenario + at, each) for at in range(2 * (os.cpu_count() or 1))]
        for found in pool.map(crash_points, batch):
            total = total.plus(found)
        scenario += len(batch)
        if count == 0:
            break
    return total


def _problems(
    tally: Tally, points: Points, noticed: Sequence[Noticed], *, is_full: bool
) -> list[str]:
    found = [f"seed {one.seed}: {one.invariants}" for one in tally.broken]
    found += [f"crash points: {text}" for text in points.broken]
    if is_full:
        found += [f"{kind.value} never fired" for kind in FaultKind if not tally.fired[kind.value]]
    found += [f"nobody noticed: {one.mutant}" for one in noticed if not one.by]
    return found


def _report(tally: Tally, points: Points, noticed: Sequence[Noticed], seconds: float) -> None:
    _say(
        f"{tally.nights} nights, {tally.controllers} controllers, {tally.events} events,"
        f" {tally.events / max(tally.seconds, 0.001):.0f} events per second and core,"
        f" {tally.nights / max(tally.seconds, 0.001):.2f} nights per second and core"
    )
    _say(f"ends by exit code: {dict(sorted(tally.ends.items()))}")
    for kind in FaultKind:
        _say(f"  {tally.fired[kind.value]:6}  {kind.value}")
    _say("where the faults fired, by phase and action:")
    for place, count in sorted(tally.places.items()):
        _say(f"  {count:6}  {place}")
    _say(f"{points.points} crash points in {points.scenarios} scenarios, by exit code"
         f" {dict(sorted(points.ends.items()))}")  # fmt: skip
    for place, count in sorted(points.places.items()):
        _say(f"  {count:6}  {place}")
    for one in noticed:
        _say(f"  {one.seeds:4} seeds, {one.by or 'NOBODY'}: {one.mutant}")
    _say(f"{seconds:.0f} s")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
