"""The objects of the cmdlets of Exchange 2007: storage groups, and databases without the properties
that came later.

Source: the vendor's references of Get-StorageGroup and Get-MailboxDatabase for that version, as far
as `exchange.md` has them; names of the properties about clusters are not confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import frozen

from goexchange.world.chance import guid
from goexchange.world.databases import MailboxDatabase, white_space_bytes
from goexchange.world.hosts import Host
from goexchange.world.sharing import Shared
from goexchange.world.site import MIB, DatabaseDescription
from goexchange.world.values import EnumValue, ExchangeObject, LongPath, Reference, Value

if TYPE_CHECKING:
    from goexchange.world.world import World

SPACE_PROVIDERS = ("MSExchangeIS Mailbox Store", "MSExchangeIS Public Store")
_SYSTEM = "Microsoft.Exchange.Data.Directory.SystemConfiguration."
_KEPT = (
    "Name", "Guid", "Identity", "DistinguishedName", "Server", "ServerName", "EdbFilePath",
    "MountAtStartup", "Recovery", "AllowFileRestore", "Mounted", "BackupInProgress",
    "LastFullBackup", "LastIncrementalBackup", "LastDifferentialBackup", "LastCopyBackup",
    "DeletedItemRetention", "MailboxRetention", "AdminDisplayVersion", "WhenCreated",
)  # fmt: skip


@frozen(kw_only=True)
class MadeGroup(Shared):
    """A storage group that was made after the site was described."""

    log_folder: str
    log_prefix: str


def storage_group_of(database: MailboxDatabase) -> str:
    """The name of the group that a database belongs to: by default one of its own."""
    return database.description.storage_group or f"{database.name} Storage Group"


def storage_groups(world: World, host: Host) -> tuple[ExchangeObject, ...]:
    """The rows of Get-StorageGroup for a server."""
    rows = {
        name: group_row(world, host, name, folder=made.log_folder, prefix=made.log_prefix)
        for (server, name), made in world.groups.items()
        if server == host.name
    }
    for each in world.databases.values():
        if each.active_server == host.name:
            name, of = storage_group_of(each), each.description
            row = group_row(world, host, name, folder=of.log_folder, prefix=of.log_prefix, of=of)
            rows.setdefault(name, row)
    return tuple(rows[name] for name in sorted(rows))


def database_of_2007(
    database: MailboxDatabase, properties: Mapping[str, Value]
) -> Mapping[str, Any]:
    """The properties of a row of Get-MailboxDatabase there, made of a later version's."""
    group = storage_group_of(database)
    identity = f"{database.active_server}\\{group}"
    return {
        **{name: properties[name] for name in _KEPT},
        "StorageGroup": Reference(identity, f"CN={group}", database.dn_guid),
        "StorageGroupName": group,
        "ExchangeVersion": "0.1 (8.0.535.0)",
    }


def tell_space(database: MailboxDatabase, host: Host, *, at: datetime) -> None:
    """The nightly work has ended: the store writes what is free, in whole megabytes."""
    free = white_space_bytes(host.files, database.edb_path) or 0
    name = f"{storage_group_of(database)}\\{database.name}"
    text = (
        f'The database "{name}" has {free // MIB} megabytes of free space after online'
        " defragmentation has terminated."
    )
    provider = SPACE_PROVIDERS[database.description.is_public_folder]
    host.log(provider, 1221, at=at, text=text)


def clustered(host: Host) -> Mapping[str, Value]:
    """What Get-MailboxServer says there of clusters."""
    kind = host.description.cluster_kind
    numbers = {"Disabled": 0, "NonShared": 1, "Shared": 2}
    return {
        "ClusteredStorageType": EnumValue(_SYSTEM + "ClusteredStorageType", kind, numbers[kind]),
        "RedundantMachines": tuple(host.description.nodes),
    }


def group_row(
    world: World,
    host: Host,
    name: str,
    *,
    folder: str,
    prefix: str,
    of: DatabaseDescription | None = None,
) -> ExchangeObject:
    """One storage group; `of` is its first database, None where it was made empty."""
    properties: dict[str, Value] = {
        "Name": name,
        "Identity": f"{host.name}\\{name}",
        "Guid": guid(world.seed, "storage-group", host.name, name),
        "Server": Reference(host.name, f"CN={host.name}", guid(world.seed, "server", host.name)),
        "LogFolderPath": LongPath(folder),
        "SystemFolderPath": LongPath(folder),
        "LogFilePrefix": prefix,
        "LogFileSize": 1024,
        "CircularLoggingEnabled": of is not None and of.is_circular_logging,
        "HasLocalCopy": of is not None and of.has_local_copy,
        "StandbyMachines": (),
        "Recovery": of is not None and of.is_recovery,
    }
    return ExchangeObject(
        type_names=(_SYSTEM + "StorageGroup", "System.Object"),
        to_string=f"{host.name}\\{name}",
        properties=properties,
    )
