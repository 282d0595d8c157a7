"""Which decisions of the pure core the pure tests and the nights of one subject each take: lines
and branches of plan, guard, driver and journal.

`python -m tests.reliability.decisions` plays what `WORK` names, each part in a process of its own
under coverage.py, on all cores; it prints what each part took, the share of each package, and what
was never taken.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from attrs import frozen

ROOT = Path(__file__).parents[2]
PACKAGES = ("plan", "guard", "driver", "journal")
FLOORS = {"plan": 1.0, "guard": 1.0, "driver": 1.0, "journal": 1.0}
LIMIT_S = 1800
CRASH_POINTS = "bound or kill or dead_twice or rehears"  # they take no other decision
CHANCE = ("seeds", "seeded_bugs", "convergence", "crashes", "figures", "faults")


@frozen(kw_only=True)
class Part:
    """What one process plays."""

    name: str
    tests: tuple[str, ...]
    without: str = ""  # words in the names of tests that are left out


def _nights(part: int, of: int) -> tuple[str, ...]:
    """Files of nights of which each has a subject; those of chance take the same decisions."""
    files = sorted((ROOT / "tests/simulation/night").glob("test_*.py"))
    chosen = [each for each in files if each.stem.removeprefix("test_") not in CHANCE]
    return tuple(str(each.relative_to(ROOT)) for each in chosen[part::of])


WORK = (  # the longest first
    Part(name="nights, one half", tests=_nights(0, 2), without=CRASH_POINTS),
    Part(name="nights, the other", tests=_nights(1, 2), without=CRASH_POINTS),
    Part(name="the driver's tests", tests=("tests/driver",)),
    Part(
        name="unit tests",
        tests=("tests/unit/plan", "tests/unit/guard", "tests/unit/journal"),
    ),
)


@frozen(kw_only=True)
class Share:
    """Of one package."""

    package: str
    branches: int
    taken: int
    lines: int
    run: int
    missed: tuple[str, ...]  # `module.py:12->exit`, and lines

    def text(self) -> str:
        """In words."""
        return f"{self.package} {100 * self.taken / max(self.branches, 1):.1f} %"


@frozen(kw_only=True)
class Measured:
    """Of all of them."""

    shares: tuple[Share, ...]
    parts: tuple[str, ...]
    broken: tuple[str, ...] = ()

    def text(self) -> str:
        """One line."""
        branches = sum(each.branches for each in self.shares)
        taken = sum(each.taken for each in self.shares)
        lines = sum(each.lines for each in self.shares)
        run = sum(each.run for each in self.shares)
        of = ", ".join(each.text() for each in self.shares)
        return (
            f"{taken} of {branches} decisions ({of}) and {run} of {lines} lines, under the pure"
            " tests and the nights of one subject each"
        )


def measure(work: Sequence[Part] = WORK, *, jobs: int | None = None) -> Measured:
    """Play the parts with coverage.py watching."""
    with tempfile.TemporaryDirectory(prefix="coverage-") as folder:
        report = Path(folder, "report.json")
        with ThreadPoolExecutor(max_workers=jobs or os.cpu_count() or 1) as pool:
            played = list(pool.map(lambda each: _played(each, Path(folder)), work))
        _python("coverage", "combine", f"--data-file={folder}/all", folder)
        _python("coverage", "json", f"--data-file={folder}/all", "-o", str(report))
        files = json.loads(report.read_text("utf-8"))["files"]
    broken = [why for _, why in played if why]
    shares = tuple(_share(package, files) for package in PACKAGES)
    for each in shares:
        if each.taken < FLOORS[each.package] * each.branches:
            broken.append(f"{each.text()} of the decisions only")
        if each.run < FLOORS[each.package] * each.lines:
            broken.append(f"{each.package}: {each.lines - each.run} lines were never run")
    return Measured(
        shares=shares, parts=tuple(text for text, _ in played), broken=tuple(broken)
    )


def _played(part: Part, folder: Path) -> tuple[str, str]:
    """How long a part took, and what was wrong with it."""
    name = part.name.replace(" ", "-").replace("'", "")
    source = ",".join(f"goexchange.{each}" for each in PACKAGES)
    data = f"--data-file={folder}/all.{name}"  # what `combine` looks for
    watch = ("coverage", "run", "--branch", f"--source={source}", data)
    began = time.monotonic()
    options = ["-q", "-n", "0", "-p", "no:cacheprovider"]
    options += ["-k", f"not ({part.without})"] if part.without else []
    done = _python(*watch, "-m", "pytest", *options, *part.tests)
    text = f"{part.name}: {time.monotonic() - began:.0f} s"
    wrong = f"{part.name}: {(done.stdout + done.stderr)[-600:]}" if done.returncode else ""
    return text, wrong


def _share(package: str, files: Mapping[str, Any]) -> Share:
    start = f"goexchange/{package}/"
    mine = {path: each for path, each in files.items() if path.startswith(start)}
    sums = [each["summary"] for each in mine.values()]
    return Share(
        package=package,
        branches=sum(one["num_branches"] for one in sums),
        taken=sum(one["covered_branches"] for one in sums),
        lines=sum(one["num_statements"] for one in sums),
        run=sum(one["covered_lines"] for one in sums),
        missed=tuple(_missed(mine)),
    )


def _missed(files: Mapping[str, Any]) -> Iterator[str]:
    """Branches that were never taken, and lines that were never run, by file."""
    for path, each in sorted(files.items()):
        name = path.removeprefix("goexchange/")
        for begin, end in each["missing_branches"]:
            yield f"{name}:{begin}->{end if end > 0 else 'exit'}"
        for line in each["missing_lines"]:
            yield f"{name}:{line}"


def _python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=LIMIT_S,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print what was never taken."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.decisions")
    parser.add_argument("--jobs", type=int, help="processes (default: one for each core)")
    measured = measure(jobs=parser.parse_args(arguments).jobs)
    for share in measured.shares:
        for missed in share.missed:
            sys.stdout.write(f"never taken: {missed}\n")
    for text in measured.parts:
        sys.stdout.write(f"played: {text}\n")
    sys.stdout.write(f"{measured.text()}\n")
    for text in measured.broken:
        sys.stdout.write(f"FAILED: {text}\n")
    return 1 if measured.broken else 0


if __name__ == "__main__":
    sys.exit(main())
