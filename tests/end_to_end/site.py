"""The installed command and a lab, both as processes of their own, in a folder of the test's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

GOEXCHANGE = (sys.executable, "-m", "goexchange")
LIMIT_S = 900


@frozen(kw_only=True)
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document of `--json`."""
        return json.loads(self.out)


@frozen(kw_only=True)
class Site:
    """A project folder with a lab behind it."""

    folder: Path

    def run(self, *words: str, **environment: str) -> Done:
        """Type a command and wait for its end."""
        done = subprocess.run(
            [*GOEXCHANGE, *words],
            cwd=self.folder,
            env={**os.environ, "COLUMNS": "100", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=LIMIT_S,
            check=False,
        )
        return Done(code=done.returncode, out=done.stdout, err=done.stderr)

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Type a command and go on."""
        return subprocess.Popen(
            [*GOEXCHANGE, *words],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def planned(self, *options: str) -> Any:
        """Plan and approve; the plan as JSON."""
        planned = self.run("plan", "--out", "plan.json", *options)
        assert planned.code == 0, planned.out + planned.err
        approved = self.run("approve", "plan.json", "--consent", "all")
        assert approved.code == 0, approved.out + approved.err
        return json.loads((self.folder / "plan.json").read_bytes())

    def disk(self, *parts: str) -> Path:
        """A file or folder of the site's disks, as the lab keeps it on this machine."""
        return self.folder.joinpath("site", "disks", *parts)

    def control(self, what: str, **body: Any) -> Any:
        """Ask the lab's control interface; the answer is its state."""
        where = json.loads((self.folder / "site" / "lab.json").read_text("utf-8"))
        address = f"http://127.0.0.1:{where['ports']['control']}/{what}"
        data = None if what in ("state", "effects") else json.dumps(body).encode()
        with urllib.request.urlopen(address, data=data, timeout=10) as answer:
            return json.loads(answer.read())

    def journal(self) -> list[dict[str, Any]]:
        """The records of the newest run, without a torn end."""
        runs = sorted((self.folder / ".goexchange" / "runs").glob("*"))
        if not runs or not (runs[-1] / "journal.jsonl").exists():
            return []
        lines = (runs[-1] / "journal.jsonl").read_bytes().split(b"\n")
        return [json.loads(line) for line in lines[:-1]]

    def wait_for(self, holds: Callable[[list[dict[str, Any]]], bool], limit_s: float = 240) -> None:
        """Wait until something is in the journal."""
        deadline = time.monotonic() + limit_s
        while not holds(self.journal()):
            assert time.monotonic() < deadline, "the journal never said so"
            time.sleep(0.05)

    def wait_until(self, holds: Callable[[], bool], limit_s: float = 240) -> None:
        """Wait until something outside the journal is so."""
        deadline = time.monotonic() + limit_s
        while not holds():
            assert time.monotonic() < deadline, "it never came to be so"
            time.sleep(0.2)


@contextmanager
def lab(folder: Path, *options: str) -> Iterator[Site]:
    """A lab in a folder, up and ready; stopped at the end."""
    log = folder / "lab.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*GOEXCHANGE, "lab", "up", ".", *options],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + 60
        while "The lab is up" not in log.read_text("utf-8"):
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < deadline, "the lab did not come up"
            time.sleep(0.05)
        yield Site(folder=folder)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def steps(records: Sequence[dict[str, Any]], kind: str, action: str) -> list[str]:
    """The steps of an action that have a record of a kind."""
    found = (str(record["data"].get("step", "")) for record in records if record["kind"] == kind)
    return [step for step in found if step.endswith(f"-{action}")]
