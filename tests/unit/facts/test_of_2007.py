"""Exchange 2007 in the words of later versions; what is not known there stays unknown."""

from __future__ import annotations

from typing import Any

import pytest

from goexchange.facts.answer import ExchangeAnswer
from goexchange.facts.generations import has_flush_maps, page_bytes_of
from goexchange.facts.observation import (
    Asked,
    decode_server,
    events_asked,
    exchange_statements,
    host_arguments,
)
from goexchange.facts.of_2007 import as_later, groups_of
from goexchange.model.actual import ActualDatabase, Cluster, Generation
from goexchange.model.unknown import Unknown
from tests.unit.facts.samples import GUID, NOW, exchange, host

SYSTEM = "Microsoft.Exchange.Data.Directory.SystemConfiguration."


def group(**changes: Any) -> dict[str, Any]:
    return {
        "$type": SYSTEM + "StorageGroup",
        "Name": "First Storage Group",
        "Identity": "EX06\\First Storage Group",
        "LogFolderPath": "L:\\SG1",
        "LogFilePrefix": "E00",
        "CircularLoggingEnabled": False,
        "HasLocalCopy": False,
        "StandbyMachines": [],
        **changes,
    }


def database(**changes: Any) -> dict[str, Any]:
    return {
        "$type": SYSTEM + "MailboxDatabase",
        "Name": "DB20",
        "Guid": GUID,
        "Server": "EX06",
        "StorageGroup": "EX06\\First Storage Group",
        "EdbFilePath": "D:\\DB20\\DB20.edb",
        "Mounted": True,
        "Recovery": False,
        "MountAtStartup": True,
        "BackupInProgress": False,
        "LastFullBackup": None,
        **changes,
    }


def answer(
    *groups: dict[str, Any],
    of: dict[str, Any] | None = None,
    cluster: str | None = "Disabled",
    errors: tuple[dict[str, str], ...] = (),
) -> dict[str, Any]:
    clustered = {} if cluster is None else {"ClusteredStorageType": cluster}
    objects = [
        {
            "$type": "Microsoft.Exchange.Data.Directory.Management.ExchangeServer",
            "Name": "EX06",
            "Fqdn": "ex06.example.com",
            "Edition": "Enterprise",
            "AdminDisplayVersion": "Version 8.3 (Build 83.6)",
        },
        {
            "$type": "Microsoft.Exchange.Data.Directory.Management.MailboxServer",
            "Name": "EX06",
            **clustered,
        },
        *(groups or (group(),)),
        of or database(),
    ]
    return {"objects": objects, "errors": list(errors), "warnings": []}


def only(said: dict[str, Any]) -> ActualDatabase:
    asked = Asked(server="EX06")
    server = decode_server(said, Unknown("not asked"), asked=asked, observed_at=NOW)
    assert server.generation is Generation.EXCHANGE_2007
    assert server.availability_group is None and server.copies == ()
    assert not isinstance(server.databases, Unknown)
    return server.databases[0]


def test_statements() -> None:
    calls = exchange_statements("EX06", (GUID,), generation=Generation.EXCHANGE_2007)
    assert [call.cmdlet for call in calls] == [
        "Get-ExchangeServer", "Get-MailboxServer", "Get-StorageGroup", "Get-MailboxDatabase",
        "Get-PublicFolderDatabase",
    ]  # fmt: skip
    assert events_asked(answer()) == ("read-space", {"hours": 336})


def test_the_storage_group_has_the_logs_and_its_server_is_where_it_is_mounted() -> None:
    found = only(answer())
    assert (found.log_folder, found.log_prefix) == ("L:\\SG1", "E00")
    assert found.is_circular_logging is False
    assert found.mounted_on == "ex06.example.com" and found.copies == ("EX06",)
    assert found.storage_group == "First Storage Group"
    assert found.is_replicated is False and found.last_full_backup_utc is None
    assert (found.has_moves, found.has_repair_requests) == (False, False)
    arguments = host_arguments(answer(), root="C:\\gx", events_since=NOW)
    assert arguments["log_folders"] == ["L:\\SG1"]


def test_one_that_is_down_is_mounted_nowhere() -> None:
    found = only(answer(of=database(Mounted=False)))
    assert (found.is_mounted, found.mounted_on) == (False, None)
    unclear = only(answer(of=database(Mounted=None)))
    assert isinstance(unclear.is_mounted, Unknown) and isinstance(unclear.mounted_on, Unknown)


@pytest.mark.parametrize(
    ("changes", "cluster", "wanted"),
    [
        ({"HasLocalCopy": True}, "Disabled", True),
        ({"StandbyMachines": ["EX09"]}, "Disabled", True),
        ({}, "NonShared", True),
        ({}, "Shared", False),
        ({}, "Freigegeben", None),
        ({}, None, None),
        ({"HasLocalCopy": None}, "Disabled", None),
        ({"StandbyMachines": None}, "Disabled", None),
    ],
)
def test_copies_are_believed_only_in_words_that_are_known(
    changes: dict[str, Any], cluster: str | None, wanted: bool | None
) -> None:
    found = only(answer(group(**changes), cluster=cluster)).is_replicated
    assert isinstance(found, Unknown) if wanted is None else found is wanted


@pytest.mark.parametrize(
    "said",
    [
        answer(group(Name="Second Storage Group")),
        answer(group(), group()),
        answer(of=database(StorageGroup=None)),
        answer(errors=({"message": "no", "id": "x", "target": "Get-StorageGroup"},)),
    ],
)
def test_without_its_one_group_no_list_is_trusted(said: dict[str, Any]) -> None:
    asked = Asked(server="EX06")
    server = decode_server(said, Unknown("not asked"), asked=asked, observed_at=NOW)
    assert isinstance(server.databases, Unknown)


def test_a_group_is_found_by_its_bare_name_too_and_its_server_may_be_missing() -> None:
    assert only(answer(of=database(StorageGroup="first storage group"))).log_folder == "L:\\SG1"
    nameless = as_later(answer(of=database(Server=None)))
    assert "Servers" not in nameless["objects"][-1]


def test_other_versions_are_as_they_were() -> None:
    for said in (exchange(), {"objects": [{"value": 1}], "errors": [], "warnings": []}):
        assert as_later(said) is said
    odd = answer()
    odd["objects"].append({"value": 1})
    assert as_later(odd)["objects"][-1] == {"value": 1}


EVENT = (
    'The database "First Storage Group\\DB20" has {} megabytes of free space after online'
    " defragmentation has terminated."
)


def seen(*, events: Any = (), made: str = "2026-11-01T00:00:00Z", **host_says: Any) -> Any:
    file = {
        "path": "D:\\DB20\\DB20.edb", "exists": True, "size_bytes": 900, "created_at": made,
        "modified_at": made,
    }  # fmt: skip
    told = [
        {"log": "", "provider": "", "id": 1221, "at": at, "text": EVENT.format(number)}
        for at, number in events
    ]
    server = decode_server(
        answer(),
        host(files=[file], **host_says),
        asked=Asked(server="EX06"),
        observed_at=NOW,
        events={"clock": "2026-11-22T10:00:00Z", "events": told},
    )
    assert not isinstance(server.databases, Unknown)
    return server.databases[0]


def test_size_is_the_file_s_and_free_space_the_event_s() -> None:
    found = seen(events=[("2026-11-20T03:00:00Z", 4), ("2026-11-21T03:00:00Z", 5)])
    assert (found.size_bytes, found.white_space_bytes) == (900, 5 * 1024**2)


def rebuilt(at: str | None) -> dict[str, Any]:
    plain = dict.fromkeys(
        (
            "signature", "verified_at_utc", "rebuild_gain_bytes", "rebuild_goal_met", "set_folder",
            "set_digest", "set_taken_at_utc", "protected_at_utc",
        )
    )  # fmt: skip
    names = {"database_guid": GUID, "database": "DB20", "run": "r", "rebuilt_at_utc": at}
    return {**plain, **names}


def test_what_was_told_of_an_earlier_file_is_not_the_present_one_s() -> None:
    old = [("2026-10-20T03:00:00Z", 4)]
    assert isinstance(seen(events=old).white_space_bytes, Unknown)
    assert seen(events=old, records=[rebuilt("2026-11-01T00:30:00Z")]).white_space_bytes == 0
    for at in ("2026-10-01T00:00:00Z", None):
        left = seen(events=old, records=[rebuilt(at)]).white_space_bytes
        assert isinstance(left, Unknown)
    newer = [*old, ("2026-11-02T03:00:00Z", 7)]
    again = seen(events=newer, records=[rebuilt("2026-11-01T00:30:00Z")])
    assert again.white_space_bytes == 7 * 1024**2


def test_what_the_host_does_not_tell_is_unknown() -> None:
    found = only(answer())
    assert isinstance(found.size_bytes, Unknown) and isinstance(found.white_space_bytes, Unknown)
    asked = Asked(server="EX06")
    for events in (None, Unknown("no log")):
        server = decode_server(
            answer(),
            host(files=[{"path": "D:\\DB20\\DB20.edb", "exists": False, "size_bytes": None,
                         "created_at": None, "modified_at": None}]),
            asked=asked, observed_at=NOW, events=events,
        )  # fmt: skip
        assert not isinstance(server.databases, Unknown)
        lost = server.databases[0]
        assert isinstance(lost.size_bytes, Unknown) and isinstance(lost.white_space_bytes, Unknown)


@pytest.mark.parametrize(
    ("said", "nodes"), [(["N1", "N2"], ("N1", "N2")), ([], ()), (None, ())]
)
def test_a_cluster_is_told_with_its_nodes(said: list[str] | None, nodes: tuple[str, ...]) -> None:
    plain = answer(cluster="Shared")
    plain["objects"][1]["RedundantMachines"] = said
    server = decode_server(
        plain, Unknown("not asked"), asked=Asked(server="EX06"), observed_at=NOW
    )
    assert server.cluster == Cluster(kind="Shared", nodes=nodes)


@pytest.mark.parametrize(
    ("kind", "wanted"), [("Disabled", None), ("Freigegeben", Unknown), (None, Unknown)]
)
def test_a_cluster_is_believed_in_known_words_alone(kind: str | None, wanted: Any) -> None:
    asked = Asked(server="EX06")
    plain = answer(cluster=kind)
    cluster = decode_server(plain, Unknown("-"), asked=asked, observed_at=NOW).cluster
    assert cluster is None if wanted is None else isinstance(cluster, Unknown)


def test_later_versions_have_none() -> None:
    server = decode_server(
        exchange(), Unknown("-"), asked=Asked(server="EX01"), observed_at=NOW
    )
    assert server.cluster is None and events_asked(exchange()) is None
    assert events_asked(Unknown("-")) is None
    version = exchange()
    version["objects"][0]["AdminDisplayVersion"] = "Version 14.3 (Build 123.4)"
    assert events_asked(version) == ("read-repairs", {"hours": 48})
    version["objects"][0]["AdminDisplayVersion"] = "Version 99"
    assert events_asked(version) is None


@pytest.mark.parametrize(
    ("generation", "size", "maps"),
    [
        (Generation.EXCHANGE_2007, 8192, False),
        (Generation.EXCHANGE_2010, 32768, False),
        (Generation.EXCHANGE_2019, 32768, True),
        (Unknown("?"), 32768, True),
    ],
)
def test_what_files_of_a_version_are_like(
    generation: Generation | Unknown, size: int, maps: bool
) -> None:
    assert (page_bytes_of(generation), has_flush_maps(generation)) == (size, maps)


def test_storage_groups_are_told_with_databases_and_without() -> None:
    empty = group(Name="Empty", LogFolderPath=None, Recovery=True)
    found = groups_of(ExchangeAnswer(answer(group(Recovery=False), empty)))
    assert isinstance(found, tuple)
    assert [(each.name, each.is_recovery) for each in found] == [
        ("Empty", True), ("First Storage Group", False),
    ]  # fmt: skip
    assert isinstance(found[0].log_folder, Unknown) and found[1].log_folder == "L:\\SG1"
    assert isinstance(groups_of(ExchangeAnswer(answer(group(Name=None)))), Unknown)
    failed = {"message": "denied", "id": "", "category": "", "target": "Get-StorageGroup"}
    refused = groups_of(ExchangeAnswer(answer(group(), errors=(failed,))))
    assert isinstance(refused, Unknown) and "denied" in refused.reason
