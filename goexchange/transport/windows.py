"""The Windows channel: packaged host scripts over a kept WinRM shell.

One request at a time (sealing cannot be shared); deadlines are checked between receives; after a
transport error the HTTP session and its sealing state are dropped and the same receive is sent
again. Source: architecture decision record 0001 (channels).
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from typing import Any, Literal
from uuid import uuid4

from winrm.exceptions import WinRMOperationTimeoutError
from winrm.protocol import Protocol

from goexchange.errors import AnswerLost, UnexpectedOutput
from goexchange.model.configuration import (
    Scheme,
    SecretReference,
    ServerEntry,
    WindowsTransport,
)
from goexchange.powershell import bootstrap, envelope
from goexchange.powershell.shells import Enumerated, enumeration
from goexchange.transport.faults import LIBRARY_ERRORS, opening, receiving, sending
from goexchange.transport.repeating import IDLE_CONNECTION_S, Repetition
from goexchange.transport.secrets import resolve

SEND_CHUNK_BYTES = 96_000
FINISHED_MAX = 5
UTF8 = 65001
CHANNEL = "Windows channel"

_Transport = Literal["kerberos", "ntlm", "ssl", "plaintext", "certificate"]


class WindowsSession:
    """A kept shell on one host."""

    def __init__(self, server: ServerEntry) -> None:
        self._server = server
        self._protocol: Protocol | None = None
        self._shell: str | None = None
        self._finished: list[str] = []
        self._receives = Repetition(self.drop_connection)
        self._used_at = 0.0

    def open(self) -> None:
        """Connect, authenticate and open the shell.

        Raises: Unreachable, AuthenticationRefused.
        """
        if self._shell is not None:
            return
        with opening(self._server.name, CHANNEL):
            self._protocol = self._protocol or self._connect()
            try:
                self._shell = self._protocol.open_shell(codepage=UTF8, noprofile=True)
            except BaseException:
                self.drop_connection()
                raise
            self._used_at = time.monotonic()

    def script(
        self,
        script: str,
        arguments: Mapping[str, Any],
        *,
        deadline: float,
        secret: SecretReference | None = None,
    ) -> dict[str, Any]:
        """Run a packaged host script; `deadline` is of the monotonic clock. What `secret`
        refers to goes beside the arguments; the inventory knows no channel that is not encrypted.

        Shape: the contract's result.
        Raises: HostRefused (it said no), UnexpectedOutput, AnswerLost (in doubt), Unreachable and
        AuthenticationRefused (not sent), NotTaken and SessionGone (not run; call again).
        """
        value = None if secret is None else resolve(secret)
        payload = bootstrap.standard_input(script, arguments, secret=value)
        self.open()
        protocol, shell = self._protocol, self._shell
        assert protocol is not None and shell is not None
        self._receives.start(deadline)
        if time.monotonic() - self._used_at > IDLE_CONNECTION_S:
            self.drop_connection()
        self._clean_up(protocol, shell)
        with sending(self._server.name, CHANNEL):
            command = _start(protocol, shell, payload)
        with receiving(self._server.name, CHANNEL):
            self._finished.append(command)
            output, error_output, exit_code = self._receive(protocol, shell, deadline)
        self._used_at = time.monotonic()
        try:
            return envelope.decode(script, output, exit_code, error_output)
        except UnexpectedOutput as error:
            if not self._receives.lost:
                raise
            raise AnswerLost(
                f"{self._server.name}, {CHANNEL}: part of the answer was lost on its way: {error}"
            ) from error

    def shells(self, *, deadline: float) -> Enumerated:
        """The host's list of open shells; `deadline` is of the monotonic clock.

        Raises: as `script`.
        """
        self.open()
        protocol, shell = self._protocol, self._shell
        assert protocol is not None and shell is not None
        self._receives.start(deadline)
        with sending(self._server.name, CHANNEL):
            question = enumeration(str(uuid4()), self._server.connection.timeouts.operation_s)
            answer = protocol.send_message(question)
        self._used_at = time.monotonic()
        return Enumerated(envelope=answer.decode("utf-8", "replace"), own=shell)

    def forget(self) -> None:
        """The host no longer knows the shell: the next call opens a fresh one."""
        self.drop_connection()
        self._shell = None
        self._finished.clear()

    def drop_connection(self) -> None:
        """HTTP session and sealing keys go; shell and commands live on in the host."""
        if self._protocol is not None:
            self._protocol.transport.close_session()
            self._protocol.transport.encryption = None

    def close(self) -> None:
        """Delete the shell, for the quota is small. Never raises."""
        if self._protocol is not None and self._shell is not None:
            if time.monotonic() - self._used_at > IDLE_CONNECTION_S:
                self.drop_connection()
            try:
                self._protocol.close_shell(self._shell)
            except Exception:  # noqa: BLE001 the host's idle limit ends what cannot be closed here
                pass
        self.forget()

    def _receive(self, protocol: Protocol, shell: str, deadline: float) -> tuple[bytes, bytes, int]:
        command, output, error_output = self._finished[-1], bytearray(), bytearray()
        operation_s = self._server.connection.timeouts.operation_s
        while (left_s := deadline - time.monotonic()) > 0:
            protocol.operation_timeout_sec = min(operation_s, math.ceil(left_s))
            try:
                out, err, exit_code, is_done = protocol.get_command_output_raw(shell, command)
            except WinRMOperationTimeoutError:
                continue
            output += out
            error_output += err
            if is_done:
                return bytes(output), bytes(error_output), exit_code
        raise AnswerLost(f"{self._server.name}, {CHANNEL}: no end within the step's time limit")

    def _clean_up(self, protocol: Protocol, shell: str) -> None:
        """Forget one old command in the host once there are some: a signal after every call would
        be a request of its own.
        """
        if len(self._finished) < FINISHED_MAX:
            return
        try:
            protocol.cleanup_command(shell, self._finished.pop(0))
        except LIBRARY_ERRORS:  # the shell's own end forgets it too
            self.drop_connection()

    def _connect(self) -> Protocol:
        connection = self._server.connection
        channel, timeouts = connection.windows, connection.timeouts
        host = channel.host or self._server.address
        protocol = Protocol(
            f"{channel.scheme.value}://{host}:{channel.port}/{channel.path.strip('/')}",
            transport=_transport(channel.transport, channel.scheme),
            username=connection.username or "",
            password=resolve(connection.password) if connection.password else "",
            cert_pem=channel.certificate_file,
            cert_key_pem=channel.key_file,
            ca_trust_path=connection.ca_file or _environment_bundle(),
            server_cert_validation="validate",
            read_timeout_sec=max(timeouts.read_s, timeouts.operation_s + 1),
            operation_timeout_sec=timeouts.operation_s,
            kerberos_hostname_override=self._server.address if channel.host else None,
            proxy=None,
        )
        self._repeat_receives(protocol)
        return protocol

    def _repeat_receives(self, protocol: Protocol) -> None:
        """pywinrm repeats nothing, and its next receive would be another message."""
        send = protocol.transport.send_message

        def send_again(message: str | bytes) -> bytes:
            if not isinstance(message, str) or "windows/shell/Receive</a:Action>" not in message:
                return send(message)
            return self._receives.send(lambda: send(message))

        protocol.transport.send_message = send_again  # type: ignore[method-assign]


def _start(protocol: Protocol, shell: str, payload: bytes) -> str:
    command = protocol.run_command(shell, bootstrap.command_line(), console_mode_stdin=False)
    for start in range(0, len(payload), SEND_CHUNK_BYTES):
        end = start + SEND_CHUNK_BYTES
        protocol.send_command_input(shell, command, payload[start:end], end=end >= len(payload))
    return command


def _environment_bundle() -> str:
    """The authorities that the environment names, as everywhere else, or the built-in ones."""
    named = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    return named or "legacy_requests"


def _transport(transport: WindowsTransport, scheme: Scheme) -> _Transport:
    match transport:
        case WindowsTransport.KERBEROS:
            return "kerberos"
        case WindowsTransport.NTLM:
            return "ntlm"
        case WindowsTransport.CERTIFICATE:
            return "certificate"
        case WindowsTransport.BASIC:
            return "ssl" if scheme is Scheme.HTTPS else "plaintext"
