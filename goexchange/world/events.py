"""The event logs of a host."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from attrs import frozen

from goexchange.world.sharing import Shared

APPLICATION = "Application"
SYSTEM = "System"
WINDOWS_BACKUP = "Microsoft-Windows-Backup"

_STORAGE_IDS = frozenset({*range(474, 478), 481, 482, *range(507, 511), 515, 516, *range(530, 534)})
_STORAGE_PROVIDERS = frozenset(
    {"disk", "Ntfs", "Microsoft-Windows-Ntfs", "storport", "storahci", "iScsiPrt", "mpio", "volmgr"}
)
_BACKUP_IDS = frozenset({*range(210, 216), 217, 221, *range(224, 227), *range(2005, 2011)})
_BACKUP_PROVIDERS = frozenset({"ESE", "ESE BACKUP", "MSExchangeIS", "MSExchangeRepl"})
_REPAIR_IDS = frozenset({10045, 10047, 10048, 10049, 10050, 10051, 10059, 10062})
_KEPT_MAX = 300


@frozen(kw_only=True)
class Event(Shared):
    """One entry; `event_id` is a number of its provider."""

    log: str
    provider: str
    event_id: int
    at: datetime
    text: str


class EventLog:
    """Everything that was written, in order."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    def write(self, event: Event) -> None:
        """Add an entry."""
        self._events.append(event)

    def all(self) -> tuple[Event, ...]:
        """Every entry, oldest first."""
        return tuple(self._events)

    def storage_since(self, moment: datetime) -> tuple[Event, ...]:
        """Signs of trouble with storage, the newest first."""
        return self._since(moment, is_storage_event)

    def backup_since(self, moment: datetime) -> tuple[Event, ...]:
        """Signs of backups, begun and ended, the newest first."""
        return self._since(moment, is_backup_event)

    def _since(self, moment: datetime, wanted: Callable[[Event], bool]) -> tuple[Event, ...]:
        found = [each for each in self._events if each.at >= moment and wanted(each)]
        return tuple(reversed(found))[:_KEPT_MAX]


def is_storage_event(event: Event) -> bool:
    """Whether an entry tells of trouble with storage. Source: ESE source, jetmsg.mc."""
    if event.log == APPLICATION:
        return event.provider == "ESE" and event.event_id in _STORAGE_IDS
    return event.log == SYSTEM and event.provider in _STORAGE_PROVIDERS


def is_repair_event(event: Event) -> bool:
    """Whether the store of Exchange 2010 tells of a repair request. Source: the vendor's reference
    of New-MailboxRepairRequest.
    """
    is_store = event.provider == "MSExchangeIS Mailbox Store" and event.event_id in _REPAIR_IDS
    return event.log == APPLICATION and is_store


def is_backup_event(event: Event) -> bool:
    """Whether an entry belongs to a backup. Source: ESE source, jetmsg.mc."""
    is_backup = event.provider in _BACKUP_PROVIDERS and event.event_id in _BACKUP_IDS
    return event.log == APPLICATION and is_backup
