"""Host scripts that carry Exchange cmdlets: the snap-in of Exchange 2007, on the host itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from goexchange.model.pilot import is_scratch_name
from goexchange.world.clusters import check_node
from goexchange.world.cmdlets import run_cmdlet
from goexchange.world.files import folder_of, name_of
from goexchange.world.hosts import Host
from goexchange.world.plain import answer_as_plain
from goexchange.world.refusals import ScriptFailed
from goexchange.world.snapin import SNAP_IN, asked_properties, has_snapin

if TYPE_CHECKING:
    from goexchange.world.world import World


_WITH_STATUS = ("Get-MailboxDatabase", "Get-PublicFolderDatabase")
_SETS = ("Set-MailboxDatabase", "Set-PublicFolderDatabase")


def ask_snapin(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The script ask-snapin: the cmdlets one after the other, each answer's objects as bags."""
    _load(host)
    whole: dict[str, Any] = {"objects": [], "errors": [], "warnings": []}
    for call in arguments["calls"]:
        given = {"Identity": call["identity"], "Server": call["server"]}
        if call["cmdlet"] == "Get-Mailbox":
            given = {"Database": call["identity"], "ResultSize": "1"}
        parameters: dict[str, object] = {name: text for name, text in given.items() if text}
        if call["status"] and call["cmdlet"] in _WITH_STATUS:
            parameters["Status"] = True
        answer = _run(world, host, call["cmdlet"], parameters)
        answer["objects"] = [asked_properties(each) for each in answer["objects"]]
        for part, values in whole.items():
            values += answer[part]
    return whole


def tell_snapin(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The script tell-snapin: one cmdlet that changes something."""
    check_node(host, arguments["node"])
    _load(host)
    parameters: dict[str, object] = {"Identity": arguments["identity"], "Confirm": False}
    if arguments["cmdlet"] in _SETS:
        parameters["MountAtStartup"] = arguments["mount_at_startup"]
    return {**_run(world, host, arguments["cmdlet"], parameters), "objects": []}


def pilot_snapin(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The script pilot-snapin."""
    _load(host)
    return piloted(world, host, arguments)


def piloted(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a pilot makes, mounts and removes, and nothing else."""
    name, server, cmdlet = arguments["name"], arguments["server"], arguments["cmdlet"]
    group = f"{server}\\{name}"
    identity = arguments["identity"]
    if identity is not None:
        name = world.databases[UUID(identity)].name if UUID(identity) in world.databases else None
    if name is not None and not is_scratch_name(name):
        raise ScriptFailed("not-a-pilot", f"{name} is not the name of a pilot")
    folder = arguments["log_folder"]
    for path in (folder, folder_of(arguments["edb_path"] or "")):
        if path and name_of(folder_of(path)) != name:
            raise ScriptFailed("not-a-pilot", f"{path} is not in the folder of the pilot")
    forms: dict[str, dict[str, object]] = {
        "New-StorageGroup": {
            "Name": name, "Server": server, "LogFolderPath": folder, "SystemFolderPath": folder,
        },
        "New-MailboxDatabase": {
            "Name": name, "StorageGroup": group, "EdbFilePath": arguments["edb_path"],
        },
        "Mount-Database": {"Identity": name},
        "Remove-MailboxDatabase": {"Identity": identity, "Confirm": False},
        "Remove-StorageGroup": {"Identity": group, "Confirm": False},
    }  # fmt: skip
    return {**_run(world, host, cmdlet, forms[cmdlet]), "objects": []}


def _load(host: Host) -> None:
    if not has_snapin(host.description.generation):
        raise ScriptFailed(
            "no-snap-in",
            f"No Windows PowerShell snap-ins matching the pattern '{SNAP_IN}' were found.",
        )


def _run(world: World, host: Host, name: str, parameters: Mapping[str, object]) -> dict[str, Any]:
    answer = answer_as_plain(run_cmdlet(world, host.name, name, parameters))
    errors = [
        {member: each[member] for member in ("message", "id", "category")}
        for each in answer["errors"]
    ]
    return {**answer, "errors": [{**each, "target": name} for each in errors]}
