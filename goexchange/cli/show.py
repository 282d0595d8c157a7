"""The verb `show`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from goexchange.cli.console import Console
from goexchange.cli.plan_view import plan_exit, show_plan, view_options
from goexchange.cli.sheets import own, report_option
from goexchange.errors import UsageError


@click.command("show")
@click.argument("name", metavar="PLAN|RUN")
@view_options
@report_option
@click.pass_obj
def show(obj: tuple[Console, dict[str, Any]], /, name: str, **given: Any) -> int:
    """Render a saved PLAN file, or the report of a RUN of the store; no network, works on stale
    files too.
    """
    from goexchange.app.planning import read_plan
    from goexchange.app.sheets import check_files, write_plan_report

    console, options = obj
    check_files(given["reports"])
    if not Path(name).exists():
        if given["reports"]:
            raise UsageError(
                f"--report is for a plan; of a run: goexchange report {name} --out DIR"
            )
        from goexchange.cli.report import show_run

        return show_run(console, options, name)
    made = read_plan(name)
    if given["reports"]:
        write_plan_report(made, given["reports"], own(options))
    show_plan(made, console, given, file=name)
    return int(plan_exit(made, is_detailed=given["detailed_exitcode"]))
