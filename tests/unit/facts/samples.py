"""One server's answers as real ones look: an Exchange 2019 server with a mounted database, and its
host.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from goexchange.facts.observation import Asked

NOW = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
GUID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
ASKED = Asked(server="EX01", known=(GUID,))
ERROR_ID = (
    "[Server=EX01,RequestId=0f4c,TimeStamp=11/22/2026 10:15:00 AM]"
    " [FailureCategory=Cmdlet-X] 6C7E3A3F,"
    "Microsoft.Exchange.Management.RecipientTasks."
)


def database(**changes: Any) -> dict[str, Any]:
    return {
        "$type": "Microsoft.Exchange.Data.Directory.SystemConfiguration.MailboxDatabase",
        "Name": "DB01",
        "Guid": GUID,
        "Server": "EX01",
        "EdbFilePath": "D:\\DB01\\DB01.edb",
        "LogFolderPath": "L:\\DB01",
        "LogFilePrefix": "E00",
        "Mounted": True,
        "MountedOnServer": "ex01.example.com",
        "Recovery": False,
        "Servers": ["EX01"],
        "ReplicationType": "None",
        "CircularLoggingEnabled": False,
        "MountAtStartup": True,
        "BackupInProgress": False,
        "LastFullBackup": "2026-11-20T21:00:55Z",
        "DatabaseSize": "10.5 GB (11,274,289,152 bytes)",
        "AvailableNewMailboxSpace": "4.2 GB (4,509,715,660 bytes)",
        **changes,
    }


def exchange(*databases: dict[str, Any], **changes: Any) -> dict[str, Any]:
    objects: list[dict[str, Any]] = [
        {
            "$type": "Microsoft.Exchange.Data.Directory.Management.ExchangeServer",
            "Name": "EX01",
            "Fqdn": "ex01.example.com",
            "Edition": "Enterprise",
            "AdminDisplayVersion": "Version 15.2 (Build 1748.10)",
        },
        {
            "$type": "Microsoft.Exchange.Data.Directory.Management.MailboxServer",
            "Name": "EX01",
            "DatabaseAvailabilityGroup": None,
        },
        *(databases or (database(),)),
    ]
    answer = {"objects": objects, "errors": [], "warnings": []}
    return {**answer, **changes}


def move(source: str | None, target: str | None) -> dict[str, Any]:
    return {
        "$type": "Microsoft.Exchange.Management.RecipientTasks.MoveRequest",
        "SourceDatabase": source,
        "TargetDatabase": target,
    }


def repair(state: str | None, *, guid: str = GUID, identity: str | None = None) -> dict[str, Any]:
    return {
        "$type": "Microsoft.Exchange.Data.Storage.Management.StoreIntegrityCheckJob",
        "Identity": identity or f"{guid}\\0a\\0b",
        "JobState": state,
    }


def error(cmdlet: str, *, target: str = "") -> dict[str, Any]:
    words = {"message": "it failed", "category": "X", "target": target}
    return {
        **words,
        "id": ERROR_ID + cmdlet.replace("-", "") if cmdlet else "CommandNotFoundException",
    }


def volume(mount_point: str, **sizes: int) -> dict[str, Any]:
    return {"mount_point": mount_point, "label": "", "is_local": True, **sizes}


def host(**changes: Any) -> dict[str, Any]:
    record = {
        "database_guid": GUID,
        "database": "DB01",
        "run": "r1",
        "signature": "ab" * 28,
        "verified_at_utc": "2026-11-01T01:00:00Z",
        "rebuilt_at_utc": "2026-05-01T01:00:00Z",
        "rebuild_gain_bytes": 5,
        "rebuild_goal_met": True,
        "set_folder": "B:\\set",
        "set_digest": "00",
        "set_taken_at_utc": "2026-05-01T00:00:00Z",
        "protected_at_utc": "2026-05-01T02:00:00Z",
    }
    recovery = {
        "run": "r0",
        "database_guid": GUID,
        "state": "open",
        "opened_at": "2026-11-01T00:00:00.0Z",
        "phase": "before",
    }
    event = {
        "log": "Application",
        "provider": "ESE",
        "id": 213,
        "at": "2026-11-20T21:00:00.1234567Z",
        "text": "done",
    }
    return {
        "host": {
            "name": "EX01",
            "boot_id": "2026-11-01T06:00:00.0000000Z",
            "booted_at": "2026-11-01T06:00:00.0000000Z",
            "clock": "2026-11-22T10:15:02Z",
            "powershell": "5.1.17763.1",
            "is_elevated": True,
        },
        "exchange": {
            "exsetup_version": "15.2.1748.43",
            "eseutil_version": "15.2.1748.43",
            "eseutil_path": "C:\\Exchange\\Bin\\eseutil.exe",
        },
        "volumes": [
            volume("D:\\", size_bytes=100, free_bytes=40),
            volume("D:\\DB01", size_bytes=90, free_bytes=30),
            volume("L:\\", size_bytes=80, free_bytes=20),
        ],
        "services": [{"name": "MSExchangeIS", "state": "Running", "start_type": "Automatic"}],
        "tasks": [{"name": "\\b", "state": "Ready", "actions": ["wbadmin"], "next_run": None}],
        "processes": [{"name": "wbengine", "id": 4, "started_at": None}],
        "files": [
            {
                "path": "D:\\DB01\\DB01.edb",
                "exists": True,
                "size_bytes": 11274289152,
                "created_at": "2024-03-02T08:15:32Z",
                "modified_at": "2026-11-22T10:00:00Z",
            }
        ],
        "log_folders": [{"folder": "L:\\DB01", "count": 120, "total_bytes": 125829120}],
        "storage_events": [],
        "backup_events": [event],
        "windows_backup": {
            "is_installed": True,
            "is_running": False,
            "last_success": None,
            "last_result": 0,
            "next_scheduled": "2026-11-23T21:00:00Z",
        },
        "is_reboot_pending": False,
        "replication_queues": [],
        "fence": 12,
        "records": [record],
        "recoveries": [recovery],
        "failures": [],
        **changes,
    }
