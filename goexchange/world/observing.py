"""The host script observe-host: everything that plans and guards read of a host."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from goexchange.codec import parse_time, time_text
from goexchange.model.actual import Generation
from goexchange.world.events import Event, is_repair_event
from goexchange.world.files import HostFiles, name_of
from goexchange.world.hosts import Host
from goexchange.world.objects_2007 import SPACE_PROVIDERS
from goexchange.world.scripts_records import database_records, fence_of, open_recoveries
from goexchange.world.site import ServerDescription

if TYPE_CHECKING:
    from goexchange.world.world import World

_TEXT_MAX = 1000
_WATCHED_PROCESSES = frozenset({
    "wbengine", "wbadmin", "ntbackup", "bpbkar32", "VeeamAgent", "VeeamGuestHelper", "beremote",
    "cvd",
    "clBackup", "diskshadow", "eseutil", "ExSetup", "ExSetupUI", "TiWorker",
})  # fmt: skip
_WATCHED_SERVICES = frozenset({
    "WSBExchange", "wbengine", "VSS", "swprv", "FMS", "HostControllerService", "W3SVC",
    "IISADMIN", "WinRM", "ClusSvc",
})  # fmt: skip


def observe_host(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """One observation."""
    since, files = parse_time(arguments["events_since"]), host.files
    description = host.description
    return {
        "host": {
            "name": host.machine,
            "boot_id": host.boot_id,
            "booted_at": _time(host.booted_at),
            "clock": _time(world.now()),
            "powershell": description.powershell,
            "is_elevated": True,
        },
        "exchange": _tools(description),
        "volumes": [
            {
                "mount_point": each.mount_point,
                "label": each.label,
                "size_bytes": each.size_bytes,
                "free_bytes": each.free_bytes,
                "is_local": each.is_local,
            }
            for each in files.volumes
        ],
        "services": [
            {"name": each.name, "state": each.state, "start_type": each.start_type}
            for each in host.services.values()
            if each.name.startswith("MSExchange") or each.name in _WATCHED_SERVICES
        ],
        "tasks": [
            {
                "name": each.name,
                "state": each.state,
                "actions": list(each.actions),
                "next_run": _maybe(each.next_run),
            }
            for each in host.tasks.values()
        ],
        "processes": [
            {"name": each.process_name, "id": each.process_id, "started_at": _time(each.started_at)}
            for each in host.processes.values()
            if each.process_name in _WATCHED_PROCESSES
        ],
        "files": [_file(files, path) for path in arguments["paths"]],
        "log_folders": [_log_folder(files, folder) for folder in arguments["log_folders"]],
        "storage_events": [_event(each) for each in host.events.storage_since(since)],
        "backup_events": [_event(each) for each in host.events.backup_since(since)],
        "windows_backup": _windows_backup(world, host),
        "is_reboot_pending": host.is_reboot_pending,
        "replication_queues": _queues(world, host),
        "fence": fence_of(host, arguments["root"]),
        "records": database_records(host, arguments["root"]),
        "recoveries": open_recoveries(host, arguments["root"]),
        "failures": _failures(host.description),
        **_asked_services(host, arguments),
        **({"cluster_nodes": _nodes(world, host)} if arguments.get("cluster") else {}),
    }


def _nodes(world: World, host: Host) -> list[dict[str, str]]:
    """The nodes of the cluster below the host's availability group."""
    members = [
        each
        for each in world.hosts.values()
        if each.description.availability_group == host.description.availability_group
    ]
    return [
        {"name": each.name, "state": each.mode.node if each.down_until is None else "Down"}
        for each in members
    ]


def _queues(world: World, host: Host) -> list[dict[str, Any]] | None:
    """What the store counts of its public folder databases; a host without one has no counter."""
    mine = [
        each
        for each in world.databases.values()
        if each.description.is_public_folder and each.active_server == host.name
        and each.replication_waiting is not None
    ]
    if not mine:
        return None
    counted = {
        each.name: (each.replication_waiting or 0) if each.mounted_on else 0 for each in mine
    }
    counted["_Total"] = sum(counted.values())
    return [{"name": name, "waiting": waiting} for name, waiting in counted.items()]


def _failures(description: ServerDescription) -> list[dict[str, str]]:
    """Windows Server 2003 has an older scheduler, whose tasks nobody can list."""
    if description.generation is not Generation.EXCHANGE_2003:
        return []
    message = "the scheduled tasks of this Windows cannot be listed"
    return [{"part": "tasks", "message": message}]


def _asked_services(host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The services that were asked for by name; all of them where one is not there."""
    asked = list(arguments.get("services", ()))
    wanted = {each.lower() for each in asked}
    names = {each.lower() for each in host.services}
    told = [
        {
            "name": each.name,
            "display_name": each.name,
            "state": each.state,
            "start_type": each.start_type,
        }
        for each in host.services.values()
        if wanted - names or each.name.lower() in wanted
    ]
    return {"asked_services": {"asked": asked, "told": told}}


def _tools(description: ServerDescription) -> dict[str, str | None]:
    """Build and tools where the script looks for them: it finds neither of Exchange 2003, and
    nothing of Exchange on a machine without it.
    """
    if description.generation is Generation.EXCHANGE_2003 or not description.has_exchange:
        return {"exsetup_version": None, "eseutil_version": None, "eseutil_path": None}
    return {
        "exsetup_version": description.file_version,
        "eseutil_version": description.file_version,
        "eseutil_path": description.eseutil_path,
    }


def read_repairs(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The script read-repairs: what the store of Exchange 2010 wrote of repair requests."""
    since = world.now() - timedelta(hours=arguments["hours"])
    found = [each for each in host.events.all() if each.at >= since and is_repair_event(each)]
    return {"clock": _time(world.now()), "events": [_event(each) for each in reversed(found)]}


def read_space(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The script read-space: what the store of Exchange 2007 wrote of free space."""
    since = world.now() - timedelta(hours=arguments["hours"])
    found = [
        each
        for each in host.events.all()
        if each.at >= since and each.provider in SPACE_PROVIDERS and each.event_id == 1221
    ]
    return {"clock": _time(world.now()), "events": [_event(each) for each in reversed(found)]}


def _windows_backup(world: World, host: Host) -> dict[str, Any]:
    state = host.windows_backup
    is_running = any(
        run.host == host.name and run.is_running and run.is_windows_backup for run in world.backups
    )
    return {
        "is_installed": True,
        "is_running": is_running,
        "last_success": _maybe(state.last_success),
        "last_result": state.last_result,
        "next_scheduled": _maybe(state.next_scheduled),
    }


def _file(files: HostFiles, path: str) -> dict[str, Any]:
    if not files.exists(path):
        return {
            "path": path,
            "exists": False,
            "size_bytes": None,
            "created_at": None,
            "modified_at": None,
        }
    times = files.times(path)
    return {
        "path": path,
        "exists": True,
        "size_bytes": files.size(path),
        "created_at": _time(times.created_at),
        "modified_at": _time(times.modified_at),
    }


def _log_folder(files: HostFiles, folder: str) -> dict[str, Any]:
    logs = [path for path in files.names_in(folder) if name_of(path).lower().endswith(".log")]
    total = sum(files.size(path) for path in logs)
    return {"folder": folder, "count": len(logs), "total_bytes": total}


def _event(event: Event) -> dict[str, Any]:
    return {
        "log": event.log,
        "provider": event.provider,
        "id": event.event_id,
        "at": _time(event.at),
        "text": event.text[:_TEXT_MAX],
    }


def _maybe(moment: datetime | None) -> str | None:
    return None if moment is None else _time(moment)


def _time(moment: datetime) -> str:
    return time_text(moment)
