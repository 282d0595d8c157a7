"""The journal file on a real disk."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from goexchange.errors import Damaged, Locked
from goexchange.journal.chain import Draft
from goexchange.model.run import RecordKind
from goexchange.store.journal_file import JournalFile, read_journal

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
DRAFT = Draft(RecordKind.LANE_STARTED, {"lane": "EX01/DB05"})


def test_what_was_appended_is_there_for_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with JournalFile(path) as journal:
        first = journal.append((DRAFT, DRAFT), NOW)
    with JournalFile(path) as journal:
        second = journal.append((DRAFT,), NOW)
        assert journal.torn_bytes == 0
    assert read_journal(path).records == (*first, *second)
    assert [record.sequence for record in (*first, *second)] == [1, 2, 3]


def test_a_torn_end_is_cut_and_said(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with JournalFile(path) as journal:
        journal.append((DRAFT,), NOW)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"at_utc": "2026')
    with JournalFile(path) as journal:
        assert (journal.torn_bytes, len(journal.records)) == (16, 1)
        journal.append((DRAFT,), NOW)
    assert len(read_journal(path).records) == 2
    assert path.read_bytes().startswith(whole)


def test_damage_is_refused_and_the_file_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with JournalFile(path) as journal:
        journal.append((DRAFT, DRAFT), NOW)
    damaged = path.read_bytes().replace(b"DB05", b"DB06", 1)
    path.write_bytes(damaged)
    with pytest.raises(Damaged, match="line 1"):
        JournalFile(path)
    assert path.read_bytes() == damaged


def test_a_second_opening_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with JournalFile(path) as journal:
        journal.append((DRAFT,), NOW)
        with pytest.raises(Locked):
            JournalFile(path)
        code = (
            "import sys\nfrom pathlib import Path\nfrom goexchange.errors import Locked\n"
            "from goexchange.store.journal_file import JournalFile\n"
            "try:\n    JournalFile(Path(sys.argv[1]))\nexcept Locked:\n    sys.exit(11)\n"
        )
        ended = subprocess.run([sys.executable, "-c", code, str(path)], check=False, timeout=60)
        assert ended.returncode == 11
    JournalFile(path).close()


def test_after_a_failed_flush_nothing_more_is_appended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.jsonl"
    journal = JournalFile(path)
    journal.append((DRAFT,), NOW)

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="space"):
            journal.append((DRAFT,), NOW)
    with pytest.raises(Damaged):
        journal.append((DRAFT,), NOW)
    journal.close()
    assert read_journal(path).damage is None


def test_a_journal_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "none").records == ()
