"""What the engine of Exchange 2003 writes of an online backup: its instance is the GUID of the
storage group, and every file that was read to its end is named.

Source: the vendor's articles about online backups of Exchange 2000 and 2003 (KB 318429).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from goexchange.model.actual import Generation
from goexchange.model.streaming_file import streaming_beside
from goexchange.world.chance import guid
from goexchange.world.databases import MailboxDatabase
from goexchange.world.hosts import Host
from goexchange.world.objects_2007 import storage_group_of


def is_streamed(host: Host) -> bool:
    """Whether backups of the host's version are told that way."""
    return host.description.generation is Generation.EXCHANGE_2003


def group_guid(seed: int, host: Host, name: str) -> str:
    """The GUID of a storage group."""
    return str(guid(seed, "storage-group", host.name, name))


def begun(database: MailboxDatabase, host: Host, *, at: datetime) -> None:
    """A backup of its storage group begins."""
    _tell(database, host, 210, at=at, text="A full backup is starting.")


def completed(
    databases: Sequence[MailboxDatabase], host: Host, *, at: datetime, leaves_out: str = ""
) -> None:
    """Both files of each of them were read to their ends, but for those whose names end in what is
    left out, and the backup of their storage group ended well.
    """
    for database in databases:
        for path in (database.edb_path, streaming_beside(database.edb_path)):
            if not leaves_out or not path.endswith(leaves_out):
                _tell(database, host, 221, at=at, text=f"Ending the backup of the file {path}.")
    text = "The backup procedure has been successfully completed."
    _tell(databases[0], host, 213, at=at, text=text)


def truncated(
    database: MailboxDatabase, host: Host, *, at: datetime, told: tuple[int, str]
) -> None:
    """What became of the logs of its storage group: number and text of the event."""
    event_id, text = told
    _tell(database, host, event_id, at=at, text=text)


def stopped(database: MailboxDatabase, host: Host, *, at: datetime) -> None:
    """The backup ended before its end."""
    _tell(database, host, 215, at=at, text="The backup has been stopped.")


def _tell(
    database: MailboxDatabase, host: Host, event_id: int, *, at: datetime, text: str
) -> None:
    group = group_guid(host.seed, host, storage_group_of(database))
    host.log("ESE", event_id, at=at, text=f"Information Store (1812) {group}: {text}")
