"""Online repair requests of the store (New-MailboxRepairRequest)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from attrs import define

from goexchange.world.databases import MailboxDatabase

QUEUED = "Queued"
RUNNING = "Running"
SUCCEEDED = "Succeeded"
FAILED = "Failed"


@define(kw_only=True)
class RepairRequest:
    """One request for a whole database; `state` is the text of the enumeration JobState."""

    database: UUID
    request: UUID
    job: UUID
    corruption_types: tuple[str, ...]
    is_detect_only: bool
    queued_at: datetime
    ends_at: datetime | None
    state: str = RUNNING
    corruptions_found: int = 0

    @property
    def identity(self) -> str:
        return f"{self.database}\\{self.request}\\{self.job}"


def finish_request(request: RepairRequest, databases: Mapping[UUID, MailboxDatabase]) -> None:
    """Its time is over; a database that is not mounted any more has ended it early."""
    request.ends_at = None
    is_mounted = databases[request.database].mounted_on is not None
    request.state = SUCCEEDED if is_mounted else FAILED
