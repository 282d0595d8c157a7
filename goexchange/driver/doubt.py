"""A step in doubt is decided by looking, never by assuming.

A look that finds *not done* counts only when the request cannot still be under way: a lost request
may take effect late,
so its time limit is waited out before the step is sent again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from goexchange.driver.calls import bound_probe, completed
from goexchange.driver.conditions import holds
from goexchange.driver.conversation import Conversation, Talk
from goexchange.driver.events import Answered
from goexchange.driver.of_server import with_component
from goexchange.driver.repairs import with_ours
from goexchange.errors import GoexchangeError
from goexchange.journal.chain import Draft
from goexchange.model.plan import Action, ExchangeCall, Probe, Step
from goexchange.model.run import RecordKind

STARTING_LIMIT_S = 600
_NAMED = {  # the property that is compared, and the parameter that it is compared with
    Action.NEW_RECOVERY_DATABASE: ("Name", "Name"),
    Action.NEW_SCRATCH_DATABASE: ("Name", "Name"),
    Action.REMOVE_SCRATCH_DATABASE: ("Guid", "Identity"),
    Action.NEW_SCRATCH_GROUP: ("Name", "Name"),
    Action.REMOVE_SCRATCH_GROUP: ("Name", "Identity"),  # which is `SERVER\\NAME`
}
ASSUMED = "assumed"  # nobody could see it: an operator's answer counts, and is named as such


class Meaning(Enum):
    """What a look says about a step."""

    DONE = "done"
    NOT_DONE = "not-done"
    CANNOT_TELL = "cannot-tell"


class Undecided(GoexchangeError):
    """Looking cannot tell whether a step took effect; a person is asked."""

    id = "undecided"

    def __init__(self, step: Step, evidence: str) -> None:
        super().__init__(f"{step.id}: looking cannot tell whether it took effect ({evidence})")
        self.step = step
        self.evidence = evidence


def look(talk: Conversation, step: Step) -> Talk[tuple[Meaning, Any, str]]:
    """Look once, with the step's probe: meaning, what was seen, and the evidence in words."""
    probe = bound_probe(step, talk.plan, talk.state)
    if probe is None:
        return Meaning.CANNOT_TELL, None, "the step has no probe"
    call = probe.call
    if not isinstance(call, ExchangeCall):
        call = completed(call, fence=talk.numbers[step.server], run=talk.identity.run)
    reply = yield from talk.send(step.server, call, 60, f"probe {step.id}")
    if not isinstance(reply, Answered):
        return Meaning.CANNOT_TELL, None, reply.message
    seen = with_named(step, with_ours(step, talk.state, reply.result))
    seen = with_component(step, seen)
    return meaning_of(probe, seen), seen, "seen"


def with_named(step: Step, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with a member `named` for a step that makes or removes a database or a storage
    group: how many there are of its name or GUID.
    """
    if step.action not in _NAMED or not isinstance(step.call, ExchangeCall):
        return answer
    told, given = _NAMED[step.action]
    wanted = str(step.call.parameters[given]).rpartition("\\")[2].casefold()
    found = [one for one in answer["objects"] if str(one.get(told, "")).casefold() == wanted]
    return {**answer, "named": {"count": len(found)}}


def meaning_of(probe: Probe, result: Any) -> Meaning:
    """What the answer of a probe means; an answer that fits both ways tells nothing."""
    is_done, is_not_done = holds(probe.done, result), holds(probe.not_done, result)
    if is_done == is_not_done:
        return Meaning.CANNOT_TELL
    return Meaning.DONE if is_done else Meaning.NOT_DONE


def decide(
    talk: Conversation, step: Step, *, settled_at: datetime, cause: str
) -> Talk[tuple[Meaning, Any]]:
    """Look until the doubt is gone: *done* counts at once, *not done* from `settled_at` on.

    Raises: Undecided when looking still cannot tell a time limit later; the question is in the
    journal then.
    """
    begun = talk.now
    give_up = max(settled_at, begun) + timedelta(seconds=step.time_limit_s)
    if step.id in talk.answers:
        give_up = max(settled_at, begun)  # looked at again, as long as a request may be under way
    while True:
        meaning, seen, evidence = yield from look(talk, step)
        if meaning is Meaning.DONE or (meaning is Meaning.NOT_DONE and talk.now >= settled_at):
            yield from talk.append(looked_draft(step, meaning, seen, evidence, cause=cause))
            return meaning, seen
        if talk.now >= give_up and step.id in talk.answers:
            meaning = Meaning(talk.answers.pop(step.id))
            yield from talk.append(looked_draft(step, meaning, seen, evidence, cause=ASSUMED))
            return meaning, seen
        if talk.now >= give_up:
            yield from talk.append(
                looked_draft(step, Meaning.CANNOT_TELL, seen, evidence, cause=cause),
                _question(step, evidence),
            )
            raise Undecided(step, evidence)
        yield from talk.wait(talk.next_look(begun))


def seen_seeded(talk: Conversation, step: Step) -> Talk[Draft | None]:
    """The record of a look that finds a seed of the copy under way, or over; None when it finds
    none, or cannot tell: then Exchange itself refuses a second one.
    """
    meaning, seen, evidence = yield from look(talk, step)
    if meaning is not Meaning.DONE:
        return None
    return looked_draft(step, meaning, seen, evidence, cause="postcondition")


def call_limit_s(step: Step) -> float:
    """How long one request of the step may take; what is polled afterwards has the step's own
    limit.
    """
    return step.time_limit_s if step.poll is None else min(step.time_limit_s, STARTING_LIMIT_S)


def settled_after_loss(talk: Conversation, step: Step) -> datetime:
    """From when on a lost request of the step cannot be under way any more: no request outlasts its
    lease.
    """
    sent = talk.state.step(step.id).last_sent_at_utc or talk.now
    return sent + timedelta(seconds=min(call_limit_s(step), talk.plan.body.rules.lease_s))


def question_drafts(step: Step, evidence: str) -> tuple[Draft, ...]:
    """The records of a doubt that looking cannot end."""
    looked = looked_draft(step, Meaning.CANNOT_TELL, None, evidence, cause="lost")
    return looked, _question(step, evidence)


def looked_draft(step: Step, meaning: Meaning, seen: Any, evidence: str, *, cause: str) -> Draft:
    """The record of a look; `cause` is why it was needed: `postcondition`, `lost` or `resume`, or
    `assumed` where it found nothing and an operator's answer counts.
    """
    return Draft(
        RecordKind.LOOKED,
        {
            "step": step.id,
            "seen": seen,
            "meaning": meaning.value,
            "evidence": evidence,
            "cause": cause,
        },
    )


def _question(step: Step, evidence: str) -> Draft:
    return Draft(
        RecordKind.QUESTION,
        {"step": step.id, "evidence": evidence, "choices": ["done", "not-done", "look-again"]},
    )
