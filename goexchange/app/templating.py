"""The operators' own templates: read, and tried before they are needed."""

from __future__ import annotations

from pathlib import Path

from goexchange.errors import InvalidDocument
from goexchange.model.configuration import Configuration
from goexchange.model.desired import NotificationEvent
from goexchange.model.plan import Plan
from goexchange.report import html, sheet_html, site_html
from goexchange.report.events import URGENT
from goexchange.report.messages import check_message, template_of
from goexchange.report.sheet_of_plan import sheet_of_plan
from goexchange.report.templates import Own, check_variables
from goexchange.report.trend import make_trend
from goexchange.report.trial import trial_coming, trial_reports

TEMPLATE_MAX_BYTES = 1_000_000
REPORT_PARTS = (html.TEMPLATE, "report.parts.html.j2", "report.css.j2")


def own_templates(settings: Configuration) -> Own:
    """The files of the folder that the configuration names; none without one.

    Raises: InvalidDocument.
    """
    if settings.template_folder is None:
        return {}
    folder = Path(settings.template_folder)
    if not folder.is_dir():
        raise InvalidDocument(f"templates: there is no folder {folder}")
    found = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or any(part.startswith(".") for part in path.parts[-2:]):
            continue
        if path.stat().st_size > TEMPLATE_MAX_BYTES:
            raise InvalidDocument(f"templates: {path} is larger than {TEMPLATE_MAX_BYTES:,} bytes")
        try:
            found[path.relative_to(folder).as_posix()] = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidDocument(f"templates: {path} cannot be read: {error}") from error
    return found


def check_templates(plan: Plan, settings: Configuration) -> None:
    """Try every template that the plan's run will need, so that none fails after it.

    Raises: InvalidDocument naming template, line and variable.
    """
    own = own_templates(settings)
    for planned in plan.body.notices:
        check_message(planned.event, planned.template, own, planned.variables)
    for event in NotificationEvent:
        if event in URGENT or template_of(event.value, None) in own:
            check_message(event.value, None, own, {})
    if not own:
        return
    for name in (each for each in REPORT_PARTS if each in own):
        check_variables(name, own, html.VARIABLES, is_html=True)
    reports = trial_reports(plan)
    for report in reports:
        html.render_html(report, own)
    if site_html.TEMPLATE in own:
        check_variables(site_html.TEMPLATE, own, site_html.VARIABLES, is_html=True)
        for trend in (make_trend(()), make_trend(reports, trial_coming(plan))):
            site_html.render_site(trend, own)
    if sheet_html.TEMPLATE in own:
        check_variables(sheet_html.TEMPLATE, own, sheet_html.VARIABLES, is_html=True)
        sheet_html.render_sheet_html(sheet_of_plan(plan), own)
