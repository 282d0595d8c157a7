"""Resource checks as a sheet: what would keep a run from starting, and what is worth knowing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from goexchange.model.resource_check import ResourceCheck, ResourceFinding, Weight
from goexchange.model.sheet import (
    Case,
    Cell,
    Fact,
    Grid,
    Heading,
    Mark,
    Mend,
    Sheet,
    SheetKind,
    Tone,
)
from goexchange.report.check_text import check_verdict
from goexchange.report.units import moment_text

_TONES: Mapping[Weight, Tone] = {
    Weight.PROBLEM: Tone.BAD,
    Weight.UNKNOWN: Tone.BAD,
    Weight.WARNING: Tone.ATTENTION,
    Weight.GOOD: Tone.GOOD,
}
_MARKS: Mapping[Weight, Mark] = {  # a warning keeps no run from starting
    Weight.PROBLEM: Mark.FAILED,
    Weight.UNKNOWN: Mark.UNDECIDED,
    Weight.WARNING: Mark.PASSED,
    Weight.GOOD: Mark.PASSED,
}
_HEADINGS = tuple(
    Heading(text=text) for text in ("specification", "for", "subject", "weight", "finding")
)


def sheet_of_checks(checks: Sequence[ResourceCheck], *, made_by: str) -> Sheet:
    """The checks of some specifications as one sheet; having none at all is not well."""
    found = [(check, each) for check in checks for each in check.findings]
    problems = [(check, each) for check in checks for each in check.problems]
    is_warned = any(each.weight is Weight.WARNING for _, each in found)
    is_bad = bool(problems) or not checks
    word = "NOT WELL" if is_bad else "WARNINGS" if is_warned else "ALL WELL"
    tone = Tone.BAD if is_bad else Tone.ATTENTION if is_warned else Tone.GOOD
    said = [f"{each.specification}: {check_verdict(each)}" for each in checks]
    return Sheet(
        kind=SheetKind.CHECK,
        subject=", ".join(each.specification for each in checks),
        word=word,
        tone=tone,
        headline="; ".join(said) or "nothing was looked at",
        made_by=made_by,
        at_utc=max((each.checked_at_utc for each in checks), default=None),
        facts=tuple(map(_fact, checks)),
        mends=tuple(
            Mend(title=f"{each.address}: {each.text}", why=each.remedy or "no remedy is known")
            for _, each in problems
        ),
        table=Grid(
            caption="What was looked at, the heaviest of each address first",
            headings=_HEADINGS,
            rows=tuple(_row(check, each) for check, each in found),
        ),
        chapters=(),
        cases=tuple(_case(check, each) for check, each in found),
    )


def _fact(check: ResourceCheck) -> Fact:
    servers = ", ".join(check.servers)
    text = f"{check.specification}, {moment_text(check.checked_at_utc)}, on {servers}"
    return Fact(label="Checked", text=text)


def _row(check: ResourceCheck, one: ResourceFinding) -> tuple[Cell, ...]:
    is_mended = one.remedy is not None and one.weight is not Weight.GOOD
    return (
        Cell(text=check.specification),
        Cell(text=one.address),
        Cell(text=one.subject.value),
        Cell(text=one.weight.value, tone=_TONES[one.weight]),
        Cell(text=one.text, note=f"to change it: {one.remedy}" if is_mended else ""),
    )


def _case(check: ResourceCheck, one: ResourceFinding) -> Case:
    text = one.text if one.remedy is None else f"{one.text}; to change it: {one.remedy}"
    return Case(
        suite=one.address,
        name=f"{one.subject.value} for {check.specification}",
        mark=_MARKS[one.weight],
        text=text,
    )
