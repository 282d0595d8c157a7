"""What may be said of a pilot's storage group, and of no other."""

from __future__ import annotations

from typing import Any

import pytest

from goexchange.model.plan import ExchangeCall
from goexchange.powershell import cmdlets_scratch
from goexchange.powershell.cmdlets import CmdletRefused, check_call

NAME = "gx-pilot-20261128T213000Z"
EDB = f"E:\\{NAME}\\database\\{NAME}.edb"


@pytest.mark.parametrize(
    ("cmdlet", "parameters"),
    [
        ("New-StorageGroup", {"Name": "SG1", "Server": "EX06", "LogFolderPath": "L:\\a",
                              "SystemFolderPath": "L:\\a"}),
        ("New-StorageGroup", {"Name": NAME, "Server": "EX06", "LogFolderPath": "L:\\a"}),
        ("Remove-StorageGroup", {"Identity": "EX06\\First Storage Group", "Confirm": False}),
        ("Remove-StorageGroup", {"Identity": f"{NAME}\\SG1", "Confirm": False}),
        ("New-MailboxDatabase", {"Name": "DB1", "StorageGroup": f"EX06\\{NAME}",
                                 "EdbFilePath": EDB}),
        ("New-MailboxDatabase", {"Name": NAME, "StorageGroup": "EX06\\SG1", "EdbFilePath": EDB}),
        ("New-MailboxDatabase", {"Name": NAME, "StorageGroup": f"EX06\\{NAME}", "EdbFilePath": EDB,
                                 "IsExcludedFromProvisioning": True}),
        ("New-MailboxDatabase", {"Name": NAME, "EdbFilePath": EDB,
                                 "IsExcludedFromProvisioning": True}),
    ],
)  # fmt: skip
def test_nothing_but_a_pilot_s_own_is_made_or_removed(
    cmdlet: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(CmdletRefused):
        check_call(ExchangeCall(cmdlet=cmdlet, parameters=parameters))


def test_a_pilot_s_own_is() -> None:
    made = cmdlets_scratch.new_in_group(NAME, "EX06", edb_path=EDB)
    assert made.parameters["StorageGroup"] == f"EX06\\{NAME}"
    assert cmdlets_scratch.remove_group(NAME, "EX06").parameters["Confirm"] is False
    group = cmdlets_scratch.new_group(NAME, "EX06", log_folder="E:\\logs")
    assert group.parameters["SystemFolderPath"] == "E:\\logs"
    assert cmdlets_scratch.get_groups("EX06").parameters == {"Server": "EX06"}


def test_another_name_is_refused_before_anything_is_built() -> None:
    for build in (
        lambda: cmdlets_scratch.new_group("SG1", "EX06", log_folder="L:\\a"),
        lambda: cmdlets_scratch.new_in_group("DB1", "EX06", edb_path=EDB),
        lambda: cmdlets_scratch.remove_group("SG1", "EX06"),
    ):
        with pytest.raises(CmdletRefused, match="not the name of a pilot"):
            build()
