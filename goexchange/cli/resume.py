"""The verb `resume`."""

from __future__ import annotations

from typing import Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.cli.running import finish, watcher


@click.command("resume")
@click.argument("run")
@click.pass_obj
def resume(obj: tuple[Console, dict[str, Any]], run: str) -> int:
    """Go on with RUN (an id, its unique beginning, or 'last') after its controller died or was
    stopped.

    A step with an intent and no outcome is looked at, never repeated blindly; host jobs that ran
    on are found again. Writes
    hosts.
    """
    from goexchange.app import running

    console, options = obj
    settings = loading.configuration(options)
    site = running.Site(inventory=loading.inventory(settings), settings=settings)
    ended = running.resume(run, site=site, watch=watcher(console))
    return finish(console, settings, ended)
