"""Run folders on a real disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from goexchange.errors import InvalidDocument, NotNow
from goexchange.journal.chain import Draft
from goexchange.model.run import RecordKind
from goexchange.store.journal_file import JournalFile
from goexchange.store.runs import RunFolder, Runs

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


def begin(run: RunFolder, plan_sha256: str) -> None:
    with JournalFile(run.journal_path) as journal:
        journal.append(
            (Draft(RecordKind.RUN_STARTED, {"run": run.id, "plan_sha256": plan_sha256}),), NOW
        )


def test_a_run_keeps_its_plan_and_approval(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    made = runs.create(plan=b"plan", approval=b"yes", now=NOW)
    assert (made.plan_path.read_bytes(), made.approval_path.read_bytes()) == (b"plan", b"yes")
    assert made.id.startswith("20261122T200000-")
    assert runs.list() == (made,)


def test_a_run_is_found_by_id_beginning_or_as_the_last(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    assert runs.list() == ()
    with pytest.raises(InvalidDocument, match="none"):
        runs.find("last")
    first = runs.create(plan=b"1", approval=None, now=NOW)
    second = runs.create(plan=b"2", approval=None, now=NOW + timedelta(days=1))
    assert runs.find(first.id) == first == runs.find("20261122")
    assert runs.find("last") == second
    with pytest.raises(InvalidDocument, match="more than one"):
        runs.find("202611")


def test_a_plan_is_applied_once(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    refused_at_start = runs.create(plan=b"1", approval=None, now=NOW)
    runs.require_unapplied("ab" * 32)
    run = runs.create(plan=b"1", approval=None, now=NOW + timedelta(minutes=1))
    begin(run, "ab" * 32)
    assert runs.applied_by("ab" * 32) == run != refused_at_start
    assert runs.applied_by("cd" * 32) is None
    with pytest.raises(NotNow, match=f"goexchange resume {run.id}"):
        runs.require_unapplied("ab" * 32)


def test_only_a_run_that_never_began_can_be_discarded(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    empty, begun = (runs.create(plan=b"1", approval=b"a", now=NOW) for _ in range(2))
    JournalFile(empty.journal_path).close()
    begin(begun, "ab" * 32)
    empty.discard()
    with pytest.raises(NotNow, match="has begun"):
        begun.discard()
    assert runs.list() == (begun,)
