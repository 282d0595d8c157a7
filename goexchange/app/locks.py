"""The verbs `lock list` and `lock break`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from attrs import frozen

from goexchange.app.leasing import leases_of
from goexchange.app.planning import who
from goexchange.codec import time_text
from goexchange.errors import InvalidDocument, NotNow
from goexchange.journal.chain import Draft
from goexchange.model.configuration import Configuration
from goexchange.model.run import RecordKind
from goexchange.schema import suggestion
from goexchange.store.clock import SystemClock
from goexchange.store.holders import is_here
from goexchange.store.journal_file import JournalFile, is_locked
from goexchange.store.leases import Lease
from goexchange.store.runs import Runs

OPERATORS_NAME = "operators.jsonl"


@frozen(kw_only=True)
class Broken:
    """A lease that was taken away: as it was, by whom, and from when on another run may have it."""

    lease: Lease
    by: str
    why: str
    free_at_utc: datetime | None
    journals: tuple[str, ...]


def lease_of(settings: Configuration, name: str) -> Lease:
    """A lease by its name (a server, or `dag:` and a group).

    Raises: InvalidDocument when nobody has it.
    """
    held = {lease.server: lease for lease in leases_of(settings).read() if lease.holder}
    for server, lease in held.items():
        if server.casefold() == name.casefold():
            return lease
    known = ", ".join(held) or "none"
    raise InvalidDocument(
        f"nobody has a lease '{name}' (held: {known}). {suggestion(name, tuple(held))}".rstrip()
    )


def break_lease(settings: Configuration, name: str, *, why: str) -> Broken:
    """Take a lease from its holder; said in the store's operators' journal before, and in the
    run's own journal when that is here and nobody writes it.

    Raises: InvalidDocument (nobody has it), NotNow (its process lives on this machine: nothing was
    changed), Damaged (a journal).
    """
    lease = lease_of(settings, name)
    store, now, by = Path(settings.store), SystemClock().now(), who()
    folder = next((each for each in Runs(store).list() if each.id == lease.run), None)
    if folder is not None and is_locked(folder.journal_path):
        raise NotNow(
            f"{lease.server} is held by a process that is alive ({lease.holder}); nothing was"
            f" changed. Ask it first: goexchange abort {folder.id} (or stop). A process that"
            " hangs has to be ended before its lease is broken"
        )
    draft = Draft(
        RecordKind.LEASE,
        {
            "server": lease.server,
            "number": lease.number,
            "holder": lease.holder,
            "expires_at_utc": time_text(lease.expires_at_utc or now),
            "state": "broken",
            "by": by,
            "why": why,
        },
    )
    store.mkdir(parents=True, exist_ok=True)
    paths = [store / OPERATORS_NAME]
    if folder is not None and folder.journal_path.exists():
        paths.append(folder.journal_path)
    for path in paths:
        with JournalFile(path) as journal:
            journal.append((draft,), now)
    leases = leases_of(settings)
    leases.revoke(lease.server, now=now)
    after = {each.server: each for each in leases.read()}[lease.server]
    return Broken(
        lease=lease,
        by=by,
        why=why,
        free_at_utc=after.free_at(),
        journals=tuple(str(path) for path in paths),
    )


def is_elsewhere(lease: Lease, now: datetime) -> bool:
    """Whether its holder is another machine's process that may still be alive."""
    return lease.is_held(now) and not is_here(lease.holder or "")
