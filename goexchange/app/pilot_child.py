"""One controller of a pilot's run, a process of its own: it applies or resumes, and dies by SIGKILL
at the record that it was told.

The request is one JSON document on standard input; the answer, when it lives to give one, the last
line of standard output. Nothing is cleaned up by a process that dies: that is what is tried.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goexchange.app import loading, running
from goexchange.app.approving import require_approved
from goexchange.app.planning import read_plan
from goexchange.app.policies import key_of
from goexchange.errors import ExitCode, GoexchangeError
from goexchange.model.run import Record, RecordKind

if TYPE_CHECKING:
    from goexchange.model.plan import Plan
    from goexchange.store.runs import RunFolder

KILL = 9  # the number, for Windows has no name for it and ends the process all the same
TICKS = 4  # of a quarter of a second each: the job has begun by then


class DyingWatch:
    """Says each step as it ends; `action` is the one at which the process dies: right after its
    outcome, or, where `in_the_middle`, while it is at work.
    """

    def __init__(self, plan: Plan, *, action: str | None, in_the_middle: bool) -> None:
        self._actions = {
            step.id: step.action.value for lane in plan.body.lanes for step in lane.steps
        }
        self._action, self._in_the_middle = action, in_the_middle
        self._ticks: int | None = None

    def show(self, record: Record) -> None:
        """A record is on the disk; perhaps it is the last one of this process."""
        step = str(record.data.get("step", ""))
        if record.kind is RecordKind.OUTCOME:
            sys.stderr.write(f"    {step}  {record.data['outcome']}\n")
            sys.stderr.flush()
        if self._action is None or self._actions.get(step) != self._action:
            return
        if record.kind is RecordKind.OUTCOME:
            die()
        if record.kind is RecordKind.INTENT and self._in_the_middle:
            self._ticks = 0

    def tick(self) -> None:
        """Time goes by, and it may be up."""
        if self._ticks is not None:
            self._ticks += 1
            if self._ticks >= TICKS:
                die()

    def close(self) -> None:
        """Nothing is open."""


def die() -> None:
    """End this process at once, with nothing said and nothing closed."""
    os.kill(os.getpid(), KILL)


def main() -> int:
    """Carry out the request. The exit code is the run's; what it refused is in the answer."""
    asked = json.load(sys.stdin)
    try:
        ended = _perform(asked)
    except GoexchangeError as error:
        details = [each.detail for each in error.diagnostics]
        _answer({"run": None, "exit_code": int(error.exit_code), "words": str(error),
                 "details": details, "has_begun": False})  # fmt: skip
        return int(error.exit_code)
    _answer(
        {
            "run": ended.run.id,
            "exit_code": ended.result.exit_code,
            "words": ended.result.verdict,
            "details": [],
            "has_begun": ended.has_begun,
        }
    )
    return ended.result.exit_code


def _perform(asked: dict[str, Any]) -> running.Ended:
    settings = loading.configuration(asked["options"])
    inventory = loading.inventory(settings)
    site = running.Site(inventory=inventory, settings=settings)

    def watch(plan: Plan, run: RunFolder) -> DyingWatch:
        return DyingWatch(plan, action=asked["die_at"], in_the_middle=asked["in_the_middle"])

    if asked["verb"] == "resume":
        return running.resume(asked["run"], site=site, watch=watch)
    plan = read_plan(asked["plan"])
    key = key_of(asked["options"])
    approved = require_approved(plan, asked["plan"], inventory, key=key)
    content = Path(asked["plan"]).read_bytes()
    return running.apply(plan, content, approved, site=site, watch=watch)


def _answer(plain: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(plain) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(int(ExitCode.INTERRUPTED))
