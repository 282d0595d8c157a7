"""The rows of the bar that are neither nights, points, kills nor mutants: played, counted, written.

`python -m tests.reliability.rows [--write] [--only NAME ...]` prints a line for each; `--write`
puts them into docs/reliability.md. A row in which anything differs, fails or is left out ends it
with 1.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from attrs import evolve, frozen

from goexchange.errors import ExitCode
from goexchange.model.actual import ActualState
from goexchange.model.plan import Need
from goexchange.plan.planner import make_draft
from tests.reliability.figures import DOCUMENT
from tests.reliability.scenarios import (
    SATURDAY,
    Scenario,
    documents_of,
    night_of,
    scenario_of,
)

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- figures of the rows: begin -->", "<!-- figures of the rows: end -->"
LIMIT_S = 1800
ENVIRONMENTS = (
    {"PYTHONHASHSEED": "0", "LC_ALL": "C", "TZ": "UTC"},
    {"PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8", "TZ": "Pacific/Auckland"},
    {"PYTHONHASHSEED": "77", "LC_ALL": "de_DE.UTF-8", "TZ": "America/St_Johns"},
    {"PYTHONHASHSEED": "4242", "LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu"},
)
PROGRAM = """
import sys
from tests.reliability.scenarios import night_of, scenario_of
for seed in range(int(sys.argv[1])):
    print(night_of(scenario_of(seed)).plan.sha256)
"""


@frozen(kw_only=True)
class Row:
    """What one row came to; `broken` says in words what is not as it has to be."""

    number: int
    property: str
    text: str
    broken: tuple[str, ...] = ()


def determinism(count: int = 40) -> Row:
    """Row 3: the same plans whatever the process is like, and whatever the order of its inputs."""
    listed = []
    for environment in ENVIRONMENTS:
        done = _python("-c", PROGRAM, str(count), environment=environment)
        listed.append(tuple(done.stdout.split()))
    differ = [seed for seed, each in enumerate(zip(*listed, strict=True)) if len(set(each)) > 1]
    many = [one for one in map(scenario_of, range(4 * count)) if one.servers > 1][:count]
    turned = [one.seed for one in many if not _is_same_turned(one)]
    broken = [f"seed {seed}: another process, another plan" for seed in differ]
    broken += [f"seed {seed}: another order of hosts, another plan" for seed in turned]
    if any(len(each) != count for each in listed):
        broken.append("not every process made every plan")
    return Row(
        number=3,
        property="determinism",
        text=f"{count} plans in {len(ENVIRONMENTS)} processes of different hash seeds, locales and"
        f" zones, {len(many)} plans with hosts and documents in another order:"
        f" {len(differ) + len(turned)} differences",
        broken=tuple(broken),
    )


def _is_same_turned(scenario: Scenario) -> bool:
    inventory, specifications = documents_of(scenario)
    actual = night_of(scenario).plan.body.facts
    turned = evolve(actual, servers=tuple(reversed(actual.servers)))
    first = make_draft(specifications, inventory, actual, now=scenario.at)
    second = make_draft(tuple(reversed(specifications)), inventory, turned, now=scenario.at)
    return first.lanes == second.lanes and first.decisions == second.decisions


def convergence(count: int = 120) -> Row:
    """Row 4: applied, then planned again: nothing is left to do."""
    chosen = [one for one in map(scenario_of, range(4 * count)) if one.at == SATURDAY][:count]
    left = [text for one in chosen if (text := what_is_left(one))]
    return Row(
        number=4,
        property="convergence",
        text=f"{len(chosen)} generated sites with their specifications, applied and planned again:"
        f" {len(left)} plans not empty",
        broken=tuple(left),
    )


def what_is_left(scenario: Scenario) -> str:
    """What a second plan still wants to do; empty when nothing."""
    night = night_of(scenario)
    result = night.run_to_end()
    if result.exit_code != ExitCode.OK:
        return f"seed {scenario.seed}: ended with {result.exit_code}"
    inventory, specifications = documents_of(scenario)
    performer = night.performer
    servers = tuple(performer.observe(name, ()) for name in sorted(performer.world.hosts))
    actual = ActualState(observed_at_utc=performer.now(), servers=servers)
    again = make_draft(specifications, inventory, actual, now=performer.now())
    wanted = sorted({each.need.value for each in again.decisions} - {Need.NOTHING.value})
    return f"seed {scenario.seed}: {', '.join(wanted)}" if wanted or again.lanes else ""


def leases() -> Row:
    """Row 5: pauses longer than the lease, skewed clocks, partitions; the same suite for both."""
    return _of_tests(5, "leases", ("tests/unit/store/test_store_leases.py",), times=5)


def journal() -> Row:
    """Row 6: torn, flipped, no space, failing flushes."""
    paths = ("tests/unit/journal", "tests/unit/store/test_store_journal_file.py")
    return _of_tests(6, "journal", paths)


def signals() -> Row:
    """Row 7: every way to tell a run to end, each at a moment by chance."""
    return _of_tests(7, "signals", ("tests/end_to_end/test_signals.py",), times=2)


def windows() -> Row:
    """Row 11: every zone, every change of clocks, against the clock read minute by minute."""
    done = _python("-m", "tests.reliability.windows")
    lines = done.stdout.strip().split("\n")
    broken = () if done.returncode == 0 else tuple(lines)
    return Row(number=11, property="windows", text=lines[-1].partition(": ")[2], broken=broken)


def old_files() -> Row:
    """Row 12: plans, journals, manifests of earlier forms."""
    return _of_tests(12, "old files", ("tests/unit/documents/test_old_files.py",))


def coverage() -> Row:
    """Row 13: decisions of the pure core, under its tests and nights."""
    from tests.reliability.decisions import measure

    measured = measure()
    return Row(number=13, property="coverage", text=measured.text(), broken=measured.broken)


ROWS: dict[str, Callable[[], Row]] = {
    each.__name__: each
    for each in (
        determinism, convergence, leases, journal, signals, windows, old_files, coverage,
    )
}  # fmt: skip


def _of_tests(number: int, name: str, paths: Sequence[str], *, times: int = 1) -> Row:
    """Some tests, in random order, that many times; a skipped one is left out, and said."""
    counts, bad = [0, 0], []
    for _ in range(times):
        with tempfile.TemporaryDirectory(prefix="rows-") as folder:
            report = Path(folder, "report.xml")
            every = ("-m", "long or not long")
            options = ("-q", "-n", "0", "-p", "no:cacheprovider", *every, f"--junitxml={report}")
            done = _python("-m", "pytest", *options, *paths)
            if not report.exists():
                return Row(number=number, property=name, text="", broken=(done.stdout[-500:],))
            for case in xml.parse(report).iter("testcase"):
                counts[0] += 1
                counts[1] += case.find("skipped") is not None
                if case.find("failure") is not None or case.find("error") is not None:
                    bad.append(f"{case.get('classname')}.{case.get('name')} failed")
    again = f", played {times} times" if times > 1 else ""
    left = f", {counts[1]} not possible here" if counts[1] else ""
    text = f"{counts[0]} cases of {', '.join(f'`{path}`' for path in paths)}{again}{left}"
    return Row(
        number=number, property=name, text=f"{text}: {len(bad)} failures", broken=tuple(bad)
    )


def _python(
    *words: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        encoding="utf-8",
        timeout=LIMIT_S,
        check=False,
    )


def write_rows(rows: Sequence[Row], seconds: float) -> None:
    """Put these rows where earlier ones were; rows that were not played stay."""
    text = DOCUMENT.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    inside, _, after = rest.partition(END)
    played = {f"| {row.number} |": row for row in rows}
    kept = {
        line[: line.index("|", 2) + 1]: line
        for line in inside.split("\n")
        if line.startswith("| ") and line[2].isdigit()
    }
    made = f"{datetime.now(UTC):%Y-%m-%d}"
    for start, row in played.items():
        kept[start] = f"{start} {row.property} | {row.text} | {made} |"
    lines = sorted(kept.values(), key=lambda line: int(line.split("|")[1]))
    table = ["| row | property | what was played | on |", "| --: | --- | --- | --- |", *lines]
    figures = "\n".join(table)
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{figures}\n\n{END}{after}", "utf-8")
    sys.stdout.write(f"written: {len(rows)} rows, {seconds:.0f} s\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the rows; 0 when nothing is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.rows")
    parser.add_argument("--only", nargs="+", choices=sorted(ROWS), default=list(ROWS))
    parser.add_argument("--write", action="store_true", help="write docs/reliability.md")
    given = parser.parse_args(arguments)
    began, rows = time.monotonic(), []
    for name in given.only:
        start = time.monotonic()
        row = ROWS[name]()
        rows.append(row)
        took = time.monotonic() - start
        sys.stdout.write(f"{row.number:3} {row.property}: {row.text} ({took:.0f} s)\n")
        for text in row.broken:
            sys.stdout.write(f"    FAILED: {text}\n")
        sys.stdout.flush()
    if given.write:
        write_rows(rows, time.monotonic() - began)
    return 1 if any(row.broken for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
