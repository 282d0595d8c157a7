"""The Windows shell (WinRS): commands with streamed output, input and signals."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections import deque
from collections.abc import Coroutine

from goexchange.lab import faults
from goexchange.lab.faults import Fault
from goexchange.lab.settings import LabLimits
from goexchange.lab.site import SiteRefused, SiteThread
from goexchange.lab.soap import (
    NAMESPACES,
    POWERSHELL_URI,
    SHELL_NAMESPACE,
    WINDOWS_SHELL_URI,
    WsmanRequest,
    required,
)
from goexchange.lab.wsman import ReceiveLimits, wait_for
from goexchange.world.values import CommandAnswer, SiteHost, SiteUser, Stream

_CMD_PREFIX = "cmd.exe /c "
_OPTIONS = {"WINRS_NOPROFILE", "WINRS_CODEPAGE", "WINRS_CONSOLEMODE_STDIN", "WINRS_SKIP_CMD_SHELL"}
_CODEPAGES = {"65001": "utf-8", "437": "cp437", "850": "cp850", "1252": "cp1252"}
_DEFAULT_CODEPAGE = "437"
_CONTROL_C_EXIT = 0xC000013A
_SITE_FAILED_EXIT = 255
_SIGNALS = {f"{SHELL_NAMESPACE}/signal/{name}" for name in ("terminate", "ctrl_c", "ctrl_break")}


class WindowsShells:
    """The shells of the Windows endpoint of one host."""

    path = "/wsman"

    def __init__(self, host: SiteHost, site: SiteThread, limits: LabLimits) -> None:
        self.idle_s = limits.windows_idle_s
        self.host = host
        self.site = site
        self.limits = limits

    def open(self, request: WsmanRequest, user: SiteUser) -> WindowsShell:
        """Open a shell.

        Raises: Fault for another kind of shell, and for what the lab does not simulate.
        """
        if request.resource_uri == f"{POWERSHELL_URI}Microsoft.PowerShell":
            raise faults.not_simulated("the session configuration Microsoft.PowerShell")
        if request.resource_uri != WINDOWS_SHELL_URI:
            raise faults.resource_not_found(request.resource_uri)
        _refuse_unknown_options(request)
        shell = required(request.body, "rsp:Shell")
        for name in ("Environment", "WorkingDirectory"):
            if shell.find(f"rsp:{name}", NAMESPACES) is not None:
                raise faults.not_simulated(f"{name} of a shell")
        codepage = request.options.get("WINRS_CODEPAGE", _DEFAULT_CODEPAGE)
        if codepage not in _CODEPAGES:
            raise faults.not_simulated(f"code page {codepage}")
        return WindowsShell(self, user, codec=_CODEPAGES[codepage])

    def quota_fault(self, open_shells: int) -> Fault | None:
        """MaxShellsPerUser."""
        maximum = self.limits.shells_per_user_max
        return faults.too_many_shells(maximum) if open_shells >= maximum else None


class WindowsShell:
    """One shell; its commands run side by side."""

    resource_uri = WINDOWS_SHELL_URI

    def __init__(self, shells: WindowsShells, user: SiteUser, *, codec: str) -> None:
        self.shell_id = str(uuid.uuid4()).upper()
        self._shells = shells
        self._user = user
        self._codec = codec
        self._processes: dict[str, _Process] = {}

    def command(self, request: WsmanRequest) -> str:
        """Start a command line; one that is too long fails as cmd.exe does."""
        _refuse_unknown_options(request)
        maximum = self._shells.limits.processes_per_shell_max
        if len(self._processes) >= maximum:
            raise faults.too_many_commands(maximum)
        element = required(request.body, "rsp:CommandLine")
        words = [required(element, "rsp:Command").text or ""]
        words += [each.text or "" for each in element.iterfind("rsp:Arguments", NAMESPACES)]
        line = " ".join(word for word in words if word)
        process = _Process(self._codec)
        self._processes[process.command_id] = process
        skips_cmd = request.options.get("WINRS_SKIP_CMD_SHELL", "FALSE").upper() == "TRUE"
        whole = line if skips_cmd else _CMD_PREFIX + line
        if not skips_cmd and len(whole) > self._shells.limits.command_line_max:
            process.write(Stream.STDERR, b"The command line is too long.\r\n")
            process.end(1)
        else:
            process.start(self._run(process, line))
        return process.command_id

    async def _run(self, process: _Process, line: str) -> None:
        site, host = self._shells.site, self._shells.host.name
        try:
            if await site.call(site.site.reads_standard_input, host, line):
                await process.input_ended.wait()
            answer = await site.call(
                site.site.windows_command, host, self._user.name, line, bytes(process.input))
        except SiteRefused as error:
            process.write(Stream.STDERR, f"goexchange lab: {error}\r\n".encode())
            process.end(_SITE_FAILED_EXIT)
            return
        await process.play(answer)

    def send(self, request: WsmanRequest) -> None:
        """Take standard input; a stream with End closes it."""
        for stream in request.body.iterfind("rsp:Send/rsp:Stream", NAMESPACES):
            process = self._process(stream.get("CommandId", "").upper())
            process.input += base64.b64decode(stream.text or "")
            if stream.get("End", "false").lower() == "true":
                process.input_ended.set()

    async def receive(self, command_id: str, limits: ReceiveLimits) -> str:
        """Output as it comes; an operation time-out when a command stays silent."""
        process = self._process(command_id)
        if not process.has_news:
            await wait_for(process.changed, limits.timeout_s)
        pieces = process.take(limits.content_bytes_max)
        xml = "".join(
            f'<rsp:Stream Name="{stream.value}" CommandId="{command_id}">'
            f"{base64.b64encode(content).decode()}</rsp:Stream>"
            for stream, content in pieces
        )
        state = f'<rsp:CommandState CommandId="{command_id}" State="{SHELL_NAMESPACE}/CommandState/'
        if process.exit_code is None or process.has_output:
            return f'{xml}{state}Running"/>'
        ends = "".join(f'<rsp:Stream Name="{stream.value}" CommandId="{command_id}" End="true"/>'
                       for stream in Stream)
        return (f'{xml}{ends}{state}Done"><rsp:ExitCode>{process.exit_code}</rsp:ExitCode>'
                "</rsp:CommandState>")

    async def signal(self, command_id: str, code: str) -> None:
        """End a command; terminate also forgets it."""
        if code not in _SIGNALS:
            raise faults.not_simulated(f"the signal {code}")
        process = self._process(command_id)
        process.interrupt()
        if code.endswith("/terminate"):
            del self._processes[command_id]

    def close(self) -> None:
        """End all commands, as the shell's job object does."""
        for process in self._processes.values():
            process.interrupt()
        self._processes.clear()

    def command_ids(self) -> tuple[str, ...]:
        """The commands that no client has terminated yet."""
        return tuple(self._processes)

    def _process(self, command_id: str) -> _Process:
        if command_id not in self._processes:
            raise faults.command_not_found(command_id)
        return self._processes[command_id]


class _Process:
    """A running command: what it has written and not yet been asked for, and what it was sent."""

    def __init__(self, codec: str) -> None:
        self.command_id = str(uuid.uuid4()).upper()
        self.input = bytearray()
        self.input_ended = asyncio.Event()
        self.changed = asyncio.Event()
        self.exit_code: int | None = None
        self._codec = codec
        self._output: deque[tuple[Stream, bytes]] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def has_output(self) -> bool:
        return bool(self._output)

    @property
    def has_news(self) -> bool:
        return self.has_output or self.exit_code is not None

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Run in the background; the reference keeps the task alive."""
        self._task = asyncio.get_running_loop().create_task(work)

    async def play(self, answer: CommandAnswer) -> None:
        """Write an answer in its own time."""
        for chunk in answer.chunks:
            await asyncio.sleep(chunk.delay_s)
            self.write(chunk.stream, chunk.content)
        await asyncio.sleep(answer.duration_s)
        self.write(Stream.STDOUT, answer.stdout)
        self.write(Stream.STDERR, answer.stderr)
        self.end(answer.exit_code)

    def write(self, stream: Stream, content: bytes) -> None:
        """Queue output, which the site gives in UTF-8, in the code page of the shell."""
        if self._codec != "utf-8":
            content = content.decode("utf-8", "replace").encode(self._codec, "replace")
        if content:
            self._output.append((stream, content))
            self.changed.set()

    def end(self, exit_code: int) -> None:
        """The command is over."""
        if self.exit_code is None:
            self.exit_code = exit_code
            self.changed.set()

    def interrupt(self) -> None:
        """End the command from outside."""
        if self._task is not None:
            self._task.cancel()
        self.end(_CONTROL_C_EXIT)

    def take(self, bytes_max: int) -> list[tuple[Stream, bytes]]:
        """Up to so many bytes of output; a piece is cut anywhere, in a character too."""
        taken: list[tuple[Stream, bytes]] = []
        while self._output and bytes_max > 0:
            stream, content = self._output.popleft()
            if len(content) > bytes_max:
                self._output.appendleft((stream, content[bytes_max:]))
                content = content[:bytes_max]
            bytes_max -= len(content)
            taken.append((stream, content))
        return taken


def _refuse_unknown_options(request: WsmanRequest) -> None:
    for name in request.options:
        if name not in _OPTIONS:
            raise faults.not_simulated(f"the option {name}")
