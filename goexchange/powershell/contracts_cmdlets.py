"""The contracts of the host scripts that carry Exchange cmdlets over the Windows channel, where a
version has no endpoint of its own for them, and of what its cmdlets do not tell.

Shape: which cmdlets there are, and what each may be given, is closed here as it is in `cmdlets`.
"""

from __future__ import annotations

from goexchange.powershell.contract import (
    ANYTHING,
    COUNT,
    EVENT,
    FENCE,
    FLAG,
    TEXT,
    TIME,
    Contract,
    maybe,
    record,
    several,
)

ASKED = (
    "Get-ExchangeServer", "Get-MailboxServer", "Get-StorageGroup", "Get-MailboxDatabase",
    "Get-PublicFolderDatabase", "Get-Mailbox",
)  # fmt: skip
OF_PILOTS = (
    "New-StorageGroup", "New-MailboxDatabase", "Mount-Database", "Remove-MailboxDatabase",
    "Remove-StorageGroup",
)  # fmt: skip
TOLD = ("Mount-Database", "Dismount-Database", "Set-MailboxDatabase", "Set-PublicFolderDatabase")
CMDLET_ANSWER = record(
    objects=several(ANYTHING),  # properties by name, the .NET type under `$type`
    errors=several(record(message=TEXT, id=TEXT, category=TEXT, target=TEXT)),
    warnings=several(TEXT),
)
CALLS = several(
    record(
        cmdlet={"type": "string", "enum": list(ASKED)},
        identity=maybe(TEXT),
        server=maybe(TEXT),
        status=FLAG,
    )
)
TOLD_ARGUMENTS = record(
    **FENCE,
    cmdlet={"type": "string", "enum": list(TOLD)},
    identity=TEXT,
    mount_at_startup=maybe(FLAG),
    node=maybe(TEXT),  # of a cluster: no other machine does it
)
PILOT_ARGUMENTS = record(
    **FENCE,
    cmdlet={"type": "string", "enum": list(OF_PILOTS)},
    name=maybe(TEXT),  # of the group and of the database: it is one name
    server=maybe(TEXT),
    identity=maybe(TEXT),  # the GUID of a database that is removed
    edb_path=maybe(TEXT),
    log_folder=maybe(TEXT),
)

ASK_SNAPIN = Contract(
    script="ask-snapin",
    version=1,
    purpose="what the cmdlets of Exchange 2007 that only read say, by its snap-in; changes nothing",
    changes_host=False,
    arguments=record(calls=CALLS),
    result=CMDLET_ANSWER,
    errors=("no-snap-in",),
    cmdlets=("Add-PSSnapin", *ASKED),
)

TELL_SNAPIN = Contract(
    script="tell-snapin",
    version=2,
    purpose="one cmdlet of Exchange 2007 that changes something, by its snap-in",
    changes_host=True,
    arguments=TOLD_ARGUMENTS,
    result=CMDLET_ANSWER,
    errors=("fenced", "root-not-private", "other-node", "no-snap-in"),
    cmdlets=("Add-PSSnapin", "Get-Acl", *TOLD),
)

PILOT_SNAPIN = Contract(
    script="pilot-snapin",
    version=1,
    purpose="makes, mounts or removes the storage group and the database of a pilot on Exchange"
    " 2007, and nothing else, by its snap-in",
    changes_host=True,
    arguments=PILOT_ARGUMENTS,
    result=CMDLET_ANSWER,
    errors=("fenced", "root-not-private", "no-snap-in", "not-a-pilot"),
    cmdlets=("Add-PSSnapin", "Get-Acl", "Get-MailboxDatabase", *OF_PILOTS),
)

READ_SPACE = Contract(
    script="read-space",
    version=1,
    purpose="what the store of Exchange 2007 or 2003 wrote of the free space of its databases in"
    " the last hours; changes nothing",
    changes_host=False,
    arguments=record(hours=COUNT),
    result=record(clock=TIME, events=several(EVENT)),
    errors=(),
    cmdlets=("Get-CimInstance", "Get-WinEvent"),
)

ASK_OBJECTS = Contract(
    script="ask-objects",
    version=1,
    purpose="what the management objects of Exchange 2003 and the directory say of its stores, in"
    " the words of later versions' cmdlets; changes nothing",
    changes_host=False,
    arguments=record(calls=CALLS),
    result=CMDLET_ANSWER,
    errors=("no-management-objects",),
    cmdlets=(),
)

TELL_OBJECTS = Contract(
    script="tell-objects",
    version=2,
    purpose="one change of a store of Exchange 2003 by its management objects: mounted, dismounted,"
    " its mount at startup",
    changes_host=True,
    arguments=TOLD_ARGUMENTS,
    result=CMDLET_ANSWER,
    errors=("fenced", "root-not-private", "other-node", "no-management-objects"),
    cmdlets=("Get-Acl",),
)

PILOT_OBJECTS = Contract(
    script="pilot-objects",
    version=1,
    purpose="makes, mounts or removes the storage group and the store of a pilot on Exchange 2003,"
    " and nothing else, by its management objects",
    changes_host=True,
    arguments=PILOT_ARGUMENTS,
    result=CMDLET_ANSWER,
    errors=("fenced", "root-not-private", "no-management-objects", "not-a-pilot"),
    cmdlets=("Get-Acl",),
)

CMDLET_CONTRACTS: tuple[Contract, ...] = (
    ASK_SNAPIN,
    TELL_SNAPIN,
    PILOT_SNAPIN,
    READ_SPACE,
    ASK_OBJECTS,
    TELL_OBJECTS,
    PILOT_OBJECTS,
)
