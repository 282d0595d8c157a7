"""What observation finds in the default site."""

from __future__ import annotations

import pytest

from goexchange.powershell.sizes import parse_size
from goexchange.world.clock import ManualClock
from goexchange.world.disk import MemoryDisk
from goexchange.world.site import default_site
from goexchange.world.tasks import VENDOR_TASK
from goexchange.world.world import World
from tests.simulation.world.hands import EDB, ROOT, START, Hands, take_hold

_VIP = "Müller & Söhne's Mail [VIP]"


def test_five_mailbox_databases_and_a_recovery_database_on_the_first_server(hands: Hands) -> None:
    answer = hands.cmdlet("Get-MailboxDatabase", Server="EX01", Status=True)
    found = {each["Name"]: each for each in answer["objects"]}
    assert list(found) == ["DB01", "DB02", "DB03", "DB05", _VIP, "RDB01"]
    assert [name for name, each in found.items() if each["Mounted"]] == list(found)[:-1]
    assert found["RDB01"]["Recovery"] is True
    assert found["DB02"]["EdbFilePath"] == "D:\\Mounts\\DB02\\DB02.edb"


def test_one_database_needs_a_rebuild(hands: Hands) -> None:
    size = parse_size(hands.database()["DatabaseSize"])
    space = parse_size(hands.database()["AvailableNewMailboxSpace"])
    assert isinstance(size, int) and isinstance(space, int)
    assert space > 0.4 * size


def test_laptop_sizes_and_declared_volumes() -> None:
    hands = take_hold(site=default_site())
    assert parse_size(hands.database()["DatabaseSize"]) == 48 * 1024**2
    volumes = {each["mount_point"]: each for each in hands.observe()["volumes"]}
    assert volumes["D:\\"]["size_bytes"] == 600 * 1024**3
    assert volumes["D:\\"]["free_bytes"] == 311 * 1024**3
    assert "D:\\Mounts\\DB02\\" in volumes


def test_without_status_what_the_store_knows_is_nil(hands: Hands) -> None:
    found = hands.one("Get-MailboxDatabase", Identity="DB01")
    live = ("Mounted", "MountedOnServer", "LastFullBackup", "DatabaseSize", "BackupInProgress")
    assert [found[name] for name in live] == [None] * 5


def test_services_are_told_by_name_and_all_of_them_for_a_name_that_is_not_there(
    hands: Hands,
) -> None:
    asked = {"root": ROOT, "paths": [], "log_folders": [], "events_since": "2026-11-22T19:00:00Z"}
    assert hands.script("observe-host", **asked)["asked_services"] == {"asked": [], "told": []}
    answer = hands.script("observe-host", **asked, services=["msexchangePOP3"])["asked_services"]
    assert [each["name"] for each in answer["told"]] == ["MSExchangePOP3"]
    answer = hands.script("observe-host", **asked, services=["NoSuch"])["asked_services"]
    assert len(answer["told"]) == len(hands.world.hosts["EX01"].services)


def test_the_store_is_silent_when_its_service_is_stopped(hands: Hands) -> None:
    hands.world.hosts["EX01"].services["MSExchangeIS"].state = "Stopped"
    answer = hands.cmdlet("Get-MailboxDatabase", Server="EX01", Status=True)
    assert {each["Mounted"] for each in answer["objects"]} == {None}
    assert "EX01" in answer["warnings"][0]


@pytest.mark.parametrize(
    ("server", "version", "group"),
    [
        ("EX01", "Version 15.2 (Build 1544.4)", None),
        ("EX02", "Version 15.2 (Build 2562.17)", "DAG1"),
        ("EX04", "Version 15.1 (Build 2507.6)", None),
    ],
)
def test_servers(hands: Hands, server: str, version: str, group: str | None) -> None:
    assert hands.one("Get-ExchangeServer", Identity=server)["AdminDisplayVersion"] == version
    assert hands.one("Get-MailboxServer", Identity=server)["DatabaseAvailabilityGroup"] == group


def test_replicated_databases_have_two_copies(hands: Hands) -> None:
    found = hands.one("Get-MailboxDatabase", Identity="DB07")
    assert (found["ReplicationType"], found["Servers"]) == ("Remote", ["EX02", "EX03"])
    status = hands.cmdlet("Get-MailboxDatabaseCopyStatus", Identity="DB07")["objects"]
    assert [(each["Name"], each["Status"]) for each in status] == [
        ("DB07\\EX02", "Mounted"),
        ("DB07\\EX03", "Healthy"),
    ]


def test_the_other_member_names_the_active_server(hands: Hands) -> None:
    answer = hands.cmdlet("Get-MailboxDatabase", Server="EX03")
    assert [(each["Name"], each["Server"]) for each in answer["objects"]] == [
        ("DB07", "EX02"),
        ("DB08", "EX03"),
    ]


def test_a_host_before_anything_was_done_to_it(hands: Hands) -> None:
    seen = hands.observe(EDB, "D:\\nowhere.edb", folders=("L:\\DB05",))
    assert seen["exchange"]["exsetup_version"] == "15.2.1544.39"
    assert [each["exists"] for each in seen["files"]] == [True, False]
    assert seen["log_folders"][0]["count"] == 6
    assert (seen["fence"], seen["records"], seen["recoveries"]) == (0, [], [])
    assert (seen["storage_events"], seen["backup_events"]) == ([], [])
    assert [each["name"] for each in seen["tasks"]] == [VENDOR_TASK.name]
    assert seen["failures"] == []


def test_records_are_read_back(hands: Hands) -> None:
    guid = hands.guid("DB05")
    hands.change("write-database-record", database_guid=guid, record={"run": "r1"})
    hands.change(
        "write-recovery", run="r1", database_guid=guid, state="open", content={}, text="call us"
    )
    assert hands.observe()["records"] == [{"run": "r1"}]
    (opened,) = hands.observe()["recoveries"]
    assert (opened["run"], opened["phase"]) == ("r1", "open")
    folder = f"{ROOT}\\recovery\\{guid}\\r1"
    assert hands.world.hosts["EX01"].files.read(f"{folder}\\RECOVERY.txt") == b"call us"
    hands.change(
        "write-recovery", run="r1", database_guid=guid, state="closed", content={}, text="over"
    )
    assert hands.observe()["recoveries"] == []


def test_same_seed_and_calls_give_the_same_bytes() -> None:
    def bytes_of(seed: int) -> dict[str, bytes]:
        disk = MemoryDisk()
        world = World(default_site(scale=0.03), ManualClock(START), disk, seed)
        world.mail("DB05", pages=3)
        return {key: disk.read(key, 0, disk.size(key)) for key in disk.list("")}

    assert bytes_of(1) == bytes_of(1)
    assert bytes_of(1) != bytes_of(2)


def test_mail_takes_white_space(hands: Hands) -> None:
    before = parse_size(hands.database()["AvailableNewMailboxSpace"])
    assert hands.world.mail("DB05", pages=5) == 5
    after = parse_size(hands.database()["AvailableNewMailboxSpace"])
    assert isinstance(before, int) and isinstance(after, int)
    assert before - after == 5 * 32768
    hands.dismount()
    assert hands.eseutil("/k", EDB, "/o").exit_code == 0
