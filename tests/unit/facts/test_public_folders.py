"""Databases with public folders: seen among the others, with what their replication has waiting."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.facts.observation import (
    Asked,
    decode_server,
    exchange_statements,
    host_arguments,
)
from goexchange.model.actual import ActualDatabase, ActualHost, Generation
from goexchange.model.unknown import Unknown
from tests.unit.facts.samples import GUID, NOW, database, exchange, host
from tests.unit.facts.test_of_2007 import answer as of_2007
from tests.unit.facts.test_of_2007 import database as database_of_2007
from tests.unit.facts.test_of_2007 import group

PF = "6f9619ff-8b86-4d01-b42d-00cf4fc96400"
KIND = "Microsoft.Exchange.Data.Directory.SystemConfiguration.PublicFolderDatabase"
DIRECTORY = {"EdbFilePath": "D:\\PF\\PF.edb", "LogFolderPath": "L:\\PF", "Name": "PF", "Guid": PF}
NONE = ("Recovery", "Servers", "ReplicationType")


def public(**changes: Any) -> dict[str, Any]:
    found = database(**{**DIRECTORY, "$type": KIND, **changes})
    return {name: value for name, value in found.items() if name not in NONE}


def seen(said: dict[str, Any], of: Any, server: str = "EX01") -> ActualDatabase:
    actual = decode_server(said, of, asked=Asked(server=server, known=(GUID, PF)), observed_at=NOW)
    assert not isinstance(actual.databases, Unknown)
    (found,) = [each for each in actual.databases if each.name == "PF"]
    return found


def queues(*rows: tuple[str, int]) -> dict[str, Any]:
    return host(replication_queues=[{"name": name, "waiting": waiting} for name, waiting in rows])


def test_they_are_asked_for_where_there_are_such() -> None:
    for generation in (Generation.EXCHANGE_2010, Generation.EXCHANGE_2007):
        asked = [each.cmdlet for each in exchange_statements("EX05", generation=generation)]
        assert asked[-1] == "Get-PublicFolderDatabase"
    asked = [each.cmdlet for each in exchange_statements("EX01")]
    assert "Get-PublicFolderDatabase" not in asked


def test_one_is_seen_among_the_others_and_so_are_its_files() -> None:
    said = exchange(database(), public())
    found = seen(said, queues(("PF", 0), ("_Total", 0)))
    assert found.is_public_folder and found.replication_backlog == 0
    assert (found.is_recovery, found.is_replicated, found.copies) == (False, False, ("EX01",))
    arguments = host_arguments(said, root="C:\\gx", events_since=NOW)
    assert arguments["paths"] == ["D:\\DB01\\DB01.edb", "D:\\PF\\PF.edb"]
    assert arguments["log_folders"] == ["L:\\DB01", "L:\\PF"]


def test_a_mailbox_database_has_no_backlog() -> None:
    said = exchange(database(), public())
    actual = decode_server(
        said, queues(("PF", 3)), asked=Asked(server="EX01", known=(GUID,)), observed_at=NOW
    )
    assert not isinstance(actual.databases, Unknown)
    assert [each.replication_backlog for each in actual.databases] == [None, 3]


@pytest.mark.parametrize(
    ("of", "mounted"),
    [
        (queues(("PF", 0)), False),
        (queues(("PF", 0)), None),
        (queues(), True),
        (queues(("PF", 0), ("pf", 0)), True),
        (queues(("Other", 0)), True),
        (host(replication_queues=None), True),
        (host(failures=[{"part": "replication_queues", "message": "denied"}]), True),
        (Unknown("away"), True),
    ],
)
def test_what_is_not_counted_for_it_is_unknown(of: Any, mounted: bool | None) -> None:
    found = seen(exchange(database(), public(Mounted=mounted)), of)
    assert isinstance(found.replication_backlog, Unknown)


def test_a_list_that_may_lack_them_is_no_list() -> None:
    failed = {
        "message": "denied", "id": "x,GetPublicFolderDatabase", "category": "", "target": "",
    }  # fmt: skip
    said = {**exchange(database()), "errors": [failed]}
    actual = decode_server(said, host(), asked=Asked(server="EX01", known=(GUID,)), observed_at=NOW)
    assert isinstance(actual.databases, Unknown)


def test_on_exchange_2007_its_storage_group_says_where_its_logs_are_and_who_has_copies() -> None:
    one = {**database_of_2007(**DIRECTORY), "$type": KIND}
    del one["Recovery"]
    del one["LogFolderPath"]

    def found(**of_group: Any) -> ActualDatabase:
        of = queues(("First Storage Group-PF", 2))
        return seen(of_2007(group(**of_group), of=one), of, server="EX06")

    assert (found().log_folder, found().storage_group) == ("L:\\SG1", "First Storage Group")
    assert found().replication_backlog == 2 and found().is_replicated is False
    assert found(HasLocalCopy=True).is_replicated is True
    assert isinstance(found(HasLocalCopy=None).is_replicated, Unknown)


def test_a_host_of_an_earlier_plan_was_not_asked() -> None:
    actual = decode_server(exchange(), host(), asked=Asked(server="EX01"), observed_at=NOW)
    assert isinstance(actual.host, ActualHost) and actual.host.replication_queues == ()
    assert evolve(actual.host, replication_queues=Unknown("x")).replication_queues == Unknown("x")
