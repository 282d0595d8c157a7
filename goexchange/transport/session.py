"""One host as the tool talks to it: typed calls in, plain answers out, over both channels."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from goexchange.errors import AnswerLost, GoexchangeError, HostRefused, Unreachable
from goexchange.model.actual import WITHOUT_CMDLETS
from goexchange.model.configuration import SecretReference, ServerEntry
from goexchange.model.plan import ExchangeCall
from goexchange.powershell.cmdlets import is_change
from goexchange.powershell.contracts import CONTRACTS
from goexchange.powershell.seam import asking, is_carried
from goexchange.powershell.shells import Enumerated
from goexchange.transport.exchange import ExchangeSession
from goexchange.transport.faults import NotTaken, SessionGone
from goexchange.transport.repeating import pauses
from goexchange.transport.windows import WindowsSession

Channel = ExchangeSession | WindowsSession
T = TypeVar("T")
LIBRARIES = ("pypsrp", "winrm", "spnego", "requests", "urllib3", "requests_ntlm")


class HostSession(Protocol):
    """What the performers of effects need of a host; the strict fake of the tests has the same
    shape.
    """

    def exchange(self, calls: Sequence[ExchangeCall], *, time_limit_s: float) -> dict[str, Any]:
        """Cmdlets as statements of one pipeline; `{"objects", "errors", "warnings"}`."""

    def script(
        self,
        script: str,
        arguments: Mapping[str, Any],
        *,
        time_limit_s: float,
        secret: SecretReference | None = None,
    ) -> dict[str, Any]:
        """A packaged host script; the contract's result. What `secret` refers to goes beside the
        arguments, and is read when they are sent.
        """

    def close(self) -> None:
        """Close what is open."""


class RemoteSession:
    """A host over the network; one request at a time.

    A session that the host has forgotten is replaced. What only reads is asked again, over fresh
    sessions, until its time limit is over; what changes the host is sent once.
    """

    def __init__(self, server: ServerEntry) -> None:
        self.server = server
        self._exchange = ExchangeSession(server)
        self._windows = WindowsSession(server)
        self._lock = threading.Lock()
        self._was_open = False
        for library in LIBRARIES:  # without a handler of ours their tracebacks reach the terminal
            logging.getLogger(library).addHandler(logging.NullHandler())

    def open(self) -> None:
        """Open both channels; the Windows channel alone where version or machine has no other.

        Raises: Unreachable, AuthenticationRefused.
        """
        with self._lock:
            generation = self.server.generation
            has_endpoint = not is_carried(generation) and generation not in WITHOUT_CMDLETS
            if self.server.has_exchange and has_endpoint:
                self._exchange.open()
            self._windows.open()
            self._was_open = True

    def exchange(self, calls: Sequence[ExchangeCall], *, time_limit_s: float) -> dict[str, Any]:
        """See `HostSession`.

        Raises: HostRefused (the pipeline failed), AnswerLost (in doubt), Unreachable and
        AuthenticationRefused (nothing was sent).
        """
        generation = self.server.generation
        if not self.server.has_exchange:
            raise HostRefused(
                f"{self.server.name} is a machine without Exchange", code="no-exchange"
            )
        if is_carried(generation):  # the driver carries what changes something, under its fence
            asked = asking(generation, calls)
            return self.script(asked.script, asked.arguments, time_limit_s=time_limit_s)
        changes = any(is_change(call.cmdlet) for call in calls)
        return self._ask(
            self._exchange,
            lambda deadline: self._exchange.call(calls, deadline=deadline),
            deadline=time.monotonic() + time_limit_s,
            is_read=not changes,
        )

    def script(
        self,
        script: str,
        arguments: Mapping[str, Any],
        *,
        time_limit_s: float,
        secret: SecretReference | None = None,
    ) -> dict[str, Any]:
        """See `HostSession`.

        Raises: HostRefused (the script's own error), UnexpectedOutput, AnswerLost (in doubt),
        Unreachable and AuthenticationRefused (nothing was sent).
        """
        return self._ask(
            self._windows,
            lambda deadline: self._windows.script(
                script, arguments, deadline=deadline, secret=secret
            ),
            deadline=time.monotonic() + time_limit_s,
            is_read=not CONTRACTS[script].changes_host,
        )

    def shells(self, *, time_limit_s: float) -> Enumerated:
        """The WinRM shells that are open on the host.

        Raises: HostRefused, AnswerLost, Unreachable, AuthenticationRefused; nothing was changed.
        """
        deadline = time.monotonic() + time_limit_s
        return self._ask(
            self._windows,
            lambda until: self._windows.shells(deadline=until),
            deadline=deadline,
            is_read=True,
        )

    def close(self) -> None:
        """Close both channels; never raises."""
        with self._lock:
            self._exchange.close()
            self._windows.close()

    def _ask(
        self, channel: Channel, ask: Callable[[float], T], *, deadline: float, is_read: bool
    ) -> T:
        with self._lock:
            for pause_s in pauses():
                try:
                    answer = _ask_once(channel, ask, deadline)
                except (AnswerLost, Unreachable):
                    channel.drop_connection()
                    may_return = is_read and self._was_open
                    if not may_return or time.monotonic() + pause_s > deadline:
                        raise
                    time.sleep(pause_s)
                except GoexchangeError:
                    raise
                except BaseException:  # cut in the middle of a request: its keys are stale
                    channel.drop_connection()
                    raise
                else:
                    self._was_open = True
                    return answer
        raise AssertionError("pauses never end")


def _ask_once(channel: Channel, ask: Callable[[float], T], deadline: float) -> T:
    """Ask, and once more when the host turned the first request away: nothing of ours ran then."""
    try:
        return ask(deadline)
    except SessionGone:
        channel.forget()
    except NotTaken:
        channel.drop_connection()
    try:
        return ask(deadline)
    except NotTaken as error:
        channel.forget()
        raise Unreachable(f"{error}; a fresh session did not help") from error
