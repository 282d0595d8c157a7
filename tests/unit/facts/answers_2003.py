"""What the host scripts say of a server with Exchange 2003, as literal answers."""

from __future__ import annotations

from typing import Any

GROUP_GUID = "e85d4e03-5bb3-44c5-bd2f-1343972a1b1a"
STORE_GUID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
EDB, STM = "D:\\mdbdata\\priv1.edb", "D:\\mdbdata\\priv1.stm"


def group(**changes: Any) -> dict[str, Any]:
    return {
        "$type": "StorageGroup",
        "Name": "First Storage Group",
        "Guid": GROUP_GUID,
        "Server": "EX07",
        "LogFolderPath": "L:\\mdbdata",
        "LogFilePrefix": "E00",
        "CircularLoggingEnabled": False,
        "Recovery": False,
        **changes,
    }


def store(**changes: Any) -> dict[str, Any]:
    return {
        "$type": "MailboxDatabase",
        "Name": "Mailbox Store (EX07)",
        "Guid": STORE_GUID.upper(),
        "Server": "EX07",
        "StorageGroup": "First Storage Group",
        "Recovery": False,
        "EdbFilePath": EDB,
        "StreamingFilePath": STM,
        "MountAtStartup": True,
        "Mounted": True,
        **changes,
    }


def public(**changes: Any) -> dict[str, Any]:
    return store(
        **{
            "$type": "PublicFolderDatabase",
            "Name": "Public Folder Store (EX07)",
            "Guid": "11111111-2222-3333-4444-555555555555",
            "EdbFilePath": "D:\\mdbdata\\pub1.edb",
            "StreamingFilePath": "D:\\mdbdata\\pub1.stm",
            **changes,
        }
    )


def answer(*objects: dict[str, Any], errors: tuple[dict[str, str], ...] = ()) -> dict[str, Any]:
    found = objects or (group(), store(), public())
    return {"objects": list(found), "errors": list(errors), "warnings": []}


def backup_events(*ids: int, at: str = "2026-11-21T0{}:00:00Z") -> list[dict[str, Any]]:
    """Entries as the vendor's articles show them, an hour apart; 221 once for each file."""
    words = {
        210: "A full backup is starting.",
        211: "An incremental backup is starting.",
        213: "The backup procedure has been successfully completed.",
        215: "The backup has been stopped.",
    }
    found = []
    for hour, number in enumerate(ids):
        texts = [words[number]] if number in words else [
            f"Ending the backup of the file {path}." for path in (EDB, STM)
        ]
        found += [
            {
                "log": "Application",
                "provider": "ESE",
                "id": number,
                "at": at.format(hour),
                "text": f"Information Store (1812) {GROUP_GUID}: {text}",
            }
            for text in texts
        ]
    return list(reversed(found))
