"""Which decisions of the pure core the pure tests and the nights take: lines and branches of plan,
guard, driver and journal.

`python -m tests.reliability.decisions` prints the share of each package and what was never taken.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

ROOT = Path(__file__).parents[2]
PACKAGES = ("plan", "guard", "driver", "journal")
TESTS = ("tests/unit/plan", "tests/unit/guard", "tests/unit/journal", "tests/driver")
SEEDS = 60
SHARE_MIN = 0.8  # below it the row fails: tests have been lost
LIMIT_S = 1800
PLAY = "from tests.reliability.run import play_seeds; play_seeds(range({seeds}))"


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
    seeds: int
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
            f" tests and {self.seeds} nights"
        )


def measure(seeds: int = SEEDS, tests: Sequence[str] = TESTS) -> Measured:
    """Run the tests and some nights with coverage.py watching."""
    with tempfile.TemporaryDirectory(prefix="coverage-") as folder:
        data, report = Path(folder, "data"), Path(folder, "report.json")
        program = Path(folder, "nights.py")
        program.write_text(PLAY.format(seeds=seeds), "utf-8")
        source = ",".join(f"goexchange.{each}" for each in PACKAGES)
        watch = ("coverage", "run", "--branch", f"--source={source}", f"--data-file={data}")
        pytest = ("-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *tests)
        first = _python(*watch, *pytest)
        second = _python(*watch, "--append", str(program))
        _python("coverage", "json", f"--data-file={data}", "-o", str(report))
        broken = [] if first.returncode == 0 else [f"the tests: {first.stdout[-400:]}"]
        broken += [] if second.returncode == 0 else [f"the nights: {second.stderr[-400:]}"]
        files = json.loads(report.read_text("utf-8"))["files"]
    shares = tuple(_share(package, files) for package in PACKAGES)
    for each in shares:
        if each.taken < SHARE_MIN * each.branches:
            broken.append(f"{each.text()} of the decisions only")
    return Measured(shares=shares, seeds=seeds, broken=tuple(broken))


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
    measured = measure()
    for share in measured.shares:
        for missed in share.missed:
            sys.stdout.write(f"never taken: {missed}\n")
    sys.stdout.write(f"{measured.text()}\n")
    for text in measured.broken:
        sys.stdout.write(f"FAILED: {text}\n")
    return 1 if measured.broken else 0


if __name__ == "__main__":
    sys.exit(main())
