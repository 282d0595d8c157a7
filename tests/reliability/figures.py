"""The measured figures of a session, written between markers into docs/reliability.md."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from goexchange.simulation.faults import FaultKind

if TYPE_CHECKING:
    from tests.reliability.guards import Blinded
    from tests.reliability.kills import Hits
    from tests.reliability.mutants import Noticed
    from tests.reliability.points import Points
    from tests.reliability.run import Session, Tally

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- figures of the session: begin -->", "<!-- figures of the session: end -->"


def write_figures(session: Session, *, seconds: float, cores: int) -> None:
    """Put this session's figures where the last ones were."""
    text = DOCUMENT.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    lines = [
        (f"Measured on {datetime.now(UTC):%Y-%m-%d}, {cores} processes, Python"
        f" {platform.python_version()}, {seconds:.0f} s for the whole session."),
        "",
        *_of_nights(session.tally),
        *_of_points(session.points),
        *_of_mutants(session.noticed),
        *_of_guards(session.blinded),
        *_of_kills(session.hits),
    ]
    figures = "\n".join(lines)
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{figures}\n{END}{after}", "utf-8")


def _of_nights(tally: Tally) -> Iterator[str]:
    seconds = max(tally.seconds, 0.001)
    ends = ", ".join(f"{code}: {count}" for code, count in sorted(tally.ends.items()))
    yield from (
        "### Nights by seed",
        "",
        (f"{tally.nights} nights with {tally.controllers} controllers, {tally.events} events;"
        f" {tally.events / seconds:.0f} events and {tally.nights / seconds:.2f} nights per second"
        f" and core. Broken: {len(tally.broken)}. Ends by exit code: {ends}."),
        "",
        "| fault | fired |",
        "| --- | --: |",
    )
    yield from (f"| {kind.value} | {tally.fired[kind.value]} |" for kind in FaultKind)
    yield ""


def _of_points(points: Points) -> Iterator[str]:
    ends = ", ".join(f"{code}: {count}" for code, count in sorted(points.ends.items()))
    yield from (
        "### Crash points",
        "",
        (f"{points.points} points in {points.scenarios} scenarios, every second scenario with the"
        f" second controller killed too. Broken: {len(points.broken)}. Ends by exit code: {ends}."),
        "",
        "| phase | points |",
        "| --- | --: |",
    )
    phases: dict[str, int] = {}
    for place, count in points.places.items():
        phase = place.partition(":")[0]
        phases[phase] = phases.get(phase, 0) + count
    yield from (f"| {phase} | {count} |" for phase, count in sorted(phases.items()))
    yield ""


def _of_mutants(noticed: Sequence[Noticed]) -> Iterator[str]:
    yield from (
        "### Mutants",
        "",
        "| bug put in | noticed by | after so many seeds |",
        "| --- | --- | --: |",
    )
    yield from (f"| {one.mutant} | {one.by or 'nobody'} | {one.seeds} |" for one in noticed)
    yield ""


def _of_guards(blinded: Sequence[Blinded]) -> Iterator[str]:
    yield from (
        "Every guard of the registry passes always, one at a time, and the guards' own tests run:",
        "",
        "| guard that passes always | first test that fails |",
        "| --- | --- |",
    )
    yield from (f"| {one.guard} | {one.noticed_by or 'none'} |" for one in blinded)
    yield ""


def _of_kills(hits: Hits) -> Iterator[str]:
    ends = ", ".join(f"{code}: {count}" for code, count in sorted(hits.ends.items()))
    roads = ", ".join(f"{count} {road}" for road, count in sorted(hits.roads.items()))
    yield from (
        "### Real kills",
        "",
        (f"{hits.count} times `kill -9` of the command line, in {hits.runs} runs against labs,"
         f" every run killed at each moment once; {hits.missed.total()} processes ended before"
         f" their moment. Gone on with: {roads}. Broken: {len(hits.bad)}."
         f" Ends by exit code: {ends}."),
        "",
        "| moment | kills | at these steps |",
        "| --- | --: | --- |",
    )  # fmt: skip
    for moment, count in hits.moments.items():
        steps = sorted(
            place.partition(": ")[2] for place in hits.places if place.startswith(f"{moment}:")
        )
        yield f"| {moment} | {count} | {', '.join(steps)} |"
    yield ""
