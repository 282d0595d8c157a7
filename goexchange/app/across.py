"""The verbs `trend` and `site`: all runs of the store together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from goexchange.app import loading
from goexchange.app.due import PLANS_FOLDER, DueRequest, due_items, past_of
from goexchange.app.reporting import render, report_of
from goexchange.app.templating import own_templates
from goexchange.errors import GoexchangeError, InvalidDocument
from goexchange.model.configuration import Configuration
from goexchange.model.report import Report
from goexchange.report.outlook import Coming
from goexchange.report.site_html import render_site
from goexchange.report.trend import Trend, make_trend
from goexchange.store.clock import SystemClock
from goexchange.store.runs import RunFolder, Runs

Remark = Callable[[str], None]


def reports_of_store(
    settings: Configuration, remark: Remark
) -> tuple[tuple[RunFolder, Report], ...]:
    """The report of every run that can be read; others are remarked on, never left out silently."""
    found = []
    for run in Runs(Path(settings.store)).list():
        try:
            found.append((run, report_of(run)))
        except (GoexchangeError, OSError) as error:
            remark(f"run {run.id} is left out: {error}")
    return tuple(found)


def trend(settings: Configuration, remark: Remark) -> Trend:
    """What all runs of the store say together."""
    reports = (report for _, report in reports_of_store(settings, remark))
    return make_trend(reports, coming_of(settings, remark, now=SystemClock().now()))


def coming_of(
    settings: Configuration, remark: Remark, *, now: datetime
) -> tuple[Coming, ...] | None:
    """When each specification is due next; None, with a remark, where they cannot be read."""
    try:
        inventory = loading.inventory(settings)
        specifications = loading.specifications((), settings, inventory)
        request = DueRequest(
            specifications=specifications,
            inventory=inventory,
            settings=settings,
            plans=Path(PLANS_FOLDER),
            now=now,
        )
        items = due_items(request, past_of(request.store))
    except (GoexchangeError, OSError) as error:
        remark(f"what is due next is not known: {error}")
        return None
    return tuple(
        Coming(
            specification=each.name,
            standing=each.due.standing.value,
            zone=each.zone,
            due_at_utc=each.due.due_at_utc,
            begins_at_utc=each.due.begins_at_utc,
            missed_at_utc=each.due.missed_at_utc,
            plan=None if each.plan is None else each.plan.file,
            is_approved=each.plan is not None and each.plan.is_approved,
        )
        for each in items
    )


def write_site(settings: Configuration, folder: Path, remark: Remark) -> tuple[Path, ...]:
    """Write the first page and every run's report below `folder`; what was written.

    Raises: InvalidDocument for a template of the operators that is wrong.
    """
    own = own_templates(settings)
    reports = reports_of_store(settings, remark)
    if folder.exists() and not folder.is_dir():
        raise InvalidDocument(f"{folder} is not a folder")
    written = []
    for run, report in reports:
        target = folder / run.id
        target.mkdir(parents=True, exist_ok=True)
        for form, name in (("html", "report.html"), ("json", "report.json")):
            path = target / name
            path.write_text(render(report, form, width=80, own=own), "utf-8", newline="")
            written.append(path)
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / "index.html"
    coming = coming_of(settings, remark, now=SystemClock().now())
    made = make_trend((report for _, report in reports), coming)
    index.write_text(render_site(made, own), "utf-8", newline="")
    return (index, *written)
