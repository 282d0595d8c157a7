"""What is asked of a server, and what its answers mean; nil is Unknown and never False, zero or
none.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import asdict, fields
from hypothesis import given, settings
from hypothesis import strategies as st

from goexchange.facts.observation import Asked, decode_server, exchange_statements, host_arguments
from goexchange.model.actual import ActualDatabase, ActualHost, ActualServer, Generation
from goexchange.model.unknown import Unknown
from goexchange.powershell.checking import problems
from goexchange.powershell.contracts import OBSERVE_HOST
from tests.unit.facts.samples import ASKED, GUID, NOW, database, error, exchange, host, move, repair


def observe(
    answer: dict[str, Any] | Unknown | None = None, result: dict[str, Any] | Unknown | None = None
) -> ActualServer:
    said = exchange() if answer is None else answer
    seen = host() if result is None else result
    return decode_server(said, seen, asked=ASKED, observed_at=NOW)


def only(answer: dict[str, Any]) -> ActualDatabase:
    databases = observe(answer).databases
    assert not isinstance(databases, Unknown)
    assert len(databases) == 1
    return databases[0]


def test_statements() -> None:
    calls = exchange_statements("EX01", (GUID,))
    assert [call.cmdlet for call in calls] == [
        "Get-ExchangeServer", "Get-MailboxServer", "Get-MailboxDatabase", "Get-MoveRequest",
        "Get-MailboxRepairRequest",
    ]  # fmt: skip
    assert dict(calls[2].parameters) == {"Server": "EX01", "Status": True}
    assert dict(calls[4].parameters) == {"Database": GUID}


def test_host_arguments_fit_the_contract() -> None:
    arguments = host_arguments(exchange(), root="C:\\gx", events_since=NOW)
    assert list(problems(arguments, OBSERVE_HOST.arguments)) == []
    assert arguments["paths"] == ["D:\\DB01\\DB01.edb"] and arguments["log_folders"] == ["L:\\DB01"]
    assert host_arguments(Unknown("lost"), root="C:\\gx", events_since=NOW)["paths"] == []


def test_the_sample_fits_the_contract() -> None:
    assert list(problems(host(), OBSERVE_HOST.result)) == []


def test_server() -> None:
    server = observe()
    assert (server.name, server.fqdn) == ("EX01", "ex01.example.com")
    assert server.generation is Generation.EXCHANGE_2019
    assert (server.build, server.edition) == ("15.2.1748.10", "Enterprise")
    assert server.availability_group is None
    group = exchange()
    group["objects"][1]["DatabaseAvailabilityGroup"] = "DAG1"
    assert observe(group).availability_group == "DAG1"


def test_database() -> None:
    found = only(exchange())
    assert found.guid == GUID and found.copies == ("EX01",)
    assert found.size_bytes == 11274289152 and found.white_space_bytes == 4509715660
    assert found.last_full_backup_utc == datetime(2026, 11, 20, 21, 0, 55, tzinfo=UTC)
    assert not [
        value for value in asdict(found, recurse=False).values() if isinstance(value, Unknown)
    ]


def test_only_databases_of_this_server() -> None:
    other = database(Name="DB02", Guid=GUID.replace("6", "7"), Server="EX02")
    assert only(exchange(database(), other)).name == "DB01"


def test_a_server_known_by_its_full_name() -> None:
    asked = Asked(server="EX01.example.com")
    server = decode_server(exchange(), host(), asked=asked, observed_at=NOW)
    assert not isinstance(server.databases, Unknown)
    assert [found.name for found in server.databases] == ["DB01"]


@pytest.mark.parametrize("name", sorted(set(database()) - {"$type"}))
def test_every_property_that_is_nil_or_missing_is_unknown(name: str) -> None:
    before = asdict(only(exchange()), recurse=False)
    missing = database()
    del missing[name]
    for answer, is_nil in ((exchange(database(**{name: None})), True), (exchange(missing), False)):
        databases = observe(answer).databases
        if isinstance(databases, Unknown):
            assert name in ("Name", "Guid", "Server", "EdbFilePath", "LogFolderPath")
            continue
        after = asdict(databases[0], recurse=False)
        changed = {field for field in after if after[field] != before[field]}
        assert changed
        # Only here nil has a meaning: a mounted database that says so was never backed up.
        is_never = is_nil and changed == {"last_full_backup_utc"}
        assert is_never or all(isinstance(after[field], Unknown) for field in changed), changed


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(set(database()) - {"$type"})),
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.integers()),
)
def test_no_value_of_a_property_breaks_the_decoder(name: str, value: object) -> None:
    databases = observe(exchange(database(**{name: value}))).databases
    if isinstance(databases, Unknown) or not databases:
        assert name in ("Name", "Guid", "Server", "EdbFilePath", "LogFolderPath")
        return
    for field in fields(ActualDatabase):
        found = getattr(databases[0], field.name)
        kinds = {"is_": bool, "has": bool, "siz": int, "whi": int, "las": datetime, "cop": tuple}
        kind = kinds.get(field.name[:3], str)
        assert found is None or isinstance(found, kind | Unknown), (field.name, found)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Mounted": True, "LastFullBackup": None}, None),
        ({"Mounted": False, "LastFullBackup": None}, "?"),
        ({"Mounted": None, "LastFullBackup": None}, "?"),
        ({"LastFullBackup": "22.11.2026 10:00:00"}, "?"),
        ({"LastFullBackup": "2026-11-22T10:00:00"}, "?"),
    ],
)
def test_last_full_backup(changes: dict[str, Any], expected: object) -> None:
    found = only(exchange(database(**changes))).last_full_backup_utc
    assert ("?" if isinstance(found, Unknown) else found) == expected


@pytest.mark.parametrize(
    ("kind", "servers", "expected"),
    [
        ("None", ["EX01"], False),
        ("Remote", ["EX01", "EX02"], True),
        ("Remote", ["EX01"], True),
        ("None", ["EX01", "EX02"], True),
        (None, ["EX01", "EX02"], True),
        (None, ["EX01"], "?"),
        ("None", None, "?"),
        ("None", [], "?"),
        ("Local", ["EX01"], "?"),
    ],
)
def test_replicated(kind: str | None, servers: list[str] | None, expected: object) -> None:
    found = only(exchange(database(ReplicationType=kind, Servers=servers))).is_replicated
    assert ("?" if isinstance(found, Unknown) else found) == expected


def test_mounted_on_nobody_only_when_not_mounted() -> None:
    nowhere = {"MountedOnServer": None}
    assert only(exchange(database(Mounted=False, **nowhere))).mounted_on is None
    assert isinstance(only(exchange(database(Mounted=None, **nowhere))).mounted_on, Unknown)


@pytest.mark.parametrize(
    ("extra", "failed", "expected"),
    [
        ([], None, False),
        ([move("DB01", "DB09")], None, True),
        ([move("DB09", "db01")], None, True),
        ([move("DB08", "DB09")], None, False),
        ([move(None, None)], None, "?"),
        ([move(None, None), move("DB01", None)], None, True),
        ([], error("Get-MoveRequest"), "?"),
        ([], error("", target="Get-MoveRequest"), "?"),
        ([], error(""), "?"),
        ([], error("Get-MailboxRepairRequest"), False),
    ],
)
def test_moves(extra: list[Any], failed: dict[str, Any] | None, expected: object) -> None:
    answer = exchange(errors=[failed] if failed else [])
    answer["objects"] += extra
    databases = observe(answer).databases
    found = databases if isinstance(databases, Unknown) else databases[0].has_moves
    assert ("?" if isinstance(found, Unknown) else found) == expected


@pytest.mark.parametrize(
    ("extra", "failed", "expected"),
    [
        ([], None, False),
        ([repair("Running")], None, True),
        ([repair("Queued")], None, True),
        ([repair("Succeeded"), repair("Failed")], None, False),
        ([repair("Running", guid=GUID.replace("6", "7"))], None, False),
        ([repair("Paused")], None, "?"),
        ([repair(None)], None, "?"),
        ([], error("Get-MailboxRepairRequest"), "?"),
    ],
)
def test_repair_requests(extra: list[Any], failed: dict[str, Any] | None, expected: object) -> None:
    answer = exchange(errors=[failed] if failed else [])
    answer["objects"] += extra
    found = only(answer).has_repair_requests
    assert ("?" if isinstance(found, Unknown) else found) == expected


def test_repair_requests_that_were_not_asked_for_are_unknown() -> None:
    server = decode_server(exchange(), host(), asked=Asked(server="EX01"), observed_at=NOW)
    assert not isinstance(server.databases, Unknown)
    assert isinstance(server.databases[0].has_repair_requests, Unknown)


def test_no_databases_and_could_not_ask_are_different() -> None:
    empty = exchange()
    empty["objects"] = empty["objects"][:2]
    assert observe(empty).databases == ()
    assert isinstance(
        observe({**empty, "errors": [error("Get-MailboxDatabase")]}).databases, Unknown
    )
    assert isinstance(observe(Unknown("lost")).databases, Unknown)


def test_missing_server_objects_are_unknown() -> None:
    empty = {"objects": [], "errors": [], "warnings": []}
    server = observe(empty)
    for value in (server.generation, server.build, server.edition, server.availability_group):
        assert isinstance(value, Unknown)
    assert server.fqdn == "EX01"


PARTS: dict[str, tuple[str, ...]] = {
    "exchange": ("exsetup_version", "eseutil_version", "eseutil_path"),
    "fence": ("fencing_number",),
    "recoveries": ("open_recoveries",),
    "volumes": ("volumes",),
    "services": ("services",),
    "asked_services": ("asked_services",),
    "tasks": ("tasks",),
    "processes": ("processes",),
    "files": ("files",),
    "log_folders": ("log_folders",),
    "storage_events": ("storage_events",),
    "backup_events": ("backup_events",),
    "windows_backup": ("windows_backup",),
    "is_reboot_pending": ("is_reboot_pending",),
    "replication_queues": ("replication_queues",),
    "records": ("records",),
    "cluster_nodes": ("cluster_nodes",),
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_failed_is_unknown_whatever_it_holds(part: str) -> None:
    actual = observe(None, host(failures=[{"part": part, "message": "access denied"}])).host
    assert isinstance(actual, ActualHost)
    unknown = {
        name for name, value in asdict(actual, recurse=False).items() if isinstance(value, Unknown)
    }
    assert unknown == set(PARTS[part])
    assert "access denied" in getattr(actual, PARTS[part][0]).reason


def test_every_part_of_the_contract_can_fail() -> None:
    assert {*PARTS, "host", "failures"} == set(OBSERVE_HOST.result["properties"])
    may_be_unknown = {field.name for field in fields(ActualHost) if "Unknown" in str(field.type)}
    assert {name for names in PARTS.values() for name in names} == may_be_unknown


def test_versions_that_were_not_found_are_unknown() -> None:
    empty = {"exsetup_version": None, "eseutil_version": None, "eseutil_path": None}
    actual = observe(None, host(exchange=empty)).host
    assert isinstance(actual, ActualHost)
    assert isinstance(actual.exsetup_version, Unknown) and isinstance(actual.eseutil_path, Unknown)


@pytest.mark.parametrize("part", ["records", "recoveries"])
def test_records_that_cannot_be_read_are_unknown_and_not_none(part: str) -> None:
    actual = observe(None, host(**{part: [{"run": "r1"}]})).host
    assert isinstance(actual, ActualHost)
    assert isinstance(getattr(actual, PARTS[part][0]), Unknown)


def test_host_that_could_not_be_asked() -> None:
    assert isinstance(observe(None, Unknown("lost")).host, Unknown)
