"""One WS-Management endpoint of one host: its shells, quotas and idle limits."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import Protocol

from attrs import define, frozen

from goexchange.lab import faults
from goexchange.lab.faults import Fault
from goexchange.lab.soap import (
    NAMESPACES,
    WsmanRequest,
    answer_envelope,
    duration_s,
    fault_envelope,
    read_request,
    required,
)
from goexchange.lab.traffic import ConnectionLost, Traffic, When
from goexchange.world.values import SiteHost, SiteUser

_REPLAYS_MAX = 256


@frozen(kw_only=True)
class ReceiveLimits:
    """What one Receive may take: how long it may wait, how many bytes (not yet base64) fit."""

    timeout_s: float
    content_bytes_max: int


class Shell(Protocol):
    """A shell as the endpoint keeps it: a Windows shell or a PowerShell runspace pool."""

    shell_id: str
    resource_uri: str

    def command(self, request: WsmanRequest) -> str:
        """Start a command and give its id."""

    def send(self, request: WsmanRequest) -> None:
        """Take input."""

    async def receive(self, command_id: str, limits: ReceiveLimits) -> str:
        """The streams and state of a command (of the pool itself without an id), as XML."""

    async def signal(self, command_id: str, code: str) -> None:
        """Interrupt or end a command."""

    def close(self) -> None:
        """End everything that runs in the shell."""

    def command_ids(self) -> tuple[str, ...]:
        """The commands that the shell holds."""


class ShellKind(Protocol):
    """What an endpoint's shells are: how they are opened and how many there may be."""

    path: str
    idle_s: float

    def open(self, request: WsmanRequest, user: SiteUser) -> Shell:
        """Open a shell; raises the Fault that the real endpoint would answer with."""

    def quota_fault(self, open_shells: int) -> Fault | None:
        """The refusal when a user has this many shells open already."""


@define
class _OpenShell:
    """A shell with its owner and what its idle limit needs."""

    shell: Shell
    user: SiteUser
    idle_s: float
    last_used_s: float
    operations: int = 0


class Endpoint:
    """Answers the WS-Management requests for one kind of shell on one host."""

    def __init__(
        self, host: SiteHost, kind: ShellKind, *, traffic: Traffic, timeout_s_max: float
    ) -> None:
        self.host = host
        self.path = kind.path
        self._kind = kind
        self._traffic = traffic
        self._timeout_s_max = timeout_s_max
        self._shells: dict[str, _OpenShell] = {}
        self._replays: OrderedDict[str, tuple[bool, bytes]] = OrderedDict()

    async def answer(self, envelope: bytes, user: SiteUser) -> tuple[bool, bytes]:
        """The answer to an envelope: whether it is no fault, and its own envelope.

        A repeated MessageID of a Receive gets the same answer again: clients rely on it.
        Raises: ConnectionLost when a disturbance cuts the connection.
        """
        try:
            request = read_request(envelope)
        except Fault as fault:
            return False, fault_envelope("", fault, machine=self.host.name)
        self._traffic.count(self.host.name, request.action)
        disturbance = self._traffic.takes(self.host.name, request.action)
        if disturbance is not None and disturbance.when is When.BEFORE:
            raise ConnectionLost
        if request.message_id in self._replays:
            self._traffic.count(self.host.name, "replayed")
            return self._replays[request.message_id]
        answer = await self._answered(request, user)
        if request.action == "Receive":
            self._replays[request.message_id] = answer
            if len(self._replays) > _REPLAYS_MAX:
                self._replays.popitem(last=False)
        await self._traffic.trouble_answer(disturbance)
        return answer

    def open_shells(self) -> int:
        """How many shells are open now."""
        self._close_idle()
        return len(self._shells)

    def close(self) -> None:
        """End all shells."""
        for shell_id in tuple(self._shells):
            self._shells.pop(shell_id).shell.close()

    async def _answered(self, request: WsmanRequest, user: SiteUser) -> tuple[bool, bytes]:
        try:
            return True, answer_envelope(request, await self._perform(request, user))
        except Fault as fault:
            return False, fault_envelope(request.message_id, fault, machine=self.host.name)

    async def _perform(self, request: WsmanRequest, user: SiteUser) -> str:
        self._close_idle()
        if request.action == "Create":
            return self._create(request, user)
        if request.action == "Enumerate":
            return self._enumerate(request, user)
        held = self._shells.get(request.shell_id)
        if held is None or held.user != user:
            raise faults.shell_not_found(request.shell_id)
        with self._in_use(held):
            match request.action:
                case "Command":
                    command_id = held.shell.command(request)
                    return (f"<rsp:CommandResponse><rsp:CommandId>{command_id}</rsp:CommandId>"
                            "</rsp:CommandResponse>")
                case "Receive":
                    return await self._receive(held.shell, request)
                case "Send":
                    held.shell.send(request)
                    return "<rsp:SendResponse/>"
                case "Signal":
                    signal = required(request.body, "rsp:Signal")
                    code = required(signal, "rsp:Code").text or ""
                    await held.shell.signal(signal.get("CommandId", "").upper(), code)
                    return "<rsp:SignalResponse/>"
                case "Delete":
                    del self._shells[request.shell_id]
                    held.shell.close()
                    return ""
                case "Get":
                    return _described(held)
        raise faults.not_simulated(f"the action {request.action_uri}")

    async def _receive(self, shell: Shell, request: WsmanRequest) -> str:
        desired = required(request.body, "rsp:Receive/rsp:DesiredStream")
        limits = ReceiveLimits(
            timeout_s=min(request.operation_timeout_s, self._timeout_s_max),
            content_bytes_max=max(1024, (request.envelope_bytes_max - 4096) * 3 // 4),
        )
        received = await shell.receive(desired.get("CommandId", "").upper(), limits)
        return f"<rsp:ReceiveResponse>{received}</rsp:ReceiveResponse>"

    def _create(self, request: WsmanRequest, user: SiteUser) -> str:
        already = sum(held.user == user for held in self._shells.values())
        if (refusal := self._kind.quota_fault(already)) is not None:
            raise refusal
        shell = self._kind.open(request, user)
        wanted = request.body.findtext("rsp:Shell/rsp:IdleTimeOut", None, NAMESPACES)
        idle_s = min(self._kind.idle_s, duration_s(wanted)) if wanted else self._kind.idle_s
        held = _OpenShell(shell, user, idle_s, self._traffic.now_s())
        self._shells[shell.shell_id] = held
        return (
            f"<x:ResourceCreated><a:Address>http://{self.host.fqdn}{self.path}</a:Address>"
            f"<a:ReferenceParameters><w:ResourceURI>{shell.resource_uri}</w:ResourceURI>"
            f'<w:SelectorSet><w:Selector Name="ShellId">{shell.shell_id}</w:Selector>'
            f"</w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>{_described(held)}"
        )

    def _enumerate(self, request: WsmanRequest, user: SiteUser) -> str:
        if not request.resource_uri.rstrip("/").endswith("/shell"):
            raise faults.not_simulated(f"the enumeration of {request.resource_uri}")
        items = "".join(_described(held) for held in self._shells.values() if held.user == user)
        return (f"<n:EnumerateResponse><w:Items>{items}</w:Items><w:EndOfSequence/>"
                "</n:EnumerateResponse>")

    @contextlib.contextmanager
    def _in_use(self, held: _OpenShell) -> Iterator[None]:
        """Keep a shell from counting as idle while an operation runs on it."""
        held.operations += 1
        try:
            yield
        finally:
            held.operations -= 1
            held.last_used_s = self._traffic.now_s()

    def _close_idle(self) -> None:
        now_s = self._traffic.now_s()
        for shell_id, held in tuple(self._shells.items()):
            if held.operations == 0 and now_s - held.last_used_s > held.idle_s:
                del self._shells[shell_id]
                held.shell.close()


def _described(held: _OpenShell) -> str:
    return (
        f"<rsp:Shell><rsp:ShellId>{held.shell.shell_id}</rsp:ShellId>"
        f"<rsp:ResourceUri>{held.shell.resource_uri}</rsp:ResourceUri>"
        f"<rsp:Owner>{held.user.domain}\\{held.user.name}</rsp:Owner>"
        f"<rsp:IdleTimeOut>PT{held.idle_s:.3f}S</rsp:IdleTimeOut><rsp:State>Connected</rsp:State>"
        "</rsp:Shell>"
    )


async def wait_for(changed: asyncio.Event, timeout_s: float) -> None:
    """Wait for something to receive.

    Raises: Fault "operation timed out", on which clients receive again.
    """
    changed.clear()
    try:
        async with asyncio.timeout(timeout_s):
            await changed.wait()
    except TimeoutError:
        raise faults.operation_timed_out() from None
