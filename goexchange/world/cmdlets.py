"""The Exchange cmdlets of a world: which there are, their parameters, and running one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from goexchange.model.actual import Generation
from goexchange.world import (
    cmdlets_change,
    cmdlets_groups,
    cmdlets_read,
    cmdlets_recovery,
    cmdlets_scratch,
    cmdlets_server,
)
from goexchange.world.binding import BindingFailed, Parameter, ParameterKind, bind
from goexchange.world.values import CmdletAnswer, CmdletError, ErrorCategory

if TYPE_CHECKING:
    from goexchange.world.world import World

Play = Callable[["World", Mapping[str, Any]], CmdletAnswer]

_SWITCH = ParameterKind.SWITCH
_CONFIRM = (Parameter("Confirm", _SWITCH), Parameter("WhatIf", _SWITCH))


@frozen
class Cmdlet:
    """A cmdlet with its parameters and what plays it."""

    name: str
    parameters: tuple[Parameter, ...]
    play: Play


_MAILBOX_DATABASE = (
    Parameter("Identity", group="Identity"),
    Parameter("Server", group="Server"),
    Parameter("Status", _SWITCH),
    Parameter("DumpsterStatistics", _SWITCH),
    Parameter("IncludeCorrupted", _SWITCH),
    Parameter("IncludePreExchange2010", _SWITCH),
    Parameter("IncludePreExchange2013", _SWITCH),
)
_COPY_STATUS = (
    Parameter("Identity", group="Identity"),
    Parameter("Server", group="Server"),
    Parameter("Active", _SWITCH),
    Parameter("ConnectionStatus", _SWITCH),
    Parameter("ExtendedErrorInfo", _SWITCH),
)
_MOVE_REQUEST = (
    Parameter("Identity", group="Identity"),
    Parameter("MoveStatus", group="Filtering"),
    Parameter("SourceDatabase", group="Filtering"),
    Parameter("TargetDatabase", group="Filtering"),
    Parameter("BatchName", group="Filtering"),
    Parameter("ResultSize"),
)
_MOUNT = (
    Parameter("Identity", is_mandatory=True),
    Parameter("AcceptDataLoss", _SWITCH),
    Parameter("Force", _SWITCH),
    *_CONFIRM,
)
_NEW_DATABASE = (
    Parameter("Name", is_mandatory=True),
    Parameter("Server"),
    Parameter("StorageGroup"),
    Parameter("Recovery", _SWITCH),
    Parameter("EdbFilePath"),
    Parameter("LogFolderPath"),
    Parameter("IsExcludedFromProvisioning", ParameterKind.BOOLEAN),
    Parameter("AutoDagExcludeFromMonitoring", ParameterKind.BOOLEAN),
    *_CONFIRM,
)
_NEW_GROUP = (
    Parameter("Name", is_mandatory=True),
    Parameter("Server", is_mandatory=True),
    Parameter("LogFolderPath", is_mandatory=True),
    Parameter("SystemFolderPath", is_mandatory=True),
    *_CONFIRM,
)
_GET_MAILBOX = (
    Parameter("Database", is_mandatory=True),
    Parameter("ResultSize"),
    Parameter("Archive", _SWITCH),
    Parameter("Arbitration", _SWITCH),
    Parameter("PublicFolder", _SWITCH),
)
_NEW_REPAIR = (
    Parameter("Database", is_mandatory=True),
    Parameter("CorruptionType", ParameterKind.TEXTS, is_mandatory=True),
    Parameter("DetectOnly", _SWITCH),
    Parameter("Force", _SWITCH),
    *_CONFIRM,
)
_GET_REPAIR = (
    Parameter("Identity", group="Identity"),
    Parameter("Database", group="Database"),
    Parameter("Mailbox", group="Mailbox"),
    Parameter("Detailed", _SWITCH),
)
_IDENTITY = (Parameter("Identity"),)

CMDLETS: Mapping[str, Cmdlet] = {
    each.name.lower(): each
    for each in (
        Cmdlet(
            "Get-ExchangeServer",
            (*_IDENTITY, Parameter("Status", _SWITCH)),
            cmdlets_read.get_exchange_server,
        ),
        Cmdlet(
            "Get-MailboxServer",
            (*_IDENTITY, Parameter("Status", _SWITCH)),
            cmdlets_read.get_mailbox_server,
        ),
        Cmdlet(
            "Get-ExchangeCertificate",
            (Parameter("Server"), Parameter("Thumbprint")),
            cmdlets_read.get_certificate,
        ),
        Cmdlet("Get-MailboxDatabase", _MAILBOX_DATABASE, cmdlets_read.get_mailbox_database),
        Cmdlet(
            "Get-PublicFolderDatabase", _MAILBOX_DATABASE, cmdlets_read.get_public_folder_database
        ),
        Cmdlet(
            "Set-PublicFolderDatabase",
            (
                Parameter("Identity", is_mandatory=True),
                Parameter("MountAtStartup", ParameterKind.BOOLEAN),
                *_CONFIRM,
            ),
            cmdlets_change.set_public_folder_database,
        ),
        Cmdlet("Get-StorageGroup", (Parameter("Server"),), cmdlets_read.get_storage_group),
        Cmdlet("Get-MailboxDatabaseCopyStatus", _COPY_STATUS, cmdlets_read.get_copy_status),
        Cmdlet(
            "Get-DatabaseAvailabilityGroup",
            (*_IDENTITY, Parameter("Status", _SWITCH)),
            cmdlets_read.get_availability_group,
        ),
        Cmdlet("Get-MoveRequest", _MOVE_REQUEST, cmdlets_read.get_move_request),
        Cmdlet("Get-MailboxRepairRequest", _GET_REPAIR, cmdlets_read.get_repair_request),
        Cmdlet(
            "Get-ServerComponentState",
            (Parameter("Identity", is_mandatory=True), Parameter("Component")),
            cmdlets_server.get_component_state,
        ),
        Cmdlet(
            "Set-ServerComponentState",
            (
                Parameter("Identity", is_mandatory=True),
                Parameter("Component", is_mandatory=True),
                Parameter("State", is_mandatory=True),
                Parameter("Requester", is_mandatory=True),
                *_CONFIRM,
            ),
            cmdlets_server.set_component_state,
        ),
        Cmdlet("Get-Queue", (Parameter("Server", is_mandatory=True),), cmdlets_server.get_queue),
        Cmdlet(
            "Redirect-Message",
            (
                Parameter("Server", is_mandatory=True),
                Parameter("Target", is_mandatory=True),
                *_CONFIRM,
            ),
            cmdlets_server.redirect_message,
        ),
        Cmdlet(
            "Set-MailboxServer",
            (
                Parameter("Identity", is_mandatory=True),
                Parameter("DatabaseCopyAutoActivationPolicy"),
                *_CONFIRM,
            ),
            cmdlets_server.set_mailbox_server,
        ),
        Cmdlet(
            "Move-ActiveMailboxDatabase",
            (
                Parameter("Identity", is_mandatory=True),
                Parameter("ActivateOnServer", is_mandatory=True),
                Parameter("MountDialOverride"),
                Parameter("MoveComment"),
                *_CONFIRM,
            ),
            cmdlets_server.move_active,
        ),
        Cmdlet("Test-ServiceHealth", (Parameter("Server"),), cmdlets_read.test_service_health),
        Cmdlet("Mount-Database", _MOUNT, cmdlets_change.mount_database),
        Cmdlet(
            "Dismount-Database",
            (Parameter("Identity", is_mandatory=True), *_CONFIRM),
            cmdlets_change.dismount_database,
        ),
        Cmdlet(
            "Set-MailboxDatabase",
            (
                Parameter("Identity", is_mandatory=True),
                Parameter("MountAtStartup", ParameterKind.BOOLEAN),
                *_CONFIRM,
            ),
            cmdlets_change.set_mailbox_database,
        ),
        Cmdlet(
            "Suspend-MailboxDatabaseCopy",
            (
                Parameter("Identity", is_mandatory=True),
                Parameter("SuspendComment"),
                Parameter("ActivationOnly", _SWITCH),
                *_CONFIRM,
            ),
            cmdlets_change.suspend_copy,
        ),
        Cmdlet(
            "Resume-MailboxDatabaseCopy",
            (
                Parameter("Identity", is_mandatory=True),
                Parameter("ReplicationOnly", _SWITCH),
                *_CONFIRM,
            ),
            cmdlets_change.resume_copy,
        ),
        Cmdlet(
            "Update-MailboxDatabaseCopy",
            (
                Parameter("Identity", is_mandatory=True),
                Parameter("BeginSeed", _SWITCH),
                Parameter("DeleteExistingFiles", _SWITCH),
                *_CONFIRM,
            ),
            cmdlets_change.update_copy,
        ),
        Cmdlet("New-MailboxDatabase", _NEW_DATABASE, cmdlets_recovery.new_mailbox_database),
        Cmdlet(
            "Remove-MailboxDatabase",
            (Parameter("Identity", is_mandatory=True), *_CONFIRM),
            cmdlets_scratch.remove_mailbox_database,
        ),
        Cmdlet("New-StorageGroup", _NEW_GROUP, cmdlets_groups.new_storage_group),
        Cmdlet(
            "Remove-StorageGroup",
            (Parameter("Identity", is_mandatory=True), *_CONFIRM),
            cmdlets_groups.remove_storage_group,
        ),
        Cmdlet("Get-Mailbox", _GET_MAILBOX, cmdlets_scratch.get_mailbox),
        Cmdlet("New-MailboxRepairRequest", _NEW_REPAIR, cmdlets_change.new_repair_request),
    )
}


_SINCE_2013 = frozenset(
    {
        "Get-MailboxRepairRequest", "Get-ServerComponentState", "Redirect-Message",
        "Set-ServerComponentState",
    }
)  # fmt: skip
_SINCE_2010 = frozenset(
    {
        "Get-MailboxDatabaseCopyStatus", "Get-DatabaseAvailabilityGroup", "Get-MoveRequest",
        "Suspend-MailboxDatabaseCopy", "Resume-MailboxDatabaseCopy", "New-MailboxRepairRequest",
        "Move-ActiveMailboxDatabase", "Update-MailboxDatabaseCopy",
    }
)  # fmt: skip
_BEFORE_2013 = frozenset(
    {"Get-StorageGroup", "Get-PublicFolderDatabase", "Set-PublicFolderDatabase"}
)
_MISSING = {
    Generation.EXCHANGE_2003: _SINCE_2013 | _SINCE_2010,
    Generation.EXCHANGE_2007: _SINCE_2013 | _SINCE_2010,
    Generation.EXCHANGE_2010: _SINCE_2013 | {"Get-StorageGroup"},
}


# What the cmdlets of Exchange 2010 do not take yet.
_LATER_PARAMETERS = frozenset(
    {
        ("New-MailboxDatabase", "AutoDagExcludeFromMonitoring"), ("Get-Mailbox", "PublicFolder"),
        ("Update-MailboxDatabaseCopy", "BeginSeed"),
    }
)  # fmt: skip


def cmdlet_names(generation: Generation) -> tuple[str, ...]:
    """The cmdlets of a version in this world, as Microsoft spells them."""
    missing = _MISSING.get(generation, _BEFORE_2013)
    return tuple(sorted({each.name for each in CMDLETS.values()} - missing))


def run_cmdlet(
    world: World, host: str, name: str, parameters: Mapping[str, object]
) -> CmdletAnswer:
    """Bind and run; whatever is wrong with the call itself is a terminating error in PowerShell's
    words.
    """
    cmdlet = CMDLETS.get(name.lower())
    generation = world.hosts[host].description.generation
    if cmdlet is None or cmdlet.name not in cmdlet_names(generation):
        return CmdletAnswer(terminating=_unknown(name))
    known = _LATER_PARAMETERS if generation is Generation.EXCHANGE_2010 else frozenset()
    taken = tuple(each for each in cmdlet.parameters if (cmdlet.name, each.name) not in known)
    try:
        bound = bind(cmdlet.name, taken, parameters)
    except BindingFailed as refusal:
        return CmdletAnswer(terminating=refusal.error)
    answer = cmdlet.play(world, {**bound, "": host})
    if answer.errors and str(bound.get("ErrorAction")).lower() == "stop":
        return evolve(answer, errors=answer.errors[:-1], terminating=answer.errors[-1])
    return answer


def _unknown(name: str) -> CmdletError:
    return CmdletError(
        message=(
            f"The term '{name}' is not recognized as the name of a cmdlet, function, script file,"
            " or operable program. Check the spelling of the name, or if a path was included,"
            " verify that the path is correct and try again."
        ),
        exception_type="CommandNotFoundException",
        category=ErrorCategory.OBJECT_NOT_FOUND,
        error_id="CommandNotFoundException",
        target=name,
    )
