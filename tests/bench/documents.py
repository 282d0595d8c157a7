"""Measures the roads that talk to no host: a chapter of docs/benchmarks.md.

Usage: python -m tests.bench.documents prints the chapter alone. Figures are medians. An installed
program has its bytecode, so every command runs once before it is measured, with a cache of its own.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.big_site import write_project
from tests.tidy.sources import REPOSITORY

SERVERS, DATABASES, LINES, RUNS = 100, 1_000, 5_000, 9
GOEXCHANGE = (sys.executable, "-m", "goexchange")


def main() -> None:
    """Measure and print."""
    sys.stdout.write(chapter())


def chapter() -> str:
    """Measure everything: the chapter."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "cache"), "COLUMNS": "80"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        write_project(folder / "site", servers=SERVERS, databases=DATABASES)
        big = folder / "big.yaml"
        big.write_text(inventory_of(LINES), "utf-8")
        specs = REPOSITORY / "specs"
        plan = [*GOEXCHANGE, "plan", "--facts", "facts.json", "--out", "plan.json"]
        rows = [
            row("`python -c pass`", [sys.executable, "-c", "pass"], specs, environment),
            row("`goexchange --help`", [*GOEXCHANGE, "--help"], specs, environment),
            row(
                "`goexchange validate` of the examples",
                [*GOEXCHANGE, "validate"],
                specs,
                environment,
            ),
            row(
                f"`goexchange validate` of {LINES:,} lines",
                [*GOEXCHANGE, "validate", str(big)],
                folder,
                environment,
            ),
            row(
                f"`goexchange plan --facts` for {SERVERS} servers, {DATABASES:,} databases",
                plan,
                folder / "site",
                environment,
            ),
        ]
        sizes = shown_sizes(folder / "site", environment)
    base = rows[0][1]
    lines = [f"| {name} | {wall:.0f} | {cpu:.0f} | {wall / base:.1f} |" for name, wall, cpu in rows]
    return "\n".join([*head(), *lines, "", *sizes, ""])


def head() -> list[str]:
    """Title and the heads of the table."""
    return [
        "## Documents and plans",
        "",
        f"Medians of {RUNS} processes each, their start included, bytecode cached as after an",
        f"installation; load when this chapter began: {os.getloadavg()[0]:.1f}. The ratio is",
        "of wall time.",
        "",
        "| what | wall ms | processor ms | ratio |",
        "|---|--:|--:|--:|",
    ]


def row(
    name: str, command: Sequence[str], folder: Path, environment: dict[str, str]
) -> tuple[str, float, float]:
    """Name, wall time and processor time in milliseconds."""
    walls, cpus = [], []
    for number in range(RUNS + 1):
        before, started = os.times(), time.perf_counter()
        subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
        wall, after = time.perf_counter() - started, os.times()
        if number:
            walls.append(wall * 1000)
            user = after.children_user - before.children_user
            cpus.append((user + after.children_system - before.children_system) * 1000)
    return name, statistics.median(walls), statistics.median(cpus)


def shown_sizes(folder: Path, environment: dict[str, str]) -> list[str]:
    """How large that plan is when it is shown."""

    def shown(*words: str) -> str:
        done = subprocess.run(
            [*GOEXCHANGE, "show", "plan.json", *words],
            cwd=folder,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        return done.stdout

    text, markdown = shown(), shown("--format", "md")
    return [
        f"That plan as text: {len(text.splitlines()):,} lines, none wider than",
        f"{max(map(len, text.splitlines()))} columns on a terminal of 80; as Markdown",
        f"{len(markdown.encode()):,} bytes of the 65,000 that a comment may have, verdict and",
        "table whole.",
    ]



def inventory_of(lines: int) -> str:
    """An inventory of that many lines."""
    head = ["apiVersion: goexchange/v1", "kind: Inventory", "metadata: {name: big}"]
    tail = ["sites: {berlin: {zone: Europe/Berlin}}", "servers:"]
    servers: list[str] = []
    while len(servers) + len(head) + len(tail) < lines - 3:
        name = f"EX{len(servers) // 4:05}"
        address = f"    address: {name.lower()}.contoso.example"
        servers += [f"  {name}:", address, "    site: berlin", '    generation: "2019"']
    return "\n".join([*head, *tail, *servers]) + "\n"


if __name__ == "__main__":
    main()
