"""A rehearsal as a sheet: outages by database, counts by class of fault, limits that are passed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from goexchange.model.plan import Plan
from goexchange.model.rehearsal import EVERY, Counts, Rehearsal
from goexchange.model.sheet import (
    Case,
    Cell,
    Chapter,
    Fact,
    Grid,
    Heading,
    Mark,
    Mend,
    Sheet,
    SheetKind,
    Tone,
)
from goexchange.report import rehearsal_text as text
from goexchange.report.units import count_text, duration_text


def sheet_of_rehearsal(plan: Plan, found: Rehearsal, passed: Sequence[str]) -> Sheet:
    """The rehearsal as a sheet; `passed` are the limits of a policy that were passed, in words."""
    every = found.classes.get(EVERY, Counts())
    word = "BROKEN" if found.broken else "LIMIT PASSED" if passed else "INVARIANTS HELD"
    return Sheet(
        kind=SheetKind.REHEARSAL,
        subject=plan.id,
        word=word,
        tone=Tone.BAD if found.broken or passed else Tone.GOOD,
        headline=f"{count_text(every.scenarios, 'simulated run')}, {text.verdict(found, passed)}",
        made_by=plan.body.tool,
        at_utc=plan.body.evaluated_at_utc,
        facts=(
            Fact(label="Plan", text=f"{plan.id}, sha256:{plan.sha256}"),
            Fact(label="Specification", text=", ".join(plan.body.specifications)),
            Fact(label="How", text=text.HOW),
            Fact(label="Words", text=text.MEANING),
        ),
        mends=tuple(_mends(found, passed)),
        table=Grid(
            caption="How long each database was out of service, over all simulated runs",
            headings=(
                Heading(text="database"),
                Heading(text="runs", is_number=True),
                *(Heading(text=name, is_number=True, unit="s") for name in ("p50", "p90")),
                Heading(text="longest", is_number=True, unit="s"),
            ),
            rows=tuple(_outages(found)),
        ),
        chapters=(
            Chapter(
                title="By class of fault",
                grid=Grid(
                    caption="Runs in which it came to this",
                    headings=(
                        Heading(text="fault"),
                        *(Heading(text=name, is_number=True) for name in text.HEADINGS),
                    ),
                    rows=tuple(_classes(found)),
                ),
            ),
        ),
        cases=tuple(_cases(found, passed)),
    )


def _mends(found: Rehearsal, passed: Sequence[str]) -> Iterator[Mend]:
    for seed, why in found.broken:
        command = f"goexchange rehearse PLAN --runs 1 --seed {seed}"
        yield Mend(title=f"An invariant broke in run {seed}", why=why, commands=(command,))
    for limit in passed:
        yield Mend(title="A limit of the policy is passed", why=limit)


def _outages(found: Rehearsal) -> Iterator[tuple[Cell, ...]]:
    for name, seconds in sorted(found.outages.items()):
        values = (text.share_of(seconds, 0.5), text.share_of(seconds, 0.9), max(seconds))
        times = (Cell(text=duration_text(one), value=round(one)) for one in values)
        yield (Cell(text=name), Cell(text=str(len(seconds)), value=len(seconds)), *times)


def _classes(found: Rehearsal) -> Iterator[tuple[Cell, ...]]:
    bad = ("down", "unprot.", "broken")
    for name, counts in text.ordered_classes(found):
        numbers = zip(text.HEADINGS, text.numbers(counts), strict=True)
        yield (
            Cell(text=name),
            *(
                Cell(
                    text=str(count),
                    value=count,
                    tone=Tone.BAD if count and heading in bad else Tone.PLAIN,
                )
                for heading, count in numbers
            ),
        )


def _cases(found: Rehearsal, passed: Sequence[str]) -> Iterator[Case]:
    """A class of fault passes unless an invariant broke in it; a passed limit is a failure."""
    for name, counts in text.ordered_classes(found):
        mark = Mark.FAILED if counts.broken else Mark.PASSED
        said = ", ".join(
            f"{heading} {count}"
            for heading, count in zip(text.HEADINGS, text.numbers(counts), strict=True)
        )
        yield Case(suite="rehearsal", name=name, mark=mark, text=said)
    for limit in passed:
        yield Case(suite="policy", name="limits.rehearsal", mark=Mark.FAILED, text=limit)
    for seed, why in found.broken:
        yield Case(suite="rehearsal", name=f"run {seed}", mark=Mark.FAILED, text=why)
