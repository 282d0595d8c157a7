"""Host jobs: one that stands still, one that may not be ended, one that a restart took."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

import pytest
from attrs import evolve

from goexchange.driver import effects as to_do
from goexchange.driver import events as came
from goexchange.driver.jobs import Job, cancel_jobs
from goexchange.driver.judgement import Judgement
from goexchange.errors import ExitCode
from goexchange.model.plan import Action, JobCall, ScriptCall
from goexchange.model.run import RecordKind, RunResult
from goexchange.plan.calls import host_script
from tests.driver.alone import Saying, announce, played, step_in, talk_of
from tests.driver.plans import ROOT, plan_of, rebuild_lane, with_step
from tests.driver.twin import NOW, Twin, drive, eseutil_output, machine_of


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


# -- one job at a time, with answers that no night brings


def polled(state: str, **differs: Any) -> came.Answered:
    """One answer of `poll-job`."""
    plain: dict[str, Any] = {
        "state": state,
        "boot_id": "b",
        "started_boot_id": "b",
        "cpu_s": None,
        "clock": "2026-11-22T20:00:01Z",
        "started_at": "2026-11-22T20:00:00Z",
        "ended_at": None,
        "exit_code": None,
        "offset": 0,
        "output": "",
        "watched": [],
        "result": None,
    }
    return came.Answered(result={**plain, **differs})


STARTED = came.Answered(result={"state": "started", "folder": "f"})
LOST = came.Lost(message="nobody answers")
CHECKED = eseutil_output("/k", is_bad=False)
ENDED = {
    "exit_code": 0,
    "ended_at": "2026-11-22T20:00:05Z",
    "offset": len(CHECKED),
    "output": base64.b64encode(CHECKED).decode(),
    "result": {"error_output": ""},
}


def watched(twin: Saying, **changes: Any) -> Judgement:
    """A page check by eseutil, followed to its end."""
    step = evolve(step_in(rebuild_lane(), Action.DETECT_ERRORS), **changes)
    lane = evolve(rebuild_lane(), steps=(step,))
    announce(twin, lane, step)
    talk = talk_of(plan_of(lane, host_root=ROOT), twin)
    assert isinstance(step.call, JobCall)
    return played(talk, Job(talk, lane, step, step.call).follow(), twin)


def followed(*replies: came.Event, **changes: Any) -> tuple[Judgement, Saying]:
    """The same on a host that answers so."""
    twin = Saying(replies=list(replies))
    return watched(twin, **changes), twin


def test_an_answer_that_comes_twice_is_taken_once() -> None:
    """Its offset is not where our output ends: what it brings is somewhere else's."""
    half = len(CHECKED) // 2
    first = {"offset": half, "output": base64.b64encode(CHECKED[:half]).decode()}
    rest = {**ENDED, "output": base64.b64encode(CHECKED[half:]).decode()}
    found, _ = followed(polled("running", **first), polled("running", **first),
                        polled("ended", **rest))  # fmt: skip
    assert found.is_done and found.result["ok"] is True


def test_a_job_that_the_host_has_forgotten_has_failed() -> None:
    found, twin = followed(polled("running"), polled("absent"))
    assert found.result["why"] == "the host does not know the job any more"
    assert len(twin.purposes) == 2, "it is not begun a second time"


def test_a_host_that_never_knows_the_job_is_asked_to_start_it_a_few_times() -> None:
    found, twin = followed(polled("absent"), STARTED, polled("absent"), STARTED,
                           polled("absent"), STARTED, polled("absent"))  # fmt: skip
    assert found.result["why"] == "the host does not know the job any more"
    assert len(twin.purposes) == 7


class Restarted(Saying):
    """It went down between the request and the child; a second request begins the child."""

    def _send(self, send: to_do.Send) -> came.Event:
        assert isinstance(send.call, ScriptCall)
        self.purposes.append(send.call.script)
        if send.call.script == "start-job":
            return STARTED
        return polled("ended", **ENDED) if "start-job" in self.purposes else polled("requested")


def test_a_job_whose_start_the_host_lost_is_asked_for_again() -> None:
    twin = Restarted()
    assert watched(twin).is_done and twin.purposes.count("start-job") == 1
    assert (twin.now - NOW).total_seconds() >= 60, "a child has a minute to begin"


def test_a_wait_that_its_limit_ends_is_done_only_when_something_ran() -> None:
    limit = {"ends_at_limit": True, "time_limit_s": 60}
    found, _ = followed(polled("running"), **limit)
    assert found.is_done and found.result["is_left_running"] is True
    found, _ = followed(LOST, **limit)
    assert found.result["why"] == (
        "whether it was started is not known: the host did not say"
    )


def test_a_job_on_a_host_without_a_folder_of_the_tool_is_a_mistake_of_the_plan() -> None:
    step = step_in(rebuild_lane(), Action.DETECT_ERRORS)
    lane = evolve(rebuild_lane(), steps=(step,))
    talk = talk_of(plan_of(lane), Saying(replies=[STARTED]))
    assert isinstance(step.call, JobCall)
    with pytest.raises(ValueError, match="no call of the plan names the tool's folder on EX01"):
        Job(talk, lane, step, step.call)


@pytest.mark.parametrize(
    ("reply", "jobs"),
    [
        (came.Answered(result={"state": "cancelled"}), ["20261122-07-aaaaaa-1"]),
        (came.Refused(code="internal", message="the process does not end"), []),
        (LOST, []),
    ],
)
def test_a_release_ends_the_job_that_another_run_left(reply: came.Event, jobs: list[str]) -> None:
    named = host_script("cancel-job", {"root": ROOT, "job": "20261122-07-aaaaaa-1"})
    step = evolve(step_in(rebuild_lane(), Action.CANCEL_JOBS), call=named)
    lane = evolve(rebuild_lane(), steps=(step,))
    twin = Saying(replies=[reply])
    talk = talk_of(plan_of(lane), twin)
    found = played(talk, cancel_jobs(talk, lane, step), twin)
    assert found.result["jobs"] == jobs and found.is_done is bool(jobs)
    assert jobs or "the job could not be ended" in found.result["why"]
