"""How a person looks at a database and mounts it, in the words of its version: cmdlets, or Exchange
System Manager where there are none.
"""

from __future__ import annotations

from goexchange.model.actual import Generation
from goexchange.model.unknown import known
from goexchange.plan.context import LaneContext


def has_cmdlets(context: LaneContext) -> bool:
    """Whether the version has cmdlets at all."""
    return context.server.generation is not Generation.EXCHANGE_2003


def tool(context: LaneContext) -> str:
    """What the text needs."""
    return "the Exchange Management Shell" if has_cmdlets(context) else "Exchange System Manager"


def look(context: LaneContext) -> list[str]:
    """Is it mounted?"""
    if has_cmdlets(context):
        guid = context.database.guid
        return [
            f"   Get-MailboxDatabase -Identity {guid} -Status | Format-List Name, Mounted",
            "   Mounted True: go to 4.",
        ]
    return [
        f"   {_place(context)}: a menu with *Dismount Store*",
        "   says that it is mounted: go to 4.",
    ]


def mount(context: LaneContext) -> list[str]:
    """Mount it."""
    if has_cmdlets(context):
        return [f"   Mount-Database -Identity {context.database.guid}"]
    return [f"   {_place(context)}: *Mount Store*"]


def setting(context: LaneContext) -> list[str]:
    """What mount at startup was: no outage is planned where that is not known."""
    if not has_cmdlets(context):
        return [
            f"   {_place(context)}: Properties, Database:",
            "   *Do not mount this store at start-up* must be off.",
        ]
    value = "$true" if known(context.database.is_mount_at_startup) else "$false"
    guid = context.database.guid
    return [
        f"   Set-MailboxDatabase -Identity {guid} -MountAtStartup {value}",
        f"   Get-MailboxDatabase -Identity {guid} -Status | Format-List Name, Mounted",
    ]


def who_logs(context: LaneContext) -> str:
    """What tells whose logs they are; before Exchange 2010 they are a group's."""
    if not has_cmdlets(context):
        return "Exchange System Manager: the storage groups' Properties name their log folders"
    is_group = context.server.generation is Generation.EXCHANGE_2007
    cmdlet = "Get-StorageGroup" if is_group else "Get-MailboxDatabase"
    return f"{cmdlet} | Format-List Name,LogFolderPath,LogFilePrefix"


def _place(context: LaneContext) -> str:
    database = context.database
    return f"Servers, {context.server.name}, {database.storage_group}, {database.name}"
