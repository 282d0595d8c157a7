"""A sheet as one HTML file: no script, no network; what comes from outside is escaped."""

from __future__ import annotations

from goexchange.model.sheet import Sheet
from goexchange.report import svg, units
from goexchange.report.templates import Own, rendered

TEMPLATE = "sheet.html.j2"
VARIABLES = frozenset({"sheet", "kinds", "moment", "output_limit"})
_OUTPUT_MAX = 8_000


def render_sheet_html(sheet: Sheet, own: Own | None = None) -> str:
    """The sheet as one HTML document; `own` are the operators' templates.

    Raises: InvalidDocument naming template and line, for a template of theirs.
    """
    variables = {
        "sheet": sheet,
        "kinds": svg.KINDS,  # the style sheet is shared with the report of a run
        "moment": units.moment_text,
        "output_limit": _OUTPUT_MAX,
    }
    return rendered(TEMPLATE, own or {}, variables, is_html=True)
