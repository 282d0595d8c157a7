"""The verb `report`, and `show` of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console

if TYPE_CHECKING:
    from goexchange.store.runs import RunFolder


@click.command("report")
@click.argument("run", default="last")
@click.option(
    "--format",
    "forms",
    metavar="LIST",
    default="text",
    show_default=True,
    help="html, md, text, json, junit, csv, prom.",
)
@click.option("--out", "folder", metavar="DIR", help="Write files into DIR instead of printing.")
@click.pass_obj
def report(obj: tuple[Console, dict[str, Any]], run: str, forms: str, folder: str | None) -> None:
    """Render the report of RUN ('last' by default) from its plan and journal; no network, changes
    no host.
    """
    from goexchange.app.reporting import render, report_of, write_reports
    from goexchange.app.templating import own_templates
    from goexchange.errors import UsageError

    console, options = obj
    wanted = [form.strip() for form in forms.split(",") if form.strip()]
    unknown = sorted(set(wanted) - set(loading.REPORT_FILES))
    if unknown or not wanted:
        raise UsageError(
            f"--format: no form '{', '.join(unknown)}'; "
            f"there are: {', '.join(loading.REPORT_FILES)}"
        )
    settings = loading.configuration(options)
    found = find_run(settings.store, run)
    if folder is None and wanted == ["html"]:
        folder = settings.output_folder
    if folder is not None:
        written = write_reports(found, wanted, Path(folder), own=own_templates(settings))
        console.data("\n".join(str(path) for path in written))
        console.document({"run": found.id, "files": [str(path) for path in written]})
        return
    made = report_of(found)
    for form in wanted:
        if not console.is_json:
            width, own = console.width, own_templates(settings)
            console.data(render(made, form, width=width, colour=console.has_colour, own=own))
    console.document(json.loads(render(made, "json", width=80)))


def find_run(store: str, name: str) -> RunFolder:
    """A run of the store.

    Raises: InvalidDocument when there is none of that name.
    """
    from goexchange.store.runs import Runs

    return Runs(Path(store)).find(name)


def show_run(console: Console, options: dict[str, Any], name: str) -> int:
    """The text report of a run of the store."""
    from goexchange.app.reporting import render, report_of

    made = report_of(find_run(loading.configuration(options).store, name))
    console.data(render(made, "text", width=console.width, colour=console.has_colour))
    console.document(json.loads(render(made, "json", width=80)))
    return 0
