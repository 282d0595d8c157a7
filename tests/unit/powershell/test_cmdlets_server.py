"""The calls of maintenance mode: one server, one component, one database, and no check skipped."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from goexchange.model.plan import ExchangeCall
from goexchange.powershell import cmdlets_server as sent
from goexchange.powershell.cmdlets import CmdletRefused

GUID = "5ce6c0b6-3db7-4c39-9bb6-8dcf4fc964ff"


def test_a_component_is_set_for_the_requester_maintenance_alone() -> None:
    call = sent.set_component("EX01", "ServerWideOffline", "Inactive")
    assert call.parameters == {"Identity": "EX01", "Component": "ServerWideOffline",
                               "State": "Inactive", "Requester": "Maintenance"}  # fmt: skip


def test_an_active_copy_is_moved_without_loss() -> None:
    given = sent.move_active(GUID.upper(), "EX02", "goexchange: updates").parameters
    assert given["Identity"] == GUID and given["MountDialOverride"] == "Lossless"
    assert not [name for name in given if name.startswith("Skip")]


@pytest.mark.parametrize(
    "call",
    [
        lambda: sent.set_component("EX01", "HubTransport", "Inactive"),
        lambda: sent.set_component("EX01", "OwaProxy", "Inactive"),
        lambda: sent.set_component("*", "HubTransport", "Draining"),
        lambda: sent.get_components(""),
        lambda: sent.redirect_messages("EX01", "ex01"),
        lambda: sent.set_activation("EX01", "Sometimes"),
        lambda: sent.move_active("DB05", "EX02", "x"),
        lambda: sent.move_active(GUID, "EX*", "x"),
    ],
)
def test_what_would_mean_more_or_something_else_is_refused(
    call: Callable[[], ExchangeCall],
) -> None:
    with pytest.raises(CmdletRefused):
        call()
