"""The report as one HTML file: no script, no network; what comes from outside is escaped."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from goexchange.model.report import Report
from goexchange.report import report_words as words
from goexchange.report import svg, units
from goexchange.report.shown import shown, shown_lines

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

_TAILS_MAX = 400_000  # of all output tails together: the file of a large run can still be mailed
_TAIL_MIN, _TAIL_MAX = 400, 8_000
_OPEN_LANES_MAX = 4


def render_html(report: Report) -> str:
    """The report as one HTML document."""
    from markupsafe import Markup

    zone = words.zone(report)
    steps = sum(len(lane.steps) for lane in report.lanes)
    tail_limit = _TAILS_MAX // max(steps, 1)
    timeline, bars = svg.timeline(report), svg.size_bars(report.databases)
    # Both pictures are made by our own code, which escapes every text in them.
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            words=words,
            zone=zone,
            kinds=svg.KINDS,
            timeline=Markup(timeline) if timeline else None,  # noqa: S704
            size_bars=Markup(bars) if bars else None,  # noqa: S704
            moment=lambda value: units.moment_text(value, zone),
            clock=lambda value: units.clock_text(value, zone),
            tail_limit=min(_TAIL_MAX, max(_TAIL_MIN, tail_limit)),
            is_brief=tail_limit < _TAIL_MIN,
            is_open=len(report.lanes) <= _OPEN_LANES_MAX,
        )
    )


@lru_cache(maxsize=1)
def _environment() -> SandboxedEnvironment:
    from jinja2 import FunctionLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    from goexchange.resources import template_text

    environment = ImmutableSandboxedEnvironment(
        loader=FunctionLoader(template_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalized,
    )
    environment.filters.update(
        size=units.size_text,
        exact=units.bytes_text,
        duration=units.duration_text,
        between=lambda one: units.seconds_between(one.start_utc, one.end_utc),
        rate=units.rate_text,
        lines=_lines,
        recorded=lambda value: units.NOT_RECORDED if value in (None, "") else value,
    )
    return environment


def _finalized(value: Any) -> Any:
    """Every value that a template prints is made visible first; autoescape comes after."""
    return value if hasattr(value, "__html__") else shown(value)


def _lines(text: str, limit: int) -> Any:
    from markupsafe import escape

    return escape(shown_lines(text, limit=limit))
