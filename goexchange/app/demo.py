"""The demo: the main job on a fresh lab, every verb as a process of its own, as typed by hand."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import field, frozen

from goexchange.errors import ExitCode, GoexchangeError

UP_LIMIT_S = 60
GOEXCHANGE = (sys.executable, "-m", "goexchange")


class DemoFailed(GoexchangeError):
    """A step of the demo did not end as it should."""

    id = "demo-failed"


@frozen(kw_only=True)
class Stage:
    """Where the demo plays, and what it prints with."""

    folder: Path
    say: Callable[[str], None]
    width: int
    ended: list[dict[str, Any]] = field(factory=list)

    def verb(self, *words: str, expect: int = ExitCode.OK) -> None:
        """Type a command: show it, run it, pass on what it prints as it comes, check how it ended.

        Raises: DemoFailed when it ends with another exit code.
        """
        shown = " ".join(words)
        self.say(f"\n$ goexchange {shown}")
        started = time.monotonic()
        with subprocess.Popen(
            [*GOEXCHANGE, *words],
            cwd=self.folder,
            env={**os.environ, "COLUMNS": str(self.width), "PYTHONIOENCODING": "utf-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                self.say(line.rstrip("\n"))
        seconds = round(time.monotonic() - started, 1)
        code = process.returncode
        self.ended.append({"command": shown, "exit_code": code, "seconds": seconds})
        if code != expect:
            raise DemoFailed(f"'goexchange {shown}' ended with {code}, expected {expect}")


def run(folder: Path | None, *, say: Callable[[str], None], width: int) -> dict[str, Any]:
    """Play the demo; in a temporary folder that goes afterwards, or in `folder`, which is kept.

    Shape: `{"ok": bool, "commands": [{"command", "exit_code", "seconds"}], "seconds": float}`.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="goexchange-demo-") as temporary:
        stage = Stage(folder=Path(folder or temporary).resolve(), say=say, width=width)
        stage.folder.mkdir(parents=True, exist_ok=True)
        ok = True
        try:
            with _lab(stage):
                _play(stage)
        except DemoFailed as error:
            say(f"\nThe demo failed: {error}")
            ok = False
        seconds = round(time.monotonic() - started, 1)
        if ok:
            kept = f" Everything lies in {stage.folder}." if folder else ""
            say(f"\nDone in {seconds} s: the second plan is empty.{kept}")
    return {"ok": ok, "commands": stage.ended, "seconds": seconds}


def _play(stage: Stage) -> None:
    stage.verb("validate")
    stage.verb("observe", "--out", "facts.json")
    stage.verb("plan", "--out", "plan.json", "--detailed-exitcode", expect=ExitCode.CHANGES)
    stage.verb("approve", "plan.json", "--consent", "all", "--comment", "demo")
    stage.verb("apply", "plan.json")
    stage.verb("report", "--format", "text")
    stage.verb("plan", "--detailed-exitcode", "--summary")


@contextmanager
def _lab(stage: Stage) -> Iterator[None]:
    """The lab as a process of its own, ready when its line says so, stopped at the end."""
    stage.say("$ goexchange lab up . &")
    log = stage.folder / "lab.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*GOEXCHANGE, "lab", "up", "."],
            cwd=stage.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_up(process, stage.folder / "site" / "lab.pid", log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_until_up(process: subprocess.Popen[bytes], mark: Path, log: Path) -> None:
    inventory = mark.parent.parent / "inventory" / "lab.yaml"
    deadline = time.monotonic() + UP_LIMIT_S
    while not (
        mark.exists()
        and inventory.exists()
        and "The lab is up" in log.read_text("utf-8", "replace")
    ):
        if process.poll() is not None or time.monotonic() > deadline:
            raise DemoFailed(f"the lab did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")
        time.sleep(0.05)
