"""Which passive copy is looked at, and every reason why none is."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.model import actual, copies
from goexchange.model.plan import Reason
from goexchange.model.unknown import Unknown
from goexchange.plan.finding import Needed
from goexchange.plan.passive import Passive, choose_passive
from tests.unit.plan.builders import active, copy, database, group, host, members, server, spec

UNREAD = Unknown("it could not be read")
THREE = ("EX01", "EX02", "EX03")
OF_THREE: Any = {"group": group(*THREE)}


def chosen(*seen: actual.ActualServer) -> Passive | Needed:
    first, *_ = seen
    assert isinstance(first.databases, tuple)
    return choose_passive(first.databases[0], first, seen, spec=spec())


def refused(*seen: actual.ActualServer) -> tuple[Reason, str]:
    found = chosen(*seen)
    assert isinstance(found, Needed) and found.instead
    return found.reasons[0], found.explanation


def three(*passive: copies.ActualCopy) -> tuple[actual.ActualServer, ...]:
    """EX01 with the active copy and a passive one on each of the two others."""
    held = (active(), *(passive or (copy(server="EX02"), copy(server="EX03"))))
    first, second = members(*held, **OF_THREE)
    one = database(copies=THREE, is_replicated=True)
    third = evolve(
        second,
        name="EX03",
        host=host("EX03"),
        copies=tuple(each for each in held if each.server == "EX03"),
    )
    return (evolve(first, databases=(one,)), evolve(second, group=OF_THREE["group"]), third)


def test_the_copy_that_would_be_activated_last_is_looked_at() -> None:
    found = chosen(*three(copy(server="EX02", activation_preference=3), copy(server="EX03")))
    assert isinstance(found, Passive)
    assert (found.server.name, found.well_left) == ("EX02", 2)
    found = chosen(*three(copy(server="EX02", activation_preference=UNREAD), copy(server="EX03")))
    assert isinstance(found, Passive) and found.server.name == "EX03"


@pytest.mark.parametrize(
    ("differs", "words"),
    [
        ({"replay_lag_s": UNREAD}, "EX02: whether it is lagged is unknown: it could not be read"),
        ({"replay_lag_s": 86400.0}, "EX02: it is a lagged copy (24 h), kept for going back"),
        (
            {"is_activation_suspended": True, "suspend_comment": UNREAD},
            "EX02: its activation is suspended, and the comment is unknown: it could not",
        ),
        (
            {"is_activation_suspended": UNREAD},
            "EX02: whether its activation is suspended is unknown: it could not",
        ),
    ],
)
def test_a_copy_that_is_kept_for_something_is_left_alone(
    differs: dict[str, Any], words: str
) -> None:
    reason, text = refused(*members(active(), copy(**differs)))
    assert reason is Reason.NO_COPY_TO_LOOK_AT and words in text
    other = chosen(*three(copy(server="EX02", **differs), copy(server="EX03")))
    assert isinstance(other, Passive) and other.server.name == "EX03"


def test_an_activation_that_somebody_suspended_is_touched_only_where_nothing_else_can_be() -> None:
    blocked = copy(server="EX02", is_activation_suspended=True, activation_preference=9)
    other = chosen(*three(blocked, copy(server="EX03")))
    assert isinstance(other, Passive) and other.server.name == "EX03"
    alone = chosen(*members(active(), blocked))
    assert isinstance(alone, Passive) and alone.held.is_activation_suspended


def test_a_group_that_is_not_well_or_not_known_is_left_alone() -> None:
    reason, text = refused(*members(active(), copy(status="Seeding")))
    assert reason is Reason.COPY_NOT_WELL and "the copy on EX02: it is Seeding" in text
    assert refused(*members(group=UNREAD))[0] is Reason.COPIES_UNKNOWN
    assert refused(members()[0])[0] is Reason.COPIES_UNKNOWN


def test_the_member_that_holds_the_copy_has_to_be_seen() -> None:
    first, second = members()
    told = evolve(first, copies=(active(), copy()))  # the active server knows of the copy
    reason, text = refused(told)
    assert reason is Reason.COPIES_UNKNOWN and "EX02 holds the copy and was not observed" in text
    for host_of, words in (
        (UNREAD, "the state of EX02 is unknown"),
        (host("EX02", eseutil_path=UNREAD), "where eseutil is on EX02 is unknown"),
    ):
        reason, text = refused(told, evolve(second, host=host_of))
        assert reason is Reason.FACT_UNKNOWN and words in text


def test_a_database_without_passive_copies_has_none_to_look_at() -> None:
    alone = server(
        databases=(database(is_replicated=True),),
        availability_group="DAG1",
        group=group("EX01"),
        copies=(active(),),
    )
    reason, text = refused(alone)
    assert reason is Reason.NO_COPY_TO_LOOK_AT and "there is none" in text
