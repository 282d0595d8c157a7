"""Whether a run's process lives: its journal's lock, then its leases."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve

from goexchange.errors import Locked
from goexchange.journal.replay import RunState
from goexchange.model.standing import Life
from goexchange.store.alive import life_of
from goexchange.store.journal_file import JournalFile, is_locked
from goexchange.store.leases import Lease
from goexchange.store.runs import RunFolder, Runs

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return Runs(tmp_path).create(plan=b"p", approval=None, now=NOW)


def lease(run: RunFolder, host: str, *, seconds: int) -> Lease:
    return Lease(
        server="EX01",
        number=7,
        holder=f"{host}:4711:{run.id}",
        run=run.id,
        acquired_at_utc=NOW,
        expires_at_utc=NOW + timedelta(seconds=seconds),
    )


def test_a_locked_journal_is_a_living_process(run: RunFolder) -> None:
    assert not is_locked(run.journal_path)
    with JournalFile(run.journal_path):
        assert life_of(run, RunState(), (), NOW) is Life.ALIVE
        with pytest.raises(Locked):
            JournalFile(run.journal_path)
    assert life_of(run, RunState(), (), NOW) is Life.GONE


def test_looking_takes_no_lock_away_from_anybody(run: RunFolder) -> None:
    JournalFile(run.journal_path).close()
    assert not is_locked(run.journal_path)
    JournalFile(run.journal_path).close()


@pytest.mark.parametrize(
    ("host", "seconds", "life"),
    [("elsewhere", 60, Life.MAY_LIVE), ("elsewhere", 0, Life.GONE), ("", 60, Life.GONE)],
)
def test_elsewhere_a_lease_that_has_not_expired_may_be_alive(
    run: RunFolder, host: str, seconds: int, life: Life
) -> None:
    held = lease(run, host or socket.gethostname(), seconds=seconds)
    assert life_of(run, RunState(), (held,), NOW) is life
    assert life_of(run, RunState(), (evolve(held, run="another"),), NOW) is Life.GONE


def test_a_run_that_has_ended_needs_no_process(run: RunFolder) -> None:
    assert life_of(run, RunState(ended={"exit_code": 0}), (), NOW) is Life.ENDED
