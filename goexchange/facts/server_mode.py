"""Maintenance mode of a member, as Get-ServerComponentState and Get-MailboxServer describe it.

Source: exports of Get-ServerComponentState on Exchange 2019. What each requester says comes as a
list of entries; a component is active only when every requester that ever set it says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from goexchange.facts.answer import ExchangeAnswer
from goexchange.model.actual import Generation
from goexchange.model.server import ComponentState, Said, ServerMode
from goexchange.model.unknown import Unknown

Json = Mapping[str, Any]
ROW = "ServerComponentStatePresentationObject"
SINCE = (
    Generation.EXCHANGE_2013,
    Generation.EXCHANGE_2016,
    Generation.EXCHANGE_2019,
    Generation.SUBSCRIPTION_EDITION,
)
"""Versions that have component states."""
BY_NODE = (Generation.EXCHANGE_2010,)
"""Versions with groups and without component states: who is in maintenance mode is told by the
cluster alone, whose node is paused.
"""

_ENTRY = re.compile(r"\s*Request[eo]r:\s*(\w+)\s*;\s*State:\s*(\w+)\s*(?:;|\Z)")
_NAMES = ("Requester", "Requestor")
_STATES = frozenset({"Active", "Draining", "Inactive"})


def decode_mode(
    answer: ExchangeAnswer, group: str | None | Unknown, generation: Generation | Unknown
) -> ServerMode | None | Unknown:
    """Maintenance mode of the answer's server; None for a server that is no member of a group."""
    if group is None or isinstance(group, Unknown):
        return group
    if isinstance(generation, Unknown):
        return generation
    policy = answer.text(answer.one("MailboxServer"), "DatabaseCopyAutoActivationPolicy")
    if generation in BY_NODE:
        return ServerMode(components=(), activation_policy=policy)
    if generation not in SINCE:
        return Unknown(f"Exchange {generation.value} has no component states")
    return ServerMode(components=decode_components(answer), activation_policy=policy)


def decode_components(answer: ExchangeAnswer) -> tuple[ComponentState, ...] | Unknown:
    """Every component of the answer in order of their names.

    Unknown: all of them when one cannot be read, or the cmdlet failed.
    """
    failure = answer.failure_of("Get-ServerComponentState")
    if failure is not None:
        return failure
    rows = answer.of_type(ROW)
    if not rows:
        return Unknown("Exchange told of no component of the server")
    found: list[ComponentState] = []
    for row in rows:
        one = component_of(answer, row)
        if isinstance(one, Unknown):
            return one
        found.append(one)
    return tuple(sorted(found, key=lambda each: each.component))


def component_of(answer: ExchangeAnswer, row: Json) -> ComponentState | Unknown:
    """One component.

    Unknown: a word for a state that is not known, and a requester who says two things on the
    server and in the directory: nobody could tell what is to be put back.
    """
    name, state = answer.text(row, "Component"), answer.text(row, "State")
    if isinstance(name, Unknown) or isinstance(state, Unknown):
        return Unknown("Exchange gave a component without its name or state")
    if state not in _STATES:
        return Unknown(f"the state of {name} is {state}, which is not known")
    by: dict[str, str] = {}
    for side in ("LocalStates", "RemoteStates"):
        said = _entries(row, side)
        if isinstance(said, Unknown):
            return Unknown(f"{side} of {name}: {said.reason}")
        for requester, wanted in said:
            if by.setdefault(requester, wanted) != wanted:
                return Unknown(f"{requester} says {by[requester]} and {wanted} of {name}")
    every = tuple(Said(requester=each, state=by[each]) for each in sorted(by))
    return ComponentState(component=name, state=state, by=every)


def _entries(row: Json, side: str) -> tuple[tuple[str, str], ...] | Unknown:
    if side not in row:
        return Unknown("it was not given")
    listed = row[side]
    if listed is None:  # nobody ever said anything there
        return ()
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        return Unknown("it is not a list")
    found = [_entry(each) for each in listed]
    known = tuple(each for each in found if each is not None)
    return known if len(known) == len(found) else Unknown("an entry cannot be read")


def _entry(entry: Any) -> tuple[str, str] | None:
    """Requester and state: as text, or as the members of an object."""
    if isinstance(entry, str):
        match = _ENTRY.match(entry)
        pair = None if match is None else (match[1], match[2])
    elif isinstance(entry, Mapping) and "State" in entry:
        names = [str(entry[name]) for name in _NAMES if name in entry]
        pair = (names[0], str(entry["State"])) if names else None
    else:
        pair = None
    return pair if pair is not None and pair[1] in _STATES else None
