"""Cmdlets of a version without an Exchange endpoint, as the call of a host script."""

from __future__ import annotations

import pytest

from goexchange.model.actual import Generation
from goexchange.model.plan import ExchangeCall
from goexchange.powershell import cmdlets, cmdlets_scratch
from goexchange.powershell.checking import problems
from goexchange.powershell.contracts import CONTRACTS
from goexchange.powershell.seam import (
    CARRIERS,
    asking,
    carried,
    carrier_digests,
    is_carried,
)

GUID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
OLD = Generation.EXCHANGE_2007


def test_what_reads_is_asked_without_a_fence() -> None:
    call = carried(OLD, cmdlets.get_database(GUID), root="C:\\gx", fence=7)
    assert call.script == "ask-snapin" and not CONTRACTS[call.script].changes_host
    assert call.arguments == {
        "calls": [
            {"cmdlet": "Get-MailboxDatabase", "identity": GUID, "server": None, "status": True}
        ]
    }


def test_what_changes_something_is_told_under_the_fence() -> None:
    calls = (
        cmdlets.mount(GUID), cmdlets.dismount(GUID), cmdlets.set_mount_at_startup(GUID, False),
    )  # fmt: skip
    told = [carried(OLD, call, root="C:\\gx", fence=7) for call in calls]
    for each in told:
        contract = CONTRACTS[each.script]
        assert contract.changes_host and "fenced" in contract.errors
        assert not list(problems(dict(each.arguments), contract.arguments))
        assert (each.arguments["identity"], each.arguments["fence"]) == (GUID, 7)
    assert [each.arguments["cmdlet"] for each in told] == [call.cmdlet for call in calls]
    assert [each.arguments["mount_at_startup"] for each in told] == [None, None, False]
    assert {each.arguments["node"] for each in told} == {None}
    bound = carried(OLD, calls[0], root="C:\\gx", fence=7, node="NODE1")
    assert bound.arguments["node"] == "NODE1"


@pytest.mark.parametrize(
    "call",
    [
        cmdlets.get_repair_requests(GUID),
        cmdlets.get_copies_on("EX06"),
        cmdlets.new_repair_request(GUID, "FolderView", True),
        ExchangeCall(cmdlet="Mount-Database", parameters={"Identity": GUID, "Force": True}),
        ExchangeCall(cmdlet="Get-MailboxDatabase", parameters={}),
    ],
)
def test_what_the_version_lacks_or_nobody_may_send_is_not_carried(call: ExchangeCall) -> None:
    with pytest.raises(cmdlets.CmdletRefused):
        carried(OLD, call, root="C:\\gx", fence=1)


def test_what_changes_something_is_never_asked() -> None:
    with pytest.raises(cmdlets.CmdletRefused, match="Mount-Database"):
        asking(OLD, (cmdlets.mount(GUID),))


def test_later_versions_have_an_endpoint_and_so_has_one_that_is_not_known() -> None:
    assert is_carried(OLD)
    assert not is_carried(None) and not is_carried(Generation.EXCHANGE_2010)
    digests = carrier_digests([None, OLD, OLD, Generation.EXCHANGE_2019])
    assert (
        sorted(digests)
        == ["ask-snapin", "pilot-snapin", "tell-snapin"]
        == sorted([CARRIERS[OLD].ask, CARRIERS[OLD].tell, CARRIERS[OLD].pilot])
    )
    assert carrier_digests([None]) == {}


NAME = "gx-pilot-20261128T213000Z"
FOLDER = f"E:\\{NAME}"


@pytest.mark.parametrize(
    ("generation", "script"),
    [(OLD, "pilot-snapin"), (Generation.EXCHANGE_2003, "pilot-objects")],
)
def test_what_a_pilot_makes_and_removes_goes_by_a_script_of_its_own(
    generation: Generation, script: str
) -> None:
    calls = (
        cmdlets_scratch.new_group(NAME, "EX06", log_folder=f"{FOLDER}\\logs"),
        cmdlets_scratch.new_in_group(NAME, "EX06", edb_path=f"{FOLDER}\\database\\{NAME}.edb"),
        cmdlets.mount_scratch(NAME),
        cmdlets.remove_database(GUID),
        cmdlets_scratch.remove_group(NAME, "EX06"),
    )
    told = [carried(generation, call, root="C:\\gx", fence=7) for call in calls]
    for each in told:
        assert each.script == script
        assert not list(problems(dict(each.arguments), CONTRACTS[each.script].arguments))
    named = [(each.arguments["name"], each.arguments["server"]) for each in told]
    assert named == [(NAME, "EX06"), (NAME, "EX06"), (NAME, None), (None, None), (NAME, "EX06")]
    assert [each.arguments["identity"] for each in told] == [None, None, None, GUID, None]
    assert told[0].arguments["log_folder"] == f"{FOLDER}\\logs"
    assert told[1].arguments["edb_path"].startswith(FOLDER)


def test_mailboxes_are_asked_for_as_the_version_knows_them() -> None:
    call = asking(OLD, (cmdlets.get_mailboxes(GUID, None),))
    assert call.arguments["calls"][0]["identity"] == GUID
    with pytest.raises(cmdlets.CmdletRefused, match="no such kind"):
        asking(OLD, (cmdlets.get_mailboxes(GUID, "Archive"),))
