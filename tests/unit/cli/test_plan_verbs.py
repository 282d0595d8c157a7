"""The verbs `plan`, `show` and `diff` on saved facts: no network, every form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.big_site import write_project
from tests.unit.cli.test_command_line import ended


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_project(tmp_path / "p", servers=2, databases=40)
    monkeypatch.chdir(tmp_path / "p")
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path / "p"


def planned(*words: str) -> int:
    return ended("-q", "plan", "--facts", "facts.json", *words)


def test_a_plan_from_saved_facts_is_saved_and_shown_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert planned("--out", "plan.json") == 0
    first = capsys.readouterr().out
    assert max(map(len, first.splitlines())) <= 80
    assert ended("show", "plan.json") == 0
    assert capsys.readouterr().out == first
    assert ended("show", "plan.json", "--detailed-exitcode") == 2


def test_every_form_of_a_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert planned("--out", "plan.json", "--summary") == 0
    summary = capsys.readouterr().out
    assert ended("show", "plan.json", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["sha256"]
    assert ended("show", "plan.json", "--json") == 0
    assert json.loads(capsys.readouterr().out)["sha256"]
    assert ended("show", "plan.json", "--format", "gitlab") == 0
    assert set(json.loads(capsys.readouterr().out)) == {"create", "update", "delete"}
    assert ended("show", "plan.json", "--full") == 0
    full = capsys.readouterr().out
    assert ended("show", "plan.json") == 0
    folded = capsys.readouterr().out
    assert len(summary) < len(folded) < len(full)
    assert " more: EX" not in full and " more: EX" in folded


def test_markdown_is_cut_to_its_limit(capsys: pytest.CaptureFixture[str]) -> None:
    assert planned("--out", "plan.json", "--format", "md") == 0
    whole = capsys.readouterr().out
    limit = len(whole.encode()) - 1000
    assert ended("show", "plan.json", "--format", "md", "--max-bytes", str(limit)) == 0
    cut = capsys.readouterr().out
    assert len(cut.encode()) <= limit < len(whole.encode())
    assert "left out to stay within" in cut
    assert ended("show", "plan.json", "--max-bytes", "10") == 64


def test_partial_plans_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert planned("--server", "EX001") == 0
    assert "PARTIAL   ONLY EX001" in capsys.readouterr().out
    assert planned("--database", "DB0005", "--format", "md") == 0
    assert "PARTIAL PLAN: everything but EX001/DB0005" in capsys.readouterr().out


def test_two_plans_are_compared(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert planned("--out", "a.json") == 0
    specification = project / "specs" / "everything.yaml"
    specification.write_text(specification.read_text("utf-8").replace("20%", "90%"), "utf-8")
    assert planned("--out", "b.json") == 0
    capsys.readouterr()
    assert ended("diff", "a.json", "a.json", "--detailed-exitcode") == 0
    assert "ask for the same" in capsys.readouterr().out
    assert ended("diff", "a.json", "b.json") == 0
    assert "rebuild: white space" in capsys.readouterr().out
    assert ended("diff", "a.json", "b.json", "--detailed-exitcode", "--json") == 2
    document = json.loads(capsys.readouterr().out)
    assert {each["part"] for each in document["differences"]} >= {"decision", "input", "step"}
    assert ended("diff", "a.json", "b.json", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == document
    assert ended("diff", "a.json", "b.json", "--format", "md", "--max-bytes", "5000") == 0
    assert len(capsys.readouterr().out.encode()) <= 5000
    assert ended("diff", "a.json", "missing.json") == 10
