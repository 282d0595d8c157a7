"""How cmdlets bind, refuse, and change the databases."""

from __future__ import annotations

from typing import Any

import pytest

from goexchange.world.refusals import NotModelled
from tests.simulation.world.hands import EDB, Hands


def _error(answer: dict[str, Any]) -> dict[str, Any]:
    (error,) = answer["errors"]
    return dict(error)


@pytest.mark.parametrize(
    ("name", "parameters", "error_id", "words"),
    [
        ("Get-Nothing", {}, "CommandNotFoundException", "'Get-Nothing' is not recognized"),
        (
            "Get-MailboxDatabase",
            {"Sevrer": "EX01"},
            "NamedParameterNotFound,Get-MailboxDatabase",
            "matches parameter name 'Sevrer'",
        ),
        (
            "Get-MailboxDatabase",
            {"Server": "EX01", "Identity": "DB01"},
            "AmbiguousParameterSet,Get-MailboxDatabase",
            "Parameter set cannot be resolved",
        ),
        (
            "Get-MailboxDatabase",
            {"Include": True},
            "AmbiguousParameter,Get-MailboxDatabase",
            "-IncludeCorrupted",
        ),
        (
            "Dismount-Database",
            {"Confirm": False},
            "MissingMandatoryParameter,Dismount-Database",
            "mandatory parameters: Identity",
        ),
        (
            "Dismount-Database",
            {"Identity": None, "Confirm": False},
            "ParameterArgumentValidationErrorNullNotAllowed,Dismount-Database",
            "because it is null",
        ),
        (
            "Set-MailboxDatabase",
            {"Identity": "DB01", "MountAtStartup": "no"},
            "ParameterArgumentTransformationError,Set-MailboxDatabase",
            "'MountAtStartup'",
        ),
    ],
)
def test_a_call_that_cannot_be_bound(
    hands: Hands, name: str, parameters: dict[str, Any], error_id: str, words: str
) -> None:
    error = _error(hands.cmdlet(name, **parameters))
    assert error["id"] == error_id
    assert words in error["message"]
    assert error["terminating"] is True


def test_names_may_be_abbreviated_and_in_any_case(hands: Hands) -> None:
    assert hands.one("get-mailboxdatabase", ident="db01", STATUS=True)["Mounted"] is True


def test_an_unknown_object_is_named(hands: Hands) -> None:
    error = _error(hands.cmdlet("Get-MailboxDatabase", Identity="DB99"))
    assert "object 'DB99' couldn't be found" in error["message"]
    assert "[FailureCategory=Cmdlet-ManagementObjectNotFoundException]" in error["id"]
    assert error["id"].endswith(".GetMailboxDatabase")


def test_a_null_identity_is_everything(hands: Hands) -> None:
    assert len(hands.cmdlet("Get-MailboxDatabase", Identity=None)["objects"]) == 9


def test_stop_makes_an_error_terminating(hands: Hands) -> None:
    answer = hands.cmdlet("Get-MailboxDatabase", Identity="DB99", ErrorAction="Stop")
    assert _error(answer)["terminating"] is True


def test_dismount_asks(hands: Hands) -> None:
    error = _error(hands.cmdlet("Dismount-Database", Identity="DB05"))
    assert "Are you sure" in error["message"]
    assert hands.database()["Mounted"] is True


def test_dismount_and_mount(hands: Hands) -> None:
    hands.dismount()
    assert hands.database()["Mounted"] is False
    assert hands.database()["LastFullBackup"] is None
    again = _error(hands.cmdlet("Dismount-Database", Identity="DB05", Confirm=False))
    assert "MapiExceptionNotFound" in again["message"]
    assert hands.cmdlet("Mount-Database", Identity="DB05")["errors"] == []
    assert hands.database()["Mounted"] is True
    assert hands.database()["LastFullBackup"] is not None
    ids = [each.event_id for each in hands.world.hosts["EX01"].events.all()]
    assert ids[-4:] == [327, 9539, 326, 9523]


def test_a_missing_file_does_not_mount(hands: Hands) -> None:
    hands.dismount()
    hands.world.hosts["EX01"].files.rename(EDB, f"{EDB}.away")
    error = _error(hands.cmdlet("Mount-Database", Identity="DB05"))
    assert "(hr=0x80004005, ec=-1811)" in error["message"]
    assert "Unable to mount database" in error["message"]


def test_a_dirty_file_of_another_set_does_not_mount(hands: Hands) -> None:
    files = hands.world.hosts["EX01"].files
    dirty = files.read("D:\\DB01\\DB01.edb")
    hands.dismount()
    files.write(EDB, dirty)
    assert "ec=-550" in _error(hands.cmdlet("Mount-Database", Identity="DB05"))["message"]


def test_a_file_that_a_job_reads_does_not_mount(hands: Hands) -> None:
    hands.dismount()
    job = hands.start_eseutil("/k", EDB, "/o")
    hands.clock.move(seconds=0.15)
    assert "ec=-1032" in _error(hands.cmdlet("Mount-Database", Identity="DB05"))["message"]
    hands.finish(job)
    assert hands.cmdlet("Mount-Database", Identity="DB05")["errors"] == []


def test_force_is_refused_loudly(hands: Hands) -> None:
    with pytest.raises(NotModelled):
        hands.cmdlet("Mount-Database", Identity="DB05", Force=True)


def test_mount_at_startup(hands: Hands) -> None:
    hands.cmdlet("Set-MailboxDatabase", Identity="DB05", MountAtStartup=False)
    assert hands.database()["MountAtStartup"] is False
    again = hands.cmdlet("Set-MailboxDatabase", Identity="DB05", MountAtStartup=False)
    assert "no settings" in again["warnings"][0]


def test_one_repair_request_at_a_time(hands: Hands) -> None:
    given = {"Database": "DB05", "CorruptionType": "SearchFolder", "DetectOnly": True}
    begun = hands.one("New-MailboxRepairRequest", **given)
    assert begun["JobState"] == "Running"
    busy = hands.cmdlet("New-MailboxRepairRequest", Database="DB01", CorruptionType="FolderView")
    assert "allowed number" in _error(busy)["message"]
    hands.clock.move(seconds=1)
    done = hands.one("Get-MailboxRepairRequest", Database=hands.guid("DB05"))
    assert (done["JobState"], done["CorruptionsDetected"]) == ("Succeeded", 0)
    assert done["Identity"].startswith(hands.guid("DB05"))


def test_a_repair_request_needs_a_mounted_database(hands: Hands) -> None:
    hands.dismount()
    answer = hands.cmdlet("New-MailboxRepairRequest", Database="DB05", CorruptionType="FolderView")
    assert "not mounted" in _error(answer)["message"]


def test_health(hands: Hands) -> None:
    roles = hands.cmdlet("Test-ServiceHealth", Server="EX01")["objects"]
    assert {each["RequiredServicesRunning"] for each in roles} == {True}
    states = hands.cmdlet("Get-ServerComponentState", Identity="EX01")["objects"]
    inactive = [each["Component"] for each in states if each["State"] != "Active"]
    assert inactive == ["ForwardSyncDaemon", "ProvisioningRps"]
    (group,) = hands.cmdlet("Get-DatabaseAvailabilityGroup", Identity="DAG1", Status=True)[
        "objects"
    ]
    assert group["Servers"] == ["EX02", "EX03"]
