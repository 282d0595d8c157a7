"""Storage groups that come and go, on the versions that have them: New-StorageGroup and
Remove-StorageGroup, and a database that is made in one.

Source: the vendor's references of these cmdlets and of the editions: Standard has room for five
groups and five databases, Enterprise for fifty of each. A group is removed when it is empty, and
its log files stay. The words of warnings and refusals are not confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from goexchange.model.actual import Generation
from goexchange.world.cmdlet_errors import exchange_error, needs_confirmation
from goexchange.world.hosts import Host
from goexchange.world.objects_2007 import MadeGroup, group_row, storage_group_of
from goexchange.world.values import CmdletAnswer, ErrorCategory

if TYPE_CHECKING:
    from goexchange.world.world import World

_ROOM = {
    (Generation.EXCHANGE_2007, "Standard"): 5,
    (Generation.EXCHANGE_2007, "Enterprise"): 50,
    (Generation.EXCHANGE_2003, "Standard"): 1,
    (Generation.EXCHANGE_2003, "Enterprise"): 4,
}
_REMOVED = (
    "The storage group has been removed. You must manually remove the log files located in {folder}"
    " from your computer if they exist. Specified storage group: {name}"
)


def groups_of(world: World, host: Host) -> dict[str, tuple[str, str]]:
    """Log folder and prefix of every storage group of a host, by name."""
    found = {
        name: (made.log_folder, made.log_prefix)
        for (server, name), made in world.groups.items()
        if server == host.name
    }
    for each in world.databases.values():
        if each.active_server == host.name:
            stream = each.description
            found.setdefault(storage_group_of(each), (stream.log_folder, stream.log_prefix))
    return dict(sorted(found.items()))


def new_storage_group(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """New-StorageGroup: an empty group; the edition has room for so many."""
    name, server = given["Name"], given["Server"].lower()
    host = next((each for each in world.hosts.values() if each.name.lower() == server), None)
    if host is None:
        return refused(world, "New-StorageGroup", f"The server '{server}' wasn't found.", name)
    there = groups_of(world, host)
    if name.lower() in {each.lower() for each in there}:
        why = f"Storage group '{name}' already exists. Please specify a different name."
        return refused(world, "New-StorageGroup", why, name)
    description = host.description
    if len(there) >= _ROOM[(description.generation, description.edition)]:
        why = "The maximum number of storage groups on this server has been reached."
        return refused(world, "New-StorageGroup", why, name)
    taken = {prefix for _, prefix in there.values()}
    prefix = next(p for p in (f"E{n:02X}" for n in range(256)) if p not in taken)
    made = MadeGroup(log_folder=given["LogFolderPath"], log_prefix=prefix)
    world.groups[(host.name, name)] = made
    world.note("storage-group-made", host=host.name, database=name, detail=made.log_folder)
    row = group_row(world, host, name, folder=made.log_folder, prefix=prefix)
    return CmdletAnswer(objects=(row,), duration_s=world.site.times.cmdlet)


def remove_storage_group(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Remove-StorageGroup: an empty one alone; its files stay."""
    server, _, name = given["Identity"].rpartition("\\")
    wanted = f"{server}\\{name}".lower()
    key = next((each for each in world.groups if "\\".join(each).lower() == wanted), None)
    if key is None:
        why = f"Storage group '{given['Identity']}' could not be found."
        return refused(world, "Remove-StorageGroup", why, name)
    if given.get("Confirm", True):
        return CmdletAnswer(terminating=needs_confirmation("Remove-StorageGroup", name))
    if any(
        (each.active_server, storage_group_of(each)) == key for each in world.databases.values()
    ):
        why = "This storage group contains one or more databases. Remove them first."
        return refused(world, "Remove-StorageGroup", why, name)
    made = world.groups.pop(key)
    world.note("storage-group-removed", host=key[0], database=name)
    warning = _REMOVED.format(folder=made.log_folder, name=name)
    return CmdletAnswer(warnings=(warning,), duration_s=world.site.times.cmdlet)


def refused(world: World, cmdlet: str, words: str, name: str) -> CmdletAnswer:
    """An answer of one error."""
    error = exchange_error(
        world, cmdlet, words,
        exception="InvalidOperationException",
        category=ErrorCategory.INVALID_ARGUMENT,
        target=name,
    )  # fmt: skip
    return CmdletAnswer(errors=(error,), duration_s=world.site.times.cmdlet)
