"""A rehearsal for people and programs: outages, counts by class of fault, limits passed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from goexchange.model.plan import Plan
from goexchange.model.policy import RehearsalLimits
from goexchange.model.rehearsal import CALM, EVERY, Counts, Rehearsal
from goexchange.report.ink import Ink
from goexchange.report.shown import wrap
from goexchange.report.table import Column, Frame, Row, table
from goexchange.report.units import duration_text

WIDTH_MAX = 100
HEADINGS = ("runs", "down", "unprot.", "window", "way back", "person", "broken")
MEANING = (
    "down: a database was left dismounted, and named; unprot.: in service without a proved backup;"
    " window: an outage ended after the window; way back: the original was put back or mounted"
    " again; person: somebody has to act; broken: an invariant of the tool broke (a mistake in it)."
)
HOW = (
    "Each run plays this plan on a twin built from the facts in it: no host was touched."
    " Durations are the plan's estimates, 0.7 to 1.6 times by run. Four of five runs are given a"
    " fault; where nothing came of it, the run stands under no fault. These are counts of"
    " simulated runs, not probabilities."
)


def share_of(seconds: Sequence[float], share: float) -> float:
    """The value that this share of the measured ones does not exceed."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def passed_limits(found: Rehearsal, limits: RehearsalLimits) -> tuple[str, ...]:
    """What passes a limit of a policy, in words."""
    every = found.classes.get(EVERY, Counts())
    said: list[str] = []
    if limits.outage_p90_s is not None:
        for name, seconds in sorted(found.outages.items()):
            p90 = share_of(seconds, 0.9)
            if p90 > limits.outage_p90_s:
                allowed = duration_text(limits.outage_p90_s)
                said.append(f"{name}: outage p90 {duration_text(p90)}, allowed are {allowed}")
    for name, count, most in (
        ("left down", every.left_down, limits.left_down),
        ("unprotected", every.unprotected, limits.unprotected),
        ("window missed", every.window_missed, limits.window_missed),
        ("person needed", every.person_needed, limits.person_needed),
    ):
        if most is not None and count > most:
            said.append(f"{name} in {count} of {every.scenarios} runs, allowed are {most}")
    return tuple(said)


def render_rehearsal(plan: Plan, found: Rehearsal, passed: Sequence[str], *, width: int) -> str:
    """The rehearsal as text; no line is wider than asked for (60 to 100)."""
    frame = Frame(width=min(WIDTH_MAX, max(60, width)), ink=Ink(is_on=False))
    every = found.classes.get(EVERY, Counts())
    lines = [f"rehearsal of plan {plan.id}: {every.scenarios} runs, {verdict(found, passed)}", ""]
    lines += table(
        (
            Column(heading="outage of", is_flexible=True),
            *(Column(heading=each, is_right=True) for each in ("runs", "p50", "p90", "longest")),
        ),
        [Row(cells=(name, *cells)) for name, cells in _outages(found)],
        frame,
    )
    lines.append("")
    lines += table(
        (
            Column(heading="fault", is_flexible=True),
            *(Column(heading=each, is_right=True) for each in HEADINGS),
        ),
        [Row(cells=(name, *map(str, numbers(counts)))) for name, counts in ordered_classes(found)],
        frame,
    )
    lines.append("")
    for text in (MEANING, HOW):
        lines += [*wrap(text, frame.width), ""]
    for seed, why in found.broken[:5]:
        lines += wrap(f"broken in run {seed} (goexchange rehearse --seed {seed}): {why}", width)
    lines += [f"limit passed: {each}" for each in passed]
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


def render_rehearsal_markdown(plan: Plan, found: Rehearsal, passed: Sequence[str]) -> str:
    """The summary that stands under the plan in a pull request."""
    every = found.classes.get(EVERY, Counts())
    lines = [
        f"### Rehearsal of plan {plan.id}: {every.scenarios} runs, {verdict(found, passed)}",
        "",
        "| database | runs | p50 | p90 | longest |",
        "| --- | --: | --: | --: | --: |",
        *(f"| {_cell(name)} | {' | '.join(cells)} |" for name, cells in _outages(found)),
        "",
        f"| fault | {' | '.join(HEADINGS)} |",
        f"| --- |{' --: |' * len(HEADINGS)}",
        *(
            f"| {name} | {' | '.join(map(str, numbers(counts)))} |"
            for name, counts in ordered_classes(found)
        ),
        "",
        *(f"- **limit passed**: {each}" for each in passed),
        "",
        f"<sub>{MEANING} {HOW}</sub>",
    ]
    return "\n".join(lines) + "\n"


def plain_rehearsal(plan: Plan, found: Rehearsal, passed: Sequence[str]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "plan": plan.id,
        "plan_sha256": plan.sha256,
        "verdict": verdict(found, passed),
        "outages": {
            name: {
                "runs": len(seconds),
                "p50_s": round(share_of(seconds, 0.5), 1),
                "p90_s": round(share_of(seconds, 0.9), 1),
                "max_s": round(max(seconds), 1),
            }
            for name, seconds in sorted(found.outages.items())
        },
        "classes": {
            name: {
                "runs": counts.scenarios,
                "left_down": counts.left_down,
                "unprotected": counts.unprotected,
                "window_missed": counts.window_missed,
                "way_back": counts.way_back,
                "person_needed": counts.person_needed,
                "broken": counts.broken,
            }
            for name, counts in sorted(found.classes.items())
        },
        "exit_codes": {str(code): count for code, count in sorted(found.ends.items())},
        "broken": [{"seed": seed, "why": why} for seed, why in found.broken],
        "limits_passed": list(passed),
    }


def verdict(found: Rehearsal, passed: Sequence[str]) -> str:
    """One phrase."""
    if found.broken:
        return "an invariant broke"
    return "a limit is passed" if passed else "all invariants held"


def _outages(found: Rehearsal) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, seconds in sorted(found.outages.items()):
        cells = (share_of(seconds, 0.5), share_of(seconds, 0.9), max(seconds))
        yield name, (str(len(seconds)), *map(duration_text, cells))


def ordered_classes(found: Rehearsal) -> Iterator[tuple[str, Counts]]:
    """All of them first, the undisturbed ones second, then by name."""
    first = {EVERY: 0, CALM: 1}
    yield from sorted(found.classes.items(), key=lambda each: (first.get(each[0], 2), each[0]))


def numbers(counts: Counts) -> tuple[int, ...]:
    """The counts in the order of `HEADINGS`."""
    return (
        counts.scenarios,
        counts.left_down,
        counts.unprotected,
        counts.window_missed,
        counts.way_back,
        counts.person_needed,
        counts.broken,
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
