"""A clustered server is worked on only through the node on which it was planned."""

from __future__ import annotations

from goexchange.guard.guard import AT_ALL_TIMES, Answer, Guard, Question, blocks, passes
from goexchange.guard.identity import PLAN_AGAIN
from goexchange.model.unknown import Unknown


def _same_node(question: Question) -> Answer:
    planned, now = _planned(question), question.host.name
    if planned is None:
        return blocks("the plan's facts do not say which node owned it", PLAN_AGAIN, node=now)
    if now.lower() != planned.lower():
        return blocks(
            f"{question.lane.server} is on {now} now, and the plan is for {planned}",
            f"{PLAN_AGAIN}, when it is clear why it has moved",
            node=now,
        )
    return passes(f"{question.lane.server} is on {now}", node=now)


def _planned(question: Question) -> str | None:
    for server in question.body.facts.servers:
        if server.name == question.lane.server and not isinstance(server.host, Unknown):
            return server.host.name
    return None


SAME_NODE = Guard(
    id="same-node",
    rule="a clustered server is worked on through the node that it was planned on; after a move"
    " nothing new is begun",
    moments=AT_ALL_TIMES,
    reads=("server.host",),
    judge=_same_node,
)
