"""The verb `observe`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from goexchange import codec
from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.cli.selection import named_hosts


@click.command("observe")
@click.argument("names", nargs=-1, metavar="[SERVER]...")
@click.option("--server", "servers", multiple=True, metavar="NAME", help="The same as SERVER.")
@click.option("--out", "file", metavar="FILE", help="Save the facts as JSON, for plan --facts.")
@click.pass_obj
def observe(
    obj: tuple[Console, dict[str, Any]],
    names: tuple[str, ...],
    servers: tuple[str, ...],
    file: str | None,
) -> None:
    """Read the facts of SERVERs, machines without Exchange among them, or of all that the inventory
    has; changes nothing.
    """
    from goexchange.app.observing import observe_servers
    from goexchange.report.facts_text import render_facts

    console, options = obj
    inventory = loading.inventory(loading.configuration(options))
    state = observe_servers(inventory, named_hosts(inventory, names, servers))
    plain = codec.to_plain(state)
    if file is not None:
        text = json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False)
        Path(file).write_text(text + "\n", "utf-8")
        console.words(f"Saved {file}")
    console.data(render_facts(state, width=console.width))
    console.document(plain)
