"""A step in doubt that looking could not decide, answered by a person: journalled as such, used
once, and refused where looking can tell.
"""

from __future__ import annotations

from goexchange.driver.conversation import Conversation, Talk
from goexchange.driver.doubt import Meaning, look
from goexchange.driver.ending import result_of
from goexchange.driver.hands import InPlace, file_in_place, files_of
from goexchange.driver.lanes import step_of
from goexchange.errors import ExitCode
from goexchange.journal.chain import Draft
from goexchange.journal.replay import RunState
from goexchange.model.plan import Action, ControllerCall, JobCall, Lane, Plan, Step
from goexchange.model.run import RecordKind, RunResult

_DOWN = (ExitCode.ROLLBACK_FAILED, ExitCode.LEFT_OFFLINE)


def why_not_answerable(plan: Plan, state: RunState, step: str) -> str | None:
    """Why nobody can answer for a step, or None."""
    found = step_of(plan, step)
    if found is None:
        return f"the plan has no step {step}"
    if step not in state.in_doubt:
        doubts = ", ".join(state.in_doubt) or "no step is"
        return f"{step} is not in doubt (in doubt: {doubts})"
    if isinstance(found.call, JobCall | ControllerCall):
        return f"{step} is work that is found again on its host or begun anew: it needs no answer"
    return None


def take_answer(talk: Conversation) -> Talk[RunResult | None]:
    """Journal the operator's answer of this resume; a refusal when looking can tell."""
    assumed = talk.identity.assumed
    if assumed is None:
        return None
    why = why_not_answerable(talk.plan, talk.state, assumed.step)
    step = step_of(talk.plan, assumed.step)
    if why is not None or step is None:
        return _refusal(talk, why or "there is no such step")
    meaning, evidence = yield from _look(talk, step)
    if meaning is not Meaning.CANNOT_TELL:
        told = "it has taken effect" if meaning is Meaning.DONE else "it has not taken effect"
        return _refusal(
            talk,
            f"looking can tell of {step.id}: {told}. Resume without --assume",
        )
    answer = Meaning.DONE if assumed.is_done else Meaning.NOT_DONE
    yield from talk.append(
        Draft(
            RecordKind.ANSWER,
            {
                "step": step.id,
                "answer": answer.value,
                "by": assumed.by,
                "evidence": evidence,
            },
        )
    )
    talk.answers[step.id] = answer.value
    return None


def _look(talk: Conversation, step: Step) -> Talk[tuple[Meaning, str]]:
    """What looking says of the step, and of a mount also which file it is that lies in place."""
    meaning, _, evidence = yield from look(talk, step)
    lane = _lane_of(talk.plan, step)
    if step.action is Action.MOUNT and meaning is Meaning.DONE and files_of(talk, lane):
        place, why = yield from file_in_place(talk, lane, step)
        if place is InPlace.UNKNOWN:
            return Meaning.CANNOT_TELL, f"mounted, and nobody can tell with which file: {why}"
    return meaning, evidence


def _lane_of(plan: Plan, step: Step) -> Lane:
    return next(lane for lane in plan.body.lanes if step in lane.steps)


def _refusal(talk: Conversation, why: str) -> RunResult:
    """Nothing was sent; a database that is down is not hidden by that."""
    standing = result_of(talk.plan, talk.state)
    is_down = standing.exit_code in _DOWN
    return RunResult(
        exit_code=standing.exit_code if is_down else int(ExitCode.NOT_NOW),
        verdict=f"the answer was not taken: {why}",
        databases=standing.databases,
    )
