"""A run that is told to end, at random moments: within five seconds, consistent, resumable, and
with an exit code that hides no database that is down.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from goexchange.store.requests import write_request
from tests.end_to_end.site import Site, lab, steps

LIMIT_S = 5.0
MOMENTS = (
    "open-recovery-record",
    "repair-request",
    "set-mount-at-startup",
    "dismount",
    "read-header",
    "detect-errors",
    "copy-set",
    "rebuild",
)
Process = subprocess.Popen[bytes]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with lab(tmp_path_factory.mktemp("signals"), "--pace", "1", "--scale", "0.5") as found:
        with (found.folder / "goexchange.yaml").open("a") as settings:
            settings.write("heartbeat_every: 4s\nlease_expires_after: 12s\n")  # doubts end sooner
        yield found


def send(*numbers: signal.Signals) -> Callable[[Process], None]:
    def end(process: Process) -> None:
        for number in numbers:
            process.send_signal(number)

    return end


def cancel_as_a_pipeline_does(process: Process) -> None:
    """Interrupt, 7.5 s later terminate, 2.5 s later kill; ours is gone before the second."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=7.5)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait(timeout=2.5)


def close_output(process: Process) -> None:
    assert process.stdout is not None
    process.stdout.close()


ENDS: dict[str, tuple[Callable[[Process], None], int]] = {
    "interrupt": (send(signal.SIGINT), 130),
    "terminate": (send(signal.SIGTERM), 143),
    "terminal gone": (send(signal.SIGHUP), 143),
    "twice": (send(signal.SIGINT, signal.SIGINT, signal.SIGTERM), 130),
    "pipeline": (cancel_as_a_pipeline_does, 130),
    "closed output": (close_output, 143),
}


def is_down(records: list[dict[str, Any]]) -> bool:
    """Whether the journal says that the database is out of service."""

    def happened(action: str) -> bool:
        ends = [one for one in records if one["kind"] == "outcome"]
        ends = [one for one in ends if one["data"]["outcome"] in ("done", "already")]
        return bool(steps(ends, "outcome", action))

    return happened("dismount") and not (happened("mount") or happened("mount-original"))


def in_doubt(records: list[dict[str, Any]]) -> set[str]:
    ends = {str(one["data"]["step"]) for one in records if one["kind"] == "outcome"}
    return {str(one["data"]["step"]) for one in records if one["kind"] == "intent"} - ends


IN_EVERY_RUN = ("terminate",)  # the others differ in who sends what


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(one, marks=() if one in IN_EVERY_RUN else (pytest.mark.long,))
        for one in ENDS
    ],
)
def test_it_ends_within_five_seconds_and_says_what_is_down(site: Site, kind: str) -> None:
    end, calm = ENDS[kind]
    moment = random.choice(MOMENTS)
    site.planned("--database", "DB05")
    known = runs(site)
    process = site.start("apply", "plan.json")
    deadline = time.monotonic() + 240
    while runs(site) == known or not steps(site.journal(), "intent", moment):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(random.random() / 2)  # anywhere in the step, or in the one after it
    asked = time.monotonic()
    end(process)
    code = process.wait(timeout=60)
    took = time.monotonic() - asked
    close_output(process)
    run, records = runs(site)[-1], site.journal()
    allowed = {22} if is_down(records) else {calm, 23} if in_doubt(records) else {calm}
    sys.stdout.write(f"{kind} in {moment}: code {code} after {took:.1f} s\n")
    assert code in allowed and took < LIMIT_S, (moment, code, took)
    assert site.run("journal", "verify", run).code == 0
    write_request(site.folder / ".goexchange" / "runs" / run, "abort", by="maria", now=now())
    again = site.run("resume", run)
    assert again.code == 21, (moment, again.out + again.err)
    assert not is_down(site.journal())


def runs(site: Site) -> list[str]:
    folder = site.folder / ".goexchange" / "runs"
    return sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []


def now() -> datetime:
    return datetime.now(UTC)
