"""The verbs `runs list` and `runs prune`."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from attrs import frozen

from goexchange.app.leasing import leases_of
from goexchange.app.planning import who
from goexchange.app.standing import RunRead, StoreView, troubles
from goexchange.codec import time_text
from goexchange.model.configuration import Configuration
from goexchange.model.standing import Life
from goexchange.store.alive import life_of
from goexchange.store.clock import SystemClock
from goexchange.store.journal_file import JournalFile
from goexchange.store.pruning import note_pruned, remove_run
from goexchange.store.runs import Runs


@frozen(kw_only=True)
class RunRow:
    """One run of the store, and how it ended. Unknown: what its files do not say is None."""

    id: str
    life: Life
    plan: str | None
    started_by: str | None
    started_at_utc: datetime | None
    ended_at_utc: datetime | None
    verdict: str | None
    exit_code: int | None
    records: int


@frozen(kw_only=True)
class Decision:
    """Whether a run leaves the store, and why it stays if it does."""

    run: RunRow
    is_kept: bool
    why: str


def list_runs(settings: Configuration) -> tuple[RunRow, ...]:
    """Every run of the store, oldest first."""
    return tuple(row for row, _ in _rows(settings))


def prune(
    settings: Configuration, *, older_than: timedelta, keep: int, is_done: bool
) -> tuple[Decision, ...]:
    """Decide which runs leave the store, and let them when `is_done`.

    Effects: that a run was pruned is written down before its files go, so that its plan cannot be
    applied again. A run that has not ended, or that left a database to a person, stays.
    """
    store, now = Path(settings.store), SystemClock().now()
    rows = _rows(settings)
    lives = {row.id: row.life for row, _ in rows}
    needed = {one.run for one in troubles([read for _, read in rows], lives)}
    newest = {row.id for row, _ in rows[-keep:]} if keep else set()
    decisions = []
    for row, read in rows:
        why = _why_kept(row, needed, newest, older_than=older_than, now=now)
        decisions.append(Decision(run=row, is_kept=bool(why), why=why))
        if not why and is_done:
            _remove(store, row, read, now)
    return tuple(decisions)


def _remove(store: Path, row: RunRow, read: RunRead, now: datetime) -> None:
    with JournalFile(read.folder.journal_path):  # Raises Locked when somebody goes on with it
        note_pruned(
            store,
            {
                "run": row.id,
                "plan_sha256": read.state.plan_sha256,
                "ended_at_utc": time_text(row.ended_at_utc) if row.ended_at_utc else None,
                "verdict": row.verdict,
                "exit_code": row.exit_code,
                "journal_records": row.records,
                "journal_head": read.records[-1].sha256 if read.records else None,
                "pruned_at_utc": time_text(now),
                "pruned_by": who(),
            },
        )
    remove_run(read.folder.path)


def _why_kept(
    row: RunRow, needed: set[str], newest: set[str], *, older_than: timedelta, now: datetime
) -> str:
    if row.life is not Life.ENDED:
        return "it has not ended"
    if row.id in needed:
        return "a database that it left waits for a person"
    if row.id in newest:
        return "one of the newest"
    if row.ended_at_utc is not None and now - row.ended_at_utc < older_than:
        return "not old enough"
    return ""


def _rows(settings: Configuration) -> list[tuple[RunRow, RunRead]]:
    view, leases, now = StoreView(settings), leases_of(settings).read(), SystemClock().now()
    rows = []
    for folder in Runs(Path(settings.store)).list():
        read = view.read(folder)
        ended = read.state.ended
        started = next((r for r in read.records if r.kind.value == "run-started"), None)
        row = RunRow(
            id=folder.id,
            life=life_of(folder, read.state, leases, now),
            plan=(read.state.plan_sha256 or "")[:8] or (read.plan.id if read.plan else None),
            started_by=str(started.data["started_by"]) if started else None,
            started_at_utc=read.state.started_at_utc,
            ended_at_utc=read.state.last.at_utc if ended and read.state.last else None,
            verdict=str(ended["verdict"]) if ended else read.problem,
            exit_code=int(ended["exit_code"]) if ended else None,
            records=len(read.records),
        )
        rows.append((row, read))
    return rows
