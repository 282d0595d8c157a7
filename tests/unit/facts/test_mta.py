"""A server with Exchange 2003, from the answers of its two host scripts."""

from __future__ import annotations

from typing import Any

import pytest

from goexchange.facts.catalogue import value_of
from goexchange.facts.mta import OldAnswers, decode_old_server
from goexchange.model.actual import ActualMta, ActualServer, ActualState, Generation
from goexchange.model.unknown import Unknown
from tests.unit.facts.answers_2003 import answer
from tests.unit.plan.builders import NOW

NO_HOST = Unknown("not asked here")
SERVICE = {"name": "MSExchangeMTA", "state": "Stopped", "start_type": "Manual"}
EVENT = {
    "log": "Application",
    "provider": "MSExchangeMTA",
    "id": 2206,
    "at": "2026-11-20T08:00:00Z",
    "text": "recovered",
}
TOOL = {"path": "C:\\Exchsrvr\\bin\\eseutil.exe", "version": "6.5.7638.1"}
AGENT = {
    "service": SERVICE,
    "dependents": [{"name": "LME-NOTES", "state": "Running", "start_type": "Automatic"}],
    "tool": "C:\\Exchsrvr\\bin\\mtacheck.exe",
    "data_folder": "D:\\mtadata",
    "files": 12,
    "size_bytes": 4096,
    "taken_out": 1,
    "events": [EVENT],
}


def decoded(mta: Any = AGENT, version: str | None = "6.5.7638.1") -> ActualServer:
    said = {"store_version": version, "eseutil": TOOL, "mta": mta}
    answers = OldAnswers(stores=answer(), host=NO_HOST, mta=said)
    return decode_old_server(answers, name="EX07", observed_at=NOW)


def test_everything_is_told() -> None:
    found = decoded()
    assert (found.generation, found.build) == (Generation.EXCHANGE_2003, "6.5.7638.1")
    assert found.host is NO_HOST and not isinstance(found.databases, Unknown)
    assert isinstance(found.mta, ActualMta)
    assert found.mta.service.state == "Stopped" and found.mta.dependents[0].name == "LME-NOTES"
    assert (found.mta.taken_out, found.mta.events[0].event_id) == (1, 2206)


def test_the_facts_are_those_of_the_agent() -> None:
    state = ActualState(observed_at_utc=NOW, servers=(decoded(),))
    said = {name: value_of(state, "EX07", f"server.mta_{name}") for name in ("state", "bytes")}
    assert said == {"state": "Stopped", "bytes": 4096}


@pytest.mark.parametrize(
    ("version", "why"),
    [
        (None, "the program of the Information Store was not found"),
        ("6.5", "not a file version"),
        ("9.1.2.3", "no known product"),
    ],
)
def test_a_version_that_cannot_be_told_is_unknown(version: str | None, why: str) -> None:
    generation = decoded(version=version).generation
    assert isinstance(generation, Unknown) and why in generation.reason


def test_a_store_of_another_version_is_what_it_is_and_not_what_the_inventory_says() -> None:
    assert decoded(version="8.3.83.6").generation is Generation.EXCHANGE_2007


def test_a_server_without_the_service_has_none() -> None:
    found = decoded(mta=None)
    assert found.mta is None
    state = ActualState(observed_at_utc=NOW, servers=(found,))
    assert value_of(state, "EX07", "server.mta_state") is None


@pytest.mark.parametrize("name", ["tool", "data_folder"])
def test_a_path_that_was_not_found_is_unknown(name: str) -> None:
    found = decoded(mta={**AGENT, name: None}).mta
    assert isinstance(getattr(found, name), Unknown)


def test_a_script_that_gave_nothing_leaves_all_unknown() -> None:
    silent = Unknown("the script was refused")
    answers = OldAnswers(stores=silent, host=NO_HOST, mta=silent)
    found = decode_old_server(answers, name="EX07", observed_at=NOW)
    assert found.databases is silent and found.public_stores is silent
    assert found.generation is silent and found.mta is silent and found.build is silent
