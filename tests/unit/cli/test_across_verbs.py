"""`trend` and `site` read the specifications too: they say what is due next."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from goexchange.codec import parse_time
from tests.bench.big_site import write_project
from tests.unit.cli.test_command_line import ended


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_project(tmp_path, servers=1, databases=1)
    (document,) = (tmp_path / "specs").glob("*.yaml")
    text = document.read_text("utf-8")
    assert "schedule: {window: night}" in text
    document.write_text(
        text.replace("{window: night}", '{window: night, due: "SAT 23:00"}'), "utf-8"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_trend_says_what_is_due_next(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("trend", "--json") == 0
    (one,) = json.loads(capsys.readouterr().out)["coming"]
    assert parse_time(one["begins_at_utc"]) > datetime.now(UTC) and one["plan"] is None
    assert ended("trend") == 0
    assert one["specification"] in capsys.readouterr().out


def test_the_site_says_what_is_due_next(project: Path) -> None:
    assert ended("site", "--out", "pages") == 0
    page = (project / "pages" / "index.html").read_text("utf-8")
    assert "Due next" in page and "23:00" in page


def test_a_store_without_documents_says_that_it_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bare").mkdir()
    monkeypatch.chdir(tmp_path / "bare")
    assert ended("trend") == 0
    said = capsys.readouterr()
    assert "not known" in said.out and "what is due next is not known" in said.err
