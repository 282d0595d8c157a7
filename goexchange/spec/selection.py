"""Which servers and databases a specification means."""

from __future__ import annotations

import re
from functools import lru_cache

from goexchange.model.configuration import Inventory
from goexchange.model.desired import Targets


def select_servers(targets: Targets, inventory: Inventory) -> tuple[str, ...]:
    """Return the names of the servers that are meant, each once, in the order of the inventory.

    Unknown: a selector that names nothing selects nothing; `check_against_inventory` reports it.
    """
    meant = {name for selector in targets.servers for name in servers_of(selector, inventory)}
    return tuple(server.name for server in inventory.servers if server.name in meant)


def servers_of(selector: str, inventory: Inventory) -> tuple[str, ...]:
    """Return the names that one selector (`EX01`, `group:`, `site:`, `dag:`) means."""
    kind, colon, name = selector.partition(":")
    if not colon:
        return tuple(server.name for server in inventory.servers if server.name == selector)
    if kind == "site":
        return tuple(server.name for server in inventory.servers if server.site == name)
    named = inventory.groups if kind == "group" else inventory.availability_groups
    return tuple(server for entry in named if entry.name == name for server in entry.servers)


def database_is_meant(targets: Targets, database: str) -> bool:
    """Tell whether a database of a meant server is meant."""
    return any(_fits(pattern, database) for pattern in targets.include) and not any(
        _fits(pattern, database) for pattern in targets.exclude
    )


def _fits(pattern: str, name: str) -> bool:
    return _compiled(pattern.casefold()).fullmatch(name.casefold()) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(sign, re.escape(sign)) for sign in pattern), re.DOTALL)
