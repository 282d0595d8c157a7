"""`--report FILE` of the verbs that report on something other than a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from goexchange.plan.sealing import dump, seal
from tests.unit.cli.test_command_line import ended
from tests.unit.report.conftest import NOON, body

ENDINGS = (".html", ".md", ".txt", ".json", ".junit.xml", ".csv")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.json").write_bytes(dump(seal(body(), NOON, "anna")))
    return tmp_path


def test_a_plan_is_reported_in_every_form(folder: Path) -> None:
    files = [f"out/review{ending}" for ending in ENDINGS]
    assert ended("show", "plan.json", *(word for file in files for word in ("--report", file))) == 0
    texts = {Path(file).suffix: (folder / file).read_text("utf-8") for file in files}
    assert (
        texts[".html"].startswith("<!DOCTYPE html>") and "EX01 / DB05: 32 steps" in texts[".html"]
    )
    assert texts[".md"].startswith("<!-- goexchange:plan -->")
    assert "VERDICT" in texts[".txt"]
    assert json.loads(texts[".json"])["kind"] == "plan"
    assert "<testsuites" in texts[".xml"] and texts[".csv"].startswith("kind,subject,verdict,")


def test_an_ending_that_is_no_form_is_refused_before_anything(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (
        ("show", "plan.json"),
        ("plan",),
        ("verify", "plan.json"),
        ("rehearse", "plan.json"),
    ):
        assert ended(*words, "--report", "good.html", "--report", "review.pdf") == 64
        assert "the ending of review.pdf says no form" in capsys.readouterr().err
    assert not (folder / "good.html").exists()
    assert ended("show", "some-run", "--report", "x.html") == 64
    assert "goexchange report some-run --out DIR" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "taken.html").mkdir()
    assert ended("show", "plan.json", "--report", "taken.html") == 64
    assert "taken.html cannot be written" in capsys.readouterr().err


def test_what_verify_found_is_reported(folder: Path) -> None:
    (folder / "DB05.edb").write_bytes(b"\x00" * 65_536)
    code = ended("verify", "DB05.edb", "--report", "found.json", "--report", "found.html")
    assert code == 30
    sheet = json.loads((folder / "found.json").read_text("utf-8"))
    assert (sheet["kind"], sheet["subject"], sheet["word"]) == (
        "verification",
        "DB05.edb",
        "NOT SOUND",
    )
    (row,) = sheet["table"]["rows"]
    assert row[2]["value"] == 65_536 and sheet["mends"]
    assert "NOT SOUND" in (folder / "found.html").read_text("utf-8")


def test_the_operators_own_template_is_used_for_a_plan(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "own").mkdir()
    text = '{% extends "packaged/sheet.html.j2" %}{% block facts %}Contoso{% endblock %}'
    (folder / "own" / "sheet.html.j2").write_text(text, "utf-8")
    (folder / "goexchange.yaml").write_text(
        "apiVersion: goexchange/v1\nkind: Configuration\ntemplates: own\n", "utf-8"
    )
    assert ended("show", "plan.json", "--report", "x.html") == 0
    assert "Contoso" in (folder / "x.html").read_text("utf-8")
    (folder / "own" / "sheet.html.j2").write_text(text.replace("Contoso", "{{ contoso }}"), "utf-8")
    assert ended("show", "plan.json", "--report", "y.html") == 10
    assert "sheet.html.j2:1" in capsys.readouterr().err
