"""The tutorial, typed word by word: every block of it, in its order, each expected to succeed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.tidy.sources import REPOSITORY

TUTORIAL = REPOSITORY / "docs" / "tutorial.md"
UP_LIMIT_S = 240


def blocks() -> list[str]:
    """What is typed, block by block."""
    return re.findall(r"^```sh\n(.*?)^```$", TUTORIAL.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.long  # a whole session; the ordinary nights are those of test_night
def test_the_tutorial_works_as_it_is_written(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "goexchange"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m goexchange "$@"\n', "utf-8")
    program.chmod(0o755)
    type_the_tutorial(tmp_path, programs)


def type_the_tutorial(folder: Path, programs: Path, *, limit_s: float = 900) -> None:
    """Every block in its order, with the `goexchange` of a folder of programs."""
    first, *rest = blocks()
    words = first.split()
    assert words[:3] == ["goexchange", "lab", "up"]
    terminal = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "COLUMNS": "80"}
    with subprocess.Popen(words, cwd=folder, env=terminal, stdout=subprocess.DEVNULL) as lab:
        threading.Thread(target=lab.wait, daemon=True).start()  # a dead child is not to linger
        try:
            ready = folder / "my-site" / "site" / "lab.pid"
            limit = time.monotonic() + UP_LIMIT_S
            while not ready.exists():
                assert lab.poll() is None and time.monotonic() < limit, "the site does not start"
                time.sleep(0.1)
            done = subprocess.run(
                ["bash", "-e", "-c", "\n".join(rest)],
                cwd=folder,
                env=terminal,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                timeout=limit_s,
                check=False,
            )
        finally:
            if lab.poll() is None:
                lab.terminate()
            lab.wait(timeout=30)
    said = done.stdout
    assert done.returncode == 0, said[-3000:]
    for promised in (
        "an unknown key [unknown-key]",
        "Did you mean 'white_space_max'?",
        "PARTIAL   ONLY EX01/DB05",
        "The plan was changed after it was made",
        "VERDICT   nothing to do",
        "has stopped",
    ):
        assert promised in said, promised
    assert list((folder / "my-site" / "out").rglob("report.html"))
