"""The verb `import`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from attrs import evolve

from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.cli.selection import chosen_servers
from goexchange.errors import InvalidDocument


@click.command("import")
@click.option("--out", "folder", required=True, metavar="DIR", help="Where the drafts are written.")
@click.option("--server", "servers", multiple=True, metavar="NAME", help="Only this server.")
@click.option("--facts", "facts_file", metavar="FILE", help="Use saved facts instead of observing.")
@click.pass_obj
def import_(obj: tuple[Console, dict[str, Any]], /, folder: str, **given: Any) -> None:
    """Write drafts of an inventory and of one specification per server from what the servers
    report, with comments that say what was seen.

    Never overwrites. Reads hosts, writes files.
    """
    from goexchange.app.starting import write_new
    from goexchange.report.drafts import inventory_draft, specification_draft

    console, options = obj
    inventory = loading.inventory(loading.configuration(options))
    names = chosen_servers(inventory, given["servers"])
    if given["facts_file"]:
        from goexchange.app.planning import read_facts

        state = read_facts(given["facts_file"])
    else:
        from goexchange.app.observing import observe_servers

        state = observe_servers(inventory, names)
    found = [each for each in state.servers if each.name in names]
    if not found:
        raise InvalidDocument(f"there are no facts of {', '.join(names)}; nothing was written")
    state = evolve(state, servers=tuple(found))
    texts = {"inventory/draft.yaml": inventory_draft(state, inventory)}
    for server in found:
        texts[f"specs/{server.name.lower()}.yaml"] = specification_draft(server, state)
    done = write_new(Path(folder), texts)
    for name in done.written:
        console.data(f"written  {Path(folder) / name}")
    if done.kept:
        kept = ", ".join(str(Path(folder) / name) for name in done.kept)
        raise InvalidDocument(f"there already, and left as it is: {kept}; name another --out")
    console.document({"folder": folder, "written": list(done.written)})
