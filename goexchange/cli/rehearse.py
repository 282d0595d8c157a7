"""The verb `rehearse`."""

from __future__ import annotations

import sys
from typing import Any

import click

from goexchange.cli.console import Console
from goexchange.cli.sheets import own, report_option
from goexchange.errors import ExitCode

RUNS = 1000


@click.command("rehearse")
@click.argument("file", metavar="PLAN", type=click.Path())
@click.option(
    "--runs",
    type=click.IntRange(1, 1_000_000),
    default=RUNS,
    show_default=True,
    help="How many nights are played.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="The first seed; the same seeds give the same counts.",
)
@click.option("--markdown", "summary", metavar="FILE", help="Also write a summary as Markdown.")
@report_option
@click.pass_obj
def rehearse(obj: tuple[Console, dict[str, Any]], /, file: str, **given: Any) -> int:
    """Play PLAN on a twin of its hosts, built from the facts in the plan, under injected faults.

    Touches no host. Says how long each database is out of service (p50, p90, longest), and by
    class of fault how often one was left down or unprotected, the window missed, the way back
    taken or a person needed. Ends with 14 when a policy's `limits.rehearsal` is passed, with 1
    when an invariant of the tool itself broke.
    """
    from goexchange.app.planning import read_plan
    from goexchange.app.rehearse import limits_in_force, rehearse_plan, save
    from goexchange.app.sheets import check_files, write_sheet
    from goexchange.report import rehearsal_text as text
    from goexchange.report.sheet_of_rehearsal import sheet_of_rehearsal

    console, options = obj
    runs = given["runs"]
    check_files(given["reports"])
    plan = read_plan(file)
    limits = limits_in_force()
    found = rehearse_plan(plan, runs=runs, seed=given["seed"], shown=_progress(console, runs))
    passed = tuple(
        f"{each} (policy {name})"
        for name, limit in limits
        for each in text.passed_limits(found, limit)
    )
    console.data(text.render_rehearsal(plan, found, passed, width=console.width))
    console.document(text.plain_rehearsal(plan, found, passed))
    if given["summary"] is not None:
        save(text.render_rehearsal_markdown(plan, found, passed), given["summary"])
    if given["reports"]:
        write_sheet(sheet_of_rehearsal(plan, found, passed), given["reports"], own(options))
    if found.broken:
        return int(ExitCode.INTERNAL)
    return int(ExitCode.NOT_NOW if passed else ExitCode.OK)


def _progress(console: Console, runs: int) -> Any:
    """How many are done, on a terminal only."""
    if not console.is_terminal or console.is_quiet:
        return None

    def show(done: int) -> None:
        end = "\r\x1b[K" if done >= runs else ""
        sys.stderr.write(f"\r{done} of {runs} runs{end}")
        sys.stderr.flush()

    return show
