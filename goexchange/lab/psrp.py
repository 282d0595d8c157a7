"""The `Microsoft.Exchange` endpoint: PowerShell remoting on psrpcore's server half."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections import deque
from typing import Any

import psrpcore
from psrpcore import types

from goexchange.lab import faults
from goexchange.lab.faults import Fault
from goexchange.lab.psrp_pipeline import CmdletRunner, PipelineRun
from goexchange.lab.settings import LabLimits
from goexchange.lab.site import SiteThread
from goexchange.lab.soap import (
    NAMESPACES,
    POWERSHELL_URI,
    SHELL_NAMESPACE,
    WsmanRequest,
    required,
)
from goexchange.lab.wsman import ReceiveLimits, wait_for
from goexchange.world.values import SiteHost, SiteUser

_EXCHANGE_URI = f"{POWERSHELL_URI}Microsoft.Exchange"
_FRAGMENT_BYTES_MAX = 32 * 1024
_WINDOWS_POWERSHELL = types.PSVersion("5.1.17763.1")
_SIGNALS = (
    f"{SHELL_NAMESPACE}/signal/terminate", f"{SHELL_NAMESPACE}/signal/ctrl_c",
    "powershell/signal/crtl_c", "powershell/signal/ctrl_c",
)


class ExchangeShells:
    """The runspace pools of the Exchange endpoint of one host."""

    path = "/PowerShell"

    def __init__(self, host: SiteHost, site: SiteThread, limits: LabLimits) -> None:
        self.idle_s = limits.exchange_idle_s
        self.host = host
        self.site = site
        self.limits = limits

    def open(self, request: WsmanRequest, user: SiteUser) -> ExchangeShell:
        """Open a runspace pool for someone whom Exchange lets in."""
        if not user.may_use_exchange:
            raise faults.access_denied()
        if request.resource_uri != _EXCHANGE_URI:
            raise faults.resource_not_found(request.resource_uri)
        runner = CmdletRunner(site=self.site, host=self.host, user=user)
        return ExchangeShell(request, runner)

    def quota_fault(self, open_shells: int) -> Fault | None:
        """The throttling policy's PowerShellMaxConcurrency."""
        maximum = self.limits.exchange_shells_per_user_max
        return faults.too_many_exchange_shells(maximum) if open_shells >= maximum else None


class _Outbox:
    """Whole fragments for one receiver (the pool or a pipeline); clients cannot join split ones."""

    def __init__(self) -> None:
        self.fragments: deque[bytes] = deque()
        self.changed = asyncio.Event()

    def put(self, fragment: bytes) -> None:
        self.fragments.append(fragment)
        self.changed.set()

    def take(self, bytes_max: int) -> bytes:
        taken = bytearray()
        while self.fragments and (
            not taken or len(taken) + len(self.fragments[0]) <= bytes_max
        ):
            taken += self.fragments.popleft()
        return bytes(taken)


class ExchangeShell:
    """One runspace pool and its pipelines."""

    resource_uri = _EXCHANGE_URI

    def __init__(self, request: WsmanRequest, runner: CmdletRunner) -> None:
        shell = required(request.body, "rsp:Shell")
        self.shell_id = (shell.get("ShellId") or str(uuid.uuid4())).upper()
        self._runner = runner
        self._pool = psrpcore.ServerRunspacePool(
            {"PSVersionTable": {"PSVersion": _WINDOWS_POWERSHELL}})
        self._outbox = _Outbox()
        self._pipelines: dict[str, tuple[PipelineRun, _Outbox]] = {}
        creation = shell.findtext("pwsh:creationXml", "", NAMESPACES)
        self._feed(base64.b64decode(creation))

    def command(self, request: WsmanRequest) -> str:
        """Create a pipeline; it must exist before its message is read."""
        line = required(request.body, "rsp:CommandLine")
        command_id = (line.get("CommandId") or str(uuid.uuid4())).upper()
        pipeline = psrpcore.ServerPipeline(self._pool, uuid.UUID(command_id))
        run = PipelineRun(pipeline, self._runner, on_output=self._deliver)
        self._pipelines[command_id] = run, _Outbox()
        payload = "".join(each.text or "" for each in line.iterfind("rsp:Arguments", NAMESPACES))
        self._feed(base64.b64decode(payload))
        return command_id

    def send(self, request: WsmanRequest) -> None:
        """Take more fragments: the rest of a big pipeline, keys, input."""
        for stream in request.body.iterfind("rsp:Send/rsp:Stream", NAMESPACES):
            self._feed(base64.b64decode(stream.text or ""))

    async def receive(self, command_id: str, limits: ReceiveLimits) -> str:
        """The next whole fragments of a pipeline or of the pool."""
        run, outbox = self._pipeline(command_id) if command_id else (None, self._outbox)
        if not outbox.fragments and not (run is not None and run.is_over):
            await wait_for(outbox.changed, limits.timeout_s)
        content = outbox.take(limits.content_bytes_max)
        of_command = f' CommandId="{command_id}"' if command_id else ""
        xml = (f'<rsp:Stream Name="stdout"{of_command}>{base64.b64encode(content).decode()}'
               "</rsp:Stream>") if content else ""
        if run is not None:
            state = "Done" if run.is_over and not outbox.fragments else "Running"
            xml += (f'<rsp:CommandState CommandId="{command_id}" '
                    f'State="{SHELL_NAMESPACE}/CommandState/{state}"/>')
        return xml

    async def signal(self, command_id: str, code: str) -> None:
        """Stop a pipeline; terminate also forgets it."""
        if code not in _SIGNALS:
            raise faults.not_simulated(f"the signal {code}")
        run, _ = self._pipeline(command_id)
        await run.stop()
        if code.endswith("/terminate"):
            del self._pipelines[command_id]
            self._pool.pipeline_table.pop(uuid.UUID(command_id), None)

    def close(self) -> None:
        """Stop all pipelines; nobody is there any more to hear of it."""
        for run, _ in self._pipelines.values():
            run.abandon()
        self._pipelines.clear()

    def command_ids(self) -> tuple[str, ...]:
        """The pipelines that no client has terminated yet."""
        return tuple(self._pipelines)

    def _pipeline(self, command_id: str) -> tuple[PipelineRun, _Outbox]:
        if command_id not in self._pipelines:
            raise faults.command_not_found(command_id)
        return self._pipelines[command_id]

    def _feed(self, content: bytes) -> None:
        """Give the pool what came in, and act on what it makes of it."""
        self._pool.receive_data(
            psrpcore.PSRPPayload(content, psrpcore.StreamType.default, None))
        try:
            while (event := self._pool.next_event()) is not None:
                self._act_on(event)
        except psrpcore.PSRPCoreError as error:
            raise faults.malformed(str(error)) from error
        self._deliver()

    def _act_on(self, event: psrpcore.PSRPEvent[Any, Any]) -> None:
        match event:
            case psrpcore.CreatePipelineEvent():
                self._run_of(event).start(event.pipeline)
            case psrpcore.GetCommandMetadataEvent():
                self._run_of(event).start_listing(event.pipeline)
            case psrpcore.GetAvailableRunspacesEvent():
                self._pool.runspace_availability_response(event.ci, 1)
            case psrpcore.SetMaxRunspacesEvent() | psrpcore.SetMinRunspacesEvent():
                self._pool.runspace_availability_response(event.ci, True)
            case (psrpcore.SessionCapabilityEvent() | psrpcore.InitRunspacePoolEvent()
                  | psrpcore.PublicKeyEvent() | psrpcore.EndOfPipelineInputEvent()):
                pass  # the pool has answered by itself; no simulated cmdlet reads input
            case _:
                raise faults.not_simulated(type(event).__name__)

    def _run_of(self, event: psrpcore.PSRPEvent[Any, Any]) -> PipelineRun:
        run, _ = self._pipeline(str(event.pipeline_id).upper())
        return run

    def _deliver(self) -> None:
        """Put what the pool has to say before its receivers, and wake them."""
        while (payload := self._pool.data_to_send(_FRAGMENT_BYTES_MAX)) is not None:
            if payload.pipeline_id is None:
                self._outbox.put(payload.data)
            elif (key := str(payload.pipeline_id).upper()) in self._pipelines:
                self._pipelines[key][1].put(payload.data)
        for run, outbox in self._pipelines.values():
            if run.is_over:
                outbox.changed.set()
