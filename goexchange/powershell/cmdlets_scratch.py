"""The calls that make and remove a pilot's storage group, before Exchange 2010: a database is made
in one, and the scratch database in one of its own, of the same name.

Source: the vendor's references of New-StorageGroup, New-MailboxDatabase and Remove-StorageGroup for
Exchange 2007. That a group is removed only when it is empty, and that its files stay, is theirs.
"""

from __future__ import annotations

from goexchange.model.plan import ExchangeCall
from goexchange.powershell.cmdlets import CmdletRefused, check_call, is_scratch_name


def new_group(name: str, server: str, *, log_folder: str) -> ExchangeCall:
    """Make the storage group: its logs and its checkpoint lie in one folder."""
    return _call(
        "New-StorageGroup",
        Name=_name(name),
        Server=server,
        LogFolderPath=log_folder,
        SystemFolderPath=log_folder,
    )


def new_in_group(name: str, server: str, *, edb_path: str) -> ExchangeCall:
    """Make the scratch database in its group. These versions put no mailbox anywhere by themselves:
    who makes one names its database.
    """
    return _call(
        "New-MailboxDatabase",
        Name=_name(name),
        StorageGroup=f"{server}\\{name}",
        EdbFilePath=edb_path,
    )


def remove_group(name: str, server: str) -> ExchangeCall:
    """Remove the storage group; only an empty one is."""
    return _call("Remove-StorageGroup", Identity=f"{server}\\{_name(name)}", Confirm=False)


def get_groups(server: str) -> ExchangeCall:
    """Read every storage group of a server."""
    return _call("Get-StorageGroup", Server=server)


def _call(cmdlet: str, **parameters: object) -> ExchangeCall:
    return check_call(ExchangeCall(cmdlet=cmdlet, parameters=parameters))


def _name(name: str) -> str:
    if not is_scratch_name(name):
        raise CmdletRefused(f"'{name}' is not the name of a pilot's storage group.")
    return name
