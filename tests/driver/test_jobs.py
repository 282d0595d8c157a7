"""Host jobs: one that stands still, one that may not be ended, one that a restart took."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from goexchange.errors import ExitCode
from goexchange.model.plan import Action
from goexchange.model.run import RecordKind, RunResult
from tests.driver.plans import plan_of, rebuild_lane, with_step
from tests.driver.twin import NOW, Twin, drive, machine_of


def run(twin: Twin, **limits: Any) -> RunResult:
    lane = rebuild_lane()
    for action, seconds in limits.items():
        lane = with_step(lane, Action[action], time_limit_s=seconds)
    return drive(machine_of(plan_of(lane), twin), twin)


def said(twin: Twin) -> list[str]:
    return [one.data["text"] for one in twin.journal if one.kind is RecordKind.PROGRESS]


def test_a_tool_that_waits_for_a_key_is_reported_and_ended() -> None:
    """No output, no growth, no processor time: long before its time limit of a day."""
    twin = Twin(is_rebuild_endless=True, cpu=lambda now: 3.5)
    result = run(twin)
    assert result.exit_code == ExitCode.STOPPED
    assert "no processor time for 15 minutes: it was ended" in result.databases[0].why
    assert [text for text in said(twin) if "it may wait for a key" in text]
    assert (twin.now - NOW).total_seconds() < 3600
    assert [job.state for job in twin.jobs.values() if "/d" in str(job.request)] == ["lost"]
    assert twin.is_mounted and twin.effects["Mount-Database old"] == 1


def growing(now: datetime) -> float:
    return (now - NOW).total_seconds()


@pytest.mark.parametrize("cpu", [growing, lambda now: None])
def test_a_tool_that_works_or_may_work_goes_on_to_its_limit(cpu: Any) -> None:
    twin = Twin(is_rebuild_endless=True, cpu=cpu)
    result = run(twin, REBUILD=7200)
    assert "did not end within its time limit of 7200 s" in result.databases[0].why
    assert not [text for text in said(twin) if "wait for a key" in text]


def test_a_backup_that_does_not_end_is_left_running() -> None:
    twin = Twin(is_backup_endless=True, cpu=lambda now: 0.0)
    result = run(twin, ONLINE_BACKUP=3600)
    assert result.exit_code == ExitCode.UNPROTECTED
    assert "it was left running" in result.databases[0].why
    assert [job.state for job in twin.jobs.values() if job.kind == "wbadmin"] == ["running"]
    assert [text for text in said(twin) if "it may wait for a key" in text]  # said, not ended


@pytest.mark.parametrize(
    ("boot", "why"), [("b", "it was ended from outside"), ("b2", "the host restarted while it ran")]
)
def test_a_restart_is_known_by_the_boot(boot: str, why: str) -> None:
    twin = Twin(lost_job_kinds={"copy-files"}, boot=boot)
    result = run(twin)
    assert why in result.databases[0].why
    assert twin.is_mounted
