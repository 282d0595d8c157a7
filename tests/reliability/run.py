"""The long session: seeds, crash points, mutants, real kills; counts of everything; a zero fails.

`python -m tests.reliability.run --seeds N --points N --kills N` plays them on all cores, and
what is 0 not at all; `--write` puts the figures of what was played into docs/reliability.md,
chapter by chapter; `--seed N` repeats one night and shrinks what breaks.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

from attrs import field, frozen

from goexchange.simulation.faults import OF_CLUSTERS, FaultKind
from tests.reliability import kills
from tests.reliability.figures import missing_cells, table_of_scripts, write_figures
from tests.reliability.guards import Blinded, blind
from tests.reliability.guards import names as guard_names
from tests.reliability.mutants import MUTANTS, Noticed, hunt_number
from tests.reliability.points import Points, crash_points
from tests.reliability.scenarios import scripts_of
from tests.reliability.seeds import case_of, command_for, play, play_on, prepared
from tests.reliability.shrinking import shrunk

T = TypeVar("T")
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
    scripts: Counter[tuple[str, str]] = field(factory=Counter)  # nights by script and generation
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
            scripts=self.scripts + other.scripts,
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
    seconds: dict[str, float]  # by chapter of docs/reliability.md, those that were played


def play_seeds(seeds: Sequence[int]) -> Tally:
    """Play some seeds in this process."""
    tally = Tally()
    for seed in seeds:
        began = time.process_time()
        try:
            case, calm = prepared(seed)
            story = play_on(case, calm)
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
                scripts=Counter(scripts_of(case.scenario, calm.plan)),
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
    jobs = given.jobs or os.cpu_count() or 1
    session = _played(given, jobs)
    problems = _problems(session, is_full=given.seeds >= 300)
    problems += kills.problems(session.hits, given.kills)
    _report(session)
    for problem in problems:
        _say(f"FAILED: {problem}")
    if given.write:
        write_figures(session, processes=jobs)
    return 1 if problems else 0


def _played(given: argparse.Namespace, jobs: int) -> Session:
    """Play the chapters that are asked for, each with its time."""
    seconds: dict[str, float] = {}

    def timed(chapter: str, play: Callable[[], T]) -> T:
        began = time.monotonic()
        came = play()
        seconds[chapter] = time.monotonic() - began
        return came

    tally, points, hits = Tally(), Points(), kills.Hits()
    noticed: tuple[Noticed, ...] = ()
    blinded: tuple[Blinded, ...] = ()
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        if given.seeds:
            tally = timed("nights", lambda: _seeds(pool, given.seeds, first=given.first))
        if given.points:
            points = timed("points", lambda: _points(pool, given.points))
        if given.mutants:
            noticed, blinded = timed("mutants", lambda: _mutants(pool))
    if given.kills:
        hits = timed("kills", lambda: kills.kill(given.kills, jobs=jobs))
    return Session(
        tally=tally, points=points, noticed=noticed, blinded=blinded, hits=hits, seconds=seconds
    )


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


def _mutants(pool: ProcessPoolExecutor) -> tuple[tuple[Noticed, ...], tuple[Blinded, ...]]:
    hunted = pool.map(hunt_number, range(len(MUTANTS)))
    return tuple(hunted), tuple(pool.map(blind, guard_names()))


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
    return total


def _problems(session: Session, *, is_full: bool) -> list[str]:
    tally = session.tally
    found = [f"seed {one.seed}: {one.invariants}" for one in tally.broken]
    found += [f"crash points: {text}" for text in session.points.broken]
    if is_full:
        found += [f"{kind.value} never fired" for kind in FaultKind
                  if kind not in OF_CLUSTERS and not tally.fired[kind.value]]  # fmt: skip
    found += missing_cells(session.tally.scripts) if is_full else []
    found += [f"nobody noticed: {one.mutant}" for one in session.noticed if not one.by]
    found += [f"nobody noticed: {one.guard} passes" for one in session.blinded
              if not one.noticed_by]  # fmt: skip
    return found


def _report(session: Session) -> None:
    """Every count of the chapters that were played."""
    if "nights" in session.seconds:
        _report_nights(session.tally)
    if "points" in session.seconds:
        points = session.points
        _say(f"{points.points} crash points in {points.scenarios} scenarios, by exit code"
             f" {dict(sorted(points.ends.items()))}")  # fmt: skip
        for place, count in sorted(points.places.items()):
            _say(f"  {count:6}  {place}")
    for one in session.noticed:
        _say(f"  {one.seeds:4} seeds, {one.by or 'NOBODY'}: {one.mutant}")
    for each in session.blinded:
        _say(f"  guard {each.guard} passes always: {each.noticed_by or 'NOBODY'}")
    if "kills" in session.seconds:
        _say("\n".join(kills.report(session.hits, session.seconds["kills"])))
    for chapter, seconds in session.seconds.items():
        _say(f"{chapter}: {seconds:.0f} s")


def _report_nights(tally: Tally) -> None:
    _say(
        f"{tally.nights} nights, {tally.controllers} controllers, {tally.events} events,"
        f" {tally.events / max(tally.seconds, 0.001):.0f} events per second and core,"
        f" {tally.nights / max(tally.seconds, 0.001):.2f} nights per second and core"
    )
    _say(f"ends by exit code: {dict(sorted(tally.ends.items()))}")
    _say("nights by script and generation:")
    for script, by in table_of_scripts(tally.scripts):
        _say(f"  {script}: {', '.join(f'{name} {count}' for name, count in by)}")
    for kind in [each for each in FaultKind if each not in OF_CLUSTERS]:
        _say(f"  {tally.fired[kind.value]:6}  {kind.value}")
    _say("where the faults fired, by phase and action:")
    for place, count in sorted(tally.places.items()):
        _say(f"  {count:6}  {place}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
