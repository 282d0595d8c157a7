"""One host as the tool talks to it: both channels behind a lock, typed calls in, plain answers out.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from goexchange.model.configuration import ServerEntry
from goexchange.model.plan import ExchangeCall
from goexchange.transport.exchange import ExchangeSession
from goexchange.transport.windows import WindowsSession


class HostSession(Protocol):
    """What the performers of effects need of a host; the strict fake of the tests has the same
    shape.
    """

    def exchange(self, calls: Sequence[ExchangeCall], *, time_limit_s: float) -> dict[str, Any]:
        """Cmdlets as statements of one pipeline; `{"objects", "errors", "warnings"}`."""

    def script(
        self, script: str, arguments: Mapping[str, Any], *, time_limit_s: float
    ) -> dict[str, Any]:
        """A packaged host script; the contract's result."""

    def close(self) -> None:
        """Close what is open."""


class RemoteSession:
    """A host over the network; one request at a time and channel."""

    def __init__(self, server: ServerEntry) -> None:
        self.server = server
        self._exchange = ExchangeSession(server)
        self._windows = WindowsSession(server)
        self._lock = threading.Lock()

    def open(self) -> None:
        """Open both channels.

        Raises: Unreachable, AuthenticationRefused.
        """
        with self._lock:
            self._exchange.open()
            self._windows.open()

    def exchange(self, calls: Sequence[ExchangeCall], *, time_limit_s: float) -> dict[str, Any]:
        """See `HostSession`."""
        with self._lock:
            return self._exchange.call(calls, time_limit_s=time_limit_s)

    def script(
        self, script: str, arguments: Mapping[str, Any], *, time_limit_s: float
    ) -> dict[str, Any]:
        """See `HostSession`."""
        with self._lock:
            return self._windows.script(script, arguments, time_limit_s=time_limit_s)

    def close(self) -> None:
        """Close both channels; never raises."""
        with self._lock:
            self._exchange.close()
            self._windows.close()
