"""The snap-in of Exchange 2007 as a host script sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from goexchange.model.actual import Generation

SNAP_IN = "Microsoft.Exchange.Management.PowerShell.Admin"
_WANTED = (
    "$type",
    "Name", "Guid", "Identity", "Fqdn", "Edition", "AdminDisplayVersion", "ClusteredStorageType",
    "RedundantMachines", "Server", "StorageGroup", "EdbFilePath", "Recovery", "MountAtStartup",
    "Mounted", "MountedOnServer", "BackupInProgress", "LastFullBackup", "LogFolderPath",
    "LogFilePrefix", "CircularLoggingEnabled", "HasLocalCopy", "StandbyMachines",
)  # fmt: skip


def has_snapin(generation: Generation) -> bool:
    """Whether the version's own snap-in is the one of Exchange 2007."""
    return generation is Generation.EXCHANGE_2007


def asked_properties(found: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that the script takes along, of those that the object has."""
    return {name: found[name] for name in _WANTED if name in found}
