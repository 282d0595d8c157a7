"""Many hosts at once: pyinfra's inventory, connections and fan-out.

Only the patched worker imports this module (`app.worker`): without gevent's patch the hosts would
be asked one after the other.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, TypeVar

from pyinfra.api.config import Config
from pyinfra.api.connect import connect_all
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.inventory import Inventory
from pyinfra.api.state import State

from goexchange import codec
from goexchange.errors import GoexchangeError, Unreachable
from goexchange.model.configuration import ServerEntry
from goexchange.transport.session import RemoteSession

PARALLEL_MAX = 100
T = TypeVar("T")


class Fleet:
    """The connected servers of one invocation. Use as a context manager: sessions are always
    closed, those of an interrupted start too.
    """

    def __init__(self, servers: Sequence[ServerEntry]) -> None:
        self._names = tuple(server.name for server in servers)
        hosts = [
            (
                f"@goexchange/{server.name}",
                {"goexchange_server": json.dumps(codec.to_plain(server))},
            )
            for server in servers
        ]
        logging.getLogger("pyinfra").addHandler(logging.NullHandler())
        logging.getLogger("pyinfra").propagate = False
        os.environ.setdefault("PYINFRA_PROGRESS", "off")  # its spinner would write over ours
        config = Config(PARALLEL=min(PARALLEL_MAX, max(1, len(servers))))  # type: ignore[no-untyped-call]
        inventory = Inventory((hosts, {}))  # type: ignore[no-untyped-call]
        self._state = State(inventory, config, check_for_changes=False)
        self.failures: dict[str, GoexchangeError] = {}

    def __enter__(self) -> Fleet:
        try:
            if self._names:
                self._connect()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def session(self, server: str) -> RemoteSession:
        """The open session of a server.

        Raises: the error with which its connection failed.
        """
        if server in self.failures:
            raise self.failures[server]
        session: RemoteSession = self._connector(server).session
        return session

    def map(self, ask: Callable[[RemoteSession], T]) -> dict[str, T | GoexchangeError]:
        """Ask every connected server at once; our errors are values, in the inventory's order."""
        jobs = {
            name: self._state.pool.spawn(_guarded, ask, self.session(name))
            for name in self._names
            if name not in self.failures
        }
        answers: dict[str, T | GoexchangeError] = {}
        for name in self._names:
            answers[name] = jobs[name].get() if name in jobs else self.failures[name]
        return answers

    def _connect(self) -> None:
        try:
            connect_all(self._state)
        except PyinfraError:
            pass  # "no hosts remaining": each failure is taken from its connector below
        for name in self._names:
            connector = self._connector(name)
            if connector.session is None:
                self.failures[name] = connector.failure or Unreachable(f"{name}: no connection")

    def _close(self) -> None:
        """Close every session there is, not only those that pyinfra counts as connected."""
        closing = [self._state.pool.spawn(self._connector(name).disconnect) for name in self._names]
        for job in closing:
            job.join()

    def _connector(self, server: str) -> Any:
        return self._state.inventory.get_host(f"@goexchange/{server}").connector


def _guarded(ask: Callable[[RemoteSession], T], session: RemoteSession) -> T | GoexchangeError:
    try:
        return ask(session)
    except GoexchangeError as error:
        return error
