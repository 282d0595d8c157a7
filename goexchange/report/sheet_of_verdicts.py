"""Guards' verdicts as a sheet: a resource check or a pilot, which decide and do nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import frozen

from goexchange.model.plan import Verdict, VerdictKind
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
from goexchange.report.units import count_text

_TONES: Mapping[VerdictKind, Tone] = {
    VerdictKind.PASS: Tone.GOOD,
    VerdictKind.DUE: Tone.PLAIN,
    VerdictKind.BLOCK: Tone.BAD,
    VerdictKind.UNKNOWN: Tone.BAD,
}
_MARKS: Mapping[VerdictKind, Mark] = {
    VerdictKind.PASS: Mark.PASSED,
    VerdictKind.DUE: Mark.SKIPPED,
    VerdictKind.BLOCK: Mark.FAILED,
    VerdictKind.UNKNOWN: Mark.UNDECIDED,
}
_HEADINGS = tuple(Heading(text=text) for text in ("guard", "for", "verdict", "evidence"))


@frozen(kw_only=True)
class Subject:
    """What was looked at: its name, by which version of the tool, when, and lines for the head."""

    name: str
    made_by: str
    at_utc: datetime | None
    facts: tuple[Fact, ...] = ()
    mends: tuple[Mend, ...] = ()
    chapters: tuple[Chapter, ...] = ()


def sheet_of_verdicts(kind: SheetKind, subject: Subject, verdicts: Sequence[Verdict]) -> Sheet:
    """A sheet whose table and cases are these verdicts; one that blocks, or that could not be
    decided, makes it bad, and so does having none at all.
    """
    count = {each: sum(one.kind is each for one in verdicts) for each in VerdictKind}
    blocked, unknown = count[VerdictKind.BLOCK], count[VerdictKind.UNKNOWN]
    is_good = bool(verdicts) and not blocked and not unknown
    said = [count_text(count[VerdictKind.PASS], "guard passes", "guards pass")]
    said += [count_text(blocked, "says no", "say no")] if blocked else []
    said += [f"{unknown} cannot tell"] if unknown else []
    said += [f"{count[VerdictKind.DUE]} due later"] if count[VerdictKind.DUE] else []
    word = "ALL WELL" if is_good else "NOT WELL" if blocked else "UNKNOWN"
    ordered = sorted(verdicts, key=lambda one: _TONES[one.kind] is not Tone.BAD)
    return Sheet(
        kind=kind,
        subject=subject.name,
        word=word,
        tone=Tone.GOOD if is_good else Tone.BAD,
        headline=" · ".join(said) if verdicts else "nothing was looked at",
        made_by=subject.made_by,
        at_utc=subject.at_utc,
        facts=subject.facts,
        mends=subject.mends,
        table=verdict_grid(ordered),
        chapters=subject.chapters,
        cases=tuple(map(case_of_verdict, verdicts)),
    )


def verdict_grid(verdicts: Sequence[Verdict]) -> Grid:
    """The verdicts as a table; a rule and what would change it stand where it does not pass."""
    return Grid(
        caption="What each guard said, and on which evidence",
        headings=_HEADINGS,
        rows=tuple(map(_row, verdicts)),
    )


def case_of_verdict(verdict: Verdict) -> Case:
    """The verdict as pipelines count it."""
    return Case(
        suite=verdict.address,
        name=f"guard {verdict.guard}",
        mark=_MARKS[verdict.kind],
        text=verdict.rule if verdict.kind is VerdictKind.DUE else verdict.evidence,
    )


def _row(one: Verdict) -> tuple[Cell, ...]:
    remedy = f" · to change it: {one.remedy}" if one.remedy else ""
    note = "" if one.kind is VerdictKind.PASS else f"{one.rule}{remedy}"
    return (
        Cell(text=one.guard),
        Cell(text=one.address),
        Cell(text=one.kind.value, tone=_TONES[one.kind]),
        Cell(text=one.evidence, note=note),
    )
