"""Passes of the store's own detection and correction: what its answers mean, and what they do not
say.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goexchange.driver.judge_passes import detected, judge_pass
from goexchange.driver.repairs import with_ours
from goexchange.journal.replay import RunState
from goexchange.model.plan import Action, Repeat, Step
from goexchange.model.run import OutcomeKind, StepRecord
from goexchange.plan.calls import equals
from tests.driver.plans import NOW, rebuild_lane

STEP: Step = next(
    step for step in rebuild_lane(with_passes=True).steps if step.action is Action.REPAIR_REQUEST
)


def job(number: int = 1, **differs: Any) -> dict[str, Any]:
    """One row of Get-MailboxRepairRequest as it comes over remoting."""
    return {
        "Identity": f"6f9619ff\\{number}\\{number}",
        "Tasks": ["FolderView"],
        "JobState": "Succeeded",
        "CreationTime": (NOW + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "CorruptionsDetected": 0,
        "CorruptionsFixed": 0,
        "ErrorCode": 0,
        **differs,
    }


def ours(
    *rows: dict[str, Any],
    counted: frozenset[str] = frozenset(),
    accepted: dict[str, Any] | None = None,
) -> dict[str, Any]:
    record = StepRecord(step=STEP.id, attempts=1, last_sent_at_utc=NOW, requests=counted)
    state = RunState(steps={STEP.id: record})
    answer = with_ours(STEP, state, {"objects": list(rows)}, accepted=accepted)
    assert "ours" in answer
    return dict(answer["ours"])


def test_jobs_are_added_up_and_an_error_code_on_success_is_a_warning() -> None:
    found = ours(
        job(1, CorruptionsDetected=3, CorruptionsFixed=2), job(2, ErrorCode=-2147219963)
    )
    assert (found["errors"], found["warnings"], found["troubles"]) == (3, 1, 4)
    assert found["corruptions_fixed"] == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [("CorruptionsDetected", None), ("CorruptionsDetected", "3"), ("ErrorCode", None),
     ("ErrorCode", "0"), ("CorruptionsDetected", True)],
)  # fmt: skip
def test_what_the_store_does_not_tell_as_a_number_is_unknown_and_never_zero(
    name: str, value: Any
) -> None:
    found = ours(job(1), job(2, **{name: value}))
    assert found["troubles"] is None
    assert found["errors" if name == "CorruptionsDetected" else "warnings"] is None


def test_a_request_is_counted_by_one_pass_only() -> None:
    first, second = job(1, CorruptionsDetected=5), job(2, CorruptionsDetected=1)
    found = ours(first, second, counted=frozenset({first["Identity"]}))
    assert (found["count"], found["errors"], found["requests"]) == (1, 1, [second["Identity"]])


def test_an_accepted_request_is_found_by_its_name_whatever_the_clocks_say() -> None:
    """Its jobs share the request's GUID; another request of the same kind and time is not ours."""
    early = {"CreationTime": (NOW - timedelta(hours=4)).strftime("%Y-%m-%dT%H:%M:%SZ")}
    mine = [job(7, Identity=f"6f9619ff\\7\\{number}", **early) for number in (1, 2)]
    said = {"objects": [{**mine[0], "JobState": "Queued"}]}
    found = ours(*mine, job(8), accepted=said)
    assert found["requests"] == [each["Identity"] for each in mine] and found["is_over"]
    assert ours(*mine, accepted={"objects": []})["count"] == 0
    assert ours(*mine, job(8), accepted={"objects": [{"Identity": "7"}]})["count"] == 1


def test_a_state_of_another_word_says_nothing_at_all() -> None:
    record = StepRecord(step=STEP.id, attempts=1, last_sent_at_utc=NOW)
    answer = {"objects": [job(1, JobState="Erfolgreich")]}
    assert "ours" not in with_ours(STEP, RunState(steps={STEP.id: record}), answer)


@pytest.mark.parametrize("when", ["soon", "2026-11-22T20:00:01", 7])
def test_a_time_that_is_none_or_of_no_zone_says_nothing_at_all(when: object) -> None:
    record = StepRecord(step=STEP.id, attempts=1, last_sent_at_utc=NOW)
    answer = {"objects": [job(1, CreationTime=when)]}
    assert "ours" not in with_ours(STEP, RunState(steps={STEP.id: record}), answer)


def judged(attempt: int, *, strict: bool, **differs: Any) -> Any:
    until = equals("ours.troubles" if strict else "ours.errors", 0)
    step = evolve(STEP, repeat=Repeat(times_max=2, until=until), postcondition=None)
    return judge_pass(step, {"ours": ours(job(1, **differs))}, attempt=attempt)


def test_the_last_pass_with_errors_has_failed_and_an_earlier_one_has_not() -> None:
    earlier = judged(1, strict=False, CorruptionsDetected=2, CorruptionsFixed=2)
    last = judged(2, strict=False, CorruptionsDetected=2, CorruptionsFixed=2)
    assert earlier.outcome is OutcomeKind.DONE
    assert last.outcome is OutcomeKind.FAILED
    assert last.result["why"] == "after 2 passes errors or warnings are left"
    (finding,) = last.findings
    assert (finding.severity, finding.number, finding.attempt) == ("error", 2, 2)


def test_warnings_alone_fail_the_last_pass_only_where_they_are_treated_as_errors() -> None:
    assert judged(2, strict=False, ErrorCode=-5).outcome is OutcomeKind.DONE
    assert judged(2, strict=True, ErrorCode=-5).outcome is OutcomeKind.FAILED
    assert judged(2, strict=False, ErrorCode=-5).findings[0].severity == "warning"


def test_unknown_figures_never_end_the_passes_well() -> None:
    found = judged(2, strict=False, CorruptionsDetected=None)
    assert found.outcome is OutcomeKind.FAILED
    assert found.result["why"] == "after 2 passes what they found is not known"


def test_only_a_detection_that_ended_well_has_detected_something() -> None:
    call = evolve(STEP.call, parameters={**STEP.call.parameters, "DetectOnly": True})
    detection = evolve(STEP, call=call)
    result = {"ours": {"errors": 4}}
    assert detected(detection, OutcomeKind.DONE, result) == 4
    assert detected(STEP, OutcomeKind.DONE, result) == 0
    assert detected(detection, OutcomeKind.FAILED, result) == 0
    assert detected(detection, OutcomeKind.DONE, {"ours": {"errors": None}}) == 0


# an alphabet of its own: the one of all letters takes seconds to build under a tracer
_TEXTS = st.text("aZ0-_:, é", max_size=5)
_VALUES = st.none() | st.booleans() | st.integers() | _TEXTS | st.lists(st.integers())


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no finding
@given(st.lists(st.dictionaries(st.sampled_from(sorted(job())), _VALUES), max_size=4))
def test_no_answer_of_the_store_is_guessed(rows: list[dict[str, Any]]) -> None:
    record = StepRecord(step=STEP.id, attempts=1, last_sent_at_utc=NOW)
    answer = with_ours(STEP, RunState(steps={STEP.id: record}), {"objects": rows})
    if "ours" in answer and answer["ours"]["errors"] == 0:
        counted = [row for row in rows if row.get("Identity") in answer["ours"]["requests"]]
        assert all(row["CorruptionsDetected"] == 0 for row in counted)
        if answer["ours"]["is_over"]:
            assert all(row["JobState"] in ("Succeeded", "Failed") for row in counted)
