"""Drift as text and as Markdown: the verdict first, then every difference with its place."""

from __future__ import annotations

from collections import Counter

from goexchange.model.drift import Drift, DriftKind, DriftReport
from goexchange.report.ink import Ink, Role
from goexchange.report.plan_markdown import markdown_table, markdown_text
from goexchange.report.shown import shown
from goexchange.report.table import Column, Frame, Row, table
from goexchange.report.units import count_text, moment_text

SYMBOLS = {
    DriftKind.UNMET: "~",
    DriftKind.CHANGED: "!",
    DriftKind.UNKNOWN: "?",
    DriftKind.TOLERATED: "=",
    DriftKind.NOT_POSSIBLE: "x",
}
_ROLES = {
    DriftKind.UNMET: Role.ATTENTION,
    DriftKind.CHANGED: Role.BAD,
    DriftKind.UNKNOWN: Role.BAD,
    DriftKind.TOLERATED: Role.FAINT,
    DriftKind.NOT_POSSIBLE: Role.ATTENTION,
}
_WORDS = {
    DriftKind.UNMET: "not as specified",
    DriftKind.CHANGED: "changed since the last run",
    DriftKind.UNKNOWN: "cannot be read",
    DriftKind.TOLERATED: "within the tolerance",
    DriftKind.NOT_POSSIBLE: "not possible",
}
MARKER = "<!-- goexchange drift -->"


def verdict(report: DriftReport) -> str:
    """The one sentence that it comes to."""
    counts = Counter(each.kind for each in report.items)
    parts = [f"{counts[kind]} {_WORDS[kind]}" for kind in DriftKind if counts[kind]]
    if not report.has_drifted:
        parts.insert(0, f"no drift: {count_text(report.databases, 'database')}")
    return " · ".join(parts)


def render_drift(report: DriftReport, *, width: int, colour: bool) -> str:
    """As text that ends in a line break."""
    frame = Frame(width=width, ink=Ink(is_on=colour), indent=0)
    role = Role.ATTENTION if report.has_drifted else Role.GOOD
    lines = [
        frame.ink(
            f"goexchange drift   {', '.join(map(shown, report.specifications))}", Role.HEADING
        ),
        frame.ink(f"VERDICT   {verdict(report)}", role),
        f"Observed  {moment_text(report.observed_at_utc)}",
        f"Compared  with the specification{_runs(report)}",
    ]
    columns = (
        Column(),
        Column(heading="where", width_max=24),
        Column(heading="what", is_flexible=True),
    )
    rows = [
        Row(
            cells=(SYMBOLS[each.kind], shown(each.address), _text(each)), roles=(_ROLES[each.kind],)
        )
        for each in report.items
    ]
    if rows:
        lines += ["", *table(columns, rows, frame)]
    if report.has_drifted:
        lines += ["", "Next  goexchange plan --out plan.json"]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def render_drift_markdown(report: DriftReport) -> str:
    """As Markdown with a hidden marker, for a comment that is updated in place."""
    rows = [
        [
            f"`{SYMBOLS[each.kind]}`",
            markdown_text(each.address),
            _WORDS[each.kind],
            markdown_text(_text(each)),
        ]
        for each in report.items
    ]
    parts = [
        MARKER,
        "### goexchange drift · " + markdown_text(", ".join(report.specifications)),
        f"**{markdown_text(verdict(report))}**",
        *([markdown_table(("", "where", "is", "what"), rows)] if rows else []),
        f"Observed {moment_text(report.observed_at_utc)}, compared with the specification"
        + markdown_text(_runs(report)),
    ]
    return "\n\n".join(parts) + "\n"


def _runs(report: DriftReport) -> str:
    if not report.baselines:
        return "; no run of this store has left anything to compare with"
    said = ", ".join(f"{shown(run)} ({shown(server)})" for server, run in report.baselines)
    return f" and with what was left by {said}"


def _text(each: Drift) -> str:
    since = f" (since run {shown(each.since_run)})" if each.kind is DriftKind.CHANGED else ""
    place = f" [{shown(each.place)}]" if each.place else ""
    fact = "" if each.fact == "decision" else f"{each.fact}: "
    return f"{fact}{shown(each.text)}{since}{place}"
