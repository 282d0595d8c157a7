"""Exchange 2007 in the words of later versions; what is not known there stays unknown."""

from __future__ import annotations

from typing import Any

import pytest

from goexchange.facts.observation import (
    Asked,
    asks_for_repair_events,
    decode_server,
    exchange_statements,
    host_arguments,
)
from goexchange.facts.of_2007 import as_later
from goexchange.model.actual import ActualDatabase, Generation
from goexchange.model.unknown import Unknown
from tests.unit.facts.samples import GUID, NOW, exchange

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
    ]  # fmt: skip
    assert not asks_for_repair_events(answer())


def test_the_storage_group_has_the_logs_and_its_server_is_where_it_is_mounted() -> None:
    found = only(answer())
    assert (found.log_folder, found.log_prefix) == ("L:\\SG1", "E00")
    assert found.is_circular_logging is False
    assert found.mounted_on == "ex06.example.com" and found.copies == ("EX06",)
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
