"""Many hosts at once: pyinfra's inventory, connections and fan-out.

Only the patched worker imports this module (`app.worker`): without gevent's patch the hosts would
be asked one after
the other.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pyinfra.api import Config, Inventory, State
from pyinfra.api.connect import connect_all, disconnect_all
from pyinfra.api.exceptions import PyinfraError

from goexchange import codec
from goexchange.errors import GoexchangeError, Unreachable
from goexchange.model.configuration import ServerEntry
from goexchange.transport.session import RemoteSession

PARALLEL_MAX = 100
T = TypeVar("T")


class Fleet:
    """The connected servers of one invocation. Use as a context manager: sessions are always
    closed.
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
        config = Config(PARALLEL=min(PARALLEL_MAX, max(1, len(servers))))
        self._state = State(Inventory((hosts, {})), config, check_for_changes=False)
        self.failures: dict[str, GoexchangeError] = {}

    def __enter__(self) -> Fleet:
        if self._names:
            self._connect()
        return self

    def __exit__(self, *_: object) -> None:
        disconnect_all(self._state)

    def session(self, server: str) -> RemoteSession:
        """The open session of a server.

        Raises: the error with which its connection failed.
        """
        if server in self.failures:
            raise self.failures[server]
        return self._host(server).connector.session  # type: ignore[no-any-return]

    def map(self, ask: Callable[[RemoteSession], T]) -> dict[str, T | GoexchangeError]:
        """Ask every connected server at once; errors of ours are values, in the inventory's order.
        """
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
            connector = self._host(name).connector
            if connector.session is None:
                self.failures[name] = connector.failure or Unreachable(f"{name}: no connection")

    def _host(self, server: str) -> Any:
        return self._state.inventory.get_host(f"@goexchange/{server}")


def _guarded(ask: Callable[[RemoteSession], T], session: RemoteSession) -> T | GoexchangeError:
    try:
        return ask(session)
    except GoexchangeError as error:
        return error
