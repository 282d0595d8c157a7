"""Exchange cmdlets that only read.

A null identity is *everything* to most of them, as it is to the real ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from goexchange.model.actual import Generation
from goexchange.world.certificates import certificate_row
from goexchange.world.cmdlet_errors import not_found
from goexchange.world.databases import MailboxDatabase
from goexchange.world.exchange_objects import (
    copy_status,
    exchange_server,
    mailbox_database,
    mailbox_server,
    reference,
    type_names,
)
from goexchange.world.hosts import Host
from goexchange.world.objects_2007 import storage_groups
from goexchange.world.repairs import RepairRequest
from goexchange.world.values import (
    CmdletAnswer,
    EnumValue,
    ExchangeObject,
    Value,
)

if TYPE_CHECKING:
    from goexchange.world.world import World

_STATUS_WARNING = (
    "Exchange can't connect to the Information Store service on server {server}. Make sure that"
    " the service"
    " is running and that there is network connectivity to the server."
)
_JOB_STATES = {"Queued": 0, "Running": 1, "Succeeded": 2, "Failed": 3}


def get_exchange_server(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Get-ExchangeServer."""
    hosts = _hosts(world, given.get("Identity"))
    if hosts is None:
        return _missing(world, "Get-ExchangeServer", given["Identity"])
    return _answer(world, *(exchange_server(world, each) for each in hosts))


def get_mailbox_server(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Get-MailboxServer."""
    hosts = _hosts(world, given.get("Identity"))
    if hosts is None:
        return _missing(world, "Get-MailboxServer", given["Identity"])
    return _answer(world, *(mailbox_server(world, each) for each in hosts))


def get_certificate(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Get-ExchangeCertificate: of one server, the first without a name."""
    hosts = _hosts(world, given.get("Server"))
    if hosts is None:
        return _missing(world, "Get-ExchangeCertificate", given["Server"])
    wanted = str(given.get("Thumbprint") or "").lower()
    return _answer(
        world,
        *(
            certificate_row(each)
            for each in hosts[0].certificates
            if each.thumbprint.lower().startswith(wanted)
        ),
    )


def get_mailbox_database(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Get-MailboxDatabase: -Server gives every database with a copy there."""
    return _databases(world, given, cmdlet="Get-MailboxDatabase", is_public_folder=False)


def get_public_folder_database(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Get-PublicFolderDatabase of Exchange 2007 and 2010."""
    return _databases(world, given, cmdlet="Get-PublicFolderDatabase", is_public_folder=True)


def _databases(
    world: World, given: Mapping[str, Any], *, cmdlet: str, is_public_folder: bool
) -> CmdletAnswer:
    databases = tuple(
        each
        for each in world.databases.values()
        if each.description.is_public_folder is is_public_folder
    )
    if given.get("Identity") is not None:
        found = find_database(world, given["Identity"])
        if found is None or found not in databases:
            return _missing(world, cmdlet, given["Identity"])
        databases = (found,)
    elif given.get("Server") is not None:
        hosts = _hosts(world, given["Server"])
        if hosts is None:
            return _missing(world, cmdlet, given["Server"])
        databases = tuple(each for each in databases if hosts[0].name in each.description.copies)
    with_status = bool(given.get("Status"))
    silent = sorted({each.active_server for each in databases if not _answers(world.host_of(each))})
    warnings = (
        tuple(_STATUS_WARNING.format(server=server) for server in silent) if with_status else ()
    )
    ordered = sorted(databases, key=lambda each: each.name.lower())
    rows = tuple(mailbox_database(world, each, with_status=with_status) for each in ordered)
    return CmdletAnswer(objects=rows, warnings=warnings, duration_s=world.site.times.cmdlet)


def get_storage_group(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Get-StorageGroup of Exchange 2007."""
    hosts = _hosts(world, given.get("Server"))
    if hosts is None:
        return _missing(world, "Get-StorageGroup", given["Server"])
    return _answer(world, *(row for host in hosts for row in storage_groups(world, host)))


def get_copy_status(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Get-MailboxDatabaseCopyStatus: by `DB`, `DB\\SERVER`, -Server, or all copies on the local
    server.
    """
    identity, server = given.get("Identity"), given.get("Server")
    rows = [(each, copy) for each in world.databases.values() for copy in each.description.copies]
    if identity is not None:
        name, _, on_server = identity.partition("\\")
        found = find_database(world, name)
        if found is None:
            return _missing(world, "Get-MailboxDatabaseCopyStatus", identity)
        rows = [
            (found, copy)
            for copy in found.description.copies
            if not on_server or copy.lower() == on_server.lower()
        ]
    else:
        hosts = _hosts(world, server or given[""])
        if hosts is None:
            return _missing(world, "Get-MailboxDatabaseCopyStatus", server)
        rows = [(each, copy) for each, copy in rows if copy == hosts[0].name]
    if given.get("Active"):
        rows = [(each, copy) for each, copy in rows if copy == each.active_server]
    return _answer(world, *(copy_status(world, each, copy) for each, copy in rows))


def get_availability_group(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Get-DatabaseAvailabilityGroup; the live fields only with -Status."""
    wanted = given.get("Identity")
    groups = [
        each for each in world.site.groups if wanted is None or each.name.lower() == wanted.lower()
    ]
    if wanted is not None and not groups:
        return _missing(world, "Get-DatabaseAvailabilityGroup", wanted)
    rows = []
    for group in groups:
        members = tuple(reference(world, "server", each) for each in group.servers)
        up = tuple(each for each in members if world.hosts[each.name].down_until is None)
        live = bool(given.get("Status"))
        away = tuple(
            each
            for each in members
            if world.hosts[each.name].mode.state_of("ServerWideOffline") == "Inactive"
        )
        properties: dict[str, Value] = {
            "Name": group.name,
            "Identity": reference(world, "group", group.name),
            "Servers": members,
            "WitnessServer": group.witness_server,
            "WitnessDirectory": f"C:\\DAGFileShareWitnesses\\{group.name}",
            "StartedMailboxServers": tuple(
                world.hosts[each].description.fqdn for each in group.servers
            ),
            "StoppedMailboxServers": (),
            "OperationalServers": up if live else None,
            "PrimaryActiveManager": (up[0] if up else None) if live else None,
            "ServersInMaintenance": away if live else None,
        }
        if world.hosts[given[""]].description.generation is Generation.EXCHANGE_2010:
            del properties["ServersInMaintenance"]
        name = "Microsoft.Exchange.Data.Directory.SystemConfiguration.DatabaseAvailabilityGroup"
        rows.append(
            ExchangeObject(type_names=type_names(name), to_string=group.name, properties=properties)
        )
    return _answer(world, *rows)


def get_move_request(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Get-MoveRequest."""
    status = given.get("MoveStatus")
    rows = []
    for move in world.moves:
        if status is not None and move.status.lower() != status.lower():
            continue
        properties: dict[str, Value] = {
            "Alias": move.alias,
            "DisplayName": move.alias,
            "Identity": move.alias,
            "Status": EnumValue(
                "Microsoft.Exchange.MailboxReplicationService.RequestStatus", move.status, 2
            ),
            "SourceDatabase": reference(world, "database", move.source),
            "TargetDatabase": reference(world, "database", move.target),
        }
        name = "Microsoft.Exchange.Management.RecipientTasks.MoveRequest"
        rows.append(
            ExchangeObject(
                type_names=(name, "System.Object"), to_string=move.alias, properties=properties
            )
        )
    return _answer(world, *rows)


def get_repair_request(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Get-MailboxRepairRequest; an identity that is null or unknown gives every request."""
    requests = world.repairs
    if given.get("Database") is not None:
        found = find_database(world, given["Database"])
        if found is None:
            return _missing(world, "Get-MailboxRepairRequest", given["Database"])
        requests = [each for each in requests if each.database == found.guid]
    elif given.get("Identity") is not None:
        wanted = given["Identity"].lower()
        named = [each for each in requests if each.identity.startswith(wanted)]
        requests = named or requests
    return _answer(world, *(repair_row(world, each) for each in requests))


def test_service_health(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Test-ServiceHealth."""
    hosts = _hosts(world, given.get("Server") or given[""])
    if hosts is None:
        return _missing(world, "Test-ServiceHealth", given["Server"])
    rows = []
    required = [
        each
        for each in hosts[0].services.values()
        if each.name.startswith("MSExchange") and each.start_type == "Automatic"
    ]
    running = tuple(each.name for each in required if each.state == "Running")
    stopped = tuple(each.name for each in required if each.state != "Running")
    for role in ("Mailbox Server Role", "Client Access Server Role", "Hub Transport Server Role"):
        properties: dict[str, Value] = {
            "Role": role,
            "RequiredServicesRunning": not stopped,
            "ServicesRunning": running,
            "ServicesNotRunning": stopped,
        }
        name = "Microsoft.Exchange.Management.SystemConfigurationTasks.ServiceStatus"
        rows.append(
            ExchangeObject(
                type_names=(name, "System.Object"), to_string=role, properties=properties
            )
        )
    return _answer(world, *rows)


def find_database(world: World, identity: str) -> MailboxDatabase | None:
    """A database by name, GUID or distinguished name."""
    wanted = identity.strip()
    if wanted.lower().startswith("cn="):
        wanted = wanted[3:].partition(",")[0]
    try:
        return world.database_named(wanted)
    except KeyError:
        return None


def repair_row(world: World, request: RepairRequest) -> ExchangeObject:
    """One row of Get- or New-MailboxRepairRequest."""
    database = world.databases[request.database]
    if world.host_of(database).description.generation is Generation.EXCHANGE_2010:
        return _row_of_2010(database, request)
    is_over = request.ends_at is None
    state = EnumValue(
        "Microsoft.Exchange.Server.Storage.JobState", request.state, _JOB_STATES[request.state]
    )
    properties: dict[str, Value] = {
        "Identity": request.identity,
        "DatabaseName": database.name,
        "DatabaseGuid": request.database,
        "MailboxGuid": None,
        "RequestGuid": request.request,
        "JobGuid": request.job,
        "Tasks": request.corruption_types,
        "DetectOnly": request.is_detect_only,
        "JobState": state,
        "Progress": 100 if is_over else 40,
        "CorruptionsDetected": request.corruptions_found,
        "CorruptionsFixed": 0 if request.is_detect_only else request.corruptions_found,
        "ErrorCode": request.error_code,
        "CreationTime": request.queued_at,
    }
    name = "Microsoft.Exchange.Data.Storage.Management.StoreIntegrityCheckJob"
    return ExchangeObject(
        type_names=(name, "System.Object"), to_string=request.identity, properties=properties
    )


def _row_of_2010(database: MailboxDatabase, request: RepairRequest) -> ExchangeObject:
    """What New-MailboxRepairRequest of Exchange 2010 gives: an id, and what it was asked for."""
    properties: dict[str, Value] = {
        "RequestID": str(request.request),
        "Database": database.name,
        "Mailbox": None,
    }
    name = "Microsoft.Exchange.Data.Storage.Management.MailboxRepairRequest"
    return ExchangeObject(
        type_names=(name, "System.Object"),
        to_string=str(request.request),
        properties=properties,
    )


def _hosts(world: World, identity: str | None) -> tuple[Host, ...] | None:
    if identity is None:
        return world.exchange_hosts
    wanted = identity.lower()
    found = tuple(
        each
        for each in world.exchange_hosts
        if wanted in (each.name.lower(), each.description.fqdn)
    )
    return found or None


def _answers(host: Host) -> bool:
    return host.down_until is None and host.is_store_running


def _answer(world: World, *rows: ExchangeObject) -> CmdletAnswer:
    return CmdletAnswer(objects=rows, duration_s=world.site.times.cmdlet)


def _missing(world: World, cmdlet: str, identity: object) -> CmdletAnswer:
    return CmdletAnswer(
        errors=(not_found(world, cmdlet, str(identity)),), duration_s=world.site.times.cmdlet
    )
