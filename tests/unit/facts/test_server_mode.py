"""Components by requester, as Exchange 2019 exports them; what cannot be read is unknown."""

from __future__ import annotations

from typing import Any

import pytest

from goexchange.facts.answer import ExchangeAnswer
from goexchange.facts.server_mode import decode_components, decode_mode
from goexchange.model.actual import Generation
from goexchange.model.server import Said, ServerMode
from goexchange.model.unknown import Unknown

_TASKS = "Microsoft.Exchange.Management.SystemConfigurationTasks"
TYPE = f"{_TASKS}.ServerComponentStatePresentationObject"
FUNCTIONAL = "Requestor:Functional; State:Active; Timestamp:9/28/2021 5:32:01 PM"
MAINTENANCE = "Requestor:Maintenance; State:Draining; Timestamp:11/28/2026 9:32:01 PM"


def row(name: str = "HubTransport", state: str = "Active", **differs: Any) -> dict[str, Any]:
    entries = [FUNCTIONAL]
    usual = {"$type": TYPE, "Component": name, "State": state, "LocalStates": entries,
             "RemoteStates": entries}  # fmt: skip
    return {**usual, **differs}


def answer(*rows: dict[str, Any], errors: tuple[dict[str, Any], ...] = ()) -> ExchangeAnswer:
    mailbox = {"$type": "x.MailboxServer", "DatabaseCopyAutoActivationPolicy": "IntrasiteOnly"}
    return ExchangeAnswer({"objects": [mailbox, *rows], "errors": errors, "warnings": ()})


def test_what_each_requester_says_is_told_apart() -> None:
    found = decode_components(
        answer(row(state="Draining", LocalStates=[FUNCTIONAL, MAINTENANCE]), row("EcpProxy"))
    )
    assert not isinstance(found, Unknown)
    assert [each.component for each in found] == ["EcpProxy", "HubTransport"]
    assert found[1].by == (Said(requester="Functional", state="Active"),
                           Said(requester="Maintenance", state="Draining"))  # fmt: skip
    assert found[1].maintenance == "Draining" and not found[1].is_ours_to_take
    assert found[0].maintenance is None and found[0].is_ours_to_take


def test_entries_that_come_as_objects_mean_the_same_and_nil_says_nothing() -> None:
    entry = {"Requester": "Maintenance", "State": "Inactive", "Component": "HubTransport"}
    found = decode_components(answer(row(LocalStates=[entry], RemoteStates=None)))
    assert not isinstance(found, Unknown) and found[0].maintenance == "Inactive"


@pytest.mark.parametrize(
    "bad",
    [
        row(state="Aktiv"),
        row(Component=None),
        row(State=None),
        row(LocalStates="Requestor:Functional; State:Active"),
        row(LocalStates=["State:Active"]),
        row(LocalStates=["Requestor:Functional; State:Aktiv; Timestamp:1"]),
        row(LocalStates=[{"State": "Active"}]),
        row(LocalStates=[7]),
        row(LocalStates=[MAINTENANCE.replace("Draining", "Active")], RemoteStates=[MAINTENANCE]),
        {key: value for key, value in row().items() if key != "RemoteStates"},
    ],
)
def test_what_cannot_be_read_makes_all_of_it_unknown(bad: dict[str, Any]) -> None:
    assert isinstance(decode_components(answer(bad, row("EcpProxy"))), Unknown)


def test_no_component_and_a_cmdlet_that_failed_are_unknown() -> None:
    assert isinstance(decode_components(answer()), Unknown)
    error = {"message": "no right", "id": "x,GetServerComponentState", "category": "", "target": ""}
    assert isinstance(decode_components(answer(row(), errors=(error,))), Unknown)


def test_the_mode_of_a_member_of_a_server_without_a_group_and_of_an_old_version() -> None:
    found = decode_mode(answer(row()), "DAG1", Generation.EXCHANGE_2019)
    assert isinstance(found, ServerMode) and found.activation_policy == "IntrasiteOnly"
    assert found.component("EcpProxy") is None
    assert decode_mode(answer(row()), None, Generation.EXCHANGE_2019) is None
    for unknown in (
        decode_mode(answer(row()), Unknown("no answer"), Generation.EXCHANGE_2019),
        decode_mode(answer(row()), "DAG1", Unknown("no answer")),
        decode_mode(answer(row()), "DAG1", Generation.EXCHANGE_2007),
    ):
        assert isinstance(unknown, Unknown)
    old = decode_mode(answer(), "DAG1", Generation.EXCHANGE_2010)
    assert old == ServerMode(components=(), activation_policy="IntrasiteOnly")
    silent = ServerMode(components=Unknown("no answer"), activation_policy="Blocked")
    assert isinstance(silent.component("HubTransport"), Unknown)
