"""The outbox: what people are to be told, on which channel, and what became of it.

The journal is the truth; the outbox is made again from it when it is lost, with the same ids. One
SQLite file, every change one immediate transaction. An entry is claimed before it is sent and
settled after: who dies in between leaves it claimed, and it is sent again when the claim is over.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from goexchange.codec import canonical_json, from_plain, parse_time, time_text, to_plain
from goexchange.errors import GoexchangeError
from goexchange.model.notice import Delivery, DeliveryState, Event

CLAIM_S = 120  # longer than any delivery's own time limits
BUSY_S = 5.0
FIRST_WAIT_S, LONGEST_WAIT_S = 2, 600
GIVE_UP_AFTER = timedelta(days=3)
LATE_AFTER = timedelta(minutes=10)
_TABLES = """
CREATE TABLE IF NOT EXISTS entry (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    run TEXT,
    event TEXT NOT NULL,
    due_at TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at TEXT NOT NULL,
    claimed_until TEXT,
    settled_at TEXT,
    words TEXT NOT NULL DEFAULT '',
    UNIQUE (event_id, channel)
);
CREATE TABLE IF NOT EXISTS read_run (run TEXT PRIMARY KEY, bytes INTEGER NOT NULL);
"""


class OutboxUnusable(GoexchangeError):
    """The outbox cannot be read or written; a run goes on, the journal has its events."""

    id = "outbox-unusable"


class Outbox:
    """The outbox of a store.

    Raises: OutboxUnusable, from every method, when the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutboxUnusable(f"{path} cannot be used: {error}") from error
        with self._transaction() as database:
            for statement in _TABLES.split(";"):
                database.execute(statement)

    def add(self, entries: Iterable[tuple[Event, str]]) -> int:
        """Put events on channels in; one that is there already stays as it is. How many are new."""
        count = 0
        with self._transaction() as database:
            for event, channel in entries:
                due = time_text(event.due_at_utc)
                done = database.execute(
                    "INSERT OR IGNORE INTO entry"
                    " (event_id, channel, run, event, due_at, state, next_at)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (event.id, channel, event.run, _text(event), due, "waiting", due),
                )
                count += done.rowcount
        return count

    def claim(self, now: datetime) -> Delivery | None:
        """The next one to be sent, claimed; None when none is due.

        Shape: in the order of each channel, so a channel that is away holds back only its own.
        """
        with self._transaction() as database:
            _sort_out(database, now)
            heads: dict[str, sqlite3.Row] = {}
            for row in _waiting(database, now):
                heads.setdefault(row["channel"], row)
            for row in heads.values():
                is_claimed = row["claimed_until"] and parse_time(row["claimed_until"]) > now
                if is_claimed or parse_time(row["next_at"]) > now:
                    continue
                until = time_text(now + timedelta(seconds=CLAIM_S))
                database.execute(
                    "UPDATE entry SET claimed_until = ?, attempts = attempts + 1 WHERE place = ?",
                    (until, row["place"]),
                )
                found = database.execute("SELECT * FROM entry WHERE place = ?", (row["place"],))
                return _delivery(found.fetchone())
        return None

    def settle(
        self, delivery: Delivery, state: DeliveryState, words: str, *, now: datetime
    ) -> None:
        """Say what became of a claimed one; WAITING means that it is tried again later."""
        wait = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(delivery.attempts - 1, 10))
        is_old = now - delivery.event.due_at_utc > GIVE_UP_AFTER
        if state is DeliveryState.WAITING and is_old:
            state = DeliveryState.GIVEN_UP
        is_over = state is not DeliveryState.WAITING
        with self._transaction() as database:
            database.execute(
                "UPDATE entry SET state = ?, words = ?, claimed_until = NULL, next_at = ?,"
                " settled_at = ? WHERE event_id = ? AND channel = ? AND state = 'waiting'",
                (
                    state.value,
                    words,
                    time_text(now + timedelta(seconds=wait)),
                    time_text(now) if is_over else None,
                    delivery.event.id,
                    delivery.channel,
                ),
            )

    def next_at(self, now: datetime) -> datetime | None:
        """When the next one can be sent; None when nothing that is due waits."""
        with self._transaction() as database:
            heads: dict[str, datetime] = {}
            for row in _waiting(database, now):
                moments = [parse_time(row["next_at"])]
                if row["claimed_until"]:
                    moments.append(parse_time(row["claimed_until"]))
                heads.setdefault(row["channel"], max(moments))
        return min(heads.values(), default=None)

    def list(self, run: str | None = None) -> tuple[Delivery, ...]:
        """Everything that was ever put in, in that order; of one run only, when it is named."""
        with self._transaction() as database:
            rows = database.execute("SELECT * FROM entry ORDER BY place").fetchall()
        return tuple(_delivery(row) for row in rows if run is None or row["run"] == run)

    def sort_out(self, now: datetime) -> None:
        """Mark what is of no use any more as missed."""
        with self._transaction() as database:
            _sort_out(database, now)

    def has_read(self, run: str, size_bytes: int) -> bool:
        """Whether the journal of a run was read up to this size."""
        with self._transaction() as database:
            row = database.execute("SELECT bytes FROM read_run WHERE run = ?", (run,)).fetchone()
        return row is not None and row["bytes"] == size_bytes

    def note_read(self, run: str, size_bytes: int) -> None:
        """Remember that the journal of a run was read up to this size."""
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO read_run VALUES (?, ?)", (run, size_bytes))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)) as base:
                base.row_factory = sqlite3.Row
                base.execute("BEGIN IMMEDIATE")
                try:
                    yield base
                except BaseException:
                    base.execute("ROLLBACK")
                    raise
                base.execute("COMMIT")
        except sqlite3.Error as error:
            raise OutboxUnusable(f"{self._path} cannot be used: {error}") from error


def _waiting(database: sqlite3.Connection, now: datetime) -> Sequence[sqlite3.Row]:
    rows = database.execute("SELECT * FROM entry WHERE state = 'waiting' ORDER BY place").fetchall()
    return [row for row in rows if parse_time(row["due_at"]) <= now]


def _sort_out(database: sqlite3.Connection, now: datetime) -> None:
    """What nobody sent in time: useless after its end; of several that are overdue only the last
    is still sent.
    """
    later: dict[str, datetime] = {}
    waiting = [(row, _event(row)) for row in _waiting(database, now)]
    for row, event in waiting:
        if event.group is not None:
            key = f"{event.group}/{row['channel']}"
            later[key] = max(later.get(key, event.due_at_utc), event.due_at_utc)
    for row, event in waiting:
        is_over = event.expires_at_utc is not None and event.expires_at_utc <= now
        is_replaced = event.group is not None and (
            later[f"{event.group}/{row['channel']}"] > event.due_at_utc
        )
        if is_over or is_replaced:
            state, words = DeliveryState.GIVEN_UP, row["words"]
            if not row["attempts"]:
                due = time_text(event.due_at_utc)
                state, words = DeliveryState.MISSED, f"nothing ran when it was due, at {due}"
            database.execute(
                "UPDATE entry SET state = ?, settled_at = ?, words = ? WHERE place = ?",
                (state.value, time_text(now), words, row["place"]),
            )


def _text(event: Event) -> str:
    return canonical_json(to_plain(event)).decode()


def _event(row: sqlite3.Row) -> Event:
    return from_plain(Event, json.loads(row["event"]))


def _delivery(row: sqlite3.Row) -> Delivery:
    return Delivery(
        event=_event(row),
        channel=row["channel"],
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        next_at_utc=parse_time(row["next_at"]),
        settled_at_utc=parse_time(row["settled_at"]) if row["settled_at"] else None,
        words=row["words"],
    )
