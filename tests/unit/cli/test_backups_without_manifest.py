"""Copies that are no sets are named where a person looks for backups, and nothing else is done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from goexchange.app.backups import loose_below
from goexchange.app.restore_planning import RestoreRequest, plan_restore
from goexchange.app.running import Site
from goexchange.errors import ExitCode, UsageError
from goexchange.model.backup_set import MANIFEST_NAME
from goexchange.settings.loading import load_configuration
from tests.unit.cli.test_command_line import ended
from tests.unit.plan.builders import inventory


def folder_with(root: Path, *names: str) -> Path:
    root.mkdir(parents=True)
    for name in names:
        (root / name).write_bytes(b"x" * 1024)
    return root


def test_database_files_without_a_manifest_are_found_once(tmp_path: Path) -> None:
    copies = folder_with(tmp_path / "EX01" / "online" / "t1", "DB05.edb", "DB06.EDB", "E05.log")
    folder_with(tmp_path / "EX01" / "DB05" / "t1", "DB05.edb", MANIFEST_NAME)
    folder_with(tmp_path / "EX01" / "DB05" / "t1" / "configuration", "old.edb")
    folder_with(tmp_path / "logs", "E05.log")
    (found,) = loose_below((str(tmp_path), str(tmp_path / "EX01")))
    assert (found.folder, found.files) == (str(copies), ("DB05.edb", "DB06.EDB"))
    assert found.total_bytes == 2048


def test_list_names_them_and_says_that_nothing_knows_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copies = folder_with(tmp_path / "online", "DB05.edb")
    assert ended("backups", "list", str(tmp_path)) == 0
    text = capsys.readouterr().out
    assert "There is no set." in text and "restore does not know them" in text
    assert f"{copies}: DB05.edb, 1.0 KiB" in text
    assert ended("backups", "list", str(tmp_path), "--json") == 0
    (one,) = json.loads(capsys.readouterr().out)["without_manifest"]
    assert (one["folder"], one["files"]) == (str(copies), ["DB05.edb"])
    assert ended("backups", "list", str(folder_with(tmp_path / "empty"))) == 0
    assert "without a manifest" not in capsys.readouterr().out


def test_a_restore_says_what_to_do_with_them_instead(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copies = folder_with(tmp_path / "online", "DB05.edb")
    empty = folder_with(tmp_path / "empty")
    assert ended("restore", str(copies), "--to", str(tmp_path / "new")) == ExitCode.USAGE
    said = " ".join(capsys.readouterr().err.split())
    assert "DB05.edb lies there" in said and "eseutil /r" in said and "-Recovery" in said
    assert ended("restore", str(empty), "--to", str(tmp_path / "new")) == ExitCode.USAGE
    assert "lies there" not in capsys.readouterr().err
    request = RestoreRequest(set_folder=str(copies), target="recovery-database")
    with pytest.raises(UsageError, match="DB05.edb lies there"):
        plan_restore(request, site())


def test_a_set_on_a_share_that_is_not_mounted_here_is_not_asked_of_a_server() -> None:
    request = RestoreRequest(set_folder="\\\\away01\\sets\\one", target="recovery-database")
    with pytest.raises(UsageError, match="mounted_at"):
        plan_restore(request, site())


def site() -> Site:
    settings, _ = load_configuration(None, flags={}, environment={})
    assert settings is not None
    return Site(inventory=inventory(), settings=settings)
