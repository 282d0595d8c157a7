"""The resource check as text and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from goexchange.model.resource_check import ResourceCheck, ResourceFinding, Weight
from goexchange.report.shown import shown, wrap
from goexchange.report.units import count_text

_SIGNS = {Weight.PROBLEM: "x", Weight.UNKNOWN: "?", Weight.WARNING: "!", Weight.GOOD: "+"}
_SUBJECT_WIDTH = 12


def check_verdict(check: ResourceCheck) -> str:
    """One sentence, for the first line and for messages."""
    warnings = sum(each.weight is Weight.WARNING for each in check.findings)
    if check.problems:
        return (
            f"{count_text(len(check.problems), 'problem')} would keep a run from starting,"
            f" {count_text(warnings, 'warning')}"
        )
    return f"nothing keeps a run from starting, {count_text(warnings, 'warning')}"


def render_checks(checks: Sequence[ResourceCheck], *, width: int) -> str:
    """Every specification with its findings by address; what is wrong says what would change it."""
    return "\n".join(line for each in checks for line in (*_text(each, width), ""))


def render_checks_markdown(checks: Sequence[ResourceCheck]) -> str:
    """The same as a table for each specification."""
    lines: list[str] = []
    for check in checks:
        where = _cell(", ".join(check.servers))
        lines += [
            f"## Resource check: {_cell(check.specification)}",
            "",
            f"{check_verdict(check)}. Checked {check.checked_at_utc:%Y-%m-%d %H:%M} UTC: {where}.",
            "",
            "| | address | subject | finding | remedy |",
            "| --- | --- | --- | --- | --- |",
        ]
        lines += [
            f"| {_SIGNS[each.weight]} | {_cell(each.address)} | {each.subject.value} |"
            f" {_cell(each.text)} | {_cell(each.remedy or '')} |"
            for each in check.findings
        ]
        lines.append("")
    return "\n".join(lines)


def _text(check: ResourceCheck, width: int) -> Iterator[str]:
    yield f"{shown(check.specification)}  {check_verdict(check)}"
    yield f"checked {check.checked_at_utc:%Y-%m-%d %H:%M} UTC on {shown(', '.join(check.servers))}"
    address = None
    for each in check.findings:
        if each.address != address:
            address = each.address
            yield shown(each.address)
        yield from _finding(each, width)


def _finding(finding: ResourceFinding, width: int) -> Iterator[str]:
    start = f"  {_SIGNS[finding.weight]} {finding.subject.value:<{_SUBJECT_WIDTH}} "
    room, indent = max(20, width - len(start)), " " * len(start)
    first, *rest = wrap(shown(finding.text), room) or [""]
    yield start + first
    yield from (indent + line for line in rest)
    if finding.remedy is not None and finding.weight is not Weight.GOOD:
        yield from (indent + line for line in wrap(f"-> {shown(finding.remedy)}", room))


def _cell(text: str) -> str:
    return shown(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
