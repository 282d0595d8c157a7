"""The report as one HTML file: no script, no network; what comes from outside is escaped."""

from __future__ import annotations

from goexchange.model.report import Report
from goexchange.report import report_words as words
from goexchange.report import svg, units
from goexchange.report.templates import Own, rendered

TEMPLATE = "report.html.j2"
VARIABLES = frozenset(
    {
        "report",
        "words",
        "zone",
        "kinds",
        "timeline",
        "size_bars",
        "moment",
        "clock",
        "tail_limit",
        "is_brief",
        "is_open",
    }
)
_TAILS_MAX = 400_000  # of all output tails together: the file of a large run can still be mailed
_TAIL_MIN, _TAIL_MAX = 400, 8_000
_OPEN_LANES_MAX = 4


def render_html(report: Report, own: Own | None = None) -> str:
    """The report as one HTML document; `own` are the operators' templates.

    Raises: InvalidDocument naming template and line, for a template of theirs.
    """
    from markupsafe import Markup

    zone = words.zone(report)
    steps = sum(len(lane.steps) for lane in report.lanes)
    tail_limit = _TAILS_MAX // max(steps, 1)
    timeline, bars = svg.timeline(report), svg.size_bars(report.databases)
    # Both pictures are made by our own code, which escapes every text in them.
    variables = {
        "report": report,
        "words": words,
        "zone": zone,
        "kinds": svg.KINDS,
        "timeline": Markup(timeline) if timeline else None,  # noqa: S704
        "size_bars": Markup(bars) if bars else None,  # noqa: S704
        "moment": lambda value: units.moment_text(value, zone),
        "clock": lambda value: units.clock_text(value, zone),
        "tail_limit": min(_TAIL_MAX, max(_TAIL_MIN, tail_limit)),
        "is_brief": tail_limit < _TAIL_MIN,
        "is_open": len(report.lanes) <= _OPEN_LANES_MAX,
    }
    return rendered(TEMPLATE, own or {}, variables, is_html=True)
