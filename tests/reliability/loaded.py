"""Processes of the command line that begin with everything loaded: forked from one that has it.

Loading takes three quarters of a short process. Each of these is a process of its own all the same,
with its own number, beginning and files, and dies by SIGKILL as any other; `kill` of a long session
starts the command itself.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from attrs import frozen

from tests.end_to_end.site import Done, Site
from tests.reliability.dying import Moment
from tests.reliability.kills import ENDS_WITHIN_S, REPOSITORY, Target


@frozen(kw_only=True)
class Loaded(Site):
    """A site whose commands begin in the process that has loaded everything."""

    process: subprocess.Popen[str]

    def run(self, *words: str, **environment: str) -> Done:
        """As on any site."""
        output, errors = self.folder / "output.txt", self.folder / "errors.txt"
        self._begin(words, {"errors": str(errors), "environment": environment})
        return Done(
            code=self._number(), out=output.read_text("utf-8"), err=errors.read_text("utf-8")
        )

    def die(
        self, site: Site, target: Target, words: Sequence[str], chance: random.Random
    ) -> tuple[int, str]:
        """As `kills.die`: go on until the process is dead, or has ended before its time."""
        assert self.process.stdout is not None
        is_outside = target.moment is Moment.ANY
        dies = "" if is_outside else f"{target.moment.value}|{target.step}|{target.nth}"
        child = self._begin(words, {"dies": dies})
        wait_s = 1.0 + 3 * chance.random() if is_outside else ENDS_WITHIN_S
        if not select.select([self.process.stdout], [], [], wait_s)[0]:
            os.kill(child, signal.SIGKILL)
        return self._number(), (self.folder / "output.txt").read_text("utf-8")[-600:]

    def _begin(self, words: Sequence[str], more: dict[str, Any]) -> int:
        """Ask for a process; its number."""
        output = str(self.folder / "output.txt")
        asked = {"folder": str(self.folder), "output": output, "words": list(words), **more}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return self._number()

    def _number(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())


@contextmanager
def loaded(site: Site) -> Iterator[Loaded]:
    """The same site with such commands, until the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.reliability.forking"],
        cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    try:
        yield Loaded(folder=site.folder, process=process)
    finally:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        process.wait(timeout=60)
        process.stdout.close()
