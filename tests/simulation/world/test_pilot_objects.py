"""The script that makes and removes a pilot's store by the management objects of Exchange 2003."""

from __future__ import annotations

import pytest
from attrs import evolve

from goexchange.model.actual import Generation
from goexchange.world.refusals import ScriptFailed
from goexchange.world.site import SERVER_2003
from tests.simulation.world.hands import SMALL, Hands, take_hold

NAME = "gx-pilot-20261128T213000Z"
FOLDER = f"E:\\{NAME}"
EDB = f"{FOLDER}\\database\\{NAME}.edb"
NOTHING = dict.fromkeys(("name", "server", "identity", "edb_path", "log_folder"))
MINE = {"name": NAME, "server": "EX01"}


@pytest.fixture
def old() -> Hands:
    first = evolve(
        SMALL.servers[0],
        generation=Generation.EXCHANGE_2003,
        version=SERVER_2003.version,
        installed_in=SERVER_2003.installed_in,
        powershell="2.0",
    )
    few = [each for each in SMALL.databases if each.copies == ("EX01",)][:2]
    return take_hold(site=evolve(SMALL, servers=(first,), databases=tuple(few), groups=()))


def piloted(hands: Hands, cmdlet: str, **named: str) -> list[str]:
    answer = hands.change("pilot-objects", cmdlet=cmdlet, **{**NOTHING, **named})
    return [each["message"] for each in answer["errors"]]


def asked(hands: Hands, cmdlet: str, **named: str) -> list[dict[str, object]]:
    call = {"cmdlet": cmdlet, "identity": None, "server": None, "status": True, **named}
    found: list[dict[str, object]] = hands.script("ask-objects", calls=[call])["objects"]
    return found


def test_a_store_is_made_as_a_pair_in_a_group_of_its_own_and_goes_with_it(old: Hands) -> None:
    assert piloted(old, "New-StorageGroup", **MINE, log_folder=f"{FOLDER}\\logs") == []
    assert piloted(old, "New-MailboxDatabase", **MINE, edb_path=EDB) == []
    assert piloted(old, "Mount-Database", name=NAME) == []
    (store,) = asked(old, "Get-MailboxDatabase", identity=NAME)
    assert store["Mounted"] is True and store["MountAtStartup"] is True
    files = old.world.hosts["EX01"].files
    assert files.exists(EDB) and files.exists(EDB.replace(".edb", ".stm"))
    assert f"{FOLDER}\\logs\\E" in next(p for p in files.below(FOLDER) if p.endswith(".log"))
    guid = str(store["Guid"])
    assert asked(old, "Get-Mailbox", identity=guid) == []
    database = old.world.database_named(NAME)
    database.description = evolve(database.description, mailboxes=3)
    assert len(asked(old, "Get-Mailbox", identity=guid)) == 1
    assert piloted(old, "Remove-MailboxDatabase", identity=guid)[0].startswith("This mailbox")
    database.description = evolve(database.description, mailboxes=0)
    assert piloted(old, "Remove-MailboxDatabase", identity=guid) == []
    assert NAME in {each["Name"] for each in asked(old, "Get-StorageGroup", server="EX01")}
    assert piloted(old, "Remove-StorageGroup", **MINE) == []
    assert NAME not in {each["Name"] for each in asked(old, "Get-StorageGroup", server="EX01")}


def test_nothing_that_is_not_a_pilot_s_is_touched(old: Hands) -> None:
    other = next(iter(old.world.databases))
    for given in (
        {"cmdlet": "Remove-MailboxDatabase", "identity": str(other)},
        {"cmdlet": "New-StorageGroup", "name": "SG9", "server": "EX01", "log_folder": "L:\\SG9"},
    ):
        with pytest.raises(ScriptFailed) as failed:
            old.change("pilot-objects", **{**NOTHING, **given})
        assert failed.value.code == "not-a-pilot"


def test_another_version_has_no_such_objects() -> None:
    with pytest.raises(ScriptFailed) as failed:
        piloted(take_hold(), "New-StorageGroup", **MINE, log_folder=f"{FOLDER}\\logs")
    assert failed.value.code == "no-management-objects"
