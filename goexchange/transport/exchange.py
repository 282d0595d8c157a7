"""The Exchange channel: cmdlets with typed parameters over PowerShell remoting to
`Microsoft.Exchange`.

One kept pool per server; reads are batched as statements of one pipeline. No script text ever: the
endpoint is a
no-language runspace. Source: architecture decision record 0001 (channels).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import requests.exceptions
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from goexchange.errors import AnswerLost, HostRefused
from goexchange.model.configuration import ExchangeAuthentication, Scheme, ServerEntry
from goexchange.model.plan import ExchangeCall
from goexchange.powershell.cmdlets import check_call
from goexchange.transport.faults import SessionGone, calling, opening
from goexchange.transport.plain import plain_object
from goexchange.transport.secrets import resolve

CONFIGURATION = "Microsoft.Exchange"
RUNNING = 1
FAILED = 5
RECEIVE_RETRIES_MAX = 5
CHANNEL = "Exchange channel"


class ExchangeSession:
    """A kept runspace pool on one server's Exchange endpoint."""

    def __init__(self, server: ServerEntry) -> None:
        self._server = server
        self._connection: WSMan | None = None
        self._pool: RunspacePool | None = None

    def open(self) -> None:
        """Connect, authenticate and open the pool.

        Raises: Unreachable, AuthenticationRefused.
        """
        if self._pool is not None:
            return
        with opening(self._server.name, CHANNEL):
            self._connection = self._connect()
            pool = RunspacePool(self._connection, configuration_name=CONFIGURATION)
            pool.open()
            self._pool = pool

    def call(self, calls: Sequence[ExchangeCall], *, time_limit_s: float) -> dict[str, Any]:
        """Run cmdlets as statements of one pipeline.

        Shape: `{"objects": [...], "errors": [...], "warnings": [...]}`, plain values. A session
        that the server no
        longer knows (idle limit) is replaced by a fresh one: nothing of ours ran in the old one.
        Raises: HostRefused (the pipeline failed), AnswerLost (in doubt), Unreachable,
        AuthenticationRefused.
        """
        try:
            return self._invoke(calls, time_limit_s)
        except SessionGone:
            self._forget()
            return self._invoke(calls, time_limit_s)

    def close(self) -> None:
        """Close the pool: the server's quota of sessions is small."""
        if self._pool is None:
            return
        try:
            self._pool.close()
            if self._connection is not None:
                self._connection.close()
        # noqa: BLE001 - a pool that cannot be closed is ended by the server's idle limit
        except Exception:
            pass
        self._forget()

    def _invoke(self, calls: Sequence[ExchangeCall], time_limit_s: float) -> dict[str, Any]:
        self.open()
        deadline = time.monotonic() + time_limit_s
        pipeline = PowerShell(self._pool)
        for call in map(check_call, calls):
            pipeline.add_cmdlet(call.cmdlet)
            for name, value in call.parameters.items():
                pipeline.add_parameter(name, value)
            pipeline.add_statement()
        with calling(self._server.name, CHANNEL):
            pipeline.begin_invoke()
            self._wait(pipeline, deadline)
        return self._answer(pipeline)

    def _wait(self, pipeline: PowerShell, deadline: float) -> None:
        lost = 0
        while pipeline.state == RUNNING:
            if time.monotonic() > deadline:
                raise AnswerLost(
                    f"{self._server.name}, {CHANNEL}: no end within the step's time limit"
                )
            try:
                pipeline.poll_invoke()
                lost = 0
            except requests.exceptions.RequestException:
                lost += 1
                if lost > RECEIVE_RETRIES_MAX:
                    raise
                self._drop_connection()
                time.sleep(min(0.1 * 2**lost, 5))

    def _answer(self, pipeline: PowerShell) -> dict[str, Any]:
        errors = [_error(record) for record in pipeline.streams.error]
        if pipeline.state == FAILED:
            last = (
                errors[-1]
                if errors
                else {"message": "the pipeline failed without a word", "id": "unknown"}
            )
            raise HostRefused(f"{self._server.name}: {last['message']}", code=str(last["id"]))
        return {
            "objects": [plain_object(value) for value in pipeline.output],
            "errors": errors,
            "warnings": [str(record.message) for record in pipeline.streams.warning],
        }

    def _drop_connection(self) -> None:
        """Sealed messages do not survive their connection: session and keys go, the pipeline's ids
        stay.
        """
        assert self._connection is not None
        transport = self._connection.transport
        transport.close()
        transport.session = None
        transport.encryption = None

    def _forget(self) -> None:
        self._pool = None
        self._connection = None

    def _connect(self) -> WSMan:
        connection = self._server.connection
        channel = connection.exchange
        options: dict[str, Any] = {}
        if channel.authentication is ExchangeAuthentication.KERBEROS:
            options = {
                "negotiate_hostname_override": self._server.address,
                "negotiate_service": "HTTP",
            }
        return WSMan(
            channel.host or self._server.address,
            port=channel.port,
            ssl=channel.scheme is Scheme.HTTPS,
            path=channel.path.strip("/"),
            auth=channel.authentication.value,
            username=connection.username,
            password=resolve(connection.password) if connection.password else None,
            cert_validation=connection.ca_file or True,
            connection_timeout=connection.timeouts.connect_s,
            operation_timeout=connection.timeouts.operation_s,
            read_timeout=max(connection.timeouts.read_s, connection.timeouts.operation_s + 1),
            no_proxy=True,
            **options,
        )


def _error(record: Any) -> dict[str, Any]:
    exception = getattr(record, "exception", None)
    message = record.message or record.details_message
    if not message and exception is not None:
        message = getattr(exception, "adapted_properties", {}).get("Message") or str(exception)
    return {
        "message": str(message or record),
        "id": str(record.fq_error or record.reason or "unknown"),
        "category": str(record.reason or ""),
        "target": str(record.target_name or ""),
    }
