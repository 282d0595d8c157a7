"""Listening sockets: the same port on the loopback address of every host."""

from __future__ import annotations

import contextlib
import errno
import resource
import socket
from collections.abc import Iterable

from goexchange.errors import UsageError
from goexchange.world.values import SiteHost

_PORT_TRIES = 20


def bound_sockets(addresses: list[str], port: int) -> dict[str, socket.socket]:
    """A socket per address, all with the same port.

    Raises: UsageError when a given port is taken.
    """
    for _ in range(_PORT_TRIES):
        bound: dict[str, socket.socket] = {}
        try:
            for address in addresses:
                bound[address] = _bound_socket(address, port_of(bound.values()) or port)
            return bound
        except OSError as error:
            for each in bound.values():
                each.close()
            if error.errno != errno.EADDRINUSE or port != 0:
                raise UsageError(f"lab: port {port}: {error.strerror}") from error
    raise UsageError("lab: no port is free on the addresses of all hosts")


def _bound_socket(address: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((address, port))
    except OSError:
        bound.close()
        raise
    return bound


def port_of(sockets: Iterable[socket.socket]) -> int:
    """The port that the sockets share; 0 when there are none."""
    return next((int(each.getsockname()[1]) for each in sockets), 0)


def refuse_other_addresses(hosts: tuple[SiteHost, ...]) -> None:
    """Serve nothing that another machine could reach.

    Raises: UsageError.
    """
    for host in hosts:
        if not host.address.startswith("127."):
            raise UsageError(f"lab: {host.name} has the address {host.address}; "
                             "only loopback addresses are served")


def raise_file_limit() -> None:
    """Four listeners per host and their connections need more than the usual 1024 files."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
