"""A member of an availability group goes only while the rest of its group is well, and is taken out
of service only when nothing is active on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from goexchange.facts.members import Beside, beside, is_on
from goexchange.guard.guard import (
    AT_ALL_TIMES,
    BEFORE_ITS_STEP,
    Answer,
    Guard,
    Question,
    blocks,
    member,
    need,
    passes,
)
from goexchange.guard.premises import failures
from goexchange.model.copies import ailment

_PLANNED = "the lane's last look"
MEND = "bring every copy and member back to health, and apply again"
_ITS_MODE = ("server.set_by_maintenance", "server.activation_policy")
_BY_OTHERS = (
    "ask who has it in maintenance; when it is back, plan again: goexchange plan"
)
_NEVER_ACTIVE = frozenset({"Mounted", "Mounting", "Dismounted", "Dismounting"})


def _members_well(question: Question) -> Answer:
    found = _beside(question)
    if found.ailing:
        return blocks("; ".join(found.ailing), MEND)
    lost = list(_without_target(question, found))
    if lost:
        return blocks("; ".join(lost), "plan again: goexchange plan")
    left = min(
        (
            sum(not is_on(each, question.server.name) for each in copies)
            for copies in found.copies.values()
        ),
        default=0,
    )
    count = len(found.copies)
    return passes(
        f"{count} replicated databases, every copy elsewhere is well; {left} left of each at least",
        databases=sorted(found.copies),
    )


def _without_target(question: Question, found: Beside) -> Iterator[str]:
    """Databases that are active here and have no well copy where the plan would activate them."""
    moves: Mapping[str, str] = member(question.limits, "moves", of=_PLANNED)
    for name in found.active_on(question.server.name):
        if name not in moves:
            yield f"{name} is active here, which the plan does not know"
            continue
        copies = [each for each in found.copies[name] if is_on(each, moves[name])]
        why = ailment(copies[0]) if copies else "it is not there any more"
        if why is not None:
            yield f"the copy of {name} on {moves[name]}: {why}"


def _as_planned(question: Question) -> Answer:
    mine = [
        each
        for each in failures(question.body, question.actual)
        if each.premise.address == question.lane.server and each.premise.fact in _ITS_MODE
    ]
    for each in mine:
        need(each.now, f"{each.premise.fact} of {each.premise.address}")
    if mine:
        return blocks("; ".join(map(str, mine)), _BY_OTHERS)
    return passes("what is taken of it, and given back, is as it was planned")


def _nothing_active(question: Question) -> Answer:
    server = question.server
    copies = need(server.copies, f"the copies on {server.name}")
    alone = {each.lower() for each in member(question.limits, "alone", of=_PLANNED)}
    active: list[str] = []
    for each in copies:
        if not is_on(each, server.name) or each.database.lower() in alone:
            continue
        word = need(each.status, f"the status of {each.identity}")
        if need(each.is_active, f"whether {each.identity} is active") or word in _NEVER_ACTIVE:
            active.append(f"{each.database} ({word})")
    if active:
        return blocks(f"active on {server.name}: {', '.join(active)}", MEND, active=active)
    return passes(f"no replicated database is active on {server.name}")


def _beside(question: Question) -> Beside:
    places: Mapping[str, Any] = member(question.limits, "places", of=_PLANNED)
    found = beside(question.server, question.actual.servers, expected=places)
    return need(found, "how the rest of the group stands")


MEMBERS_WELL = Guard(
    id="members-well",
    rule="a member goes into maintenance mode only while every other member of its group, and every"
    " copy elsewhere of its databases, is well",
    moments=AT_ALL_TIMES,
    reads=("server.group", "server.copies"),
    judge=_members_well,
)
AS_PLANNED = Guard(
    id="mode-as-planned",
    rule="a member goes into maintenance mode only from the state in which it was planned: nobody"
    " else has taken it out of service since",
    moments=AT_ALL_TIMES,
    reads=("server.mode",),
    judge=_as_planned,
)
NOTHING_ACTIVE = Guard(
    id="nothing-active",
    rule="a member is taken out of service only when no replicated database is active on it",
    moments=BEFORE_ITS_STEP,
    reads=("server.copies",),
    judge=_nothing_active,
)
