"""The verb `plan`."""

from __future__ import annotations

from typing import Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.cli.moment import moment_option
from goexchange.cli.plan_view import plan_exit, show_plan, view_options
from goexchange.cli.selection import chosen_servers
from goexchange.cli.sheets import own, report_option
from goexchange.errors import ExitCode, UsageError


@click.command("plan")
@click.argument("specs", nargs=-1, type=click.Path())
@click.option("--out", "file", metavar="FILE", help="Save the plan; apply runs exactly this file.")
@click.option("--facts", "facts_file", metavar="FILE", help="Use saved facts instead of observing.")
@click.option("--server", "servers", multiple=True, metavar="NAME", help="Only this server.")
@click.option("--database", "databases", multiple=True, metavar="NAME", help="Only this database.")
@click.option(
    "--repair",
    metavar="DATABASE",
    help="Plan a repair of this one database, which may lose data: a last resort.",
)
@click.option("--at", "moment", metavar="TIME", help="Plan as of TIME (RFC 3339 with zone).")
@view_options
@report_option
@click.pass_obj
def plan(obj: tuple[Console, dict[str, Any]], /, specs: tuple[str, ...], **given: Any) -> int:
    """Compare SPECS (files or folders) with what the servers say now; show the difference.

    Reads only. Databases that already meet their specification get no step. What this version
    cannot execute is
    refused by name. No specification asks for a repair: --repair does, for damage that is on
    record, and its plan needs the consent repair-may-lose-data.
    """
    from goexchange.app.planning import PlanRequest, blocked, make_plan, save_plan
    from goexchange.app.sheets import check_files, write_plan_report

    console, options = obj
    check_files(given["reports"])
    if given["repair"] and given["databases"]:
        raise UsageError("--repair names the one database of the plan: leave out --database")
    settings = loading.configuration(options)
    inventory = loading.inventory(settings)
    made = make_plan(
        PlanRequest(
            specifications=loading.specifications(specs, settings, inventory),
            inventory=inventory,
            settings=settings,
            servers=chosen_servers(inventory, given["servers"]) if given["servers"] else (),
            databases=given["databases"],
            repair=given["repair"],
            facts_file=given["facts_file"],
            at=moment_option(given["moment"]),
        )
    )
    if given["file"]:
        save_plan(made, given["file"])
    if given["reports"]:
        write_plan_report(made, given["reports"], own(options))
    show_plan(made, console, given, file=given["file"])
    if blocked(made):
        return int(ExitCode.NOT_NOW)
    return int(plan_exit(made, is_detailed=given["detailed_exitcode"]))
