"""`--server` and `--database`: names of the inventory, or an error that names the nearest one."""

from __future__ import annotations

from collections.abc import Sequence

from goexchange.errors import UsageError
from goexchange.model.configuration import Inventory
from goexchange.schema import suggestion


def chosen_servers(inventory: Inventory, names: Sequence[str]) -> tuple[str, ...]:
    """The named servers in the inventory's spelling, or all of them.

    Raises: UsageError for a name that the inventory does not have.
    """
    known = {server.name.casefold(): server.name for server in inventory.servers}
    for name in names:
        if name.casefold() not in known:
            hint = suggestion(name, tuple(known.values()))
            raise UsageError(f"--server: the inventory has no server '{name}'. {hint}")
    return tuple(known[name.casefold()] for name in names) or tuple(known.values())
