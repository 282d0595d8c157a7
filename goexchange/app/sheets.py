"""Reports of anything but a run, written into files: the ending says the form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from goexchange.errors import UsageError
from goexchange.model.plan import Plan
from goexchange.model.sheet import Sheet
from goexchange.report.sheet_of_plan import sheet_of_plan
from goexchange.report.templates import Own

Form = Callable[[Sheet], str]
FORMS: Mapping[str, str] = {
    ".html": "html",
    ".md": "md",
    ".txt": "text",
    ".json": "json",
    ".xml": "junit",
    ".csv": "csv",
}


def check_files(files: Sequence[str]) -> None:
    """Refuse endings that are no form, before anything is done.

    Raises: UsageError.
    """
    for file in files:
        if Path(file).suffix.lower() not in FORMS:
            raise UsageError(
                f"--report: the ending of {file} says no form; there are: {', '.join(FORMS)}"
            )


def write_sheet(sheet: Sheet, files: Sequence[str], own: Own) -> None:
    """Write a sheet into files, each in the form of its ending.

    Raises: UsageError; InvalidDocument for a template of the operators that is wrong.
    """
    _write(files, lambda form: render_sheet(sheet, form, own))


def write_plan_report(plan: Plan, files: Sequence[str], own: Own) -> None:
    """Write the report of a plan; Markdown and text are those of the verb `plan`, whole.

    Raises: UsageError; InvalidDocument for a template of the operators that is wrong.
    """
    sheet = sheet_of_plan(plan)

    def render(form: str) -> str:
        if form == "md":
            from goexchange.report.plan_markdown import render_plan_markdown
            from goexchange.report.sheet_markdown import MAX_BYTES

            return render_plan_markdown(plan, max_bytes=MAX_BYTES)
        if form == "text":
            from goexchange.report.plan_text import PlanLayout, render_plan

            return render_plan(plan, PlanLayout(width=80, is_full=True))
        return render_sheet(sheet, form, own)

    _write(files, render)


def render_sheet(sheet: Sheet, form: str, own: Own) -> str:
    """One form of a sheet as text.

    Raises: InvalidDocument for a template of the operators that is wrong.
    """
    from goexchange.report import sheet_forms
    from goexchange.report.sheet_html import render_sheet_html
    from goexchange.report.sheet_markdown import render_sheet_markdown
    from goexchange.report.sheet_text import render_sheet_text

    renderers: Mapping[str, Form] = {
        "html": lambda one: render_sheet_html(one, own),
        "md": render_sheet_markdown,
        "text": render_sheet_text,
        "json": sheet_forms.render_sheet_json,
        "junit": sheet_forms.render_sheet_junit,
        "csv": sheet_forms.render_sheet_csv,
    }
    return renderers[form](sheet)


def _write(files: Sequence[str], render: Callable[[str], str]) -> None:
    check_files(files)
    for file in files:
        path = Path(file)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(render(FORMS[path.suffix.lower()]), "utf-8", newline="")
        except OSError as error:
            raise UsageError(f"--report: {file} cannot be written: {error.strerror}") from error
