"""The objects that Exchange cmdlets give, built from the state of the world.

Source: Exchange cmdlet reference; serialised samples of Get-ExchangeServer, Get-MailboxServer and
Get-ServerComponentState that Microsoft's health checker keeps as test data.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from goexchange.ese.header import BackupKind
from goexchange.ese.structures import BackupRecord
from goexchange.model.actual import Generation
from goexchange.world.chance import guid
from goexchange.world.copies import PassiveCopy, status_of
from goexchange.world.databases import MailboxDatabase, read_header, white_space_bytes
from goexchange.world.hosts import Host
from goexchange.world.objects_2007 import clustered, database_of_2007
from goexchange.world.site import DOMAIN
from goexchange.world.values import (
    EnumValue,
    ExchangeObject,
    KeyValuePair,
    LongPath,
    Reference,
    ServerVersion,
    Size,
    TimeSpan,
    Value,
)

if TYPE_CHECKING:
    from goexchange.world.world import World

_DIRECTORY = "Microsoft.Exchange.Data.Directory."
_SYSTEM = _DIRECTORY + "SystemConfiguration."
_COPY_STATES = {
    "Suspended": 3,
    "Seeding": 4,
    "Healthy": 5,
    "ServiceDown": 6,
    "Initializing": 7,
    "Mounted": 12,
    "Dismounted": 13,
    "FailedAndSuspended": 19,
}
ORGANIZATION = "CN=Lab,CN=Microsoft Exchange,CN=Services,CN=Configuration,DC=lab,DC=example"
_BASE_TYPES = (
    _DIRECTORY + "ADPresentationObject",
    _DIRECTORY + "ADObject",
    _DIRECTORY + "ADRawEntry",
    "Microsoft.Exchange.Data.ConfigurableObject",
    "System.Object",
)


def type_names(name: str) -> tuple[str, ...]:
    """The type names of an object of the directory, the most derived first."""
    return (name, *_BASE_TYPES)


def reference(world: World, kind: str, name: str) -> Reference:
    """A reference to an object of the directory."""
    return Reference(name, f"CN={name},{ORGANIZATION}", guid(world.seed, kind, name))


def exchange_server(world: World, host: Host) -> ExchangeObject:
    """One row of Get-ExchangeServer."""
    server = host.description
    is_2010, is_2016 = server.version[0] < 15, server.version[:2] == (15, 1)
    number = 54 if is_2010 else 16385 if is_2016 else 16439
    roles = "Mailbox, ClientAccess, UnifiedMessaging, HubTransport" if is_2010 else "Mailbox"
    properties: dict[str, Value] = {
        "Name": server.name,
        "Identity": reference(world, "server", server.name),
        "Guid": guid(world.seed, "server", server.name),
        "DistinguishedName": f"CN={server.name},{ORGANIZATION}",
        "Fqdn": server.fqdn,
        "Domain": DOMAIN,
        "Site": reference(world, "site", "Default-First-Site-Name"),
        "Edition": EnumValue(
            _SYSTEM + "ServerEditionType", server.edition, 1 if server.edition == "Standard" else 2
        ),
        "ServerRole": EnumValue(_SYSTEM + "ServerRole", roles, number),
        "AdminDisplayVersion": _admin_version(server.version),
        "IsMailboxServer": True,
        "IsHubTransportServer": True,
        "IsClientAccessServer": True,
        "IsFrontendTransportServer": not is_2010,
        "IsEdgeServer": False,
        "IsUnifiedMessagingServer": is_2010 or is_2016,
        "IsExchange2007OrLater": True,
        "IsE14OrLater": server.version[0] >= 14,
        "IsE15OrLater": not is_2010,
        "IsProvisionedServer": False,
        "IsExchangeTrialEdition": False,
        "IsExpiredExchangeTrialEdition": False,
        "RemainingTrialPeriod": TimeSpan(0),
        "DataPath": LongPath(server.install_folder + "Mailbox"),
        "WhenCreated": min(each.created_at for each in world.databases.values()),
    }
    return ExchangeObject(
        type_names=type_names("Microsoft.Exchange.Data.Directory.Management.ExchangeServer"),
        to_string=server.name,
        properties=properties,
    )


def mailbox_server(world: World, host: Host) -> ExchangeObject:
    """One row of Get-MailboxServer."""
    server = host.description
    group = server.availability_group
    properties: dict[str, Value] = {
        "Name": server.name,
        "Identity": reference(world, "server", server.name),
        "Guid": guid(world.seed, "server", server.name),
        "DistinguishedName": f"CN={server.name},{ORGANIZATION}",
        "DatabaseAvailabilityGroup": None if group is None else reference(world, "group", group),
        "DatabaseCopyAutoActivationPolicy": EnumValue(
            _SYSTEM + "DatabaseCopyAutoActivationPolicyType", host.mode.policy,
            ("Unrestricted", "IntrasiteOnly", "Blocked").index(host.mode.policy),
        ),
        "DatabaseCopyActivationDisabledAndMoveNow": False,
        "AutoDatabaseMountDial": EnumValue(
            _SYSTEM + "AutoDatabaseMountDial", "GoodAvailability", 6
        ),
        "MaximumActiveDatabases": None,
        "MaximumPreferredActiveDatabases": None,
        "ExchangeVersion": "0.1 (8.0.535.0)",
        "AdminDisplayVersion": _admin_version(server.version),
    }
    if server.generation is Generation.EXCHANGE_2010:
        del properties["DatabaseCopyActivationDisabledAndMoveNow"]
    if server.generation is Generation.EXCHANGE_2007:
        later = ("DatabaseAvailabilityGroup", "DatabaseCopyAutoActivationPolicy")
        properties = {name: each for name, each in properties.items() if name not in later}
        properties |= clustered(host)
    return ExchangeObject(
        type_names=type_names("Microsoft.Exchange.Data.Directory.Management.MailboxServer"),
        to_string=server.name,
        properties=properties,
    )


_NOT_PUBLIC = (
    "Recovery", "Servers", "ReplicationType", "DatabaseCopies", "AllDatabaseCopies",
    "InvalidDatabaseCopies", "ActivationPreference", "ReplayLagTimes", "TruncationLagTimes",
)  # fmt: skip


def mailbox_database(
    world: World, database: MailboxDatabase, *, with_status: bool
) -> ExchangeObject:
    """One row of Get-MailboxDatabase; what the store alone knows is Nil without -Status, or when it
    does not answer.
    """
    properties: Mapping[str, Value] = {
        **_configured(world, database),
        **_live(world, database, with_status=with_status),
    }
    if world.host_of(database).description.generation is Generation.EXCHANGE_2007:
        properties = database_of_2007(database, properties)
    kind = "MailboxDatabase"
    if database.description.is_public_folder:
        kind = "PublicFolderDatabase"
        properties = {name: properties[name] for name in properties if name not in _NOT_PUBLIC}
    return ExchangeObject(
        type_names=type_names(_SYSTEM + kind),
        to_string=database.name,
        properties=properties,
    )


def copy_status(world: World, database: MailboxDatabase, server: str) -> ExchangeObject:
    """One row of Get-MailboxDatabaseCopyStatus."""
    is_active = server == database.active_server
    status = status_of(world, database, server)
    number = _COPY_STATES[status]
    copy = PassiveCopy() if is_active else database.passive[server]
    identity = f"{database.name}\\{server}"
    properties: dict[str, Value] = {
        "Identity": identity,
        "Name": identity,
        "DatabaseName": database.name,
        "Status": EnumValue(
            "Microsoft.Exchange.Management.SystemConfigurationTasks.CopyStatus", status, number
        ),
        "MailboxServer": server,
        "ActiveDatabaseCopy": database.active_server.lower(),
        "ActiveCopy": is_active,
        "ActivationSuspended": copy.is_activation_suspended or copy.is_suspended,
        "ErrorMessage": None,
        "SuspendComment": copy.comment,
        "ContentIndexState": EnumValue(
            "Microsoft.Exchange.Management.ContentIndexStatusType", "NotApplicable", 10
        ),
        "CopyQueueLength": copy.copy_queue,
        "ReplayQueueLength": copy.replay_queue,
        "LatestFullBackupTime": _last_full_backup(world, database)[0] if is_active else None,
    }
    return ExchangeObject(
        type_names=(
            "Microsoft.Exchange.Management.SystemConfigurationTasks.DatabaseCopyStatusEntry",
            "System.Object",
        ),
        to_string=identity,
        properties=properties,
    )


def _configured(world: World, database: MailboxDatabase) -> dict[str, Value]:
    description = database.description
    server = world.hosts[database.active_server].description
    group = server.availability_group
    master = reference(world, "group", group) if group else reference(world, "server", server.name)
    is_replicated = len(description.copies) > 1
    lags = dict(description.replay_lags_s)
    owner = reference(world, "server", database.active_server)
    return {
        "Name": database.name,
        "Guid": database.guid,
        "Identity": Reference(database.name, f"CN={database.name},{ORGANIZATION}", database.guid),
        "DistinguishedName": f"CN={database.name},{ORGANIZATION}",
        "Server": owner,
        "ServerName": database.active_server,
        "Servers": tuple(reference(world, "server", each) for each in description.copies),
        "MasterServerOrAvailabilityGroup": master,
        "MasterType": EnumValue(
            _SYSTEM + "MasterType",
            "DatabaseAvailabilityGroup" if group else "Server",
            1 if group else 2,
        ),
        "ReplicationType": EnumValue(
            _SYSTEM + "ReplicationType",
            "Remote" if is_replicated else "None",
            2 if is_replicated else 0,
        ),
        "DatabaseCopies": tuple(f"{database.name}\\{each}" for each in description.copies),
        "AllDatabaseCopies": tuple(f"{database.name}\\{each}" for each in description.copies),
        "InvalidDatabaseCopies": (),
        "ActivationPreference": tuple(
            KeyValuePair(reference(world, "server", each), index)
            for index, each in enumerate(sorted(description.copies), start=1)
        ),
        "ReplayLagTimes": tuple(
            KeyValuePair(each, TimeSpan.of(seconds=lags.get(each, 0)))
            for each in description.copies
        ),
        "TruncationLagTimes": tuple(KeyValuePair(each, TimeSpan(0)) for each in description.copies),
        "EdbFilePath": LongPath(database.edb_path),
        "LogFolderPath": LongPath(description.log_folder),
        "LogFilePrefix": description.log_prefix,
        "LogFileSize": 1024,
        "CircularLoggingEnabled": description.is_circular_logging,
        "MountAtStartup": database.is_mount_at_startup,
        "Recovery": description.is_recovery,
        "IsMailboxDatabase": True,
        "IsPublicFolderDatabase": False,
        "AllowFileRestore": False,
        "IsExcludedFromProvisioning": description.is_recovery,
        "IsSuspendedFromProvisioning": False,
        "IsExcludedFromInitialProvisioning": False,
        "BackgroundDatabaseMaintenance": True,
        "RetainDeletedItemsUntilBackup": False,
        "DeletedItemRetention": TimeSpan.of(days=14),
        "MailboxRetention": TimeSpan.of(days=30),
        "AdminDisplayVersion": _admin_version(server.version),
        "ExchangeVersion": "0.10 (14.0.100.0)",
        "WhenCreated": database.created_at,
        "WhenCreatedUTC": database.created_at,
        "DatabaseCreated": database.created_at,
    }


def _live(world: World, database: MailboxDatabase, *, with_status: bool) -> dict[str, Value]:
    empty: dict[str, Value] = dict.fromkeys(
        (
            "Mounted",
            "MountedOnServer",
            "WorkerProcessId",
            "BackupInProgress",
            "LastFullBackup",
            "LastIncrementalBackup",
            "LastDifferentialBackup",
            "LastCopyBackup",
            "SnapshotLastFullBackup",
            "SnapshotLastIncrementalBackup",
            "SnapshotLastDifferentialBackup",
            "SnapshotLastCopyBackup",
            "DatabaseSize",
            "AvailableNewMailboxSpace",
        )
    )
    host = world.host_of(database)
    if not with_status or host.down_until is not None or not host.is_store_running:
        return empty
    if database.mounted_on is None:
        size = host.files.size(database.edb_path) if host.files.exists(database.edb_path) else None
        return {
            **empty,
            "Mounted": False,
            "DatabaseSize": None if size is None else Size.of(size),
        }
    last_full, is_snapshot = _last_full_backup(world, database)
    space = white_space_bytes(host.files, database.edb_path)
    return {
        **empty,
        "Mounted": True,
        "MountedOnServer": world.hosts[database.mounted_on].description.fqdn,
        "WorkerProcessId": None if host.description.version[0] < 15 else 4711,
        "BackupInProgress": database.is_backup_running,
        "LastFullBackup": last_full,
        "SnapshotLastFullBackup": is_snapshot,
        "DatabaseSize": Size.of(host.files.size(database.edb_path)),
        "AvailableNewMailboxSpace": None if space is None else Size.of(space),
    }


def _last_full_backup(
    world: World, database: MailboxDatabase
) -> tuple[datetime | None, bool | None]:
    """The last full backup of the present file: its own header keeps it, so a rebuilt one has
    none.
    """
    host = world.host_of(database)
    if database.mounted_on is None or not host.files.exists(database.edb_path):
        return None, None
    header = read_header(host.files, database.edb_path).header
    if header is None or header.previous_full_backup == BackupRecord():
        return None, None
    is_snapshot = header.previous_full_backup_kind is not BackupKind.NORMAL
    return header.previous_full_backup.marked_at.to_datetime(), is_snapshot


def _admin_version(version: tuple[int, int, int, int]) -> ServerVersion:
    """The version of the cumulative update: security updates do not move it."""
    bases = {1544: 4, 1748: 10, 2562: 17, 2507: 6}
    major, minor, build, revision = version
    return ServerVersion(major, minor, build, bases.get(build, revision))
