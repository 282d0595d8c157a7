"""Availability groups and copies: what Exchange's rows mean; a word or a figure that is not known
is Unknown, and no health.
"""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.facts.catalogue import value_of
from goexchange.facts.groups import group_statements, span_seconds, together
from goexchange.facts.observation import Asked, decode_server, host_arguments
from goexchange.model.actual import ActualServer, ActualState
from goexchange.model.copies import ActualCopy, ActualGroup, ailment
from goexchange.model.unknown import Unknown
from goexchange.powershell.checking import problems
from goexchange.powershell.contracts import OBSERVE_HOST
from tests.unit.facts.samples import ERROR_ID, GUID, NOW, database, exchange, host

COPY_TYPE = "Microsoft.Exchange.Management.SystemConfigurationTasks.DatabaseCopyStatusEntry"
GROUP_TYPE = (
    "Microsoft.Exchange.Data.Directory.SystemConfiguration.DatabaseAvailabilityGroup"
)


def copy_row(**changes: Any) -> dict[str, Any]:
    """A passive copy, as the list dump of Get-MailboxDatabaseCopyStatus has it."""
    return {
        "$type": COPY_TYPE,
        "Identity": "DB01\\EX03",
        "Name": "DB01\\EX03",
        "DatabaseName": "DB01",
        "Status": "Healthy",
        "MailboxServer": "EX03",
        "ActiveDatabaseCopy": "ex01",
        "ActivationSuspended": False,
        "SuspendComment": None,
        "ContentIndexState": "NotApplicable",
        "CopyQueueLength": 0,
        "ReplayQueueLength": 2,
        "ActiveCopy": False,
        **changes,
    }


def active_row() -> dict[str, Any]:
    return copy_row(Identity="DB01\\EX01", MailboxServer="EX01", Status="Mounted", ActiveCopy=True)


def group_row(**changes: Any) -> dict[str, Any]:
    return {
        "$type": GROUP_TYPE,
        "Name": "DAG1",
        "Servers": ["EX01", "EX03"],
        "OperationalServers": ["EX01", "EX03"],
        "ServersInMaintenance": [],
        "PrimaryActiveManager": "EX01",
        "WitnessServer": "fs01.example.com",
        **changes,
    }


def member(*rows: dict[str, Any], errors: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    answer = exchange(
        database(
            Servers=["EX01", "EX03"],
            ActivationPreference=["[EX01, 1]", "[EX03, 2]"],
            ReplayLagTimes=[{"Key": "EX01", "Value": "00:00:00"}, "[EX03, 7.00:00:00]"],
        )
    )
    answer["objects"][1]["DatabaseAvailabilityGroup"] = "DAG1"
    return {
        **answer,
        "objects": [*answer["objects"], *(rows or (group_row(), active_row(), copy_row()))],
        "errors": [*answer["errors"], *errors],
    }


def observe(answer: dict[str, Any] | Unknown) -> ActualServer:
    return decode_server(answer, host(), asked=Asked(server="EX01"), observed_at=NOW)


def passive(answer: dict[str, Any] | None = None) -> ActualCopy:
    copies = observe(member() if answer is None else answer).copies
    assert not isinstance(copies, Unknown)
    return copies[1]


def test_a_member_is_asked_for_its_group_and_copies() -> None:
    calls = group_statements(member(), "EX01", (GUID, GUID.replace("6", "7")))
    assert [(call.cmdlet, dict(call.parameters)) for call in calls] == [
        ("Get-DatabaseAvailabilityGroup", {"Identity": "DAG1", "Status": True}),
        ("Get-MailboxDatabaseCopyStatus", {"Server": "EX01"}),
        ("Get-MailboxDatabaseCopyStatus", {"Identity": GUID}),
        ("Get-ServerComponentState", {"Identity": "EX01"}),
    ]


def test_a_standalone_server_is_asked_nothing_more() -> None:
    assert group_statements(exchange(), "EX01", (GUID,)) == ()
    assert group_statements(Unknown("lost"), "EX01") == ()
    alone = observe(exchange())
    assert alone.group is None and alone.copies == ()


def test_group() -> None:
    assert observe(member()).group == ActualGroup(
        name="DAG1",
        servers=("EX01", "EX03"),
        operational=("EX01", "EX03"),
        in_maintenance=(),
        primary_active_manager="EX01",
        witness_server="fs01.example.com",
    )


NODES = [{"name": "ex01", "state": "Up"}, {"name": "EX03", "state": "Paused"}]


def old_member(version: str = "Version 14.3 (Build 123.4)", **changes: Any) -> dict[str, Any]:
    """A member with Exchange 2010, which does not tell who is in maintenance."""
    row = group_row(**changes)
    del row["ServersInMaintenance"]
    answer = member(row, active_row(), copy_row())
    answer["objects"][0]["AdminDisplayVersion"] = version
    return answer


def away(nodes: object, answer: dict[str, Any] | None = None, **changes: Any) -> object:
    told = host(cluster_nodes=nodes, **changes)
    found = decode_server(
        answer or old_member(), told, asked=Asked(server="EX01"), observed_at=NOW
    ).group
    assert isinstance(found, ActualGroup)
    return found.in_maintenance


def test_who_is_in_maintenance_is_told_by_the_cluster_on_exchange_2010() -> None:
    assert away(NODES) == ("EX03",)
    assert away([{**one, "state": "Up"} for one in NODES]) == ()
    assert away([{**one, "state": "Down"} for one in NODES]) == ()


@pytest.mark.parametrize(
    "nodes", [None, [], NODES[:1], [NODES[0], {"name": "EX03", "state": "Joining"}]]
)
def test_a_node_that_is_not_told_makes_it_unknown(nodes: object) -> None:
    assert isinstance(away(nodes), Unknown)


def test_a_cluster_that_does_not_answer_makes_it_unknown() -> None:
    failed = [{"part": "cluster_nodes", "message": "no such module"}]
    found = away(None, failures=failed)
    assert isinstance(found, Unknown) and "no such module" in found.reason
    assert isinstance(away(NODES, old_member(Servers=None)), Unknown)
    silent = decode_server(
        old_member(), Unknown("lost"), asked=Asked(server="EX01"), observed_at=NOW
    ).group
    assert isinstance(silent, ActualGroup) and isinstance(silent.in_maintenance, Unknown)


def test_only_a_member_of_exchange_2010_is_asked_for_the_nodes_of_its_cluster() -> None:
    def asked(answer: dict[str, Any] | Unknown) -> bool:
        arguments = host_arguments(answer, root="C:\\gx", events_since=NOW)
        assert list(problems(arguments, OBSERVE_HOST.arguments)) == []
        return "cluster" in arguments

    alone = old_member()
    alone["objects"][1]["DatabaseAvailabilityGroup"] = None
    assert asked(old_member())
    assert not any(map(asked, (alone, member(), Unknown("lost"), old_member("Version x"))))


def test_copies_in_order_with_lag_and_preference_of_the_database() -> None:
    copies = observe(member(group_row(), copy_row(), active_row(), active_row())).copies
    assert not isinstance(copies, Unknown)
    assert [each.identity for each in copies] == ["DB01\\EX01", "DB01\\EX03"]
    assert [each.is_active for each in copies] == [True, False]
    assert [each.replay_lag_s for each in copies] == [0.0, 7 * 86400.0]
    assert [each.activation_preference for each in copies] == [1, 2]
    assert copies[1].suspend_comment is None and copies[1].replay_queue_logs == 2


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Status", "status"),
        ("ActiveCopy", "is_active"),
        ("ActivationSuspended", "is_activation_suspended"),
        ("CopyQueueLength", "copy_queue_logs"),
        ("ReplayQueueLength", "replay_queue_logs"),
        ("ContentIndexState", "content_index"),
    ],
)
@pytest.mark.parametrize("value", [None, "", -1])
def test_what_a_copy_does_not_say_is_unknown(name: str, field: str, value: object) -> None:
    assert isinstance(getattr(passive(member(group_row(), active_row(), copy_row(**{name: value}))),
                              field), str | Unknown)  # fmt: skip
    if value is None or not isinstance(value, str):
        seen = getattr(passive(member(group_row(), active_row(), copy_row(**{name: value}))), field)
        assert isinstance(seen, Unknown)


@pytest.mark.parametrize("name", ["DatabaseName", "MailboxServer"])
def test_a_copy_of_nothing_makes_the_list_unknown(name: str) -> None:
    assert isinstance(observe(member(group_row(), copy_row(**{name: None}))).copies, Unknown)


def test_no_row_and_a_failed_cmdlet_are_unknown_and_never_none() -> None:
    assert isinstance(observe(member(group_row())).copies, Unknown)
    failed = {
        "message": "it failed", "category": "X", "target": "",
        "id": ERROR_ID + "GetMailboxDatabaseCopyStatus",
    }  # fmt: skip
    seen = observe(member(errors=(failed,)))
    assert isinstance(seen.copies, Unknown) and isinstance(seen.group, ActualGroup)
    assert not isinstance(seen.databases, Unknown)


def test_a_second_request_without_an_answer_leaves_the_first_one_known() -> None:
    first = exchange()
    first["objects"][1]["DatabaseAvailabilityGroup"] = "DAG1"
    seen = decode_server(
        together(first, Unknown("cut")), host(), asked=Asked(server="EX01"), observed_at=NOW
    )
    assert isinstance(seen.copies, Unknown) and isinstance(seen.group, Unknown)
    assert not isinstance(seen.databases, Unknown)
    assert isinstance(together(Unknown("lost"), first), Unknown)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:00:00", 0.0),
        ("7.00:00:00", 604800.0),
        ("01:02:03.5000000", 3723.5),
        ("1:02:03", 3723.0),
    ],
)
def test_time_spans(text: str, seconds: float) -> None:
    assert span_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "7 days", "-1.00:00:00", "00:00", None, 5])
def test_what_is_no_time_span_is_unknown(text: object) -> None:
    assert isinstance(span_seconds(text), Unknown)


def test_what_ails_a_copy() -> None:
    well = passive()
    assert ailment(well) is None
    assert ailment(evolve(well, status="Suspended")) == "it is Suspended"
    assert ailment(evolve(well, status="healthy-ish")) == "it is healthy-ish"
    assert "unknown" in str(ailment(evolve(well, status=Unknown("nil"))))
    assert "unknown" in str(ailment(evolve(well, copy_queue_logs=Unknown("nil"))))
    assert "11 logs" in str(ailment(evolve(well, replay_queue_logs=11)))


def test_facts_of_the_group() -> None:
    state = ActualState(observed_at_utc=NOW, servers=(observe(member()),))
    assert value_of(state, "EX01", "server.group_members") == ["EX01", "EX03"]
    assert value_of(state, "EX01", "server.group_in_maintenance") == []
    assert value_of(state, "EX01", "server.copies_ailing") == []
    alone = ActualState(observed_at_utc=NOW, servers=(observe(exchange()),))
    assert value_of(alone, "EX01", "server.group_operational") is None
