"""A file that isinteg has corrected in its place: still the same one, closed, and remembered as it
is now.
"""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.driver.headers import header_facts
from goexchange.driver.judge import judge_answer
from goexchange.driver.lanes import facts_of, opens_new_file
from goexchange.driver.remembering import remembered
from goexchange.guard.clean_shutdown import CLEAN
from goexchange.guard.guard import Moment, Question
from goexchange.journal.replay import RunState
from goexchange.model.plan import Action, Lane, VerdictKind
from goexchange.model.run import OutcomeKind, StepRecord
from goexchange.plan.calls import host_job
from tests.driver.plans import GUID, NOW, plan_of
from tests.driver.test_odd_answers import LANE, header_answer, step_of, subject, why_failed
from tests.driver.twin import slots_of
from tests.unit.plan.builders import state as actual

JOB = host_job(
    "isinteg",
    {
        "tool": "C:\\Bin\\isinteg.exe", "server": "EX01", "group": "SG", "database": "DB05",
        "fix": True,
    },
)  # fmt: skip
OLD, NEW = header_facts(slots_of("old")), header_facts(slots_of("new"))
BEFORE = {Action.READ_CORRECTED_HEADER: Action.READ_HEADER,
          Action.READ_NEW_HEADER: Action.READ_TEMPORARY_HEADER}  # fmt: skip


def corrected() -> Lane:
    """The lane of a rebuild with isinteg around it, each followed by its header."""
    steps = []
    header = step_of(LANE, Action.READ_HEADER)
    for each in LANE.steps:
        steps.append(each)
        read = {Action.COPY_SET: Action.READ_CORRECTED_HEADER,
                Action.SWAP: Action.READ_NEW_HEADER}.get(each.action)  # fmt: skip
        if read is not None:
            name = f"isinteg-{read.value}"
            own = evolve(header, action=Action.STORE_INTEGRITY, call=JOB, id=name)
            steps += [own, evolve(header, action=read, id=read.value)]
    numbered = tuple(evolve(one, number=at) for at, one in enumerate(steps, start=1))
    return evolve(LANE, steps=numbered)


LANE_2007 = corrected()


def ran(**results: Any) -> RunState:
    """What is on record of steps, by the action's name; `False` is an intent without an outcome."""
    steps = {}
    for name, result in results.items():
        for step in LANE_2007.steps:
            if step.action.value == name.replace("_", "-") or step.id == name.replace("_", "-"):
                outcome = None if result is False else OutcomeKind.DONE
                steps[step.id] = StepRecord(
                    step=step.id, attempts=1, outcome=outcome, ended_at_utc=NOW,
                    result=result or None,
                )  # fmt: skip
    return RunState(steps=steps)


@pytest.mark.parametrize(("action", "before"), BEFORE.items())
def test_the_file_is_the_one_that_it_was_and_is_closed(action: Action, before: Action) -> None:
    def judged(file: str, earlier: Any) -> Any:
        return judge_answer(subject(action, {before: earlier}, lane=LANE_2007), header_answer(file))

    assert judged("old", OLD).is_done
    assert "another signature" in why_failed(judged("new", OLD))
    assert "not shut down cleanly" in why_failed(judged("dirty", OLD))
    alone = judge_answer(subject(action, lane=LANE_2007), header_answer("old"))
    assert "no result to compare with" in why_failed(alone)


def test_what_is_rebuilt_rests_on_the_header_after_isinteg() -> None:
    dirty, plan = {**OLD, "state": 2}, plan_of(LANE_2007)

    def judged(action: Action, **results: Any) -> VerdictKind:
        step = step_of(LANE_2007, action)
        asked = Question(
            body=plan.body, lane=LANE_2007, actual=actual(), now=NOW, moment=Moment.STEP,
            step=step, run=ran(**results),
        )  # fmt: skip
        return CLEAN.judge(asked).kind

    assert judged(Action.COPY_SET, read_header=OLD) is VerdictKind.PASS
    good = {"read_header": OLD, "read_corrected_header": OLD}
    assert judged(Action.REBUILD, **good) is VerdictKind.PASS
    bad = {"read_header": OLD, "read_corrected_header": dirty}
    assert judged(Action.REBUILD, **bad) is VerdictKind.BLOCK
    assert judged(Action.COPY_SET, **bad) is VerdictKind.PASS


def test_isinteg_over_the_new_file_counts_as_a_mount_for_its_logs() -> None:
    opening = [step.id for step in opens_new_file(LANE_2007)]
    assert opening[0] == "isinteg-read-new-header" and len(opening) == 2
    swapped = ran(swap={"state": "after"})
    assert not facts_of(LANE_2007, swapped).is_mount_tried
    begun = ran(swap={"state": "after"}, **{"isinteg-read-new-header": False})
    assert facts_of(LANE_2007, begun).is_mount_tried


def test_a_run_remembers_the_files_as_isinteg_left_them() -> None:
    later = {**OLD, "slots_sha256": "later"}
    changed = {**NEW, "slots_sha256": "changed"}
    plan = plan_of(LANE_2007)
    headers = {"read_header": OLD, "read_temporary_header": NEW, "swap": {"state": "after"}}
    found = remembered(plan, ran(**headers), GUID)
    assert found is not None and not found.is_corrected_in_place and found.tried_logs is None
    assert (found.original_sha256, found.rebuilt_sha256) == (
        OLD["slots_sha256"], NEW["slots_sha256"],
    )  # fmt: skip
    headers |= {"read_corrected_header": later, "isinteg-read-new-header": False}
    found = remembered(plan, ran(**headers), GUID)
    assert found is not None and found.is_corrected_in_place and found.tried_logs is not None
    assert found.original_sha256 == "later"
    found = remembered(plan, ran(**headers, read_new_header=changed), GUID)
    assert found is not None and not found.is_corrected_in_place
    assert found.rebuilt_sha256 == "changed"
    found = remembered(plan, ran(**headers, mount=False), GUID)
    assert found is not None and not found.is_corrected_in_place
