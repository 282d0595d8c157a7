"""The Windows channel: packaged host scripts over a kept WinRM shell.

One request at a time (sealing cannot be shared); deadlines are checked between receives; after a
transport error the
HTTP session and its sealing state are dropped and the same receive is repeated with the same ids.
Source: architecture decision record 0001 (channels).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import requests.exceptions
from winrm.exceptions import WinRMOperationTimeoutError, WinRMTransportError
from winrm.protocol import Protocol

from goexchange.errors import AnswerLost
from goexchange.model.configuration import Scheme, ServerEntry, WindowsTransport
from goexchange.powershell import bootstrap, envelope
from goexchange.transport.faults import SessionGone, calling, opening
from goexchange.transport.secrets import resolve

SEND_CHUNK_BYTES = 96_000
RECEIVE_RETRIES_MAX = 5
DEFERRED_MAX = 5
UTF8 = 65001
CHANNEL = "Windows channel"


class WindowsSession:
    """A kept shell on one host."""

    def __init__(self, server: ServerEntry) -> None:
        self._server = server
        self._protocol: Protocol | None = None
        self._shell: str | None = None
        self._finished: list[str] = []

    def open(self) -> None:
        """Connect, authenticate and open the shell.

        Raises: Unreachable, AuthenticationRefused.
        """
        if self._shell is not None:
            return
        with opening(self._server.name, CHANNEL):
            if self._protocol is None:
                self._protocol = self._connect()
            self._shell = self._protocol.open_shell(codepage=UTF8, noprofile=True)

    def script(
        self, script: str, arguments: Mapping[str, Any], *, time_limit_s: float
    ) -> dict[str, Any]:
        """Run a packaged host script.

        Shape: the contract's result. A shell that the host no longer knows is replaced by a fresh
        one: nothing of
        ours ran in the old one.
        Raises: HostRefused (the script's own error), UnexpectedOutput, AnswerLost (in doubt),
        Unreachable.
        """
        payload = bootstrap.standard_input(script, arguments)
        try:
            return self._run(script, payload, time_limit_s)
        except SessionGone:
            self._forget_shell()
            return self._run(script, payload, time_limit_s)

    def close(self) -> None:
        """Delete the shell; errors are of no interest any more, the host's idle limit does the
        rest.
        """
        if self._protocol is None or self._shell is None:
            return
        try:
            self._protocol.close_shell(self._shell)
        # noqa: BLE001
        except (requests.exceptions.RequestException, WinRMTransportError, OSError, Exception):
            pass  # a session that cannot be closed is ended by the host's idle limit
        self._forget_shell()

    def _run(self, script: str, payload: bytes, time_limit_s: float) -> dict[str, Any]:
        self.open()
        protocol, shell = self._protocol, self._shell
        assert protocol is not None and shell is not None
        deadline = time.monotonic() + time_limit_s
        with calling(self._server.name, CHANNEL):
            self._clean_up(protocol, shell)
            command = protocol.run_command(
                shell, bootstrap.command_line(), console_mode_stdin=False
            )
            for start in range(0, len(payload), SEND_CHUNK_BYTES):
                chunk = payload[start : start + SEND_CHUNK_BYTES]
                protocol.send_command_input(
                    shell, command, chunk, end=start + SEND_CHUNK_BYTES >= len(payload)
                )
            output, error_output, exit_code = self._receive(protocol, shell, command, deadline)
        self._finished.append(command)
        return envelope.decode(script, output, exit_code, error_output)

    def _receive(
        self, protocol: Protocol, shell: str, command: str, deadline: float
    ) -> tuple[bytes, bytes, int]:
        output, error_output, lost = bytearray(), bytearray(), 0
        while True:
            if time.monotonic() > deadline:
                raise AnswerLost(
                    f"{self._server.name}, {CHANNEL}: no end within the step's time limit"
                )
            try:
                out, err, exit_code, done = protocol.get_command_output_raw(shell, command)
                lost = 0
            except WinRMOperationTimeoutError:
                continue
            except requests.exceptions.RequestException:
                lost += 1
                if lost > RECEIVE_RETRIES_MAX:
                    raise
                # a new connection needs new sealing keys; the shell lives on
                protocol.transport.close_session()
                time.sleep(min(0.1 * 2**lost, 5))
                continue
            output += out
            error_output += err
            if done:
                return bytes(output), bytes(error_output), exit_code

    def _clean_up(self, protocol: Protocol, shell: str) -> None:
        """Signals of finished commands are deferred: they would be a request of their own on every
        call.
        """
        if len(self._finished) < DEFERRED_MAX:
            return
        for command in self._finished:
            protocol.cleanup_command(shell, command)
        self._finished.clear()

    def _forget_shell(self) -> None:
        self._shell = None
        self._finished.clear()
        if self._protocol is not None:
            self._protocol.transport.close_session()

    def _connect(self) -> Protocol:
        connection = self._server.connection
        channel = connection.windows
        host = channel.host or self._server.address
        transport = {
            WindowsTransport.KERBEROS: "kerberos",
            WindowsTransport.NTLM: "ntlm",
            WindowsTransport.BASIC: "ssl" if channel.scheme is Scheme.HTTPS else "plaintext",
            WindowsTransport.CERTIFICATE: "certificate",
        }[channel.transport]
        timeouts = connection.timeouts
        return Protocol(
            f"{channel.scheme.value}://{host}:{channel.port}/{channel.path.strip('/')}",
            transport=transport,
            username=connection.username or "",
            password=resolve(connection.password) if connection.password else "",
            cert_pem=channel.certificate_file,
            cert_key_pem=channel.key_file,
            ca_trust_path=connection.ca_file or "legacy_requests",
            server_cert_validation="validate",
            read_timeout_sec=max(timeouts.read_s, timeouts.operation_s + 1),
            operation_timeout_sec=timeouts.operation_s,
            kerberos_hostname_override=self._server.address if channel.host else None,
            proxy=None,
        )
