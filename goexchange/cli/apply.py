"""The verb `apply`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.cli.running import finish, watcher


@click.command("apply")
@click.argument("plan_file", metavar="PLAN", type=click.Path())
@click.pass_obj
def apply(obj: tuple[Console, dict[str, Any]], plan_file: str) -> int:
    """Carry out exactly this saved PLAN; its approval lies beside it.

    The policies in force decide which approvals count, and what is missing is said (13). A
    specification or policy that has changed since refuses the plan (12).
    Observes again first: a premise that no longer holds refuses the plan (12), a missing approval
    or consent (13), a guard
    or the window (14). Then step by step, each journalled before and after. Writes hosts. A signal
    ends it between two steps;
    `goexchange resume` goes on.
    """
    from goexchange.app.approving import require_approved
    from goexchange.app.planning import read_plan
    from goexchange.app.policies import key_of

    console, options = obj
    plan = read_plan(plan_file)
    settings = loading.configuration(options)
    inventory = loading.inventory(settings)
    approved = require_approved(plan, plan_file, inventory, key=key_of(options))
    from goexchange.app import running

    site = running.Site(inventory=inventory, settings=settings)
    ended = running.apply(
        plan, Path(plan_file).read_bytes(), approved, site=site, watch=watcher(console)
    )
    return finish(console, settings, ended)
