"""Jobs that run as an account: how they are started, judged, and what stays of them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from attrs import evolve

from goexchange.driver.calls import start_call
from goexchange.driver.jobs import Job
from goexchange.driver.judge import judge_job
from goexchange.driver.judgement import JobEnd, Judgement, Subject
from goexchange.driver.records import seal_folder
from goexchange.journal.replay import replay
from goexchange.model.plan import Action, JobCall
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import host_job, host_script
from tests.driver.alone import Saying, announce, played, step_in, talk_of
from tests.driver.plans import ROOT, SERVER, plan_of, rebuild_lane
from tests.driver.test_jobs import ENDED, STARTED, polled

STORED, MANAGED = "CONTOSO\\gx-backup", "CONTOSO\\gx-jobs$"
WRITTEN = {"path": "\\\\b\\s", "can_write": True, "message": None}
READ = {"path": "D:\\DB05.edb", "can_read": True, "message": None}


def trial(account: str | None = STORED) -> JobCall:
    request = {"folders": ["\\\\b\\s"], "files": ["D:\\DB05.edb"]}
    return host_job("try-folders", request, account=account)


@pytest.mark.parametrize(
    ("account", "said"),
    [
        (None, None),
        (STORED, {"user": STORED, "is_managed": False}),
        (MANAGED, {"user": MANAGED, "is_managed": True}),
    ],
)
def test_a_job_is_started_as_the_account_that_the_plan_names(
    account: str | None, said: dict[str, Any] | None
) -> None:
    call = start_call(trial(account), root=ROOT, fence=1, job="r1-01")
    assert call.arguments.get("account") == said
    assert ("account" in call.arguments) == (account is not None)


@pytest.mark.parametrize(("account", "is_forgotten"), [(STORED, True), (None, False)])
def test_the_task_of_an_account_goes_when_its_job_is_over(
    account: str | None, is_forgotten: bool
) -> None:
    base = step_in(rebuild_lane(), Action.DETECT_ERRORS)
    assert isinstance(base.call, JobCall)
    step = evolve(base, call=evolve(base.call, account=account))
    lane = evolve(rebuild_lane(), steps=(step,))
    twin = Saying(replies=[polled("ended", **ENDED), STARTED])
    announce(twin, lane, step)
    talk = talk_of(plan_of(lane, host_root=ROOT), twin)
    assert isinstance(step.call, JobCall)
    assert played(talk, Job(talk, lane, step, step.call).follow(), twin).is_done
    assert len(twin.purposes) == (2 if is_forgotten else 1)  # the look, and what removes the task


def judged(action: Action, call: JobCall, end: JobEnd) -> Judgement:
    lane = LaneBuilder("EX01/DB05", SERVER, database="DB05", database_guid="g")
    lane.add(action, call, summary="trial")
    made = lane.lane()
    subject = Subject(
        plan=plan_of(made, host_root=ROOT), lane=made, step=made.steps[0], state=replay(())
    )
    return judge_job(subject, end)


def ended(kind: str, *, exit_code: int | None = 0, **result: Any) -> JobEnd:
    return JobEnd(
        kind=kind, exit_code=exit_code, output=b"", result=result, seconds=1.0,
        started_at_utc=None, watched={},
    )  # fmt: skip


def test_a_trial_that_was_allowed_everything_is_good() -> None:
    end = ended("try-folders", folders=[WRITTEN], files=[READ])
    found = judged(Action.TRY_TARGET, trial(), end)
    assert found.is_done and found.result["ok"] is True


def test_a_trial_of_nothing_is_that_a_job_starts_at_all() -> None:
    """What a machine is tried for; the answer for something else is no answer to it."""
    nothing = host_job("try-folders", {"folders": []})
    assert judged(Action.TRY_TARGET, nothing, ended("try-folders", folders=[], files=[])).is_done
    for end in (
        ended("try-folders", folders=[], files=[], exit_code=1),
        ended("try-folders", folders=[WRITTEN], files=[]),
    ):
        assert not judged(Action.TRY_TARGET, nothing, end).is_done


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (
            ended("try-folders", folders=[{**WRITTEN, "can_write": False}], files=[READ]),
            "\\\\b\\s cannot be written: what was read back is not what was written",
        ),
        (
            ended(
                "try-folders",
                folders=[WRITTEN],
                files=[{**READ, "can_read": False, "message": "denied"}],
            ),
            "D:\\DB05.edb cannot be read: denied",
        ),
        (ended("try-folders", folders=[], files=[]), "the trial ended with 0"),
        (
            ended("try-folders", exit_code=-1, folders=[WRITTEN], files=[READ]),
            "the trial ended with -1",
        ),
        (ended("try-folders", folders=[WRITTEN], files=[]), "the trial ended with 0"),
        (ended("try-folders"), "an answer of unexpected shape"),
    ],
)
def test_a_trial_that_was_not_says_what_is_lacking(end: JobEnd, why: str) -> None:
    found = judged(Action.TRY_TARGET, trial(), end)
    assert not found.is_done
    assert why in found.result["why"]


def test_a_manifest_that_its_job_did_not_write_is_no_seal() -> None:
    call = host_job("seal-set", {"folder": "f", "manifest": ""}, account=STORED)
    found = judged(Action.SEAL_SET, call, ended("seal-set", exit_code=-1))
    assert not found.is_done and "ended with -1" in found.result["why"]


def test_the_folder_of_a_seal_is_known_of_script_and_job() -> None:
    lane = LaneBuilder("EX01/DB05", SERVER, database="DB05", database_guid="g")
    manifest = base64.b64encode(b"{}").decode()
    request = {"folder": "f", "manifest": manifest}
    lane.add(Action.SEAL_SET, host_script("seal-set", {"root": ROOT, **request}), summary="s")
    lane.add(Action.SEAL_SET, host_job("seal-set", request), summary="s")
    assert [seal_folder(step) for step in lane.lane().steps] == ["f", "f"]
