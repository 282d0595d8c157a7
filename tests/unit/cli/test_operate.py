"""What an operator is told when there is nobody to ask."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from goexchange.cli.main import main
from goexchange.journal.chain import Draft
from goexchange.model.run import RecordKind
from goexchange.store.journal_file import JournalFile
from goexchange.store.requests import read_requests
from goexchange.store.runs import RunFolder, Runs

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
STARTED = Draft(RecordKind.RUN_STARTED, {"run": "r", "plan_sha256": "ab" * 32})
ENDED = Draft(RecordKind.RUN_ENDED, {"exit_code": 0, "verdict": "done", "databases": []})
WORDS = ("pause", "proceed", "stop", "abort")


def ended(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(words)
    return int(end.value.code or 0)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.chdir(tmp_path)
    folder = Runs(tmp_path / ".goexchange").create(plan=b"p", approval=None, now=NOW)
    with JournalFile(folder.journal_path) as journal:
        journal.append((STARTED,), NOW)
    return folder


@pytest.mark.parametrize("word", WORDS)
def test_nobody_hears_a_run_whose_process_is_gone(
    run: RunFolder, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(word, run.id) == 14
    assert f"goexchange resume {run.id}" in capsys.readouterr().err
    assert read_requests(run.path) == ()


@pytest.mark.parametrize("word", WORDS)
def test_a_run_that_has_ended_is_refused_and_so_is_one_that_is_not_named(
    run: RunFolder, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with JournalFile(run.journal_path) as journal:
        journal.append((ENDED,), NOW)
    assert ended(word, run.id, "--json") == 14
    assert "has ended" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert ended(word, "last") == 64
    assert ended(word, "20271122") == 10
    assert ended(word) == 64


def test_a_process_that_does_not_answer_is_said_and_the_request_stays(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    with JournalFile(run.journal_path):
        assert ended("abort", run.id, "--wait", "0") == 0
        assert "not taken it up" in capsys.readouterr().out
        assert [each.request for each in read_requests(run.path)] == ["abort"]
        assert ended("proceed", run.id, "--json") == 0
        assert json.loads(capsys.readouterr().out)["is_needless"] is True


def test_a_request_that_meets_the_end_of_its_run_is_withdrawn(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = JournalFile(run.journal_path)

    def end() -> None:
        while not read_requests(run.path):
            time.sleep(0.01)
        journal.append((ENDED,), NOW)
        journal.close()

    thread = threading.Thread(target=end)
    thread.start()
    assert ended("stop", run.id) == 14
    thread.join()
    assert "ended before" in capsys.readouterr().err
    assert read_requests(run.path) == ()


def test_a_hold_refuses_and_lifts(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("hold", "on", "--why", "patch night", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["is_on"], said["why"]) == (True, "patch night")
    assert ended("hold", "off") == 0 and ended("hold", "off") == 0
    assert "There was no hold" in capsys.readouterr().out
    assert ended("hold", "maybe") == 64
