"""The guards of a step, decided on what is so now."""

from __future__ import annotations

from datetime import timedelta

from goexchange.codec import to_plain
from goexchange.driver.asked import databases_on
from goexchange.driver.conversation import Conversation, Talk
from goexchange.driver.events import Event, Observed
from goexchange.journal.chain import Draft
from goexchange.model.plan import Direction, Lane, Step, VerdictKind
from goexchange.model.run import RecordKind
from goexchange.model.server import SAME_NODE
from goexchange.model.unknown import Unknown

FRESH_FOR = timedelta(minutes=10)
MOVES_WITHIN = timedelta(minutes=3)  # for so long nobody may own a clustered server
# an older look does not show what we have changed, nor who owns a cluster
LOOKS_AT_OUR_DOING = frozenset({"copies-held", "members-well", "nothing-active", SAME_NODE})


def decided(talk: Conversation, lane: Lane, step: Step) -> Talk[tuple[list[Draft], str]]:
    """Decide the step's guards on what is so now: the records, and in words what speaks against it.
    Nothing speaks against what brings mail back.
    """
    if not step.guards or step.direction is Direction.BACK:
        return [], ""
    for server in dict.fromkeys((step.server, lane.server)):  # guards ask about the lane's own
        yield from _look_again(talk, step, server)
    verdicts = talk.guards.before_step(talk.plan, step, talk.state, talk.observed(), talk.now)
    drafts = [
        Draft(RecordKind.GUARD, {"step": step.id, "verdict": to_plain(verdict)})
        for verdict in verdicts
    ]
    asked = {one.guard for one in verdicts}
    against = [
        f"{one.guard}: {one.evidence}" for one in verdicts if one.kind is not VerdictKind.PASS
    ]
    against += [f"{name}: not decided" for name in step.guards if name not in asked]
    return drafts, f"guard: {'; '.join(against)}" if against else ""


def moved(talk: Conversation, lane: Lane, step: Step) -> Talk[str]:
    """What speaks against sending a step of a clustered server once more: nobody has looked who
    owns it since it was sent first. Nothing for any other step.
    """
    if SAME_NODE not in step.guards:
        return ""
    drafts, against = yield from decided(talk, lane, step)
    yield from talk.append(*drafts)
    return against


def and_owner(talk: Conversation, lane: Lane, step: Step) -> Talk[str]:
    """What a failure of a clustered server's step may come from, to be said behind it; the way back
    begins when somebody owns the server again.
    """
    against = yield from moved(talk, lane, step)
    return f"; {against}" if against else ""


def _look_again(talk: Conversation, step: Step, server: str) -> Talk[None]:
    """Guards decide on what is so now: an old observation is made again."""
    seen = talk.actual.get(server)
    is_fresh = seen is not None and talk.now - seen.observed_at_utc < FRESH_FOR
    if is_fresh and not LOOKS_AT_OUR_DOING.intersection(step.guards):
        return
    wanted = databases_on(talk.plan, server)
    event = yield from talk.observe(server, wanted)
    give_up = talk.now + MOVES_WITHIN
    while SAME_NODE in step.guards and not _is_reached(event) and talk.now < give_up:
        yield from talk.wait(talk.now + talk.poll_interval)
        event = yield from talk.observe(server, wanted)
    if isinstance(event, Observed):
        yield from talk.append(*talk.facts_drafts_of(server))
    else:
        # what cannot be seen is unknown, however lately it was known
        talk.actual.pop(server, None)


def _is_reached(event: Event) -> bool:
    """Whether the host itself has answered: without it nobody says which node it is."""
    return isinstance(event, Observed) and not isinstance(event.server.host, Unknown)
