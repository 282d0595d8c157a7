"""The verb `doctor`."""

from __future__ import annotations

from typing import Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.cli.selection import named_hosts


@click.command("doctor")
@click.argument("names", nargs=-1, metavar="[SERVER]...")
@click.option("--server", "servers", multiple=True, metavar="NAME", help="The same as SERVER.")
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="FOLDER",
    help="Also try to write to FOLDER (a backup target), as host jobs do (repeatable).",
)
@click.pass_obj
def doctor(
    obj: tuple[Console, dict[str, Any]],
    names: tuple[str, ...],
    servers: tuple[str, ...],
    targets: tuple[str, ...],
) -> int:
    """Try what the tool needs of SERVERs and machines, and say what is missing and how to mend it.

    Reach, authenticate, administrator rights, PowerShell, clock, Exchange endpoint, tools, the
    tool's own folder and its rights, a host job started and ended there, and each share of the
    inventory written to by the account of the jobs. Everything it makes it removes again. Writes
    hosts, in its own folder only. Ends with 14 when something is missing, 15 or 16 when a server
    does not answer or refuses the account, 20 when something could not be removed.
    """
    from goexchange.app.doctor import examine
    from goexchange.codec import to_plain
    from goexchange.facts.examination import exit_code_of
    from goexchange.report.examination_text import render_examinations

    console, options = obj
    inventory = loading.inventory(loading.configuration(options))
    chosen = named_hosts(inventory, names, servers)
    folders = tuple(dict.fromkeys((*(each.path for each in inventory.shares), *targets)))
    found = examine(inventory, chosen, folders)
    code = exit_code_of(found)
    console.data(render_examinations(found, width=console.width))
    console.document({"exit_code": int(code), "servers": [to_plain(each) for each in found]})
    return int(code)
