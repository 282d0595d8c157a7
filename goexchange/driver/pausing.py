"""A pause: no new step until an operator says otherwise, but for the steps that bring mail back.

What runs goes on, leases and sentinels are kept alive, and the overrun deadline holds: a pause
never keeps a database down beyond it.
"""

from __future__ import annotations

from datetime import timedelta

from goexchange.driver.conversation import Conversation, Talk
from goexchange.driver.events import Request
from goexchange.driver.turning import overrun_deadline
from goexchange.model.plan import Direction, Step

LOOK_AGAIN = timedelta(hours=1)  # a request ends the wait early; this only bounds one wait
_LAST_WORD = {
    Request.PAUSE.value: True,
    Request.PROCEED.value: False,
    Request.STOP.value: False,  # it finishes the database in hand, so it goes on
    Request.ABORT.value: False,  # so does the way back
}


def is_paused(requests: tuple[str, ...]) -> bool:
    """Whether these requests, in the order in which they came, leave a run paused."""
    words = [_LAST_WORD[each] for each in requests if each in _LAST_WORD]
    return bool(words) and words[-1]


def is_held(talk: Conversation, step: Step | None) -> bool:
    """Whether the step, or a lane that has not begun (None), has to wait for an operator's word."""
    if step is not None and step.direction is Direction.BACK:
        return False  # I18
    asked = tuple(one.request.value for one in talk.asked)
    return is_paused((*talk.state.requests, *asked))


def wait_while_held(talk: Conversation, step: Step | None) -> Talk[bool]:
    """Wait for a while when the run is paused; True when it waited: then look again what is due."""
    if not is_held(talk, step):
        return False
    until = talk.now + LOOK_AGAIN
    deadline = overrun_deadline(talk)
    if deadline is not None and talk.now < deadline:
        until = min(until, deadline)
    yield from talk.wait(until)
    return True
