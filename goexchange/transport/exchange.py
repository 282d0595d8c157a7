"""The Exchange channel: cmdlets with typed parameters over PowerShell remoting to
`Microsoft.Exchange`.

One kept pool per server; reads are batched as statements of one pipeline. No script text ever: the
endpoint is a no-language runspace. Source: architecture decision record 0001 (channels).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from goexchange.errors import AnswerLost, HostRefused
from goexchange.model.configuration import ExchangeAuthentication, Scheme, ServerEntry
from goexchange.model.plan import ExchangeCall
from goexchange.powershell.cmdlets import check_call
from goexchange.transport.faults import LIBRARY_ERRORS, opening, receiving, sending
from goexchange.transport.plain import plain_object
from goexchange.transport.repeating import IDLE_CONNECTION_S, Repetition
from goexchange.transport.secrets import resolve

CONFIGURATION = "Microsoft.Exchange"
RUNNING = 1  # pypsrp gives states as numbers
FAILED = 5
FINISHED_MAX = 20
CHANNEL = "Exchange channel"


class ExchangeSession:
    """A kept runspace pool on one server's Exchange endpoint."""

    def __init__(self, server: ServerEntry) -> None:
        self._server = server
        self._connection: WSMan | None = None
        self._pool: RunspacePool | None = None
        self._finished: list[PowerShell] = []
        self._receives = Repetition(self.drop_connection)
        self._used_at = 0.0

    def open(self) -> None:
        """Connect, authenticate and open the pool.

        Raises: Unreachable, AuthenticationRefused; nothing stays open then.
        """
        if self._pool is not None:
            return
        with opening(self._server.name, CHANNEL):
            self._connection = self._connect()
            self._receives.start(time.monotonic() + self._server.connection.timeouts.connect_s)
            pool = RunspacePool(self._connection, configuration_name=CONFIGURATION)
            try:
                pool.open()
            except BaseException:
                _close(pool, self._connection)
                raise
            self._pool = pool
            self._used_at = time.monotonic()

    def call(self, calls: Sequence[ExchangeCall], *, deadline: float) -> dict[str, Any]:
        """Run cmdlets as statements of one pipeline; `deadline` is of the monotonic clock.

        Shape: `{"objects": [...], "errors": [...], "warnings": [...]}`, plain values.
        Raises: HostRefused (it said no), AnswerLost (in doubt), Unreachable and
        AuthenticationRefused (not sent), NotTaken and SessionGone (not run; call again).
        """
        self.open()
        self._receives.start(deadline)
        if time.monotonic() - self._used_at > IDLE_CONNECTION_S:
            self.drop_connection()
        if len(calls) == 1:  # what several statements cost is a promise; one may cost more
            self._clean_up()
        pipeline = self._pipeline(calls)
        with sending(self._server.name, CHANNEL):
            pipeline.begin_invoke()
        with receiving(self._server.name, CHANNEL):
            self._receive(pipeline, deadline)
        self._used_at = time.monotonic()
        answer = self._answer(pipeline)
        pipeline.output.clear()  # it is kept only to be forgotten in the host later
        return answer

    def forget(self) -> None:
        """The host no longer knows the pool: the next call opens a fresh one."""
        if self._connection is not None:
            self.drop_connection()
        self._pool = self._connection = None
        self._finished.clear()

    def drop_connection(self) -> None:
        """HTTP session and sealing keys go; pool and pipelines live on in the host."""
        if self._connection is not None:
            transport = self._connection.transport
            transport.close()
            transport.session = transport.encryption = None

    def close(self) -> None:
        """Close the pool, for the quota of sessions is small. Never raises."""
        if self._pool is not None and self._connection is not None:
            if time.monotonic() - self._used_at > IDLE_CONNECTION_S:
                self.drop_connection()
            _close(self._pool, self._connection)
        self.forget()

    def _pipeline(self, calls: Sequence[ExchangeCall]) -> PowerShell:
        assert self._pool is not None
        pipeline = PowerShell(self._pool)
        for call in map(check_call, calls):
            pipeline.add_cmdlet(call.cmdlet)
            for name, value in call.parameters.items():
                pipeline.add_parameter(name, value)
            pipeline.add_statement()
        return pipeline

    def _receive(self, pipeline: PowerShell, deadline: float) -> None:
        self._finished.append(pipeline)
        operation_s = self._server.connection.timeouts.operation_s
        while pipeline.state == RUNNING:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise AnswerLost(
                    f"{self._server.name}, {CHANNEL}: no end within the step's time limit"
                )
            pipeline.poll_invoke(timeout=None if left_s > operation_s else math.ceil(left_s))
            if self._receives.is_done and pipeline.state == RUNNING:
                raise AnswerLost(
                    f"{self._server.name}, {CHANNEL}: the end of the answer was lost on its way"
                )

    def _answer(self, pipeline: PowerShell) -> dict[str, Any]:
        errors = [_error(record) for record in pipeline.streams.error]
        if pipeline.state == FAILED:
            silent = {"message": "the pipeline failed without a word", "id": "unknown"}
            last = errors[-1] if errors else silent
            raise HostRefused(f"{self._server.name}: {last['message']}", code=str(last["id"]))
        return {
            "objects": [plain_object(value) for value in pipeline.output],
            "errors": errors,
            "warnings": [str(record.message) for record in pipeline.streams.warning],
        }

    def _clean_up(self) -> None:
        """Tell the host to forget two old pipelines once there are many, so they never pile up."""
        if len(self._finished) < FINISHED_MAX:
            return
        for pipeline in (self._finished.pop(0), self._finished.pop(0)):
            try:
                pipeline.close()
            except LIBRARY_ERRORS:  # the pool's own end forgets them too
                self.drop_connection()

    def _connect(self) -> WSMan:
        connection = self._server.connection
        channel, timeouts = connection.exchange, connection.timeouts
        options: dict[str, Any] = {"cert_validation": connection.ca_file or True}
        if channel.authentication is ExchangeAuthentication.KERBEROS:
            options["negotiate_hostname_override"] = self._server.address
            options["negotiate_service"] = "HTTP"
        wsman = WSMan(
            channel.host or self._server.address,
            port=channel.port,
            ssl=channel.scheme is Scheme.HTTPS,
            path=channel.path.strip("/"),
            auth=channel.authentication.value,
            username=connection.username,
            password=resolve(connection.password) if connection.password else None,
            connection_timeout=timeouts.connect_s,
            operation_timeout=timeouts.operation_s,
            read_timeout=max(timeouts.read_s, timeouts.operation_s + 1),
            no_proxy=True,
            **options,
        )
        self._repeat_receives(wsman)
        return wsman

    def _repeat_receives(self, wsman: WSMan) -> None:
        """pypsrp repeats a receive after a time-out only, and with stale sealing keys."""
        send = wsman.transport.send

        def send_again(message: bytes, *, retries_on_read_timeout: int = 0, **given: Any) -> bytes:
            if not retries_on_read_timeout:  # pypsrp's sign of a receive
                return send(message, **given)
            answer = self._receives.send(lambda: send(message, **given))
            self._receives.is_done = b"CommandState/Done" in answer
            return answer

        wsman.transport.send = send_again  # type: ignore[method-assign]


def _close(pool: RunspacePool, connection: WSMan) -> None:
    """Close a pool; one that does not let itself be closed is ended by the host's idle limit."""
    try:
        if pool.shell.opened:
            pool.close()
    except Exception:  # noqa: BLE001 whatever it is, nothing more can be done about it here
        pass
    finally:
        connection.close()


def _error(record: Any) -> dict[str, Any]:
    """An error record; pypsrp's `message` is the category's text, not the exception's."""
    told = getattr(record.exception, "adapted_properties", {}).get("Message")
    return {
        "message": str(record.details_message or told or record.exception or record.message),
        "id": str(record.fq_error or record.reason or "unknown"),
        "category": str(record.reason or ""),
        "target": str(record.target_name or ""),
    }
