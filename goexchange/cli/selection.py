"""Servers on a command line: names of the inventory, or an error that names the nearest one."""

from __future__ import annotations

from collections.abc import Sequence

from goexchange.errors import UsageError
from goexchange.model.configuration import Inventory
from goexchange.schema import suggestion


def named_servers(
    inventory: Inventory, given: Sequence[str], options: Sequence[str]
) -> tuple[str, ...]:
    """The servers given as SERVER or with `--server`, each once; all of them when none is given.

    Raises: UsageError for a name that the inventory does not have.
    """
    chosen = chosen_servers(inventory, given, given_as="SERVER") if given else ()
    also = chosen_servers(inventory, options) if options else ()
    return tuple(dict.fromkeys((*chosen, *also))) or chosen_servers(inventory, ())


def chosen_servers(
    inventory: Inventory, names: Sequence[str], *, given_as: str = "--server"
) -> tuple[str, ...]:
    """The named servers in the inventory's spelling, or all of them.

    Shape: `given_as` is what the command line calls them, for the message.

    Raises: UsageError for a name that the inventory does not have.
    """
    known = {server.name.casefold(): server.name for server in inventory.servers}
    for name in names:
        if name.casefold() not in known:
            hint = suggestion(name, tuple(known.values()))
            raise UsageError(f"{given_as}: the inventory has no server '{name}'. {hint}")
    return tuple(known[name.casefold()] for name in names) or tuple(known.values())
