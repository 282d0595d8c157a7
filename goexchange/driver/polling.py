"""Steps that are started by one call and watched by another, up to the step's time limit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from goexchange.driver.asked import databases_of
from goexchange.driver.conditions import holds
from goexchange.driver.conversation import Conversation, Talk
from goexchange.driver.copies import with_copy
from goexchange.driver.events import Answered, Observed
from goexchange.driver.judge import after_postcondition
from goexchange.driver.judge_passes import judge_pass
from goexchange.driver.judgement import Judgement, Subject, done, failed
from goexchange.driver.of_server import missing, with_server
from goexchange.driver.proof import backup_proof, findings_of, unproved_words
from goexchange.driver.repairs import UNCLEAR, with_ours
from goexchange.driver.turning import turn_back_reason
from goexchange.guard.guard import Moment, Question
from goexchange.guard.waiting import in_the_way
from goexchange.model.plan import BACKUP_OF, Action, ControllerCall, Lane, Step
from goexchange.model.run import Finding

CALL_LIMIT_S = 60
_OF_COPIES = (Action.AWAIT_COPY, Action.SEED_COPY)


def poll_to_end(
    talk: Conversation, lane: Lane, step: Step, *, accepted: Mapping[str, Any] | None = None
) -> Talk[Judgement]:
    """Ask every interval until the step's condition holds, it failed, or its time is up.

    Shape: `accepted` is the answer to the call that started the work, where it is known.
    """
    poll = step.poll
    assert poll is not None
    sent = talk.state.step(step.id).last_sent_at_utc or talk.now
    deadline = sent + timedelta(seconds=step.time_limit_s)
    seen: Any = None
    while True:
        answer = yield from _ask(talk, lane, step, accepted)
        seen = answer if answer is not None else seen
        if answer is not None and poll.failed is not None and holds(poll.failed, answer):
            return failed(_bad_end(step, answer), answer, findings=_findings(step, answer))
        if answer is not None and UNCLEAR in answer:
            return failed(f"{answer[UNCLEAR]}: its end cannot be told", answer)
        if answer is not None and holds(poll.until, answer):
            if isinstance(poll.call, ControllerCall):
                yield from talk.append(*talk.facts_drafts_of(step.server))
            if step.action is Action.REPAIR_REQUEST:
                return judge_pass(step, answer, attempt=talk.state.step(step.id).attempts)
            return after_postcondition(step, done(answer, findings=_findings(step, answer)))
        why = turn_back_reason(talk, lane, step)
        if why is not None:
            return failed(why, seen or {})
        if talk.now >= deadline:
            late = f"it did not come to an end within {step.time_limit_s} s"
            why = f"{late}{_missing(step, seen or {})}"
            return failed(why, seen or {}, findings=_findings(step, seen or {}))
        interval = timedelta(seconds=poll.interval_s)
        is_cheap = not isinstance(poll.call, ControllerCall)  # observing a server is not
        soon = talk.next_look(sent, at_most=interval) if is_cheap else talk.now + interval
        yield from talk.wait(soon)


def _missing(step: Step, seen: dict[str, Any]) -> str:
    """What was still missing when the time was up."""
    if step.action in BACKUP_OF:
        return f": {unproved_words(seen)}"
    if step.action in _OF_COPIES:
        return f": {seen['copy']['why']}" if "copy" in seen else ": how the copy stands is unknown"
    of_server = missing(seen)
    if of_server is not None:
        return f": {of_server}"
    return f": {'; '.join(seen['conflicts'])}" if seen.get("conflicts") else ""


def _others(talk: Conversation, lane: Lane, step: Step) -> dict[str, Any]:
    """Whose backups and work are in the way now."""
    question = Question(
        body=talk.plan.body,
        lane=lane,
        actual=talk.observed(),
        now=talk.now,
        moment=Moment.STEP,
        step=step,
        run=talk.state,
    )
    conflicts = in_the_way(question)
    return {"is_clear": not conflicts, "conflicts": list(conflicts)}


def _bad_end(step: Step, answer: dict[str, Any]) -> str:
    if step.action in _OF_COPIES:
        return f"the copy did not come back: {answer['copy']['why']}"
    is_proof = step.action in BACKUP_OF
    return unproved_words(answer) if is_proof else "the work it started ended badly"


def _findings(step: Step, answer: dict[str, Any]) -> tuple[Finding, ...]:
    return findings_of(answer) if step.action in BACKUP_OF else ()


def _ask(
    talk: Conversation, lane: Lane, step: Step, accepted: Mapping[str, Any] | None
) -> Talk[dict[str, Any] | None]:
    """One look; None when no answer came."""
    assert step.poll is not None
    call = step.poll.call
    if not isinstance(call, ControllerCall):
        reply = yield from talk.send(step.server, call, CALL_LIMIT_S, f"poll {step.id}")
        if not isinstance(reply, Answered):
            return None
        sent = talk.state.step(step.id).last_sent_at_utc or talk.now
        ours = with_ours(step, talk.state, reply.result, accepted=accepted)
        told = with_copy(step, ours, since=talk.now - sent)
        return with_server(lane, step, talk.state, told)
    event = yield from talk.observe(step.server, databases_of(lane))
    if not isinstance(event, Observed):
        return None
    if step.action is Action.AWAIT_BACKUPS:
        return _others(talk, lane, step)
    subject = Subject(plan=talk.plan, lane=lane, step=step, state=talk.state)
    return backup_proof(subject, event.server)
