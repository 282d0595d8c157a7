"""Leases in a SQLite file of the store: for controllers that share a disk, not a network folder."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from goexchange.codec import parse_time, time_text
from goexchange.errors import LeasesUnreachable
from goexchange.store.leases import (
    Claim,
    Lease,
    given_back,
    never_taken,
    renewed,
    revoked,
    taken,
)

BUSY_S = 10.0
_LIMIT = "cmdlet_limit_s"
_TABLE = """
CREATE TABLE IF NOT EXISTS lease (
    server TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    holder TEXT,
    run TEXT,
    acquired_at TEXT,
    expires_at TEXT,
    cmdlet_limit_s INTEGER NOT NULL DEFAULT 0
)
"""
_COLUMNS = "server, number, holder, run, acquired_at, expires_at, cmdlet_limit_s"


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
        cmdlet_limit_s: int = 0,
        is_run_locked: bool = False,
        at_least: Mapping[str, int] | None = None,
    ) -> tuple[Lease, ...]:
        """Take all of them with new fencing numbers, or none."""
        claim = Claim(
            holder=holder,
            run=run,
            lease_s=lease_s,
            now=now,
            cmdlet_limit_s=cmdlet_limit_s,
            is_run_locked=is_run_locked,
        )
        lowest = at_least or {}
        with self._transaction() as database:
            found = tuple(
                taken(_read_one(database, server), claim, at_least=lowest.get(server, 0))
                for server in sorted(set(servers))
            )
            for lease in found:
                _write(database, lease)
        return found

    def renew(self, held: Sequence[Lease], *, lease_s: int, now: datetime) -> tuple[Lease, ...]:
        """Make all of them last longer, or none."""
        with self._transaction() as database:
            found = tuple(
                renewed(_read_one(database, lease.server), lease, lease_s=lease_s, now=now)
                for lease in sorted(held, key=lambda one: one.server)
            )
            for lease in found:
                _write(database, lease)
        return found

    def release(self, held: Sequence[Lease]) -> None:
        """Give them back."""
        with self._transaction() as database:
            for lease in held:
                back = given_back(_read_one(database, lease.server), lease)
                if back is not None:
                    _write(database, back)

    def revoke(self, server: str, *, now: datetime) -> Lease:
        """Take a lease from whoever has it."""
        with self._transaction() as database:
            before = _read_one(database, server)
            _write(database, revoked(before, now=now))
        return before

    def read(self) -> tuple[Lease, ...]:
        """Every lease that was ever taken, by server."""
        if not self._path.exists():
            return ()
        with self._open() as database:  # beside a writer, and of one that hangs
            columns = {row[1] for row in database.execute("PRAGMA table_info(lease)")}
            if not columns:
                return ()
            wanted = _COLUMNS if _LIMIT in columns else _COLUMNS.replace(_LIMIT, "0")
            rows = database.execute(f"SELECT {wanted} FROM lease ORDER BY server").fetchall()
        return tuple(_lease(row) for row in rows)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._open() as database:
            database.execute("PRAGMA synchronous = FULL")
            database.execute("BEGIN IMMEDIATE")
            try:
                _prepare(database)
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            database = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)
            try:
                yield database
            finally:
                database.close()
        except sqlite3.Error as error:
            busy = " (a process that hangs may be writing them: end it)"
            hint = busy if "locked" in str(error) else ""
            raise LeasesUnreachable(f"the leases in {self._path}: {error}{hint}") from error


def _prepare(database: sqlite3.Connection) -> None:
    """Make the table; one of version 0.1 has no cmdlet limit yet."""
    database.execute(_TABLE)
    columns = {row[1] for row in database.execute("PRAGMA table_info(lease)")}
    if _LIMIT not in columns:
        database.execute("ALTER TABLE lease ADD COLUMN cmdlet_limit_s INTEGER NOT NULL DEFAULT 0")


def _read_one(database: sqlite3.Connection, server: str) -> Lease:
    row = database.execute(f"SELECT {_COLUMNS} FROM lease WHERE server = ?", (server,)).fetchone()
    return never_taken(server) if row is None else _lease(row)


def _write(database: sqlite3.Connection, lease: Lease) -> None:
    times = [
        time_text(one) if one else None for one in (lease.acquired_at_utc, lease.expires_at_utc)
    ]
    database.execute(
        f"INSERT OR REPLACE INTO lease ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (lease.server, lease.number, lease.holder, lease.run, *times, lease.cmdlet_limit_s),
    )


def _lease(row: tuple[str, int, str | None, str | None, str | None, str | None, int]) -> Lease:
    server, number, holder, run, acquired, expires, limit = row
    return Lease(
        server=server,
        number=number,
        holder=holder,
        run=run,
        acquired_at_utc=parse_time(acquired) if acquired else None,
        expires_at_utc=parse_time(expires) if expires else None,
        cmdlet_limit_s=limit,
    )
