"""Exchange cmdlets on versions without a remote endpoint: carried by host scripts over the Windows
channel.

Who asks or changes says cmdlets everywhere; here they become the call of a packaged script, whose
answer has the form of the Exchange channel's. What changes something is fenced by the host.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import attrs
from attrs import frozen

from goexchange.model.actual import Generation
from goexchange.model.plan import ExchangeCall, ScriptCall
from goexchange.powershell.bootstrap import digest
from goexchange.powershell.cmdlets import CmdletRefused, check_call, is_change, is_scratch_name
from goexchange.powershell.contracts_cmdlets import ASKED, OF_PILOTS, TOLD


@frozen(kw_only=True)
class Carriers:
    """The host scripts that carry cmdlets of one version: for what reads, for what changes, and for
    what a pilot makes and removes.
    """

    ask: str
    tell: str
    pilot: str


CARRIERS: Mapping[Generation, Carriers] = {
    Generation.EXCHANGE_2003: Carriers(
        ask="ask-objects", tell="tell-objects", pilot="pilot-objects"
    ),
    Generation.EXCHANGE_2007: Carriers(
        ask="ask-snapin", tell="tell-snapin", pilot="pilot-snapin"
    ),
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


def telling(
    generation: Generation, call: ExchangeCall, *, root: str, fence: int, node: str | None = None
) -> ScriptCall:
    """The script call that sends one cmdlet that changes something, under the host's fence; with a
    `node`, no other machine does it.

    Raises: CmdletRefused for one that the version does not have.
    """
    check_call(call)
    if _is_of_pilot(call):
        return _of_pilot(CARRIERS[generation].pilot, call, root=root, fence=fence)
    if call.cmdlet not in TOLD:
        raise CmdletRefused(f"{call.cmdlet} is not sent to Exchange {generation.value}.")
    script = CARRIERS[generation].tell
    arguments = {
        "root": root,
        "fence": fence,
        "cmdlet": call.cmdlet,
        "identity": call.parameters["Identity"],
        "mount_at_startup": _maybe(call, "MountAtStartup"),
        "node": node,
    }
    return ScriptCall(script=script, digest=digest(script), arguments=arguments)


def carried(
    generation: Generation, call: ExchangeCall, *, root: str, fence: int, node: str | None = None
) -> ScriptCall:
    """One cmdlet as the host gets it."""
    if is_change(call.cmdlet):
        return telling(generation, call, root=root, fence=fence, node=node)
    return asking(generation, (call,))


def carrier_digests(generations: Sequence[Generation | None]) -> Mapping[str, str]:
    """Digests of the scripts that carry the cmdlets of these versions, by name."""
    scripts = [
        name
        for generation in generations
        if is_carried(generation)
        for name in attrs.astuple(CARRIERS[generation])
    ]
    return {name: digest(name) for name in sorted(scripts)}


def _is_of_pilot(call: ExchangeCall) -> bool:
    """Whether it makes, mounts or removes what is a pilot's own; others are mounted by GUID."""
    if call.cmdlet == "Mount-Database":
        return is_scratch_name(call.parameters["Identity"])
    return call.cmdlet in OF_PILOTS


def _of_pilot(script: str, call: ExchangeCall, *, root: str, fence: int) -> ScriptCall:
    """The call with what identifies the pilot's own: `SERVER\\NAME` names its storage group."""
    of_group = _maybe(call, "StorageGroup")
    if call.cmdlet == "Remove-StorageGroup":
        of_group = call.parameters["Identity"]
    server, _, group = (of_group or "").rpartition("\\")
    is_removed = call.cmdlet == "Remove-MailboxDatabase"
    named = _maybe(call, "Name") or group or (None if is_removed else call.parameters["Identity"])
    arguments = {
        "root": root,
        "fence": fence,
        "cmdlet": call.cmdlet,
        "name": named,
        "server": _maybe(call, "Server") or server or None,
        "identity": call.parameters["Identity"] if is_removed else None,
        "edb_path": _maybe(call, "EdbFilePath"),
        "log_folder": _maybe(call, "LogFolderPath"),
    }
    return ScriptCall(script=script, digest=digest(script), arguments=arguments)


def _asked(call: ExchangeCall) -> dict[str, Any]:
    check_call(call)
    if call.cmdlet not in ASKED:
        raise CmdletRefused(f"{call.cmdlet} is not asked of a version without an endpoint.")
    if {"Archive", "Arbitration", "PublicFolder"} & set(call.parameters):
        raise CmdletRefused(f"{call.cmdlet} knows no such kind on a version without an endpoint.")
    return {
        "cmdlet": call.cmdlet,
        "identity": _maybe(call, "Identity") or _maybe(call, "Database"),
        "server": _maybe(call, "Server"),
        "status": _maybe(call, "Status") is True,
    }


def _maybe(call: ExchangeCall, name: str) -> Any:
    return dict(call.parameters).get(name)
