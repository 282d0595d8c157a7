"""Completion: the scripts of four shells, and the names that they are offered."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from goexchange.store.runs import Runs
from tests.bench.big_site import write_project
from tests.unit.cli.test_command_line import ended


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_project(tmp_path / "p", servers=3, databases=6)
    return tmp_path / "p"


def offered(line: str, folder: Path, shell: str = "bash") -> list[str]:
    """What the shell would offer for a line whose last word is begun."""
    words = line.split(" ")
    environment = {
        **os.environ,
        "_GOEXCHANGE_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1) if shell == "bash" else words[-1],
        "COMP_WORD": words[-1],
    }
    done = subprocess.run(
        [sys.executable, "-m", "goexchange"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "mistake" not in done.stderr, done.stderr
    separator = "\t" if shell == "powershell" else ","
    return [row.split(separator)[1] for row in done.stdout.splitlines() if row]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_every_shell_has_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("completion", shell) == 0
    text = capsys.readouterr().out
    assert "goexchange" in text and "_GOEXCHANGE_COMPLETE" in text
    assert ended("completion", shell, "--json") == 0
    assert json.loads(capsys.readouterr().out)["shell"] == shell


def test_another_shell_is_a_usage_error() -> None:
    assert ended("completion", "tcsh") == 64


def test_bash_takes_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("completion", "bash") == 0
    script = capsys.readouterr().out
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run([bash, "-n"], input=script, text=True, check=False, timeout=60)
    assert done.returncode == 0


def test_verbs_options_and_names_are_offered(project: Path) -> None:
    assert {"resume", "report", "restore"} <= set(offered("goexchange re", project))
    assert "--detailed-exitcode" in offered("goexchange plan --de", project)
    servers = ["EX001", "EX002", "EX003"]
    assert offered("goexchange plan --server ex", project) == servers
    assert offered("goexchange observe ex", project) == servers


def test_powershell_is_offered_the_same_in_its_own_form(project: Path) -> None:
    servers = ["EX001", "EX002", "EX003"]
    assert offered("goexchange plan --server ex", project, "powershell") == servers


def test_runs_and_databases_come_from_the_store(project: Path) -> None:
    plan = json.dumps({"body": {"decisions": [{"database": "DB07"}, {"database": "DB08"}]}})
    now = datetime(2026, 11, 28, 21, 0, tzinfo=UTC)
    run = Runs(project / ".goexchange").create(plan=plan.encode(), approval=None, now=now)
    assert offered("goexchange resume 2026", project) == [run.id]
    assert offered("goexchange report la", project) == ["last"]
    assert offered("goexchange plan --database DB", project) == ["DB07", "DB08"]


def test_nothing_to_offer_is_silence(tmp_path: Path) -> None:
    (tmp_path / "goexchange.yaml").write_text("nonsense: [", "utf-8")
    assert offered("goexchange plan --server E", tmp_path) in ([], ["E"])
