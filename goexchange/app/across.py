"""The verbs `trend` and `site`: all runs of the store together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from goexchange.app.reporting import render, report_of
from goexchange.app.templating import own_templates
from goexchange.errors import GoexchangeError, InvalidDocument
from goexchange.model.configuration import Configuration
from goexchange.model.report import Report
from goexchange.report.site_html import render_site
from goexchange.report.trend import Trend, make_trend
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
    return make_trend(report for _, report in reports_of_store(settings, remark))


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
    made = make_trend(report for _, report in reports)
    index.write_text(render_site(made, own), "utf-8", newline="")
    return (index, *written)
