"""Work of the controller itself: observing, raising events, running our own verifier."""

from __future__ import annotations

from datetime import timedelta

from goexchange.codec import time_text
from goexchange.driver.asked import databases_of
from goexchange.driver.conversation import Conversation, Talk
from goexchange.driver.effects import VerifySet
from goexchange.driver.events import Lost, Observed, Refused, Verified, Woke
from goexchange.driver.judge import judge_set
from goexchange.driver.judgement import Judgement, Subject, cancelled, done, failed
from goexchange.driver.polling import poll_to_end
from goexchange.driver.turning import turn_back_reason
from goexchange.journal.chain import Draft
from goexchange.model.plan import ControllerCall, Lane, Step
from goexchange.model.run import RecordKind


def run_controller_call(
    talk: Conversation, lane: Lane, step: Step, call: ControllerCall
) -> Talk[Judgement]:
    """Do it and judge it; all of it may be repeated."""
    if step.poll is not None:
        return (yield from poll_to_end(talk, lane, step))
    if call.work == "observe":
        return (yield from _observe(talk, lane, step))
    if call.work == "notify":
        return (yield from _notify(talk, step, call))
    if call.work == "verify-set":
        return (yield from _verify(talk, lane, step, call))
    return failed(f"'{call.work}' is no work of the controller", {})


def _observe(talk: Conversation, lane: Lane, step: Step) -> Talk[Judgement]:
    event = yield from talk.observe(step.server, databases_of(lane))
    if not isinstance(event, Observed):
        return failed(f"{step.server} could not be observed: {event.message}", {})
    yield from talk.append(*talk.facts_drafts_of(step.server))
    return done({"observed_at_utc": time_text(event.server.observed_at_utc)})


def _notify(talk: Conversation, step: Step, call: ControllerCall) -> Talk[Judgement]:
    """Raise the event once: a torn end between notice and outcome does not raise it again."""
    if not any(notice["step"] == step.id for notice in talk.state.notices):
        yield from talk.append(Draft(RecordKind.NOTICE, {"step": step.id, **call.arguments}))
    return done({})


def _verify(talk: Conversation, lane: Lane, step: Step, call: ControllerCall) -> Talk[Judgement]:
    """Run the verifier, which may take hours: a performer that says *not yet* is asked again, so
    that lease and sentinel live on meanwhile.
    """
    deadline = talk.now + timedelta(seconds=step.time_limit_s)
    event = yield VerifySet(step=step.id, arguments=call.arguments)
    while isinstance(event, Woke):
        why = turn_back_reason(talk, lane, step)
        if why is not None:
            return cancelled(why)
        if talk.now >= deadline:
            return failed(f"it did not end within its time limit of {step.time_limit_s} s", {})
        yield from talk.keep_up()
        event = yield VerifySet(step=step.id, arguments=call.arguments)
    if isinstance(event, Verified):
        subject = Subject(plan=talk.plan, lane=lane, step=step, state=talk.state)
        return judge_set(subject, event.result)
    assert isinstance(event, Lost | Refused)
    return failed(f"the set could not be verified: {event.message}", {})
