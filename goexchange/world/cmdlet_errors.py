"""Errors of Exchange cmdlets, in the form that real ones have: request id, failure category,
exception and code.

Source: Microsoft's support articles on mount failures; error records of remote Exchange sessions.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from goexchange.ese.jet_errors import JetError
from goexchange.world.chance import guid
from goexchange.world.databases import MailboxDatabase
from goexchange.world.values import CmdletError, ErrorCategory

if TYPE_CHECKING:
    from goexchange.world.world import World

_TASKS = "Microsoft.Exchange.Management.SystemConfigurationTasks."
_CALL_FAILED = "MapiExceptionCallFailed"
_EXCEPTIONS = {
    JetError.MissingLogFile: "MapiExceptionJetErrorMissingLogFile",
    JetError.RequiredLogFilesMissing: "MapiExceptionJetErrorRequiredLogFilesMissing",
    JetError.DatabaseDirtyShutdown: "MapiExceptionDatabaseError",
    JetError.FileNotFound: "MapiExceptionJetErrorFileNotFound",
    JetError.FileAccessDenied: "MapiExceptionJetErrorFileAccessDenied",
}


def not_found(world: World, cmdlet: str, identity: str) -> CmdletError:
    """No object has this name."""
    message = (
        f"The operation couldn't be performed because object '{identity}' couldn't be found on"
        " 'DC01.lab.example'."
    )
    return exchange_error(
        world, cmdlet, message,
        exception="ManagementObjectNotFoundException",
        category=ErrorCategory.INVALID_DATA,
        target=None,
    )  # fmt: skip


def mount_failed(world: World, database: MailboxDatabase, error: int) -> CmdletError:
    """A mount that the store refused, with its engine error in `ec=`."""
    exception = _EXCEPTIONS.get(JetError(error), _CALL_FAILED) if _is_known(error) else _CALL_FAILED
    server = world.host_of(database).description.fqdn
    message = (
        f"Failed to mount database '{database.name}'. Error: Couldn't mount the database that you"
        " specified."
        f" Specified database: {database.name}; Error code: An Active Manager operation failed."
        " Error: The database action failed. Error: Operation failed with message:"
        f" {exception}: Unable to mount database. (hr=0x80004005, ec={error})\r\n"
        f" [Database: {database.name}, Server: {server}]."
    )
    return exchange_error(
        world, "Mount-Database", message,
        exception="InvalidOperationException",
        category=ErrorCategory.INVALID_OPERATION,
        target=database.name,
    )  # fmt: skip


def already_dismounted(world: World, database: MailboxDatabase) -> CmdletError:
    """A dismount of what is not mounted."""
    server = world.host_of(database).description.fqdn
    message = (
        f"Couldn't dismount the database that you specified. Specified database: {database.name};"
        " Error code:"
        " An Active Manager operation failed. Error: The database action failed. Error: Operation"
        " failed with"
        " message: MapiExceptionNotFound: Unable to dismount database. (hr=0x8004010f,"
        " ec=-2147221233)\r\n"
        f" [Database: {database.name}, Server: {server}]."
    )
    return exchange_error(
        world, "Dismount-Database", message,
        exception="InvalidOperationException",
        category=ErrorCategory.INVALID_OPERATION,
        target=database.name,
    )  # fmt: skip


def needs_confirmation(cmdlet: str, target: str) -> CmdletError:
    """A question that a remote session cannot ask: the client has no host to answer it."""
    return CmdletError(
        message=(
            "A command that prompts the user failed because the host program or the command type"
            " does not support user interaction. The host was attempting to request confirmation"
            " with the following message: Confirm Are you sure you want to perform this action?"
            f' Performing operation "{cmdlet}" on target "{target}".'
        ),
        exception_type="HostException",
        category=ErrorCategory.NOT_SPECIFIED,
        error_id=f"HostFunctionNotImplemented,{_type_of(cmdlet)}",
        target=target,
    )


def exchange_error(
    world: World,
    cmdlet: str,
    message: str,
    *,
    exception: str,
    category: ErrorCategory,
    target: str | None,
) -> CmdletError:
    """An error record with the long id that Exchange puts in front of the type's name."""
    request = guid(world.seed, "request", world.now().isoformat(), cmdlet, message)
    code = hashlib.sha256(f"{exception}{cmdlet}".encode()).hexdigest()[:8].upper()
    stamp = f"{world.now():%m/%d/%Y %I:%M:%S %p}"
    error_id = (
        f"[Server=EX01,RequestId={request},TimeStamp={stamp}]"
        f" [FailureCategory=Cmdlet-{exception}] {code},{_type_of(cmdlet)}"
    )
    return CmdletError(
        message=message,
        exception_type=exception,
        category=category,
        error_id=error_id,
        target=target,
    )


def _type_of(cmdlet: str) -> str:
    return _TASKS + cmdlet.replace("-", "")


def _is_known(error: int) -> bool:
    return error in set(JetError)
