"""The verb `leftovers`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.cli.running import finish, watcher
from goexchange.errors import ExitCode

if TYPE_CHECKING:
    from goexchange.app.leftovers import Found


@click.command("leftovers")
@click.argument("server", metavar="SERVER")
@click.option("--remove", "is_removing", is_flag=True, help="Remove what may go, as a run.")
@click.pass_obj
def leftovers(obj: tuple[Console, dict[str, Any]], server: str, is_removing: bool) -> int:
    """What runs have left on SERVER, each with the reason why it may go or must stay.

    Kept originals and files set aside, work folders, jobs, sentinels, recovery records, kept runs,
    and open WinRM shells of the same account, which a controller that died leaves to the host.
    An original goes only when a full backup of the file in service is proved. Without --remove it
    only reads; with it what may go is removed by a run with plan, journal and lease. Writes hosts
    with --remove.
    """
    from goexchange.app import leftovers as looking
    from goexchange.app import running
    from goexchange.codec import to_plain

    console, options = obj
    settings = loading.configuration(options)
    site = running.Site(inventory=loading.inventory(settings), settings=settings)
    found = looking.look_at(server, site=site)
    console.data(_table(found))
    for each in found.unknown:
        console.data(f"?  not known: {each}")
    if is_removing and found.plan is not None:
        from goexchange.app.policies import key_of

        ended = looking.remove(found, site=site, watch=watcher(console), key=key_of(options))
        return finish(console, settings, ended)
    going = [each for each in found.items if each.may_go]
    if going:
        console.words(f"Remove what may go:  goexchange leftovers {found.server} --remove")
    elif is_removing:
        console.data("Nothing may go; nothing was changed.")
    console.document(
        {
            "server": found.server,
            "leftovers": [to_plain(each) for each in found.items],
            "unknown": list(found.unknown),
        }
    )
    return int(ExitCode.OK)


def _table(found: Found) -> str:
    """Two lines each: a path is often longer than a column, and the reason matters most."""
    from goexchange.report.units import size_text

    lines: list[str] = []
    for each in found.items:
        size = "" if each.size_bytes is None else f"  ({size_text(each.size_bytes)})"
        mark = "may go" if each.may_go else "stays "
        lines.append(f"{mark}  {each.kind.value:<15}  {each.what}{size}")
        lines.append(f"        {each.reason}")
    return "\n".join(lines) or f"Nothing of ours lies on {found.server}."
