"""The closed list of Exchange cmdlets that are sent, their allowed parameters, and builders for the
common calls.

Nothing else may go over the Exchange channel: no `-Force`, no `-AcceptDataLoss`, and never an empty
identity, which some cmdlets take for *everything*. Source: the vendor's cmdlet reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from goexchange.errors import GoexchangeError
from goexchange.model.actual import Generation
from goexchange.model.pilot import is_scratch_name as is_scratch_name  # part of this door
from goexchange.model.plan import ExchangeCall
from goexchange.model.unknown import Unknown

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")

# No wildcard: a star or a question mark would mean more than the one copy.
_COPY = re.compile(r"[^\\*?\x00-\x1f]{1,64}\\[A-Za-z0-9][A-Za-z0-9-]{0,62}\Z")
COMMENT_MAX = 512  # Source: Suspend-MailboxDatabaseCopy, -SuspendComment
_RECOVERY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,60}[A-Za-z0-9]\Z")

_IN_GROUP = {"Name", "StorageGroup", "EdbFilePath"}
_NEW_RECOVERY = {"Recovery", "Name", "Server", "EdbFilePath", "LogFolderPath"}
# Kinds of mailboxes that Get-Mailbox lists only when it is asked for them. Source: its reference.
MAILBOX_KINDS: tuple[str | None, ...] = (None, "Archive", "Arbitration", "PublicFolder")


class CmdletRefused(GoexchangeError):
    """A cmdlet call outside the closed list: a mistake of ours; nothing was sent."""

    id = "cmdlet-refused"


@frozen(kw_only=True)
class Cmdlet:
    """One cmdlet that may be sent.

    Shape: `parameters` by name with the one type each takes; `required` must be given and not be
    empty.
    """

    name: str
    changes_exchange: bool
    parameters: Mapping[str, type]
    required: tuple[str, ...] = ()


CMDLETS: Mapping[str, Cmdlet] = {
    cmdlet.name: cmdlet
    for cmdlet in (
        Cmdlet(name="Get-ExchangeServer", changes_exchange=False,
               parameters={"Identity": str}, required=("Identity",)),
        Cmdlet(name="Get-MailboxServer", changes_exchange=False,
               parameters={"Identity": str}, required=("Identity",)),
        Cmdlet(name="Get-ExchangeCertificate", changes_exchange=False,
               parameters={"Server": str}, required=("Server",)),
        Cmdlet(name="Get-MailboxDatabase", changes_exchange=False,
               parameters={"Identity": str, "Server": str, "Status": bool}),
        Cmdlet(name="Get-PublicFolderDatabase", changes_exchange=False,
               parameters={"Identity": str, "Server": str, "Status": bool}),
        Cmdlet(name="Set-PublicFolderDatabase", changes_exchange=True,
               parameters={"Identity": str, "MountAtStartup": bool},
               required=("Identity", "MountAtStartup")),
        Cmdlet(name="Get-StorageGroup", changes_exchange=False,
               parameters={"Server": str}, required=("Server",)),
        Cmdlet(name="Get-DatabaseAvailabilityGroup", changes_exchange=False,
               parameters={"Identity": str, "Status": bool}, required=("Identity",)),
        Cmdlet(name="Get-MailboxDatabaseCopyStatus", changes_exchange=False,
               parameters={"Identity": str, "Server": str}),
        Cmdlet(name="Get-MoveRequest", changes_exchange=False,
               parameters={"MoveStatus": str, "ResultSize": str}, required=("MoveStatus",)),
        Cmdlet(name="Get-MailboxRepairRequest", changes_exchange=False,
               parameters={"Database": str}, required=("Database",)),
        Cmdlet(name="Get-ServerComponentState", changes_exchange=False,
               parameters={"Identity": str, "Component": str}, required=("Identity",)),
        Cmdlet(name="Get-Queue", changes_exchange=False,
               parameters={"Server": str}, required=("Server",)),
        Cmdlet(name="Set-ServerComponentState", changes_exchange=True,
               parameters={"Identity": str, "Component": str, "State": str, "Requester": str},
               required=("Identity", "Component", "State", "Requester")),
        Cmdlet(name="Redirect-Message", changes_exchange=True,
               parameters={"Server": str, "Target": str, "Confirm": bool},
               required=("Server", "Target", "Confirm")),
        Cmdlet(name="Set-MailboxServer", changes_exchange=True,
               parameters={"Identity": str, "DatabaseCopyAutoActivationPolicy": str},
               required=("Identity", "DatabaseCopyAutoActivationPolicy")),
        Cmdlet(name="Move-ActiveMailboxDatabase", changes_exchange=True,
               parameters={"Identity": str, "ActivateOnServer": str, "MountDialOverride": str,
                           "MoveComment": str, "Confirm": bool},
               required=("Identity", "ActivateOnServer", "MountDialOverride", "Confirm")),
        Cmdlet(name="Dismount-Database", changes_exchange=True,
               parameters={"Identity": str, "Confirm": bool}, required=("Identity", "Confirm")),
        Cmdlet(name="Mount-Database", changes_exchange=True,
               parameters={"Identity": str, "Confirm": bool}, required=("Identity",)),
        Cmdlet(name="Set-MailboxDatabase", changes_exchange=True,
               parameters={"Identity": str, "MountAtStartup": bool},
               required=("Identity", "MountAtStartup")),
        Cmdlet(name="Suspend-MailboxDatabaseCopy", changes_exchange=True,
               parameters={"Identity": str, "SuspendComment": str, "ActivationOnly": bool,
                           "Confirm": bool},
               required=("Identity", "Confirm")),
        Cmdlet(name="Resume-MailboxDatabaseCopy", changes_exchange=True,
               parameters={"Identity": str, "ReplicationOnly": bool, "Confirm": bool},
               required=("Identity",)),
        Cmdlet(name="Update-MailboxDatabaseCopy", changes_exchange=True,
               parameters={"Identity": str, "BeginSeed": bool, "DeleteExistingFiles": bool,
                           "Confirm": bool},
               required=("Identity", "BeginSeed", "DeleteExistingFiles", "Confirm")),
        Cmdlet(name="New-MailboxRepairRequest", changes_exchange=True,
               parameters={"Database": str, "CorruptionType": str, "DetectOnly": bool},
               required=("Database", "CorruptionType")),
        Cmdlet(name="New-MailboxDatabase", changes_exchange=True,
               parameters={"Recovery": bool, "Name": str, "Server": str, "EdbFilePath": str,
                           "LogFolderPath": str, "IsExcludedFromProvisioning": bool,
                           "AutoDagExcludeFromMonitoring": bool, "StorageGroup": str},
               required=("Name", "EdbFilePath")),
        Cmdlet(name="New-StorageGroup", changes_exchange=True,
               parameters={"Name": str, "Server": str, "LogFolderPath": str,
                           "SystemFolderPath": str},
               required=("Name", "Server", "LogFolderPath", "SystemFolderPath")),
        Cmdlet(name="Remove-StorageGroup", changes_exchange=True,
               parameters={"Identity": str, "Confirm": bool}, required=("Identity", "Confirm")),
        Cmdlet(name="Remove-MailboxDatabase", changes_exchange=True,
               parameters={"Identity": str, "Confirm": bool}, required=("Identity", "Confirm")),
        Cmdlet(name="Get-Mailbox", changes_exchange=False,
               parameters={"Database": str, "ResultSize": str, "Archive": bool,
                           "Arbitration": bool, "PublicFolder": bool},
               required=("Database", "ResultSize")),
    )
}  # fmt: skip

_NAMES_ONE = (
    "Get-MailboxDatabase", "Get-MailboxDatabaseCopyStatus", "Get-PublicFolderDatabase",
)  # fmt: skip

# Sent one per request: several of them may only be used alone. Source: the cmdlet's reference.
CORRUPTION_TYPES = ("SearchFolder", "AggregateCounts", "ProvisionedFolder", "FolderView")


def check_call(call: ExchangeCall) -> ExchangeCall:
    """The same call, when it is on the closed list.

    Raises: CmdletRefused for an unknown cmdlet or parameter, a wrong type, or an empty value.
    """
    if call.cmdlet not in CMDLETS:
        raise CmdletRefused(f"{call.cmdlet} is not a cmdlet that may be sent.")
    cmdlet = CMDLETS[call.cmdlet]
    for name, value in call.parameters.items():
        _check_parameter(cmdlet, name, value)
    missing = [name for name in cmdlet.required if name not in call.parameters]
    if missing:
        raise CmdletRefused(f"{call.cmdlet} needs {', '.join(missing)}.")
    if call.cmdlet in _NAMES_ONE and not {"Identity", "Server"} & set(call.parameters):
        raise CmdletRefused(f"{call.cmdlet} needs Identity or Server.")
    if call.cmdlet == "New-MailboxDatabase":
        _check_new(call)
    named = {"New-StorageGroup": "Name", "Remove-StorageGroup": "Identity"}.get(call.cmdlet)
    if named is not None and not is_scratch_name(call.parameters[named].rpartition("\\")[2]):
        raise CmdletRefused(f"{call.cmdlet} is sent for the storage group of a pilot only.")
    return call


def is_own_group(identity: str, name: str) -> bool:
    """Whether a storage group, as `SERVER\\GROUP`, is that of the pilot's database of that name."""
    return is_scratch_name(name) and identity.rpartition("\\")[2] == name


def _check_new(call: ExchangeCall) -> None:
    """Only two kinds of databases are ever made: for recovery, and the scratch one of a pilot."""
    given = call.parameters
    if "Recovery" in given:
        is_good = given["Recovery"] is True and set(given) == _NEW_RECOVERY
    elif "StorageGroup" in given:  # before Exchange 2010, in a group of the same name
        is_good = set(given) == _IN_GROUP and is_own_group(given["StorageGroup"], given["Name"])
    else:
        is_empty = given.get("IsExcludedFromProvisioning") is True
        is_placed = {"Server", "LogFolderPath"} <= set(given)
        is_good = is_empty and is_placed and is_scratch_name(given["Name"])
    if not is_good:
        raise CmdletRefused(
            "New-MailboxDatabase is sent for recovery databases and a pilot's own only."
        )


def is_change(cmdlet: str) -> bool:
    """Whether a cmdlet changes something; one that is not on the list is refused."""
    if cmdlet not in CMDLETS:
        raise CmdletRefused(f"{cmdlet} is not a cmdlet that may be sent.")
    return CMDLETS[cmdlet].changes_exchange


def dismount(guid: str) -> ExchangeCall:
    """Dismount one database; it would ask for confirmation otherwise."""
    return _call("Dismount-Database", Identity=_guid(guid), Confirm=False)


def mount(guid: str) -> ExchangeCall:
    """Mount one database, never forced."""
    return _call("Mount-Database", Identity=_guid(guid))


def set_mount_at_startup(guid: str, value: bool) -> ExchangeCall:
    """Say whether the store mounts the database when it starts."""
    return _call("Set-MailboxDatabase", Identity=_guid(guid), MountAtStartup=value)


def get_database(guid: str) -> ExchangeCall:
    """Read one database, live state included."""
    return _call("Get-MailboxDatabase", Identity=_guid(guid), Status=True)


def new_repair_request(guid: str, corruption_type: str, detect_only: bool) -> ExchangeCall:
    """Ask the store to look for one kind of logical corruption, and to correct it unless
    `detect_only`.
    """
    if corruption_type not in CORRUPTION_TYPES:
        raise CmdletRefused(f"'{corruption_type}' is not a corruption type that is sent.")
    parameters: dict[str, Any] = {"Database": _guid(guid), "CorruptionType": corruption_type}
    if detect_only:
        parameters["DetectOnly"] = True
    return _call("New-MailboxRepairRequest", **parameters)


def get_repair_requests(guid: str) -> ExchangeCall:
    """Read the repair requests of one database."""
    return _call("Get-MailboxRepairRequest", Database=_guid(guid))


def new_recovery_database(
    name: str, server: str, *, edb_path: str, log_folder: str
) -> ExchangeCall:
    """Make a recovery database of a file that is there already; it is made dismounted."""
    return _call(
        "New-MailboxDatabase",
        Recovery=True,
        Name=_own_name(name),
        Server=server,
        EdbFilePath=edb_path,
        LogFolderPath=log_folder,
    )


def mount_recovery(name: str) -> ExchangeCall:
    """Mount a recovery database of ours by the name that we gave it; Exchange makes its GUID."""
    return _call("Mount-Database", Identity=_own_name(name))


def get_recovery(name: str) -> ExchangeCall:
    """Read a recovery database of ours."""
    return _call("Get-MailboxDatabase", Identity=_own_name(name), Status=True)


def get_group(name: str) -> ExchangeCall:
    """Read one availability group, live state included."""
    return _call("Get-DatabaseAvailabilityGroup", Identity=name, Status=True)


def get_copies(database: str) -> ExchangeCall:
    """Read how every copy of one database stands, by its GUID."""
    return _call("Get-MailboxDatabaseCopyStatus", Identity=_guid(database))


def get_copies_on(server: str) -> ExchangeCall:
    """Read how every copy on one server stands, active or passive."""
    return _call("Get-MailboxDatabaseCopyStatus", Server=server)


def get_copy(identity: str) -> ExchangeCall:
    """Read how one copy stands; its identity is `DB07\\EX03`."""
    return _call("Get-MailboxDatabaseCopyStatus", Identity=_copy(identity))


def suspend_copy(identity: str, comment: str) -> ExchangeCall:
    """Suspend replication of one passive copy; it would ask for confirmation otherwise."""
    return _call(
        "Suspend-MailboxDatabaseCopy",
        Identity=_copy(identity),
        SuspendComment=_comment(comment),
        Confirm=False,
    )


def suspend_activation(identity: str, comment: str | None) -> ExchangeCall:
    """Suspend the activation of one passive copy that replicates, with the comment that was there.
    """
    given = {} if not comment else {"SuspendComment": _comment(comment)}
    return _call(
        "Suspend-MailboxDatabaseCopy",
        Identity=_copy(identity),
        ActivationOnly=True,
        Confirm=False,
        **given,
    )


def get_certificates(server: str) -> ExchangeCall:
    """Read the certificates that Exchange knows of on one server."""
    return _call("Get-ExchangeCertificate", Server=server)


def resume_copy(identity: str, *, replication_only: bool = False) -> ExchangeCall:
    """Let replication of one passive copy go on; alone, its activation stays suspended."""
    given = {"ReplicationOnly": True} if replication_only else {}
    return _call("Resume-MailboxDatabaseCopy", Identity=_copy(identity), Confirm=False, **given)


def seed_copy(identity: str) -> ExchangeCall:
    """Have the replication service seed one suspended copy from the active one. It goes on when the
    session is gone: without -BeginSeed it would end with it.
    """
    return _call(
        "Update-MailboxDatabaseCopy",
        Identity=_copy(identity),
        BeginSeed=True,
        DeleteExistingFiles=True,
        Confirm=False,
    )


def mailbox_kinds(generation: Generation | Unknown) -> tuple[str | None, ...]:
    """The kinds of mailboxes that a version can be asked for: those for public folders came with
    Exchange 2013, archives and arbitration with 2010.
    """
    if generation in (Generation.EXCHANGE_2003, Generation.EXCHANGE_2007):
        return (None,)
    is_2010 = generation is Generation.EXCHANGE_2010
    return tuple(kind for kind in MAILBOX_KINDS if not (is_2010 and kind == "PublicFolder"))


def new_scratch_database(
    name: str, server: str, *, edb_path: str, log_folder: str, is_monitored: bool = True
) -> ExchangeCall:
    """Make the scratch database of a pilot: no mailbox is put into it by Exchange itself.

    Shape: `is_monitored` where the version has managed availability, which leaves it out then.
    """
    left_out = {"AutoDagExcludeFromMonitoring": True} if is_monitored else {}
    return _call(
        "New-MailboxDatabase",
        Name=_scratch_name(name),
        Server=server,
        EdbFilePath=edb_path,
        LogFolderPath=log_folder,
        IsExcludedFromProvisioning=True,
        **left_out,
    )


def mount_scratch(name: str) -> ExchangeCall:
    """Mount a scratch database by the name that we gave it."""
    return _call("Mount-Database", Identity=_scratch_name(name))


def get_scratch(name: str) -> ExchangeCall:
    """Read a scratch database of ours."""
    return _call("Get-MailboxDatabase", Identity=_scratch_name(name), Status=True)


def get_mailboxes(guid: str, kind: str | None) -> ExchangeCall:
    """Read whether a database holds mailboxes of one kind; one is enough to know."""
    if kind not in MAILBOX_KINDS:
        raise CmdletRefused(f"'{kind}' is not a kind of mailboxes that is asked for.")
    extra = {} if kind is None else {kind: True}
    return _call("Get-Mailbox", Database=_guid(guid), ResultSize="1", **extra)


def remove_database(guid: str) -> ExchangeCall:
    """Remove the object of a database; its files stay. Only a pilot's own is ever removed."""
    return _call("Remove-MailboxDatabase", Identity=_guid(guid), Confirm=False)


def get_databases(server: str) -> ExchangeCall:
    """Read every database with a copy on a server."""
    return _call("Get-MailboxDatabase", Server=server, Status=True)


def _call(name: str, **parameters: Any) -> ExchangeCall:
    return check_call(ExchangeCall(cmdlet=name, parameters=parameters))


def _guid(text: str) -> str:
    if not _GUID.match(text):
        raise CmdletRefused(f"'{text}' is not the GUID of a database.")
    return text.lower()


def _comment(text: str) -> str:
    if len(text) > COMMENT_MAX:
        raise CmdletRefused(f"a comment of a suspended copy has {COMMENT_MAX} characters at most.")
    return text


def _copy(identity: str) -> str:
    """Exactly one copy: a wildcard, or a name without its server, would mean several."""
    if not _COPY.match(identity):
        raise CmdletRefused(f"'{identity}' does not name one copy of one database.")
    return identity


def _own_name(name: str) -> str:
    if not _RECOVERY_NAME.match(name):
        raise CmdletRefused(f"'{name}' is not a name for a recovery database.")
    return name


def _scratch_name(name: str) -> str:
    if not is_scratch_name(name):
        raise CmdletRefused(f"'{name}' is not the name of a pilot's database.")
    return name


def _check_parameter(cmdlet: Cmdlet, name: str, value: Any) -> None:
    if name not in cmdlet.parameters:
        raise CmdletRefused(f"{cmdlet.name} may not be sent with -{name}.")
    kind = cmdlet.parameters[name]
    if type(value) is not kind:
        raise CmdletRefused(f"-{name} of {cmdlet.name} takes {kind.__name__}, not {value!r}.")
    if isinstance(value, str) and not value.strip():
        raise CmdletRefused(f"-{name} of {cmdlet.name} is empty: it would mean everything.")
