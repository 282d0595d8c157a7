"""The verb `plan`."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.cli.moment import moment_option
from goexchange.cli.selection import chosen_servers
from goexchange.errors import ExitCode
from goexchange.model.plan import Need, Plan


@click.command("plan")
@click.argument("specs", nargs=-1, type=click.Path())
@click.option("--out", "file", metavar="FILE", help="Save the plan; apply runs exactly this file.")
@click.option("--facts", "facts_file", metavar="FILE", help="Use saved facts instead of observing.")
@click.option("--server", "servers", multiple=True, metavar="NAME", help="Only this server.")
@click.option("--database", "databases", multiple=True, metavar="NAME", help="Only this database.")
@click.option("--at", "moment", metavar="TIME", help="Plan as of TIME (RFC 3339 with zone).")
@click.option("--detailed-exitcode", is_flag=True, help="End with 2 when there is something to do.")
@click.option("--summary", is_flag=True, help="Verdict and table only.")
@click.option("--format", "form", type=click.Choice(["text", "json", "md"]), default="text")
@click.pass_obj
def plan(obj: tuple[Console, dict[str, Any]], /, specs: tuple[str, ...], **given: Any) -> int:
    """Compare SPECS (files or folders) with what the servers say now; show the difference.

    Reads only. Databases that already meet their specification get no step. What this version
    cannot execute is
    refused by name.
    """
    from goexchange.app.planning import PlanRequest, blocked, make_plan, save_plan

    console, options = obj
    settings = loading.configuration(options)
    inventory = loading.inventory(settings)
    made = make_plan(
        PlanRequest(
            specifications=loading.specifications(specs, settings, inventory),
            inventory=inventory,
            settings=settings,
            servers=chosen_servers(inventory, given["servers"]) if given["servers"] else (),
            databases=given["databases"],
            facts_file=given["facts_file"],
            at=moment_option(given["moment"]),
        )
    )
    if given["file"]:
        save_plan(made, given["file"])
    show_plan(made, console, is_summary=given["summary"], form=given["form"], file=given["file"])
    if blocked(made):
        return int(ExitCode.NOT_NOW)
    return int(plan_exit(made, is_detailed=given["detailed_exitcode"]))


def plan_exit(made: Plan, *, is_detailed: bool) -> ExitCode:
    """0, or 2 with `--detailed-exitcode` when something is to be done; rows that are not possible
    do not count.
    """
    needs = {decision.need for decision in made.body.decisions}
    has_changes = bool(needs - {Need.NOTHING, Need.NOT_POSSIBLE})
    return ExitCode.CHANGES if is_detailed and has_changes else ExitCode.OK


def show_plan(
    made: Plan, console: Console, *, is_summary: bool, form: str, file: str | None
) -> None:
    """A plan in the asked form."""
    from goexchange.plan.sealing import dump
    from goexchange.report.plan_markdown import render_plan_markdown
    from goexchange.report.plan_text import PlanLayout, render_plan

    plain = json.loads(dump(made))
    if form == "json" and not console.is_json:
        sys.stdout.write(json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    elif form == "md":
        console.data(render_plan_markdown(made))
    else:
        layout = PlanLayout(
            width=console.width,
            colour=console.has_colour,
            is_summary=is_summary,
            saved_as=file,
            next_commands=next_commands(made, file),
        )
        console.data(render_plan(made, layout))
    console.document(plain)


def next_commands(made: Plan, file: str | None) -> tuple[str, ...]:
    """What to type next."""
    if not made.body.lanes:
        return ()
    if file is None:
        return ("goexchange plan --out plan.json",)
    return (f"goexchange approve {file}", f"goexchange apply {file}")
