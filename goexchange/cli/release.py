"""The verb `release`."""

from __future__ import annotations

from typing import Any

import click

from goexchange import codec
from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.cli.running import finish, watcher
from goexchange.errors import ExitCode


@click.command("release")
@click.argument("target", metavar="SERVER|DATABASE")
@click.pass_obj
def release(obj: tuple[Console, dict[str, Any]], target: str) -> int:
    """Bring back into service what a dead run left on SERVER and on every other host that it
    touched, or of DATABASE alone (EX01/DB05).

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
    for jobs in prepared.jobs:
        console.words(f"{jobs.server}: {', '.join(jobs.jobs)} still there, of a run that is dead")
    for host in prepared.behind:
        console.data(f"{host.server}  not released: {host.why}")
        console.data(f"  when that is mended: goexchange release {host.server}")
    for each in prepared.undecided:
        console.data(f"{each.server}/{each.database.name}  not decided: {each.evidence}")
        console.data(
            f"  read {releasing.recovery_text_path(each, site.inventory)}; nothing was moved"
        )
    told = {"undecided": _names(prepared), "behind": codec.to_plain(prepared.behind)}
    if prepared.plan is None:
        if prepared.is_whole:
            console.data(f"There is nothing to release on {prepared.server}: no record is open.")
        console.document({"server": prepared.server, "run": None, **told})
        return int(ExitCode.OK if prepared.is_whole else ExitCode.ROLLBACK_FAILED)
    ended = releasing.carry_out(prepared, site=site, watch=watcher(console))
    code = finish(console, settings, ended, **told)
    if prepared.is_whole:
        return code
    left = [each.server for each in prepared.behind]
    left += [one["address"] for one in _names(prepared)]
    console.data(f"exit code 24: not everything was released; see {', '.join(left)} above")
    return int(ExitCode.ROLLBACK_FAILED)


def _names(prepared: Any) -> list[dict[str, str]]:
    return [
        {"address": f"{each.server}/{each.database.name}", "evidence": each.evidence}
        for each in prepared.undecided
    ]
