"""How fast the simulation is: nights and events per second and core, and where the time goes.

`python -m tests.bench.nights [--seeds 60] [--write]` measures processor time, so other work on the
machine matters little; `--write` puts the figures at the end of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import cProfile
import platform
import pstats
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from attrs import frozen

from tests.reliability.seeds import play_seed

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"
TITLE = "## Nights of the simulation"
GOAL = 10_000  # events per second and core
PROFILED = 15  # seeds that are played again under the profiler
LINES = 5


@frozen(kw_only=True)
class Speed:
    """What some seeds took."""

    seeds: int
    events: int
    seconds: float
    profile: tuple[str, ...]


def measure(seeds: int) -> Speed:
    """Play the seeds, and some of them again under the profiler."""
    play_seed(0)  # what is loaded and compiled once
    began = time.process_time()
    events = sum(play_seed(seed)[1].events for seed in range(seeds))
    seconds = time.process_time() - began
    profiler = cProfile.Profile(time.process_time)
    profiler.enable()
    for seed in range(min(seeds, PROFILED)):
        play_seed(seed)
    profiler.disable()
    return Speed(seeds=seeds, events=events, seconds=seconds, profile=tuple(_top(profiler)))


def _top(profiler: cProfile.Profile) -> Iterator[str]:
    """The first lines of the profile, by own time: share, calls, function."""
    found = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    total = sum(each[2] for each in found.values())
    ranked = sorted(found.items(), key=lambda each: -each[1][2])[:LINES]
    for (file, _, name), (_, calls, own, *_) in ranked:
        where = "" if file == "~" else f"{Path(file).parent.name}/{Path(file).name}: "
        yield f"| `{where}{name}` | {calls} | {100 * own / total:.1f} % |"


def section(speed: Speed) -> str:
    """The section of the document."""
    rate = speed.events / speed.seconds
    lines = (
        TITLE,
        "",
        (f"Measured {datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, processor"
         f" time of one process; seeds 0 to {speed.seeds - 1} of `tests/reliability`."),
        "",
        (f"- {speed.seeds} nights, {speed.events} events in {speed.seconds:.1f} s:"
         f" {rate:.0f} events and {speed.seeds / speed.seconds:.2f} nights per second and core."),
        (f"- The goal is {GOAL} events per second and core; this is"
         f" {100 * rate / GOAL:.0f} % of it."),
        "",
        "The profile's first lines, by own time:",
        "",
        "| function | calls | share |",
        "|---|--:|--:|",
        *speed.profile,
        "",
    )  # fmt: skip
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write when asked."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.nights")
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    given = parser.parse_args(arguments)
    text = section(measure(given.seeds))
    sys.stdout.write(text)
    if given.write:
        before = DOCUMENT.read_text("utf-8").partition(TITLE)[0].rstrip()
        DOCUMENT.write_text(f"{before}\n\n{text}", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
