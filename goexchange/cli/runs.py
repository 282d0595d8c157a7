"""The verb `runs`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.errors import UsageError

if TYPE_CHECKING:
    from goexchange.app.runs import RunRow

Obj = tuple[Console, dict[str, Any]]


@click.group("runs")
def runs() -> None:
    """The runs that the store keeps."""


@runs.command("list")
@click.pass_obj
def list_(obj: Obj) -> None:
    """List every run: plan, start, who started it, how it ended. Reads."""
    from goexchange.app.runs import list_runs
    from goexchange.report.shown import shown
    from goexchange.report.table import Column, Frame, Row, table
    from goexchange.report.units import minute_text

    console, options = obj
    rows = list_runs(loading.configuration(options))
    columns = (
        Column(heading="run"),
        Column(heading="plan"),
        Column(heading="started (UTC)"),
        Column(heading="by"),
        Column(heading="code", is_right=True),
        Column(heading="how it stands", is_flexible=True),
    )
    cells = [
        Row(
            cells=(
                row.id,
                row.plan or "?",
                minute_text(row.started_at_utc).removesuffix(" UTC") if row.started_at_utc else "-",
                shown(row.started_by or "-"),
                "-" if row.exit_code is None else str(row.exit_code),
                shown(_words(row)),
            )
        )
        for row in rows
    ]
    if rows:
        console.data("\n".join(table(columns, cells, Frame(width=console.width, indent=0))))
    else:
        console.data("The store keeps no run.")
    console.document([_plain(row) for row in rows])


@runs.command("prune")
@click.option(
    "--older-than", metavar="DURATION", default="365d", show_default=True, help="As 90d or 12w."
)
@click.option("--keep", type=click.IntRange(min=0), default=20, show_default=True)
@click.option("--yes", is_flag=True, help="Do it; without it, only say what would go.")
@click.pass_obj
def prune(obj: Obj, older_than: str, keep: int, yes: bool) -> None:
    """Remove old runs from the store: those that ended, longer ago than that, and not among the
    newest.

    A run that left a database down or unprotected stays until that is mended. What went is
    written down, so that its plan cannot be applied again. Estimates and the proof for `backups
    prune` lose what goes. Writes the store, with --yes only.
    """
    from goexchange.app.runs import prune as decide
    from goexchange.reading import duration_s

    console, options = obj
    try:
        age = timedelta(seconds=duration_s(older_than))
    except ValueError as error:
        raise UsageError(f"--older-than {older_than}: {error}") from error
    settings = loading.configuration(options)
    decisions = decide(settings, older_than=age, keep=keep, is_done=yes)
    for one in decisions:
        word = "keep    " if one.is_kept else "remove  "
        console.data(f"{word}{one.run.id}  {one.why}".rstrip())
    going = sum(not one.is_kept for one in decisions)
    console.words(
        f"{going} removed." if yes else f"Nothing was removed; {going} would be: say --yes."
    )
    console.document(
        {
            "is_done": yes,
            "decisions": [
                {"run": one.run.id, "is_kept": one.is_kept, "why": one.why} for one in decisions
            ],
        }
    )


def _words(row: RunRow) -> str:
    if row.life.value == "ended":
        return row.verdict or "ended"
    if row.life.value == "gone":
        begun = "" if row.records else "never begun: "
        return f"{begun}process gone"
    return "running"


def _plain(row: RunRow) -> dict[str, Any]:
    from goexchange import codec

    plain: dict[str, Any] = codec.to_plain(row)
    return plain
