"""One piece of the driver at a time: its conversation with a twin, without a whole run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

from attrs import define, field

from goexchange.driver import effects as to_do
from goexchange.driver import events as came
from goexchange.driver.calls import plain_call
from goexchange.driver.conversation import Conversation, Talk
from goexchange.journal.chain import Draft, seal
from goexchange.model.plan import Action, Lane, Plan, Step
from goexchange.model.run import Record, RecordKind
from tests.driver.twin import RUN, ScriptedGuards, Twin

T = TypeVar("T")


def talk_of(plan: Plan, twin: Twin, records: Sequence[Record] | None = None) -> Conversation:
    """A conversation over the twin's journal, with a lease that lasts."""
    journal = tuple(twin.journal) if records is None else tuple(records)
    talk = Conversation(plan=plan, identity=RUN, records=journal, guards=ScriptedGuards(twin))
    talk.now = twin.now
    talk.numbers = {step.server: 1 for lane in plan.body.lanes for step in lane.steps}
    talk.lease_expires = twin.now + timedelta(days=2)
    return talk


def played(talk: Conversation, of: Talk[T], twin: Twin) -> T:
    """What a piece comes to; the twin performs what it asks for."""
    try:
        effect = next(of)
        while True:
            event = twin.perform(effect)
            talk.now = max(talk.now, twin.now)
            effect = of.send(event)
    except StopIteration as end:
        value: T = end.value
        return value


def announce(twin: Twin, lane: Lane, step: Step) -> None:
    """The intent of the step's first attempt stands in the twin's journal."""
    data = {"step": step.id, "lane": lane.id, "attempt": 1, "call": plain_call(step.call)}
    last = twin.journal[-1] if twin.journal else None
    twin.journal += seal([Draft(RecordKind.INTENT, data)], after=last, at=twin.now)


def step_in(lane: Lane, action: Action) -> Step:
    """The lane's first step of that action."""
    return next(step for step in lane.steps if step.action is action)


@define(kw_only=True)
class Saying(Twin):
    """A twin whose hosts answer what the test gave, one by one; the last answer is given again."""

    replies: list[came.Event] = field(factory=list)
    purposes: list[str] = field(factory=list)
    unseen: int = 0  # so many observations are refused first

    def perform(self, effect: to_do.Effect) -> came.Event:
        if isinstance(effect, to_do.Observe) and self.unseen:
            self.unseen -= 1
            return came.Refused(code="internal", message="the server does not say")
        return super().perform(effect)

    def _send(self, send: to_do.Send) -> came.Event:
        self.purposes.append(send.purpose)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
