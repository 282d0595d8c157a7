"""The verb `lock`."""

from __future__ import annotations

from typing import Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console

Obj = tuple[Console, dict[str, Any]]


@click.group("lock")
def lock() -> None:
    """The leases of servers and availability groups: who may act on them, until when."""


@lock.command("list")
@click.pass_obj
def list_(obj: Obj) -> None:
    """List every lease that somebody has: number, holder, since, until, and from when on another
    run may take it. Reads.
    """
    from goexchange.app.standing import StoreView
    from goexchange.report.standing import lease_lines, standing_plain

    console, options = obj
    seen = StoreView(loading.configuration(options)).standing()
    if seen.leases:
        console.data("\n".join(lease_lines(seen.leases, width=console.width)))
    else:
        console.data("Nobody holds a lease.")
    console.document(standing_plain(seen)["leases"])


@lock.command("break")
@click.argument("name", metavar="ID")
@click.option("--why", metavar="TEXT", required=True, help="Why; it is journalled.")
@click.option("--yes", is_flag=True, help="Do it; without it, only say what would happen.")
@click.pass_obj
def break_(obj: Obj, name: str, why: str, yes: bool) -> int:
    """Take the lease ID (a server's name, or dag:NAME) from a holder that will not give it back.

    Who, why and when are journalled first. A holder whose process is alive on this machine is not
    robbed: ask it with `abort`. The old holder learns it before its next step, and another run
    still waits until the last cmdlet of the old one cannot be under way any more. Writes the
    store.
    """
    from goexchange.app import locks
    from goexchange.app.policies import key_of, require_role
    from goexchange.codec import time_text
    from goexchange.model.policy import Role
    from goexchange.store.clock import SystemClock
    from goexchange.store.leases import denial

    console, options = obj
    settings = loading.configuration(options)
    if not why.strip():
        raise click.UsageError("--why needs a reason: it is what the next person reads")
    if not yes:
        lease = locks.lease_of(settings, name)
        console.data(denial(lease))
        if locks.is_elsewhere(lease, SystemClock().now()):
            console.data("Its process is on another machine and may be alive: look there first.")
        console.data("Nothing was changed; to take it away, say --yes.")
        console.document({"is_done": False, "lease": lease.server, "holder": lease.holder})
        return 0
    require_role(Role.ADMINISTER, f"lock break {name}", key=key_of(options))
    done = locks.break_lease(settings, name, why=why)
    free = time_text(done.free_at_utc) if done.free_at_utc else "now"
    console.data(
        f"{done.lease.server} was taken from {done.lease.holder}; another run may take it from"
        f" {free} on.\nJournalled in {', '.join(done.journals)}"
    )
    console.document(
        {
            "is_done": True,
            "lease": done.lease.server,
            "holder": done.lease.holder,
            "number": done.lease.number,
            "by": done.by,
            "why": done.why,
            "free_at_utc": free,
            "journals": list(done.journals),
        }
    )
    return 0
