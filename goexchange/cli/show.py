"""The verb `show`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from goexchange.cli.console import Console
from goexchange.cli.plan import plan_exit, show_plan


@click.command("show")
@click.argument("name", metavar="PLAN|RUN")
@click.option("--summary", is_flag=True, help="Verdict and table only.")
@click.option(
    "--detailed-exitcode", is_flag=True, help="End with 2 when the plan has something to do."
)
@click.option("--format", "form", type=click.Choice(["text", "json", "md"]), default="text")
@click.pass_obj
def show(obj: tuple[Console, dict[str, Any]], /, name: str, **given: Any) -> int:
    """Render a saved PLAN file, or the report of a RUN of the store; no network, works on stale
    files too.
    """
    from goexchange.app.planning import read_plan

    console, options = obj
    if not Path(name).exists():
        from goexchange.cli.report import show_run

        return show_run(console, options, name)
    made = read_plan(name)
    show_plan(made, console, is_summary=given["summary"], form=given["form"], file=name)
    return int(plan_exit(made, is_detailed=given["detailed_exitcode"]))
