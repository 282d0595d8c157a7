"""The scripts that carry the cmdlets of Exchange 2007, on a host that has only its snap-in."""

from __future__ import annotations

import pytest
from attrs import evolve

from goexchange.model.actual import Generation
from goexchange.world.refusals import ScriptFailed
from goexchange.world.site import SiteDescription
from tests.simulation.world.hands import ROOT, SMALL, Hands, take_hold


def site_of_2007() -> SiteDescription:
    first = evolve(
        SMALL.servers[0],
        generation=Generation.EXCHANGE_2007,
        version=(8, 3, 83, 6),
        powershell="2.0",
    )
    return evolve(SMALL, servers=(first, *SMALL.servers[1:]))


@pytest.fixture
def old() -> Hands:
    return take_hold(site=site_of_2007())


def asked(hands: Hands, cmdlet: str, **named: str) -> dict[str, object]:
    call = {"cmdlet": cmdlet, "identity": None, "server": None, "status": True, **named}
    return hands.script("ask-snapin", calls=[call])


def test_databases_have_their_logs_in_a_storage_group(old: Hands) -> None:
    found = asked(old, "Get-MailboxDatabase", server="EX01")["objects"]
    assert isinstance(found, list)
    assert "LogFolderPath" not in found[0] and found[0]["StorageGroup"].startswith("EX01\\")
    groups = asked(old, "Get-StorageGroup", server="EX01")["objects"]
    assert isinstance(groups, list) and len(groups) == len(found)
    assert groups[0]["LogFolderPath"].startswith("L:\\")
    (server,) = asked(old, "Get-MailboxServer", identity="EX01")["objects"]  # type: ignore[misc]
    assert server["ClusteredStorageType"] == "Disabled"
    assert "DatabaseAvailabilityGroup" not in server


def test_one_that_is_not_there_is_an_error_that_names_its_cmdlet(old: Hands) -> None:
    answer = asked(old, "Get-StorageGroup", server="NOWHERE")
    assert answer["objects"] == []
    assert [each["target"] for each in answer["errors"]] == ["Get-StorageGroup"]  # type: ignore


def test_changes_take_effect_under_the_fence_alone(old: Hands) -> None:
    database = old.world.database_named("DB05")
    given = {"identity": str(database.guid), "mount_at_startup": None, "node": None}
    assert old.change("tell-snapin", cmdlet="Dismount-Database", **given)["errors"] == []
    assert database.mounted_on is None
    old.change("tell-snapin", cmdlet="Set-MailboxDatabase", **{**given, "mount_at_startup": False})
    assert database.is_mount_at_startup is False
    old.script("claim-fence", root=ROOT, fence=9, holder="b", claimed_at="2026-11-22T20:00:00Z")
    with pytest.raises(ScriptFailed, match="higher"):
        old.change("tell-snapin", cmdlet="Mount-Database", **given)
    assert database.mounted_on is None


def test_a_later_version_has_another_snap_in(hands: Hands) -> None:
    with pytest.raises(ScriptFailed) as refused:
        asked(hands, "Get-MailboxServer", identity="EX01")
    assert refused.value.code == "no-snap-in"
    answer = hands.cmdlet("Get-StorageGroup", Server="EX01")
    assert "not recognized" in answer["errors"][0]["message"]


NAME = "gx-pilot-20261128T213000Z"
FOLDER = f"E:\\{NAME}"
NOTHING = dict.fromkeys(("name", "server", "identity", "edb_path", "log_folder"))


def piloted(hands: Hands, cmdlet: str, **named: str) -> list[str]:
    """What went wrong, in the cmdlet's words."""
    answer = hands.change("pilot-snapin", cmdlet=cmdlet, **{**NOTHING, **named})
    return [each["message"] for each in answer["errors"]]


def test_a_pilot_s_group_holds_its_database_and_goes_after_it(old: Hands) -> None:
    mine = {"name": NAME, "server": "EX01"}
    path = f"{FOLDER}\\database\\{NAME}.edb"
    assert "wasn't found" in piloted(old, "New-MailboxDatabase", **mine, edb_path=path)[0]
    assert piloted(old, "New-StorageGroup", **mine, log_folder=f"{FOLDER}\\logs") == []
    again = piloted(old, "New-StorageGroup", **mine, log_folder=f"{FOLDER}\\logs")
    assert "already exists" in again[0]
    found = asked(old, "Get-StorageGroup", server="EX01")["objects"]
    assert isinstance(found, list) and NAME in {each["Name"] for each in found}
    assert piloted(old, "New-MailboxDatabase", **mine, edb_path=path) == []
    assert piloted(old, "Mount-Database", name=NAME) == []
    made = old.world.database_named(NAME)
    assert made.mounted_on == "EX01" and made.stream.folder == f"{FOLDER}\\logs"
    assert asked(old, "Get-Mailbox", identity=str(made.guid))["objects"] == []
    assert "contains one or more databases" in piloted(old, "Remove-StorageGroup", **mine)[0]
    assert piloted(old, "Remove-MailboxDatabase", identity=str(made.guid)) == []
    assert piloted(old, "Remove-StorageGroup", **mine) == []
    assert "could not be found" in piloted(old, "Remove-StorageGroup", **mine)[0]


def test_nothing_that_is_not_a_pilot_s_is_made_or_removed_by_that_script(old: Hands) -> None:
    other = str(old.world.database_named("DB05").guid)
    for given in (
        {"cmdlet": "Remove-MailboxDatabase", "identity": other},
        {"cmdlet": "New-StorageGroup", "name": "SG9", "server": "EX01", "log_folder": "L:\\SG9"},
        {"cmdlet": "New-StorageGroup", "name": NAME, "server": "EX01", "log_folder": "L:\\SG9"},
        {"cmdlet": "New-MailboxDatabase", "name": NAME, "server": "EX01", "edb_path": "E:\\a.edb"},
    ):
        with pytest.raises(ScriptFailed) as failed:
            old.change("pilot-snapin", **{**NOTHING, **given})
        assert failed.value.code == "not-a-pilot"


def test_an_edition_has_room_for_so_many_groups() -> None:
    site = site_of_2007()
    full = take_hold(site=evolve(site, servers=(evolve(site.servers[0], edition="Standard"),
                                                *site.servers[1:])))  # fmt: skip
    said = piloted(full, "New-StorageGroup", name=NAME, server="EX01", log_folder=f"{FOLDER}\\l")
    assert "maximum number of storage groups" in said[0] and not full.world.groups
    missing = piloted(full, "New-StorageGroup", name=NAME, server="EX99", log_folder=f"{FOLDER}\\l")
    assert "wasn't found" in missing[0]
