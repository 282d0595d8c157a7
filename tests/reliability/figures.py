"""The measured figures of a session, written between markers into docs/reliability.md."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from goexchange.model.actual import Generation
from goexchange.model.desired import Script
from goexchange.simulation.faults import OF_CLUSTERS, FaultKind

if TYPE_CHECKING:
    from tests.reliability.guards import Blinded
    from tests.reliability.kills import Hits
    from tests.reliability.mutants import Noticed
    from tests.reliability.points import Points
    from tests.reliability.run import Session, Tally

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"


@frozen(kw_only=True)
class Played:
    """How a chapter was played: on how many processes, for how long."""

    processes: int
    seconds: float


def write_figures(session: Session, *, processes: int) -> None:
    """Put the chapters that this session played where the last ones were; others stay as they are.

    Effects: writes docs/reliability.md.
    """
    chapters: dict[str, Iterator[str]] = {
        "nights": _of_nights(session.tally),
        "points": _of_points(session.points),
        "mutants": chain(_of_mutants(session.noticed), _of_guards(session.blinded)),
        "kills": _of_kills(session.hits),
    }
    text = DOCUMENT.read_text("utf-8")
    for name, seconds in session.seconds.items():
        played = Played(processes=processes, seconds=seconds)
        text = with_chapter(text, name, chapters[name], played)
    DOCUMENT.write_text(text, "utf-8")


def with_chapter(text: str, name: str, lines: Iterable[str], played: Played) -> str:
    """The document with another chapter between its markers.

    Raises: ValueError when the document has no place for it.
    """
    begin, end = (f"<!-- figures of the {name}: {edge} -->" for edge in ("begin", "end"))
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{DOCUMENT.name} has no place for the figures of the {name}")
    measured = (
        f"Measured on {datetime.now(UTC):%Y-%m-%d}, {played.processes} processes, Python"
        f" {platform.python_version()}, {played.seconds:.0f} s."
    )
    figures = "\n".join((measured, "", *lines))
    return f"{before}{begin}\n\n{figures}\n{end}{after}"


def _of_nights(tally: Tally) -> Iterator[str]:
    seconds = max(tally.seconds, 0.001)
    ends = ", ".join(f"{code}: {count}" for code, count in sorted(tally.ends.items()))
    yield from (
        (f"{tally.nights} nights with {tally.controllers} controllers, {tally.events} events;"
        f" {tally.events / seconds:.0f} events and {tally.nights / seconds:.2f} nights per second"
        f" and core. Broken: {len(tally.broken)}. Ends by exit code: {ends}."),
        "",
        "| script | nights with work of it, by version |",
        "| --- | --- |",
    )
    for script, by in table_of_scripts(tally.scripts):
        yield f"| {script} | {', '.join(f'{name}: {count}' for name, count in by)} |"
    yield from (
        "",
        "| fault | fired |",
        "| --- | --: |",
    )
    yield from (f"| {kind.value} | {tally.fired[kind.value]} |" for kind in FaultKind
                if kind not in OF_CLUSTERS)  # fmt: skip
    yield ""


def table_of_scripts(
    counts: Counter[tuple[str, str]],
) -> list[tuple[str, list[tuple[str, int]]]]:
    """Nights by script, and within it by generation, in their order."""
    order = [each.value for each in Generation]
    return [
        (
            script,
            sorted(
                ((name, count) for (of, name), count in counts.items() if of == script),
                key=lambda each: order.index(each[0]),
            ),
        )
        for script in sorted({of for of, _ in counts})
    ]


def missing_cells(counts: Counter[tuple[str, str]]) -> list[str]:
    """What is to be played, and was not: each script, and each generation with work."""
    scripts = [each.value for each in Script if not any(of == each.value for of, _ in counts)]
    played = {name for _, name in counts}
    return [f"no night with {each}" for each in scripts] + [
        f"no night on Exchange {each.value}" for each in Generation if each.value not in played
    ]


def _of_points(points: Points) -> Iterator[str]:
    ends = ", ".join(f"{code}: {count}" for code, count in sorted(points.ends.items()))
    yield from (
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
