"""The management objects of Exchange 2003 as a host script sees them: storage groups, and stores
that are pairs of files.

Source: the vendor's reference of CDOEXM as far as `exchange.md` and public samples have it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from goexchange.model.actual import Generation
from goexchange.model.streaming_file import streaming_beside
from goexchange.world.backup_2003 import group_guid
from goexchange.world.clusters import check_node
from goexchange.world.cmdlets import run_cmdlet
from goexchange.world.cmdlets_groups import groups_of
from goexchange.world.databases import MailboxDatabase
from goexchange.world.hosts import Host
from goexchange.world.objects_2007 import storage_group_of
from goexchange.world.plain import answer_as_plain
from goexchange.world.refusals import ScriptFailed
from goexchange.world.scripts_cmdlets import piloted

if TYPE_CHECKING:
    from goexchange.world.world import World


def ask_objects(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The script ask-objects: everything of one server, or one store."""
    _load(host)
    objects: list[dict[str, Any]] = []
    errors: list[dict[str, str]] = []
    for call in arguments["calls"]:
        wanted = (call["identity"] or "").lower()
        mine = [each for each in world.databases.values() if each.active_server == host.name]
        if call["cmdlet"] == "Get-StorageGroup":
            objects += _groups(world, host)
        elif call["cmdlet"] == "Get-Mailbox":
            objects += [
                {"$type": "Mailbox", "Name": f"GC://CN=user{n}"}
                for each in mine
                if str(each.guid) == wanted
                for n in range(min(1, each.description.mailboxes))
            ]
        elif not wanted:
            objects += [_store(host, each) for each in mine]
        elif found := [each for each in mine if wanted in (str(each.guid), each.name.lower())]:
            objects += [_store(host, each) for each in found]
        else:
            errors.append(_error(f"no mailbox store: {wanted}", call["cmdlet"]))
    return {"objects": objects, "errors": errors, "warnings": []}


def tell_objects(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The script tell-objects: a store that is not enabled is enabled before it is mounted."""
    check_node(host, arguments["node"])
    _load(host)
    name, identity = arguments["cmdlet"], arguments["identity"]
    found = [each for each in world.databases.values() if str(each.guid) == identity.lower()]
    if not found:
        return _answer([_error(f"no mailbox store: {identity}", name)])
    database = found[0]
    is_mounted = database.mounted_on is not None
    if (name == "Mount-Database" and is_mounted) or (
        name == "Dismount-Database" and not is_mounted
    ):
        return _answer([])
    was = database.is_mount_at_startup
    if name == "Mount-Database" and not was:
        _run(world, host, _setting(identity, is_on=True))
    if name == "Set-MailboxDatabase":
        call = _setting(identity, is_on=arguments["mount_at_startup"])
    else:
        call = (name, {"Identity": identity, "Confirm": False})
    errors = _run(world, host, call)
    if name == "Mount-Database" and not was and errors:
        _run(world, host, _setting(identity, is_on=False))
    return _answer(errors)


def pilot_objects(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The script pilot-objects; a new store is mounted at startup."""
    _load(host)
    return piloted(world, host, arguments)


def _groups(world: World, host: Host) -> list[dict[str, Any]]:
    circular = {
        storage_group_of(each)
        for each in world.databases.values()
        if each.active_server == host.name and each.description.is_circular_logging
    }
    return [
        {
            "$type": "StorageGroup",
            "Name": name,
            "Guid": group_guid(host.seed, host, name),
            "Server": host.name,
            "LogFolderPath": folder,
            "LogFilePrefix": prefix,
            "CircularLoggingEnabled": name in circular,
            "Recovery": prefix == "R00",
        }
        for name, (folder, prefix) in groups_of(world, host).items()
    ]


def _store(host: Host, database: MailboxDatabase) -> dict[str, Any]:
    status: dict[str, Any] = {}
    if host.is_store_running:
        status = {"Mounted": database.mounted_on is not None}
    kind = "PublicFolderDatabase" if database.description.is_public_folder else "MailboxDatabase"
    return {
        "$type": kind,
        "Name": database.name,
        "Guid": str(database.guid),
        "Server": host.name,
        "StorageGroup": storage_group_of(database),
        "Recovery": database.description.is_recovery,
        "EdbFilePath": database.edb_path,
        "StreamingFilePath": streaming_beside(database.edb_path),
        "MountAtStartup": database.is_mount_at_startup,
        **status,
    }


def _setting(identity: str, *, is_on: bool) -> tuple[str, Mapping[str, object]]:
    given = {"Identity": identity, "Confirm": False, "MountAtStartup": is_on}
    return "Set-MailboxDatabase", given


def _run(
    world: World, host: Host, call: tuple[str, Mapping[str, object]]
) -> list[dict[str, str]]:
    name, given = call
    answer = answer_as_plain(run_cmdlet(world, host.name, name, given))
    return [_error(each["message"], name) for each in answer["errors"]]


def _answer(errors: list[dict[str, str]]) -> dict[str, Any]:
    return {"objects": [], "errors": errors, "warnings": []}


def _error(message: str, target: str) -> dict[str, str]:
    return {"message": message, "id": "COMException", "category": "NotSpecified", "target": target}


def _load(host: Host) -> None:
    if host.description.generation is not Generation.EXCHANGE_2003:
        words = "Retrieving the COM class factory failed: CDOEXM.ExchangeServer is not registered."
        raise ScriptFailed("no-management-objects", words)
