"""One pass of isinteg: what it printed decides, and nothing that is not understood is a success."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from attrs import evolve

from goexchange.driver.judge import judge_job
from goexchange.driver.judgement import JobEnd, Judgement, Subject
from goexchange.driver.looking import looks_of
from goexchange.journal.replay import RunState
from goexchange.model.actual import LookKind
from goexchange.model.plan import Action, Repeat
from goexchange.model.run import OutcomeKind, StepRecord
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import equals, host_job
from tests.driver.plans import DATABASE, GUID, NOW, SERVER, plan_of
from tests.unit.powershell.test_isinteg import SAMPLE

CLEAN = SAMPLE.replace("3 error(s); 1 warning(s)", "0 error(s); 0 warning(s)")


def subject(*, attempt: int = 1, strict: bool = False) -> Subject:
    lane = LaneBuilder(f"{SERVER}/{DATABASE}", SERVER, database=DATABASE, database_guid=GUID)
    request = {
        "tool": "C:\\Bin\\isinteg.exe", "server": SERVER, "group": "First Storage Group",
        "database": "DB20", "fix": True,
    }  # fmt: skip
    lane.add(
        Action.STORE_INTEGRITY,
        host_job("isinteg", request),
        summary="isinteg",
        repeat=Repeat(
            times_max=2, until=equals("ours.troubles" if strict else "ours.errors", 0)
        ),
        pass_name="primary",
    )
    built = lane.lane()
    (step,) = built.steps
    record = evolve(StepRecord(step=step.id), attempts=attempt)
    state = evolve(RunState(), steps={step.id: record})
    return Subject(plan=plan_of(built), lane=built, step=step, state=state)


def judged(
    printed: str, *, ended: str | None = "run", attempt: int = 1, strict: bool = False
) -> Judgement:
    result: dict[str, Any] = {"error_output": base64.b64encode(b"").decode()}
    if ended is not None:
        result["ended"] = ended
    end = JobEnd(
        kind="isinteg", exit_code=0, output=printed.encode(), result=result, seconds=1.0
    )
    return judge_job(subject(attempt=attempt, strict=strict), end)


def test_what_a_pass_finds_asks_for_another_and_the_last_has_to_be_without() -> None:
    first = judged(SAMPLE)
    assert first.is_done and first.result["ours"]["errors"] == 3
    assert [each.number for each in first.findings] == [3, 1]
    last = judged(SAMPLE, attempt=2)
    assert last.outcome is OutcomeKind.FAILED and "after 2 passes" in last.result["why"]
    clean = judged(CLEAN, attempt=2)
    assert clean.is_done and clean.findings == ()


def test_warnings_alone_count_only_where_they_are_errors() -> None:
    warned = SAMPLE.replace("3 error(s)", "0 error(s)")
    assert judged(warned, attempt=2).is_done
    assert not judged(warned, attempt=2, strict=True).is_done


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        ("not-offered", "did not offer"),
        ("other-database", "another database"),
        ("silent", "did not ask"),
        ("odd", "not told"),
        (None, "not told"),
    ],
)
def test_one_that_never_began_changed_nothing(ended: str | None, words: str) -> None:
    found = judged(CLEAN, ended=ended)
    assert not found.is_done
    assert words in found.result["why"] and "nothing was changed" in found.result["why"]


@pytest.mark.parametrize(
    "printed",
    ["", "fertig", CLEAN.replace("0 error(s)", "no errors"), CLEAN.replace("DB20.", "DB21.")],
)
def test_what_is_not_understood_or_of_another_is_a_failure(printed: str) -> None:
    assert not judged(printed).is_done


def test_its_last_pass_is_a_look_at_what_lies_inside() -> None:
    one = subject()
    record = evolve(
        one.state.step(one.step.id),
        outcome=OutcomeKind.DONE,
        ended_at_utc=NOW,
        result={"ours": {"errors": 0, "warnings": 2, "is_over": True}},
    )
    state = evolve(one.state, steps={one.step.id: record})
    looks = looks_of(one.lane, state, is_rebuilt=False)
    assert [(each.kind, each.errors, each.warnings) for each in looks] == [
        (LookKind.LOGICAL, 0, 2), (LookKind.CORRECTED, 0, 2),
    ]  # fmt: skip
