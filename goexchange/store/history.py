"""The index of what earlier runs measured: a SQLite file that can be deleted and made again from
the journals.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from goexchange.codec import parse_time, time_text
from goexchange.model.history import Measurement, Timing, Work
from goexchange.store.runs import RunFolder, Runs

FILE_NAME = "history.sqlite"
VERSION = 1
BUSY_S = 10.0
_TABLES = (
    """CREATE TABLE IF NOT EXISTS run (id TEXT PRIMARY KEY, journal_bytes INTEGER NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS measurement (
        run TEXT NOT NULL,
        server TEXT NOT NULL,
        database TEXT NOT NULL,
        database_guid TEXT NOT NULL,
        folder TEXT NOT NULL,
        work TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        seconds REAL NOT NULL,
        at_utc TEXT NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS by_server ON measurement (server)",
)


Measure = Callable[[RunFolder], Iterable[Measurement]]


def measured(
    store: Path, measure: Measure, servers: Sequence[str] = ()
) -> tuple[Measurement, ...]:
    """What the runs of a store measured, by the index; `measure` reads one run.

    Effects: the index is brought in step with the journals first. One that is damaged is made
    again; one that cannot be written (a store that is only read) is done without.
    """
    runs = Runs(store).list()
    try:
        return _from_index(store, runs, measure).read(servers)
    except sqlite3.OperationalError:
        found = [each for run in runs for each in measure(run)]
        return tuple(each for each in found if not servers or each.server in servers)
    except sqlite3.DatabaseError:
        (store / FILE_NAME).unlink(missing_ok=True)
        return _from_index(store, runs, measure).read(servers)


def _from_index(store: Path, runs: Sequence[RunFolder], measure: Measure) -> HistoryIndex:
    index = HistoryIndex(store)
    known = index.indexed()
    for run in runs:
        length = run.journal_path.stat().st_size if run.journal_path.exists() else 0
        if known.get(run.id) != length:
            index.put(run.id, length, measure(run))
    index.forget(set(known) - {run.id for run in runs})
    return index


class HistoryIndex:
    """Measurements by run; every change is one immediate transaction."""

    def __init__(self, store: Path) -> None:
        """Open or create; an index of another version is begun anew, the journals have it all."""
        self._path = store / FILE_NAME
        with self._transaction() as database:
            if database.execute("PRAGMA user_version").fetchone()[0] not in (0, VERSION):
                database.execute("DROP TABLE IF EXISTS run")
                database.execute("DROP TABLE IF EXISTS measurement")
            database.execute(f"PRAGMA user_version = {VERSION}")
            for statement in _TABLES:
                database.execute(statement)

    def indexed(self) -> dict[str, int]:
        """The runs that are in it, each with the length its journal had."""
        with self._transaction() as database:
            return dict(database.execute("SELECT id, journal_bytes FROM run").fetchall())

    def put(self, run: str, journal_bytes: int, measurements: Iterable[Measurement]) -> None:
        """Write what a run measured, in place of what was there of it."""
        with self._transaction() as database:
            database.execute("DELETE FROM measurement WHERE run = ?", (run,))
            database.executemany(
                "INSERT INTO measurement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [_row(run, each) for each in measurements],
            )
            database.execute("INSERT OR REPLACE INTO run VALUES (?, ?)", (run, journal_bytes))

    def forget(self, runs: Iterable[str]) -> None:
        """Take runs out that are gone from the store."""
        with self._transaction() as database:
            for run in runs:
                database.execute("DELETE FROM measurement WHERE run = ?", (run,))
                database.execute("DELETE FROM run WHERE id = ?", (run,))

    def read(self, servers: Sequence[str] = ()) -> tuple[Measurement, ...]:
        """What is known of the servers, of all without any; oldest first."""
        marks = ", ".join("?" for _ in servers)
        where = f"WHERE server IN ({marks})" if servers else ""
        with self._transaction() as database:
            rows = database.execute(
                f"SELECT * FROM measurement {where} ORDER BY at_utc, rowid",  # noqa: S608 - marks
                tuple(servers),
            ).fetchall()
        return tuple(_measurement(row) for row in rows)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)
        try:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")
        finally:
            database.close()


def _row(run: str, each: Measurement) -> tuple[str | int | float, ...]:
    timing = each.timing
    return (
        run,
        each.server,
        each.database,
        each.database_guid,
        each.folder,
        timing.work.value,
        timing.size_bytes,
        timing.seconds,
        time_text(timing.at_utc),
    )


def _measurement(row: tuple[str, str, str, str, str, str, int, float, str]) -> Measurement:
    run, server, database, guid, folder, work, size_bytes, seconds, at = row
    timing = Timing(
        work=Work(work), size_bytes=size_bytes, seconds=seconds, run=run, at_utc=parse_time(at)
    )
    return Measurement(
        server=server, database=database, database_guid=guid, folder=folder, timing=timing
    )
