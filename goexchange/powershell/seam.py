"""Exchange cmdlets on versions without a remote endpoint: carried by host scripts over the Windows
channel.

Who asks or changes says cmdlets everywhere; here they become the call of a packaged script, whose
answer has the form of the Exchange channel's. What changes something is fenced by the host.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from attrs import frozen

from goexchange.model.actual import Generation
from goexchange.model.plan import ExchangeCall, ScriptCall
from goexchange.powershell.bootstrap import digest
from goexchange.powershell.cmdlets import CmdletRefused, check_call, is_change
from goexchange.powershell.contracts_cmdlets import ASKED, TOLD


@frozen(kw_only=True)
class Carriers:
    """The host scripts that carry cmdlets of one version: for what reads, for what changes."""

    ask: str
    tell: str


CARRIERS: Mapping[Generation, Carriers] = {
    Generation.EXCHANGE_2003: Carriers(ask="ask-objects", tell="tell-objects"),
    Generation.EXCHANGE_2007: Carriers(ask="ask-snapin", tell="tell-snapin"),
}


def is_carried(generation: Generation | None) -> TypeGuard[Generation]:
    """Whether cmdlets go to that version by host script; never said of one that is not known."""
    return generation in CARRIERS


def asking(generation: Generation, calls: Sequence[ExchangeCall]) -> ScriptCall:
    """The script call that asks all of them at once.

    Raises: CmdletRefused for one that changes something, or that the version does not have.
    """
    script = CARRIERS[generation].ask
    arguments = {"calls": [_asked(call) for call in calls]}
    return ScriptCall(script=script, digest=digest(script), arguments=arguments)


def telling(generation: Generation, call: ExchangeCall, *, root: str, fence: int) -> ScriptCall:
    """The script call that sends one cmdlet that changes something, under the host's fence.

    Raises: CmdletRefused for one that the version does not have.
    """
    check_call(call)
    if call.cmdlet not in TOLD:
        raise CmdletRefused(f"{call.cmdlet} is not sent to Exchange {generation.value}.")
    script = CARRIERS[generation].tell
    arguments = {
        "root": root,
        "fence": fence,
        "cmdlet": call.cmdlet,
        "identity": call.parameters["Identity"],
        "mount_at_startup": _maybe(call, "MountAtStartup"),
    }
    return ScriptCall(script=script, digest=digest(script), arguments=arguments)


def carried(generation: Generation, call: ExchangeCall, *, root: str, fence: int) -> ScriptCall:
    """One cmdlet as the host gets it."""
    if is_change(call.cmdlet):
        return telling(generation, call, root=root, fence=fence)
    return asking(generation, (call,))


def carrier_digests(generations: Sequence[Generation | None]) -> Mapping[str, str]:
    """Digests of the scripts that carry the cmdlets of these versions, by name."""
    scripts = [
        name
        for generation in generations
        if is_carried(generation)
        for name in (CARRIERS[generation].ask, CARRIERS[generation].tell)
    ]
    return {name: digest(name) for name in sorted(scripts)}


def _asked(call: ExchangeCall) -> dict[str, Any]:
    check_call(call)
    if call.cmdlet not in ASKED:
        raise CmdletRefused(f"{call.cmdlet} is not asked of a version without an endpoint.")
    return {
        "cmdlet": call.cmdlet,
        "identity": _maybe(call, "Identity"),
        "server": _maybe(call, "Server"),
        "status": _maybe(call, "Status") is True,
    }


def _maybe(call: ExchangeCall, name: str) -> Any:
    return dict(call.parameters).get(name)
