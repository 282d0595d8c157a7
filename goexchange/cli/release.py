"""The verb `release`."""

from __future__ import annotations

from typing import Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.cli.running import finish, watcher
from goexchange.errors import ExitCode


@click.command("release")
@click.argument("target", metavar="SERVER|DATABASE")
@click.pass_obj
def release(obj: tuple[Console, dict[str, Any]], target: str) -> int:
    """Bring back into service what a dead run left on SERVER, or DATABASE alone (EX01/DB05).

    Works from the host's own record and from looking, without the run's store: jobs ended, the
    right file renamed into its place, mounted (never forced), settings as recorded, record and
    sentinel closed. Needs the lease, and that the run's controller has been silent for longer
    than its own. No window, approval or hold keeps it from that. After the first mount of a
    rebuilt file nothing older takes its place. Writes hosts.
    """
    from goexchange.app import releasing, running

    console, options = obj
    settings = loading.configuration(options)
    site = running.Site(inventory=loading.inventory(settings), settings=settings)
    prepared = releasing.prepare(target, site=site)
    for each in prepared.left:
        console.words(f"{each.server}/{each.database.name}: {each.evidence}")
    for server in prepared.servers:
        console.words(f"{server.address}: {server.evidence}")
    for each in prepared.undecided:
        console.data(f"{each.server}/{each.database.name}  not decided: {each.evidence}")
        console.data(
            f"  read {releasing.recovery_text_path(each, site.inventory)}; nothing was moved"
        )
    if prepared.plan is None:
        if not prepared.undecided:
            console.data(f"There is nothing to release on {prepared.server}: no record is open.")
        console.document({"server": prepared.server, "run": None, "undecided": _names(prepared)})
        return int(ExitCode.ROLLBACK_FAILED if prepared.undecided else ExitCode.OK)
    ended = releasing.carry_out(prepared, site=site, watch=watcher(console))
    code = finish(console, settings, ended)
    return int(ExitCode.ROLLBACK_FAILED) if prepared.undecided else code


def _names(prepared: Any) -> list[dict[str, str]]:
    return [
        {"address": f"{each.server}/{each.database.name}", "evidence": each.evidence}
        for each in prepared.undecided
    ]
