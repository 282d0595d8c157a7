"""The verb `report`: plan and journal of a run to its report, in every form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from goexchange.app.loading import REPORT_FILES
from goexchange.app.notifying import deliveries_of
from goexchange.app.planning import read_plan
from goexchange.errors import Damaged
from goexchange.model.report import Report
from goexchange.report.html import render_html
from goexchange.report.model import build_report
from goexchange.report.report_csv import render_csv
from goexchange.report.report_json import render_json
from goexchange.report.report_junit import render_junit
from goexchange.report.report_markdown import render_markdown
from goexchange.report.report_prometheus import render_prometheus
from goexchange.report.report_text import render_text
from goexchange.report.templates import Own
from goexchange.store.journal_file import read_journal
from goexchange.store.runs import RunFolder


def report_of(run: RunFolder) -> Report:
    """The report of a run, from its plan and journal alone.

    Raises: Damaged when the journal does not fit its chain.
    """
    reading = read_journal(run.journal_path)
    if reading.damage is not None and not reading.records:
        raise Damaged(
            f"the journal {run.journal_path} is damaged at its start: {reading.damage.reason}"
        )
    deliveries = deliveries_of(run, run.path.parent.parent)
    return build_report(read_plan(str(run.plan_path)), reading.records, deliveries)


def render(
    report: Report, form: str, *, width: int, colour: bool = False, own: Own | None = None
) -> str:
    """One form of a report as text; `own` are the operators' templates.

    Raises: InvalidDocument for a template of theirs that is wrong.
    """
    if form == "text":
        return render_text(report, width=width, colour=colour)
    if form == "html":
        return render_html(report, own)
    return _RENDERERS[form](report)


_RENDERERS: Mapping[str, Callable[[Report], str]] = {
    "md": render_markdown,
    "json": render_json,
    "junit": render_junit,
    "csv": render_csv,
    "prom": render_prometheus,
}


def write_reports(
    run: RunFolder, forms: Sequence[str], folder: Path, *, own: Own | None = None
) -> tuple[Path, ...]:
    """Write the report's forms, each once, into the run's folder below `folder`.

    Raises: InvalidDocument for a template of the operators that is wrong.
    """
    report = report_of(run)
    target = folder / run.id
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for form in dict.fromkeys(forms):
        path = target / REPORT_FILES[form]
        path.write_text(render(report, form, width=80, own=own), "utf-8", newline="")
        written.append(path)
    return tuple(written)
