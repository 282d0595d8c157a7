"""The controller dies in the middle of the night: a new one goes on, nothing happens twice."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.site import Site, lab, steps


def is_rebuilding(records: list[dict[str, Any]]) -> bool:
    begun = steps(records, "intent", "rebuild")
    return bool(begun) and not steps(records, "outcome", "rebuild")


def job_folders(site: Site) -> list[Path]:
    root = site.disk("EX01", "C", "ProgramData", "goexchange", "jobs")
    return [each for each in root.iterdir() if "rebuild" in each.name] if root.exists() else []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_in_the_rebuild_then_resumed(tmp_path: Path, number: signal.Signals) -> None:
    with lab(tmp_path, "--pace", "1", "--scale", "0.5") as site:
        site.planned()
        process = site.start("apply", "plan.json")
        site.wait_for(is_rebuilding)
        process.send_signal(number)
        output = process.communicate(timeout=30)[0].decode()
        if number is signal.SIGTERM:
            assert process.returncode == 22, output  # the database is down: never 143
            assert "goexchange resume" in output
        records = site.journal()
        assert is_rebuilding(records), "the kill missed the rebuild"
        resumed = site.run("resume", "last")
        assert resumed.code == 0, resumed.out + resumed.err
        records = site.journal()
        done = Counter(steps(records, "outcome", "rebuild"))
        assert list(done.values()) == [1]
        assert len(job_folders(site)) == 1
        assert site.run("plan", "--detailed-exitcode").code == 0
