"""The first page of the static site: all runs of a store, and what they say together."""

from __future__ import annotations

from collections.abc import Sequence

from goexchange.report import report_words as words
from goexchange.report import svg, units
from goexchange.report.outlook import due_text, plan_text
from goexchange.report.templates import Own, rendered
from goexchange.report.trend import Point, Trend, offline_text

TEMPLATE = "site.html.j2"
VARIABLES = frozenset(
    {"trend", "words", "moment", "charts", "kinds", "offline", "due_text", "plan_text"}
)
_CHARTS_MAX = 200


def render_site(trend: Trend, own: Own | None = None) -> str:
    """The page as one HTML document; reports are linked as `RUN/report.html`.

    Raises: InvalidDocument for a template of the operators that is wrong.
    """
    from markupsafe import Markup

    of_database: dict[str, list[Point]] = {}
    for point in trend.points:
        of_database.setdefault(f"{point.server} / {point.database}", []).append(point)
    drawn = ((name, _chart(points)) for name, points in sorted(of_database.items()))
    # The pictures are made by our own code, which escapes every text in them.
    charts = [(name, Markup(chart)) for name, chart in drawn if chart]  # noqa: S704
    variables = {
        "trend": trend,
        "words": words,
        "moment": units.moment_text,
        "offline": offline_text,
        "due_text": due_text,
        "plan_text": plan_text,
        "charts": charts[:_CHARTS_MAX],
        "kinds": svg.KINDS,
    }
    return rendered(TEMPLATE, own or {}, variables, is_html=True)


def _chart(points: Sequence[Point]) -> str | None:
    """Bars of size and white space after each run."""
    known = [
        (units.day_text(one.at_utc), one.size_after_bytes, one.white_space_after_bytes)
        for one in points
        if one.size_after_bytes
    ]
    return svg.history_bars(known) if known else None
