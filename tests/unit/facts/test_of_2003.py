"""Stores of Exchange 2003 from literal answers: pairs of files, storage groups, events; any other
answer is unknown.
"""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.facts.generations import has_flush_maps, page_bytes_of
from goexchange.facts.mta import OldAnswers, decode_old_server, old_host_arguments
from goexchange.facts.observation import exchange_statements
from goexchange.facts.of_2003 import cluster_of_2003
from goexchange.model.actual import (
    ActualDatabase,
    ActualHost,
    ActualServer,
    Cluster,
    Generation,
    Service,
)
from goexchange.model.unknown import Unknown
from tests.unit.facts.answers_2003 import (
    EDB,
    STM,
    STORE_GUID,
    answer,
    backup_events,
    group,
    public,
    store,
)
from tests.unit.facts.samples import NOW, host

MIB = 1024 * 1024
MTA = {
    "store_version": "6.5.7638.1",
    "eseutil": {"path": "C:\\Exchsrvr\\bin\\eseutil.exe", "version": "6.5.7638.1"},
    "mta": None,
}


def file(path: str, size: int) -> dict[str, Any]:
    times = dict.fromkeys(("created_at", "modified_at"), "2026-10-01T00:00:00Z")
    return {"path": path, "exists": True, "size_bytes": size, **times}


def machine(**changes: Any) -> dict[str, Any]:
    said = host(
        files=[file(EDB, 90 * MIB), file(STM, 10 * MIB)],
        backup_events=backup_events(210, 221, 213),
        **changes,
    )
    return {**said, "host": {**said["host"], "name": "EX07"}}


def space(text: str) -> dict[str, Any]:
    event = {"log": "Application", "provider": "MSExchangeIS Mailbox Store", "id": 1221}
    return {"clock": "2026-11-22T10:00:00Z",
            "events": [{**event, "at": "2026-11-22T03:00:00Z", "text": text}]}  # fmt: skip


TOLD = space(
    'The database "First Storage Group\\Mailbox Store (EX07)" has 30 megabytes of free space'
    " after online defragmentation has terminated."
)


def server(**changes: Any) -> ActualServer:
    given = {"stores": answer(), "host": machine(), "mta": MTA, "events": TOLD, **changes}
    return decode_old_server(OldAnswers(**given), name="EX07", observed_at=NOW)


def only(**changes: Any) -> ActualDatabase:
    found = server(**changes).databases
    assert not isinstance(found, Unknown)
    return found[0]


def why(**changes: Any) -> str:
    found = server(**changes).databases
    assert isinstance(found, Unknown)
    return found.reason


def test_statements_and_what_the_host_is_asked_for() -> None:
    calls = exchange_statements("EX07", (STORE_GUID,), generation=Generation.EXCHANGE_2003)
    assert [call.cmdlet for call in calls] == ["Get-StorageGroup", "Get-MailboxDatabase"]
    wanted = old_host_arguments(answer(), root="C:\\gx", events_since=NOW)
    assert wanted["paths"] == [EDB, STM, "D:\\mdbdata\\pub1.edb", "D:\\mdbdata\\pub1.stm"]
    assert wanted["log_folders"] == ["L:\\mdbdata"]
    silent = old_host_arguments(Unknown("no"), root="C:\\gx", events_since=NOW)
    assert silent["paths"] == silent["log_folders"] == []


def test_a_database_is_a_pair_of_files_in_a_storage_group() -> None:
    found = only()
    assert (found.name, found.guid) == ("Mailbox Store (EX07)", STORE_GUID)
    assert (found.edb_path, found.streaming_path) == (EDB, STM)
    assert (found.log_folder, found.log_prefix) == ("L:\\mdbdata", "E00")
    assert (found.size_bytes, found.white_space_bytes) == (100 * MIB, 30 * MIB)
    assert found.is_mounted is True and found.mounted_on == "EX07"
    assert found.is_replicated is False and found.copies == ("EX07",)
    assert found.storage_group == "First Storage Group"
    assert page_bytes_of(Generation.EXCHANGE_2003) == 4096
    assert not has_flush_maps(Generation.EXCHANGE_2003)


def test_the_tools_are_those_beside_the_store() -> None:
    seen = server().host
    assert isinstance(seen, ActualHost)
    assert seen.eseutil_path == "C:\\Exchsrvr\\bin\\eseutil.exe"
    assert seen.exsetup_version == seen.eseutil_version == "6.5.7638.1"
    lacking = server(mta={**MTA, "store_version": None, "eseutil": None}).host
    assert isinstance(lacking, ActualHost)
    assert isinstance(lacking.eseutil_path, Unknown)
    assert isinstance(lacking.exsetup_version, Unknown)
    unasked = server(mta=Unknown("refused")).host
    assert isinstance(unasked, ActualHost) and isinstance(unasked.eseutil_path, str)


def test_public_folder_stores_are_seen_and_are_no_databases() -> None:
    seen = server()
    assert isinstance(seen.public_stores, tuple) and isinstance(seen.databases, tuple)
    (store_seen,) = seen.public_stores
    assert store_seen.name.startswith("Public") and store_seen.log_prefix == "E00"
    assert store_seen.is_mounted is True and len(seen.databases) == 1


@pytest.mark.parametrize(
    ("stores", "reason"),
    [
        (answer(group(), {k: v for k, v in store().items() if k != "StreamingFilePath"}),
         "without StreamingFilePath"),
        (answer(group(), store(EdbFilePath="")), "without EdbFilePath"),
        (answer(group(Name="Other"), store()), "First Storage Group was not found"),
        (answer(group(), group(), store()), "First Storage Group was not found"),
        (answer(group(LogFolderPath=""), store()), "no log folder"),
        (answer(group(), store(), public(StorageGroup="Gone")), "Gone was not found"),
        (answer(errors=({"message": "no server", "id": "", "category": "", "target":
                         "Get-StorageGroup"},)), "Get-StorageGroup failed: no server"),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_trusted_is_unknown_as_a_whole(stores: Any, reason: str) -> None:
    assert reason in why(stores=stores)


def test_a_status_that_is_not_told_is_unknown() -> None:
    plain = {name: value for name, value in store().items() if name != "Mounted"}
    found = only(stores=answer(group(), plain))
    assert isinstance(found.is_mounted, Unknown) and isinstance(found.mounted_on, Unknown)
    down = only(stores=answer(group(), store(Mounted=False)))
    assert down.is_mounted is False and down.mounted_on is None


def test_a_size_is_that_of_both_files_or_unknown() -> None:
    one = {**machine(), "files": [file(EDB, MIB)]}
    assert isinstance(only(host=one).size_bytes, Unknown)
    silent = only(host=Unknown("no answer"))
    assert isinstance(silent.size_bytes, Unknown) and isinstance(silent.is_backup_running, Unknown)
    assert isinstance(silent.last_full_backup_utc, Unknown)


@pytest.mark.parametrize(
    ("ids", "hour", "is_running"),
    [
        ((210, 221, 213), 2, False),
        ((210, 221, 213, 210), 2, True),
        ((210, 213), None, False),  # neither file was named
        ((211, 221, 213), None, False),  # incremental
        ((210, 221, 215, 213), None, False),
        ((221, 213), None, False),
        ((210, 221), None, True),
        ((), None, False),
    ],
)
def test_a_full_backup_is_one_whose_end_names_both_files(
    ids: tuple[int, ...], hour: int | None, is_running: bool
) -> None:
    found = only(host={**machine(), "backup_events": backup_events(*ids)})
    seen = found.last_full_backup_utc
    assert (None if isinstance(seen, Unknown) else seen.hour) == hour
    assert found.is_backup_running is is_running


def test_a_backup_of_one_file_or_of_another_group_is_none_of_it() -> None:
    events = backup_events(210, 221, 213)
    half = [each for each in events if STM not in each["text"]]
    other = [{**each, "text": each["text"].replace("e85d4e03", "00000000")} for each in events]
    for told in (half, other):
        seen = only(host={**machine(), "backup_events": told}).last_full_backup_utc
        assert isinstance(seen, Unknown)
    unnamed = {name: value for name, value in group().items() if name != "Guid"}
    assert isinstance(only(stores=answer(unnamed, store())).last_full_backup_utc, Unknown)
    failed = {**machine(), "failures": [{"part": "backup_events", "message": "too many"}]}
    assert isinstance(only(host=failed).last_full_backup_utc, Unknown)


def test_free_space_in_other_words_is_none() -> None:
    assert isinstance(only(events=space("30 Megabyte frei")).white_space_bytes, Unknown)
    assert isinstance(only(events=Unknown("refused")).white_space_bytes, Unknown)


def test_a_cluster_is_told_by_its_service_and_another_name_is_unknown() -> None:
    seen = server().host
    assert isinstance(seen, ActualHost)
    alone = evolve(seen, services=())
    assert cluster_of_2003(alone, "ex07") is None
    off = Service(name="ClusSvc", state="Stopped", start_type="Disabled")
    assert cluster_of_2003(evolve(seen, services=(off,)), "EX07") is None
    on = evolve(off, start_type="Automatic")
    found = cluster_of_2003(evolve(seen, services=(on,)), "EX07")
    assert found == Cluster(kind="Shared", nodes=())
    named = cluster_of_2003(alone, "EVS1")
    assert isinstance(named, Unknown) and "EVS1" in named.reason
    for unknown in (Unknown("a"), evolve(seen, services=Unknown("b"))):
        assert isinstance(cluster_of_2003(unknown, "EX07"), Unknown)
