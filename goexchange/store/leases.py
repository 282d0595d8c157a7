"""Leases: a time-limited exclusive right to act on a server or an availability group, with a
fencing number that never goes back.

The rules stand here once; the back ends (`lease_sqlite`, `lease_folder`) only keep what the rules
say, each change whole or not at all. All leases of a run are taken in the order of their names, or
none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from attrs import evolve, frozen

from goexchange.codec import time_text
from goexchange.errors import LeaseLost, Locked
from goexchange.store.holders import is_here


@frozen(kw_only=True)
class Lease:
    """One lease as it stands; `holder` is None when nobody has it. `number` is the last fencing
    number given out.

    Units: `cmdlet_limit_s` is how long what the holder sent last may still be under way after the
    lease has expired: nobody else takes it before.
    """

    server: str
    number: int
    holder: str | None
    run: str | None
    acquired_at_utc: datetime | None
    expires_at_utc: datetime | None
    cmdlet_limit_s: int = 0

    def is_held(self, now: datetime) -> bool:
        """Whether somebody has it at that moment."""
        return (
            self.holder is not None
            and self.expires_at_utc is not None
            and now < self.expires_at_utc
        )

    def free_at(self, allowance: timedelta = timedelta(0)) -> datetime | None:
        """From when on somebody else may take it; None when it is free."""
        if self.holder is None or self.expires_at_utc is None:
            return None
        return self.expires_at_utc + timedelta(seconds=self.cmdlet_limit_s) + allowance


@frozen(kw_only=True)
class Claim:
    """Who wants a lease, for how long, and what they know.

    Shape: `at_least` is for a store that knows less than the hosts: a number that a host has seen
    from another store. `is_run_locked` says that the caller alone has the run's journal open: no
    other process of that run is alive on this machine, and what a dead one of this machine left
    behind is free at once. From anybody else a lease is free only when it has expired and the
    longest cmdlet limit of its holder is over. `allowance` is for clocks that differ.
    """

    holder: str
    run: str
    lease_s: int
    now: datetime
    cmdlet_limit_s: int = 0
    is_run_locked: bool = False
    allowance: timedelta = timedelta(0)


class Leases(Protocol):
    """What every back end does.

    Raises: LeasesUnreachable from every method when what keeps the leases cannot be read or
    written.
    """

    def acquire(
        self,
        servers: Sequence[str],
        *,
        holder: str,
        run: str,
        lease_s: int,
        now: datetime,
        cmdlet_limit_s: int = 0,
        is_run_locked: bool = False,
        at_least: Mapping[str, int] | None = None,
    ) -> tuple[Lease, ...]:
        """Take all of them with new fencing numbers, or none.

        Shape: as `Claim`; `at_least` names servers whose number must not be lower than that.
        Raises: Locked with who holds one, since when, until when.
        """
        ...

    def renew(self, held: Sequence[Lease], *, lease_s: int, now: datetime) -> tuple[Lease, ...]:
        """Make all of them last longer; the numbers stay. Raises: LeaseLost when one is not ours
        any more.
        """
        ...

    def release(self, held: Sequence[Lease]) -> None:
        """Give them back; one that is not ours any more is left alone."""
        ...

    def revoke(self, server: str, *, now: datetime) -> Lease:
        """Take a lease from whoever has it; return it as it was. Its number rises, so that the old
        holder learns it; the next one waits until the cmdlet limit is over.
        """
        ...

    def read(self) -> tuple[Lease, ...]:
        """Every lease that was ever taken, by server."""
        ...


def never_taken(server: str) -> Lease:
    """The lease of a server that nobody has ever had."""
    return Lease(
        server=server,
        number=0,
        holder=None,
        run=None,
        acquired_at_utc=None,
        expires_at_utc=None,
    )


def taken(before: Lease, claim: Claim, *, at_least: int = 0) -> Lease:
    """The lease after it was taken.

    Raises: Locked while somebody else has it.
    """
    is_dead = claim.is_run_locked and before.run == claim.run and is_here(before.holder or "")
    free_at = before.free_at(claim.allowance)
    if not (before.holder == claim.holder or is_dead or free_at is None or claim.now >= free_at):
        raise Locked(denial(before, claim.allowance))
    return Lease(
        server=before.server,
        number=max(before.number + 1, at_least),
        holder=claim.holder,
        run=claim.run,
        acquired_at_utc=claim.now,
        expires_at_utc=claim.now + timedelta(seconds=claim.lease_s),
        cmdlet_limit_s=claim.cmdlet_limit_s,
    )


def renewed(seen: Lease, ours: Lease, *, lease_s: int, now: datetime) -> Lease:
    """The lease after it was made to last longer; one that expired and that nobody took meanwhile
    is still ours. A clock that went back shortens nothing.

    Raises: LeaseLost.
    """
    if seen.number != ours.number or seen.holder != ours.holder:
        raise LeaseLost(f"the lease of {ours.server} is lost: {denial(seen)}")
    longer = now + timedelta(seconds=lease_s)
    return evolve(seen, expires_at_utc=max(longer, seen.expires_at_utc or longer))


def given_back(seen: Lease, ours: Lease) -> Lease | None:
    """The lease after it was given back; None when it is not ours any more. The number stays, so
    that it never goes back.
    """
    if seen.number != ours.number or seen.holder != ours.holder:
        return None
    return evolve(never_taken(seen.server), number=seen.number)


def revoked(seen: Lease, *, now: datetime) -> Lease:
    """The lease after it was taken away from its holder."""
    ends = now if seen.expires_at_utc is None else min(now, seen.expires_at_utc)
    return evolve(seen, number=seen.number + 1, expires_at_utc=ends)


def denial(lease: Lease, allowance: timedelta = timedelta(0)) -> str:
    """Who has a lease, since when, until when, and from when on somebody else may have it."""
    if lease.holder is None:
        return f"{lease.server} was given out with number {lease.number} and given back"
    since, until, free = (
        time_text(moment.replace(microsecond=0)) if moment else "?"
        for moment in (lease.acquired_at_utc, lease.expires_at_utc, lease.free_at(allowance))
    )
    later = "" if free == until else f"; nobody else can take it before {free}"
    return (
        f"{lease.server} is held by {lease.holder} (run {lease.run}) since {since}"
        f" until {until}{later}"
    )
