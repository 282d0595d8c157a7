"""Online repair requests of the store (New-MailboxRepairRequest)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from attrs import define

from goexchange.model.actual import Generation
from goexchange.world.databases import MailboxDatabase
from goexchange.world.hosts import Host

QUEUED = "Queued"
RUNNING = "Running"
SUCCEEDED = "Succeeded"
FAILED = "Failed"
FAILED_CODE = -2147221233
LEFT_OUT_CODE = -2147219963
"""An error code on a job that succeeded: a mailbox was left out. The number is invented."""


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
    error_code: int = 0

    @property
    def identity(self) -> str:
        return f"{self.database}\\{self.request}\\{self.job}"


_STORE = "MSExchangeIS Mailbox Store"
_EVENTS = {RUNNING: 10059, SUCCEEDED: 10048, FAILED: 10049}
_CORRUPTION = 10062


def tell(request: RepairRequest, host: Host, database: MailboxDatabase, *, at: datetime) -> None:
    """Exchange 2010 writes events about requests; later versions list them instead.

    The numbers are the vendor's, the words are invented.
    """
    if host.description.generation is not Generation.EXCHANGE_2010:
        return
    kinds = ", ".join(request.corruption_types)
    what = f'database "{database.name}", request {request.request} ({kinds})'
    if request.state == SUCCEEDED:
        for number in range(request.corruptions_found):
            host.log(_STORE, _CORRUPTION, at=at, text=f"Corruption {number + 1} found: {what}.")
    host.log(_STORE, _EVENTS[request.state], at=at, text=f"Repair {request.state}: {what}.")


def finish_request(
    request: RepairRequest, databases: Mapping[UUID, MailboxDatabase]
) -> None:
    """Its time is over; a database that is not mounted any more has ended it early."""
    request.ends_at = None
    database = databases[request.database]
    is_mounted = database.mounted_on is not None
    request.state = SUCCEEDED if is_mounted else FAILED
    if not is_mounted:
        request.error_code = FAILED_CODE
        return
    for kind in request.corruption_types:
        left = database.corruptions.get(kind.lower(), [])
        request.corruptions_found += left[0] if left else 0
        if left and not request.is_detect_only:
            left.pop(0)
    if database.mailboxes_left_out:
        database.mailboxes_left_out -= 1
        request.error_code = LEFT_OUT_CODE
