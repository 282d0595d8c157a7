"""Only cmdlets of the closed list, with typed parameters and never an empty identity."""

from __future__ import annotations

from typing import Any

import pytest

from goexchange.model.plan import ExchangeCall
from goexchange.powershell import cmdlets

GUID = "6F9619FF-8B86-4D01-B42D-00CF4FC964FF"
LOWER = GUID.lower()


def test_builders() -> None:
    built = [
        cmdlets.dismount(GUID),
        cmdlets.mount(GUID),
        cmdlets.set_mount_at_startup(GUID, False),
        cmdlets.get_database(GUID),
        cmdlets.new_repair_request(GUID, "SearchFolder", True),
        cmdlets.new_repair_request(GUID, "FolderView", False),
        cmdlets.get_repair_requests(GUID),
    ]
    assert [(call.cmdlet, dict(call.parameters)) for call in built] == [
        ("Dismount-Database", {"Identity": LOWER, "Confirm": False}),
        ("Mount-Database", {"Identity": LOWER}),
        ("Set-MailboxDatabase", {"Identity": LOWER, "MountAtStartup": False}),
        ("Get-MailboxDatabase", {"Identity": LOWER, "Status": True}),
        (
            "New-MailboxRepairRequest",
            {"Database": LOWER, "CorruptionType": "SearchFolder", "DetectOnly": True},
        ),
        ("New-MailboxRepairRequest", {"Database": LOWER, "CorruptionType": "FolderView"}),
        ("Get-MailboxRepairRequest", {"Database": LOWER}),
    ]
    changing = [cmdlets.is_change(call.cmdlet) for call in built]
    assert changing == [True, True, True, False, True, True, False]


@pytest.mark.parametrize("identity", ["", " ", "DB01", "*", f"{GUID}x"])
def test_builders_take_nothing_but_a_guid(identity: str) -> None:
    for build in (
        cmdlets.dismount,
        cmdlets.mount,
        cmdlets.get_database,
        cmdlets.get_repair_requests,
    ):
        with pytest.raises(cmdlets.CmdletRefused):
            build(identity)


@pytest.mark.parametrize(
    ("cmdlet", "parameters"),
    [
        ("Remove-MailboxDatabaseCopy", {"Identity": GUID}),
        ("Mount-Database", {"Identity": GUID, "Force": True}),
        ("Mount-Database", {"Identity": GUID, "AcceptDataLoss": True}),
        ("Mount-Database", {}),
        ("Dismount-Database", {"Identity": GUID}),
        ("Get-MailboxDatabase", {"Status": True}),
        ("Get-MailboxDatabase", {"Identity": "", "Status": True}),
        ("Get-MailboxDatabase", {"Identity": None}),
        ("Get-MailboxDatabase", {"Identity": GUID, "Status": 1}),
        ("Get-MailboxRepairRequest", {}),
    ],
)
def test_other_calls_are_refused(cmdlet: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(cmdlets.CmdletRefused):
        cmdlets.check_call(ExchangeCall(cmdlet=cmdlet, parameters=parameters))


def test_unknown_corruption_types_are_refused() -> None:
    with pytest.raises(cmdlets.CmdletRefused):
        cmdlets.new_repair_request(GUID, "DropAllLazyIndexes", False)


def test_an_unknown_cmdlet_is_no_harmless_one() -> None:
    with pytest.raises(cmdlets.CmdletRefused):
        cmdlets.is_change("Get-MailboxFolder")
