"""Every fact has a value at its address, and Unknown in gives Unknown out."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve, fields

from goexchange.codec import canonical_json
from goexchange.facts.catalogue import FACTS, NoSuchFact, value_of
from goexchange.facts.observation import decode_server
from goexchange.facts.places import file_facts_of, log_folder_of, volume_of
from goexchange.model.actual import ActualDatabase, ActualHost, ActualServer, ActualState
from goexchange.model.plan import FactClass
from goexchange.model.unknown import Unknown
from tests.unit.facts.samples import ASKED, NOW, exchange, host

PLANTED = Unknown("planted")
# These name the thing itself: without them there would be nothing to ask about.
ALWAYS_KNOWN = {
    "server.name", "server.fqdn", "database.name", "database.guid", "database.server",
    "database.edb_path", "database.log_folder",
}  # fmt: skip


def sample() -> ActualServer:
    return decode_server(exchange(), host(), asked=ASKED, observed_at=NOW)


def values(server: ActualServer) -> dict[str, Any]:
    state = ActualState(observed_at_utc=NOW, servers=(server,))
    return {fact: value_of(state, _address(fact), fact) for fact in FACTS}


def _address(fact: str) -> str:
    return "EX01/DB01" if fact.startswith("database.") else "EX01"


def _with(field: str, kind: type) -> ActualServer:
    server = sample()
    assert isinstance(server.host, ActualHost) and not isinstance(server.databases, Unknown)
    if kind is ActualServer:
        return evolve(server, **{field: PLANTED})
    if kind is ActualHost:
        return evolve(server, host=evolve(server.host, **{field: PLANTED}))
    return evolve(server, databases=(evolve(server.databases[0], **{field: PLANTED}),))


PLANTS = [
    (field.name, kind)
    for kind in (ActualServer, ActualHost, ActualDatabase)
    for field in fields(kind)
    if "Unknown" in str(field.type)
]


def test_everything_is_known_in_the_sample() -> None:
    found = values(sample())
    assert not [fact for fact, value in found.items() if isinstance(value, Unknown)]
    assert canonical_json(found)
    assert found["database.white_space_ratio"] == pytest.approx(0.4)
    assert found["database.volume"] == "D:\\DB01\\" and found["database.volume_free_bytes"] == 30
    assert found["database.log_volume_free_bytes"] == 20
    assert found["database.has_open_recovery"] is True and found["database.exists"] is True
    assert found["server.generation"] == "2019" and found["host.clock_skew_s"] == 2.0
    assert found["database.copies"] == ["EX01"] and found["database.copies_count"] == 1
    assert found["database.rebuilt_at_utc"] == "2026-05-01T01:00:00Z"


@pytest.mark.parametrize(("field", "kind"), PLANTS)
def test_unknown_in_unknown_out(field: str, kind: type) -> None:
    before, after = values(sample()), values(_with(field, kind))
    for fact, value in after.items():
        assert isinstance(value, Unknown) or value == before[fact], fact


def test_every_fact_can_be_unknown() -> None:
    reached = {
        fact
        for field, kind in PLANTS
        for fact, value in values(_with(field, kind)).items()
        if isinstance(value, Unknown)
    }
    reached |= {"server.name", "server.fqdn"}
    assert reached == set(FACTS)


@pytest.mark.parametrize("fact", FACTS)
def test_an_address_that_was_not_observed_is_unknown(fact: str) -> None:
    state = ActualState(observed_at_utc=NOW, servers=(sample(),))
    assert isinstance(value_of(state, "EX09/DB01", fact), Unknown)
    if fact == "database.exists":
        assert value_of(state, "EX01/DB09", fact) is False
    elif fact.startswith("database."):
        assert isinstance(value_of(state, "EX01/DB09", fact), Unknown)
        nothing = ActualState(observed_at_utc=NOW, servers=(evolve(sample(), databases=PLANTED),))
        assert value_of(nothing, "EX01/DB01", fact) == PLANTED


def test_no_record_is_none_and_not_unknown() -> None:
    server = decode_server(
        exchange(), host(records=[], recoveries=[]), asked=ASKED, observed_at=NOW
    )
    found = values(server)
    assert found["database.rebuilt_at_utc"] is None and found["database.signature"] is None
    assert found["database.has_open_recovery"] is False


def test_a_database_without_size_has_no_ratio() -> None:
    server = sample()
    assert not isinstance(server.databases, Unknown)
    empty = evolve(server, databases=(evolve(server.databases[0], size_bytes=0),))
    assert isinstance(values(empty)["database.white_space_ratio"], Unknown)


def test_entries_are_documented_and_classed() -> None:
    assert set(FACTS) > ALWAYS_KNOWN
    for fact in FACTS.values():
        assert fact.docs.endswith(".") and len(fact.docs) > 15
        assert fact.id.split(".")[0] in ("server", "host", "database")
    identity = {fact.id for fact in FACTS.values() if fact.fact_class is FactClass.IDENTITY}
    assert {
        "database.guid",
        "database.edb_path",
        "database.copies",
        "server.generation",
    } <= identity
    assert FACTS["database.white_space_ratio"].fact_class is FactClass.HEALTH


def test_an_unknown_fact_id_is_a_mistake() -> None:
    with pytest.raises(NoSuchFact):
        value_of(ActualState(observed_at_utc=NOW, servers=()), "EX01", "database.colour")


def test_places_without_an_answer_are_unknown() -> None:
    actual = sample().host
    for find, path in ((volume_of, "X:\\a"), (file_facts_of, "X:\\a"), (log_folder_of, "X:\\a")):
        assert isinstance(find(actual, path), Unknown)
        assert isinstance(find(PLANTED, path), Unknown)
