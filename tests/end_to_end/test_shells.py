"""Completion in the shells themselves: the script is loaded, a line is begun, and Tab is pressed.

Names come from the store and the inventory of the working folder.
"""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import frozen

from goexchange.store.runs import Runs
from tests.bench.big_site import write_project

LIMIT_S = 240
LOAD = {
    "bash": "bind 'set bell-style none'; source ./completion; echo re''ady",
    "zsh": "autoload -U compinit && compinit -u -D && source ./completion; echo re''ady",
}
START = {
    "bash": ["bash", "--noprofile", "--norc", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-c"],
    "pwsh": ["pwsh", "-NoProfile", "-NonInteractive", "-Command"],
}


@frozen(kw_only=True)
class Project:
    """A project folder with a run in its store, and a `goexchange` on the path."""

    folder: Path
    run: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "TERM": "dumb",
            "PS1": "",
            "XDG_CONFIG_HOME": str(self.folder),
            "XDG_DATA_HOME": str(self.folder),
        }


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("shells") / "p"
    write_project(folder, servers=3, databases=6)
    plan = json.dumps({"body": {"decisions": [{"database": "DB07"}, {"database": "DX08"}]}})
    now = datetime(2026, 11, 28, 21, 0, tzinfo=UTC)
    run = Runs(folder / ".goexchange").create(plan=plan.encode(), approval=None, now=now)
    (folder / "bin").mkdir()
    program = folder / "bin" / "goexchange"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m goexchange "$@"\n', "utf-8")
    program.chmod(0o755)
    return Project(folder=folder, run=run.id)


def installed(shell: str, project: Project) -> None:
    """Its completion script is written, or the test skipped where there is no such shell."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed here; .ci/run installs what apt offers")
    name = "powershell" if shell == "pwsh" else shell
    script = subprocess.run(
        [sys.executable, "-m", "goexchange", "completion", name],
        cwd=project.folder,
        capture_output=True,
        check=True,
        timeout=LIMIT_S,
    ).stdout
    suffix = ".ps1" if shell == "pwsh" else ""
    (project.folder / f"completion{suffix}").write_bytes(script)


@contextmanager
def terminal(shell: str, project: Project) -> Iterator[int]:
    """An interactive shell on a terminal of its own."""
    pid, end = pty.fork()
    if pid == 0:
        os.chdir(project.folder)
        os.execvpe(START[shell][0], START[shell], project.environment)
    try:
        yield end
    finally:
        os.write(end, b"\x03\x15exit\n")
        os.close(end)
        deadline = time.monotonic() + 10
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(pid, 9)
            time.sleep(0.05)


def until(end: int, wanted: str) -> str:
    """What the terminal shows until something is in it."""
    seen = b""
    deadline = time.monotonic() + LIMIT_S
    while wanted not in seen.decode("utf-8", "replace"):
        assert time.monotonic() < deadline, f"{wanted} never came: {seen!r}"
        if select.select([end], [], [], 0.5)[0]:
            seen += os.read(end, 65_536)
    return seen.decode("utf-8", "replace")


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_tab_completes_a_verb_a_run_a_server_and_a_database(shell: str, project: Project) -> None:
    installed(shell, project)
    with terminal(shell, project) as end:
        os.write(end, f"{LOAD[shell]}\n".encode())
        until(end, "ready")
        for begun, whole in (
            ("goexchange rehe", "goexchange rehearse"),
            (f"goexchange resume {project.run[:6]}", f"goexchange resume {project.run}"),
            ("goexchange plan --database DX", "goexchange plan --database DX08"),
            ("goexchange history EX002", "goexchange history EX002"),
        ):
            os.write(end, f"{begun}\t".encode())
            assert until(end, whole)
            os.write(end, b"\x15")  # the line is taken back


@pytest.mark.parametrize("shell", ["fish", "pwsh"])
def test_the_shell_says_what_it_would_offer(shell: str, project: Project) -> None:
    installed(shell, project)
    assert "rehearse" in offered(shell, "goexchange rehe", project)
    assert project.run in offered(shell, "goexchange resume 2026", project)
    assert "DB07" in offered(shell, "goexchange plan --database DB", project)
    assert "EX002" in offered(shell, "goexchange plan --server ex", project)


def offered(shell: str, line: str, project: Project) -> list[str]:
    """The words that a shell would offer for a line, by its own means."""
    ask = {
        "fish": f"source ./completion; complete -C '{line}'",
        "pwsh": ". ./completion.ps1; (TabExpansion2 -inputScript '"
        f"{line}' -cursorColumn {len(line)}).CompletionMatches.CompletionText",
    }[shell]
    done = subprocess.run(
        [*START[shell], ask],
        cwd=project.folder,
        env=project.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=LIMIT_S,
        check=True,
    )
    return [row.split("\t")[0] for row in done.stdout.splitlines()]
