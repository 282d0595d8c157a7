"""The stores of a server with Exchange 2003, as its management objects and its host describe them.

A mailbox database there is a pair of files, belongs to a storage group, and has no copies. What the
version has no word for is told by the host: sizes by its files, free space and backups by the
events of the store and of the engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from goexchange.facts.answer import ExchangeAnswer
from goexchange.facts.of_2007 import file_size, free_of_file, groups_of
from goexchange.facts.streamed_backup import BEGINS, ENDED, FAILED, FILE_ENDED, FULL_BEGINS
from goexchange.model.actual import (
    ActualDatabase,
    ActualHost,
    Cluster,
    HostEvent,
    PublicStore,
    StorageGroup,
)
from goexchange.model.plan import ExchangeCall
from goexchange.model.unknown import Unknown
from goexchange.powershell.cmdlets import check_call

Json = Mapping[str, Any]
CLUSTER_SERVICE = "clussvc"
NO_BACKUP_EVENT = Unknown("no event of the last days tells of a full backup of both its files")
_IDENTITY = ("Name", "Guid", "StorageGroup", "EdbFilePath", "StreamingFilePath")


@frozen(kw_only=True)
class Stores:
    """The stores of a server, or why they are not known."""

    databases: tuple[ActualDatabase, ...] | Unknown
    public: tuple[PublicStore, ...] | Unknown
    groups: tuple[StorageGroup, ...] | Unknown


@frozen(kw_only=True)
class Told:
    """What the host says beside the management objects."""

    host: ActualHost | Unknown
    events: Json | Unknown | None


def statements_of_2003(server: str) -> tuple[ExchangeCall, ...]:
    """The statements of one observation; the second has the public folder stores with it."""
    calls = (
        ExchangeCall(cmdlet="Get-StorageGroup", parameters={"Server": server}),
        ExchangeCall(cmdlet="Get-MailboxDatabase", parameters={"Server": server, "Status": True}),
    )
    return tuple(map(check_call, calls))


def files_of_stores(answer: Json | Unknown) -> tuple[list[str], list[str]]:
    """The files of every store, and the folders of every log stream, that the host is asked for."""
    if isinstance(answer, Unknown):
        return [], []
    found = ExchangeAnswer(answer)
    stores = (*found.of_type("MailboxDatabase"), *found.of_type("PublicFolderDatabase"))
    paths = {
        path
        for each in stores
        for name in ("EdbFilePath", "StreamingFilePath")
        if not isinstance(path := found.text(each, name), Unknown)
    }
    folders = {
        folder
        for each in found.of_type("StorageGroup")
        if not isinstance(folder := found.text(each, "LogFolderPath"), Unknown)
    }
    return sorted(paths), sorted(folders)


def stores_of(answer: Json | Unknown, *, server: str, told: Told) -> Stores:
    """Every store of the server.

    Unknown: all of them when one lacks what identifies it, its pair of files or its log stream, or
    when the list may be cut: then the list itself cannot be trusted.
    """
    if isinstance(answer, Unknown):
        return Stores(databases=answer, public=answer, groups=answer)
    found = ExchangeAnswer(answer)
    failed = found.failure_of("Get-MailboxDatabase") or found.failure_of("Get-StorageGroup")
    if failed is not None:
        return Stores(databases=failed, public=failed, groups=failed)
    stores = (*found.of_type("MailboxDatabase"), *found.of_type("PublicFolderDatabase"))
    lacking = next((why for each in stores if (why := _lacking(found, each))), None)
    if lacking is not None:
        unsure = Unknown(lacking)
        return Stores(databases=unsure, public=unsure, groups=unsure)
    databases = [
        _database(found, each, server=server, told=told)
        for each in found.of_type("MailboxDatabase")
    ]
    public = [_public(found, each) for each in found.of_type("PublicFolderDatabase")]
    return Stores(
        databases=tuple(sorted(databases, key=lambda each: each.name.lower())),
        public=tuple(sorted(public, key=lambda each: each.name.lower())),
        groups=groups_of(found),
    )


def cluster_of_2003(host: ActualHost | Unknown, server: str) -> Cluster | None | Unknown:
    """Whether the server is a virtual one of a failover cluster.

    Unknown: where the services are not known, or the machine has another name than the server.
    """
    if isinstance(host, Unknown):
        return host
    if isinstance(host.services, Unknown):
        return host.services
    for each in host.services:
        if each.name.lower() == CLUSTER_SERVICE and each.start_type != "Disabled":
            return Cluster(kind="Shared", nodes=())
    if host.name.lower() != server.lower():
        return Unknown(f"{server} was asked on a machine that is called {host.name}")
    return None


def full_backup_at(
    events: Sequence[HostEvent], *, group: str, files: Sequence[str]
) -> datetime | None:
    """When the newest online backup of all these files ended, by the engine's own events of their
    storage group (its GUID); None where none of them did.
    """
    mine = [each for each in events if f") {group.lower()}: " in each.text.lower()]
    ends = sorted((each.at_utc for each in mine if each.event_id == ENDED), reverse=True)
    return next((at for at in ends if _is_full(mine, at, files)), None)


def _is_full(events: Sequence[HostEvent], ended: datetime, files: Sequence[str]) -> bool:
    """Whether the backup that ended then was a full one, of all these files; entries of one second
    are in no order.
    """
    begins = [each for each in events if each.event_id in BEGINS and each.at_utc <= ended]
    if not begins:
        return False
    begun = max(begins, key=lambda each: each.at_utc)
    between = [each for each in events if begun.at_utc <= each.at_utc <= ended]
    read = [f"{each.text.lower()}." for each in between if each.event_id == FILE_ENDED]
    return (
        begun.event_id == FULL_BEGINS
        and not any(each.event_id in FAILED for each in between)
        and all(any(f" {file.lower()}." in text for text in read) for file in files)
    )


def _lacking(answer: ExchangeAnswer, plain: Json) -> str | None:
    missing = [name for name in _IDENTITY if isinstance(answer.text(plain, name), Unknown)]
    if missing:
        return f"the management objects gave a store without {', '.join(missing)}"
    group = _group_of(answer, plain)
    if group is None or isinstance(answer.text(group, "LogFolderPath"), Unknown):
        return f"the storage group {plain['StorageGroup']} was not found, or has no log folder"
    return None


def _group_of(answer: ExchangeAnswer, plain: Json) -> Json | None:
    wanted = str(plain["StorageGroup"]).casefold()
    found = [
        each
        for each in answer.of_type("StorageGroup")
        if str(answer.text(each, "Name")).casefold() == wanted
    ]
    return found[0] if len(found) == 1 else None


def _database(
    answer: ExchangeAnswer, plain: Json, *, server: str, told: Told
) -> ActualDatabase:
    group = _group_of(answer, plain)
    assert group is not None  # the list was refused without it
    is_mounted = answer.flag(plain, "Mounted")
    files = (str(plain["EdbFilePath"]), str(plain["StreamingFilePath"]))
    guid = str(plain["Guid"]).lower()
    return ActualDatabase(
        name=plain["Name"],
        guid=guid,
        server=server,
        edb_path=files[0],
        log_folder=group["LogFolderPath"],
        log_prefix=answer.text(group, "LogFilePrefix"),
        is_mounted=is_mounted,
        mounted_on=_mounted_on(is_mounted, server),
        is_recovery=answer.flag(plain, "Recovery"),
        copies=(server,),
        is_replicated=False,  # the version has none
        is_circular_logging=answer.flag(group, "CircularLoggingEnabled"),
        is_mount_at_startup=answer.flag(plain, "MountAtStartup"),
        is_backup_running=_is_backup_running(told.host),
        last_full_backup_utc=_last_full_backup(told.host, answer.text(group, "Guid"), files),
        size_bytes=_size(told.host, files),
        white_space_bytes=free_of_file(
            (files[0], guid), group=plain["StorageGroup"], name=plain["Name"],
            host=told.host, events=told.events,
        ),
        has_moves=False,  # they run in somebody's console: the consent says so
        has_repair_requests=False,
        storage_group=plain["StorageGroup"],
        streaming_path=files[1],
    )  # fmt: skip


def _public(answer: ExchangeAnswer, plain: Json) -> PublicStore:
    group = _group_of(answer, plain)
    assert group is not None  # the list was refused without it
    return PublicStore(
        name=plain["Name"],
        storage_group=plain["StorageGroup"],
        edb_path=plain["EdbFilePath"],
        log_folder=group["LogFolderPath"],
        log_prefix=answer.text(group, "LogFilePrefix"),
        is_mounted=answer.flag(plain, "Mounted"),
    )


def _mounted_on(is_mounted: bool | Unknown, server: str) -> str | None | Unknown:
    if isinstance(is_mounted, Unknown):
        return is_mounted
    return server if is_mounted else None


def _size(host: ActualHost | Unknown, files: Sequence[str]) -> int | Unknown:
    """Both files together: one without the other is not the database."""
    total = 0
    for path in files:
        size = file_size(host, path)
        if isinstance(size, Unknown):
            return size
        total += size
    return total


def _events(host: ActualHost | Unknown) -> tuple[HostEvent, ...] | Unknown:
    return host if isinstance(host, Unknown) else host.backup_events


def _is_backup_running(host: ActualHost | Unknown) -> bool | Unknown:
    """No word of the version tells: the last sign of any storage group since Windows started."""
    events = _events(host)
    if isinstance(host, Unknown) or isinstance(events, Unknown):
        return events if isinstance(events, Unknown) else Unknown("its host did not answer")
    last = [
        each
        for each in sorted(events, key=lambda each: (each.at_utc, each.event_id))
        if each.at_utc >= host.booted_at_utc
        and each.event_id in (*BEGINS, ENDED, *FAILED[:2])
    ]
    return bool(last) and last[-1].event_id in BEGINS


def _last_full_backup(
    host: ActualHost | Unknown, group: str | Unknown, files: Sequence[str]
) -> datetime | Unknown:
    """Never *never*: the events reach only so far back, and in which zone the management objects
    tell the time of the last backup is not confirmed.
    """
    events = _events(host)
    if isinstance(events, Unknown):
        return events
    if isinstance(group, Unknown):
        return group
    found = full_backup_at(events, group=group, files=files)
    return found or NO_BACKUP_EVENT
