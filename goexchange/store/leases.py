"""Leases: a time-limited exclusive right to act on a server, with a fencing number that never goes
back.

One back end now, a SQLite file; others can stand behind the same protocol. All leases of a run are
taken in one
transaction, in the order of the servers' names, or none.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from attrs import frozen

from goexchange.codec import parse_time, time_text
from goexchange.errors import LeaseLost, Locked

_TABLE = """
CREATE TABLE IF NOT EXISTS lease (
    server TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    holder TEXT,
    run TEXT,
    acquired_at TEXT,
    expires_at TEXT
)
"""
BUSY_S = 10.0


@frozen(kw_only=True)
class Lease:
    """One lease as it stands; `holder` is None when nobody has it. `number` is the last fencing
    number given out.
    """

    server: str
    number: int
    holder: str | None
    run: str | None
    acquired_at_utc: datetime | None
    expires_at_utc: datetime | None

    def is_held(self, now: datetime) -> bool:
        """Whether somebody has it at that moment."""
        return (
            self.holder is not None
            and self.expires_at_utc is not None
            and now < self.expires_at_utc
        )


class Leases(Protocol):
    """What every back end does."""

    def acquire(
        self,
        servers: Sequence[str],
        *,
        holder: str,
        run: str,
        lease_s: int,
        now: datetime,
        is_run_locked: bool = False,
        at_least: Mapping[str, int] | None = None,
    ) -> tuple[Lease, ...]:
        """Take all of them with new fencing numbers, or none.

        Shape: `at_least` names servers whose number must not be lower than that.
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

    def read(self) -> tuple[Lease, ...]:
        """Every lease that was ever taken, by server."""
        ...


class SqliteLeases:
    """Leases in a SQLite file; every change is one immediate transaction, flushed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def acquire(
        self,
        servers: Sequence[str],
        *,
        holder: str,
        run: str,
        lease_s: int,
        now: datetime,
        is_run_locked: bool = False,
        at_least: Mapping[str, int] | None = None,
    ) -> tuple[Lease, ...]:
        """Take all of them with new fencing numbers, or none.

        Shape: `at_least` is for a store that knows less than the hosts: a number that a host has
        seen from another store. `is_run_locked` says that the caller alone has the run's journal
        open: no other process of that run is alive, and what a dead one left behind is free at
        once. From anybody else a lease is free only when it has expired.
        """
        taken: list[Lease] = []
        lowest = at_least or {}
        with self._transaction() as database:
            for server in sorted(set(servers)):
                before = _read_one(database, server)
                is_ours = before.holder == holder or (is_run_locked and before.run == run)
                if before.is_held(now) and not is_ours:
                    raise Locked(_denial(before))
                lease = Lease(
                    server=server,
                    number=max(before.number + 1, lowest.get(server, 0)),
                    holder=holder,
                    run=run,
                    acquired_at_utc=now,
                    expires_at_utc=now + timedelta(seconds=lease_s),
                )
                _write(database, lease)
                taken.append(lease)
        return tuple(taken)

    def renew(self, held: Sequence[Lease], *, lease_s: int, now: datetime) -> tuple[Lease, ...]:
        """Make all of them last longer; one that expired and that nobody took meanwhile is still
        ours.
        """
        renewed: list[Lease] = []
        with self._transaction() as database:
            for lease in sorted(held, key=lambda one: one.server):
                seen = _read_one(database, lease.server)
                if seen.number != lease.number or seen.holder != lease.holder:
                    raise LeaseLost(f"the lease of {lease.server} is lost: {_denial(seen)}")
                longer = Lease(
                    server=seen.server,
                    number=seen.number,
                    holder=seen.holder,
                    run=seen.run,
                    acquired_at_utc=seen.acquired_at_utc,
                    expires_at_utc=now + timedelta(seconds=lease_s),
                )
                _write(database, longer)
                renewed.append(longer)
        return tuple(renewed)

    def release(self, held: Sequence[Lease]) -> None:
        """Give them back; the numbers stay, so that they never go back."""
        with self._transaction() as database:
            for lease in held:
                seen = _read_one(database, lease.server)
                if seen.number == lease.number and seen.holder == lease.holder:
                    _write(
                        database,
                        Lease(
                            server=lease.server,
                            number=lease.number,
                            holder=None,
                            run=None,
                            acquired_at_utc=None,
                            expires_at_utc=None,
                        ),
                    )

    def read(self) -> tuple[Lease, ...]:
        """Every lease that was ever taken, by server."""
        if not self._path.exists():
            return ()
        with self._transaction() as database:
            rows = database.execute("SELECT * FROM lease ORDER BY server").fetchall()
        return tuple(_lease(row) for row in rows)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)
        try:
            database.execute("PRAGMA synchronous = FULL")
            database.execute("BEGIN IMMEDIATE")
            try:
                database.execute(_TABLE)
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")
        finally:
            database.close()


def _read_one(database: sqlite3.Connection, server: str) -> Lease:
    row = database.execute("SELECT * FROM lease WHERE server = ?", (server,)).fetchone()
    if row is None:
        return Lease(
            server=server,
            number=0,
            holder=None,
            run=None,
            acquired_at_utc=None,
            expires_at_utc=None,
        )
    return _lease(row)


def _write(database: sqlite3.Connection, lease: Lease) -> None:
    times = [
        time_text(one) if one else None for one in (lease.acquired_at_utc, lease.expires_at_utc)
    ]
    database.execute(
        "INSERT OR REPLACE INTO lease VALUES (?, ?, ?, ?, ?, ?)",
        (lease.server, lease.number, lease.holder, lease.run, *times),
    )


def _lease(row: tuple[str, int, str | None, str | None, str | None, str | None]) -> Lease:
    server, number, holder, run, acquired, expires = row
    return Lease(
        server=server,
        number=number,
        holder=holder,
        run=run,
        acquired_at_utc=parse_time(acquired) if acquired else None,
        expires_at_utc=parse_time(expires) if expires else None,
    )


def _denial(lease: Lease) -> str:
    if lease.holder is None:
        return f"{lease.server} was given out with number {lease.number} and given back"
    since = time_text(lease.acquired_at_utc) if lease.acquired_at_utc else "?"
    until = time_text(lease.expires_at_utc) if lease.expires_at_utc else "?"
    return f"{lease.server} is held by {lease.holder} (run {lease.run}) since {since} until {until}"
