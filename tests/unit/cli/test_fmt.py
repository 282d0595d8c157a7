"""The verb `fmt`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.unit.cli.test_command_line import ended

UGLY = "kind:   x # why\na:\n- 1\n"
TIDY = "kind: x   # why\na:\n  - 1\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.yaml").write_text(UGLY, "utf-8")
    (tmp_path / "d" / "b.yaml").write_text("kind: y\n", "utf-8")
    return tmp_path


def test_check_shows_the_difference_and_writes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended("fmt", "--check", "d") == 10
    output = capsys.readouterr()
    assert "-kind:   x # why\n" in output.out
    assert "2 files: 1 would change" in output.err
    assert (folder / "d" / "a.yaml").read_text("utf-8") == UGLY


def test_files_are_rewritten_once_and_keep_their_rights(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "d" / "a.yaml"
    os.chmod(path, 0o640)
    assert ended("fmt", "d", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["changed"] == ["d/a.yaml"] and document["written"]
    text = path.read_text("utf-8")
    assert text.split() == TIDY.split() and "\n  - 1\n" in text
    assert path.stat().st_mode & 0o777 == 0o640
    assert ended("fmt", "--check", "d") == 0
    assert sorted(each.name for each in (folder / "d").iterdir()) == ["a.yaml", "b.yaml"]


def test_a_file_with_mistakes_stops_all(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "d" / "b.yaml").write_text("a: 1\na: 2\n", "utf-8")
    assert ended("fmt", "d") == 10
    assert "d/b.yaml:2:1" in capsys.readouterr().err
    assert (folder / "d" / "a.yaml").read_text("utf-8") == UGLY


def test_without_paths_it_is_the_project(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "goexchange.yaml").write_text(
        "apiVersion: goexchange/v1\nkind:  Configuration\nspecifications: d\n", "utf-8"
    )
    assert ended("fmt") == 0
    assert "3 files: 2 changed" in capsys.readouterr().err
