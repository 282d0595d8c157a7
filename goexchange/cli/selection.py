"""Servers on a command line: names of the inventory, or an error that names the nearest one."""

from __future__ import annotations

from collections.abc import Sequence

from goexchange.errors import UsageError
from goexchange.model.configuration import Inventory
from goexchange.schema import suggestion


def named_hosts(
    inventory: Inventory, given: Sequence[str], options: Sequence[str]
) -> tuple[str, ...]:
    """The servers and machines given as SERVER or with `--server`, each once; when none is given
    all of them, but for a machine that is there to verify sets.

    Raises: UsageError for a name that the inventory does not have.
    """
    known = tuple(host.name for host in inventory.hosts)
    chosen = _chosen(known, given, given_as="SERVER")
    also = _chosen(known, options, given_as="--server")
    every = (name for name in known if name != inventory.verifier)
    return tuple(dict.fromkeys((*chosen, *also))) or tuple(every)


def chosen_servers(
    inventory: Inventory, names: Sequence[str], *, given_as: str = "--server"
) -> tuple[str, ...]:
    """The named servers in the inventory's spelling, or all of them.

    Shape: `given_as` is what the command line calls them, for the message.

    Raises: UsageError for a name that the inventory does not have.
    """
    known = tuple(server.name for server in inventory.servers)
    return _chosen(known, names, given_as=given_as) or known


def _chosen(every: Sequence[str], names: Sequence[str], *, given_as: str) -> tuple[str, ...]:
    known = {name.casefold(): name for name in every}
    for name in names:
        if name.casefold() not in known:
            hint = suggestion(name, tuple(known.values()))
            raise UsageError(f"{given_as}: the inventory has no server '{name}'. {hint}")
    return tuple(known[name.casefold()] for name in names)
