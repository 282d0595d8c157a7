"""Which decisions of the pure core the pure tests and the nights take: lines and branches of plan,
guard, driver and journal.

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
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from attrs import frozen

ROOT = Path(__file__).parents[2]
PACKAGES = ("plan", "guard", "driver", "journal")
SEEDS, POINTS = 60, 120
SHARES_MIN = {"plan": 0.99, "guard": 0.99, "driver": 0.98, "journal": 1.0}
LIMIT_S = 1800
NIGHTS = """
from tests.reliability.run import play_seeds
from tests.reliability.points import crash_points
assert not play_seeds(range({seeds})).broken
assert not [each for number in range(6) for each in crash_points((number, {points} // 6)).broken]
"""


@frozen(kw_only=True)
class Part:
    """What one process plays: tests, or a program of its own."""

    name: str
    tests: tuple[str, ...] = ()
    program: str = ""


WORK = (  # the longest first
    Part(
        name="nights of the tests",
        tests=tuple(
            f"tests/simulation/night/test_{each}.py"
            for each in (
                "restoring", "restoring_refused", "release", "ways_back", "leftovers",
                "services", "processes", "scripts", "backup_methods", "sentinel", "records",
                "conflicts", "copies", "exchange_2010",
            )
        ),
    ),
    Part(name="the driver's tests", tests=("tests/driver",)),
    Part(name=f"{SEEDS} seeds", program=NIGHTS.format(seeds=SEEDS, points=POINTS)),
    Part(
        name="unit tests",
        tests=tuple(
            f"tests/unit/{each}"
            for each in (
                "plan", "guard", "driver", "journal", "store", "documents/test_old_files.py",
                "app", "report", "schedule", "spec", "cli",
            )
        ),
    ),
)  # fmt: skip


@frozen(kw_only=True)
class Share:
    """Of one package."""

    package: str
    branches: int
    taken: int
    lines: int
    run: int
    missed: tuple[str, ...]  # `module.py:12->exit`

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
            f" tests, {SEEDS} nights by seed and about {POINTS} crash points"
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
        if each.taken < SHARES_MIN[each.package] * each.branches:
            broken.append(f"{each.text()} of the decisions only")
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
    if part.program:
        program = folder / f"{name}.py"
        program.write_text(part.program, "utf-8")
        done = _python(*watch, str(program))
    else:
        there = [each for each in part.tests if (ROOT / each).exists()]
        done = _python(*watch, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *there)
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
        missed=tuple(
            f"{path.removeprefix('goexchange/')}:{begin}->{end if end > 0 else 'exit'}"
            for path, each in sorted(mine.items())
            for begin, end in each["missing_branches"]
        ),
    )


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
