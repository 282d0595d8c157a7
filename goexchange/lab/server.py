"""The lab: every host of a site on its own loopback address, ready for real clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import attrs
from attrs import frozen

from goexchange.lab import kerberos
from goexchange.lab.authentication import (
    Accounts,
    AuthenticationPolicy,
    Scheme,
    write_ntlm_users,
)
from goexchange.lab.certificates import CertificateAuthority
from goexchange.lab.connection import Listener
from goexchange.lab.control import Control
from goexchange.lab.http_server import serve_connection
from goexchange.lab.psrp import ExchangeShells
from goexchange.lab.settings import LabPorts, LabSettings
from goexchange.lab.shell import WindowsShells
from goexchange.lab.site import KnowsEffects, PlansFaults, Site, SiteThread
from goexchange.lab.sockets import (
    bound_sockets,
    port_of,
    raise_file_limit,
    refuse_other_addresses,
)
from goexchange.lab.traffic import Traffic
from goexchange.lab.wsman import Endpoint
from goexchange.world.values import SiteHost

_BACKLOG = 512

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@frozen(kw_only=True)
class LabAddress:
    """Where a running lab is: what clients and the port file say.

    `kerberos_config` is the KRB5_CONFIG for clients; without it `kerberos_missing` says why.
    """

    hosts: tuple[SiteHost, ...]
    ports: LabPorts
    ca_file: Path
    kerberos_config: Path | None
    kerberos_missing: str | None

    def as_json(self) -> str:
        """The content of the port file."""
        return json.dumps(attrs.asdict(
            self, value_serializer=lambda _, __, value: str(value)
            if isinstance(value, Path) else value), indent=2)


class LabServer:
    """The servers in front of one site; `start` returns when all of them take connections."""

    def __init__(self, site: Site, settings: LabSettings) -> None:
        self._settings = settings
        self._site = SiteThread(site)
        self._hosts = site.hosts()
        self._accounts = Accounts(self._site, site.users())
        self._traffic = Traffic(settings.delay_ms / 1000)
        self._endpoints: dict[str, dict[str, Endpoint]] = {}
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._realm: kerberos.KerberosRealm | None = None
        self._environment_before: dict[str, str | None] = {}

    async def start(self) -> LabAddress:
        """Start everything.

        Raises: UsageError when a port is taken or an address is not a loopback one.
        """
        folder = self._settings.folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        refuse_other_addresses(self._hosts)
        raise_file_limit()
        missing = kerberos.available() if self._settings.uses_kerberos else "switched off"
        if missing is None:
            self._realm = kerberos.KerberosRealm(folder / "kerberos", self._settings.realm)
            await asyncio.to_thread(self._realm.start, self._hosts, self._accounts.users)
        self._set_environment(folder)
        authority = CertificateAuthority(folder)
        ports = await self._listen(authority)
        return LabAddress(
            hosts=self._hosts, ports=ports, ca_file=authority.ca_file, kerberos_missing=missing,
            kerberos_config=None if self._realm is None else self._realm.config_file)

    async def stop(self) -> None:
        """Stop everything that `start` started; connections are cut."""
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for endpoints in self._endpoints.values():
            for endpoint in endpoints.values():
                endpoint.close()
        self._site.close()
        if self._realm is not None:
            await asyncio.to_thread(self._realm.stop)
        for name, value in self._environment_before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    async def _listen(self, authority: CertificateAuthority) -> LabPorts:
        wanted = self._settings.ports
        sockets = {
            name: bound_sockets(
                [host.address for host in self._hosts
                 if host.has_exchange or name.startswith("windows")],
                getattr(wanted, name))
            for name in ("windows_http", "windows_https", "exchange_http", "exchange_https")
        }
        for host in self._hosts:
            await self._listen_for(host, authority, sockets)
        site = self._site.site
        fail_mount = site.fail_mount if isinstance(site, PlansFaults) else None
        speak = site.speak_otherwise if isinstance(site, PlansFaults) else None
        move = site.move if isinstance(site, PlansFaults) else None
        effects = site.effects if isinstance(site, KnowsEffects) else None
        control = Control(
            self._traffic, self._endpoints, fail_mount=fail_mount, speak_otherwise=speak,
            effects=effects, move=move)

        async def serve_control(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await serve_connection(reader, writer, control.respond)

        (control_socket,) = bound_sockets(["127.0.0.1"], wanted.control).values()
        await self._serve(control_socket, serve_control)
        return LabPorts(
            control=port_of([control_socket]),
            **{name: port_of(each.values()) for name, each in sockets.items()})

    async def _listen_for(
        self, host: SiteHost, authority: CertificateAuthority,
        sockets: dict[str, dict[str, socket.socket]],
    ) -> None:
        limits, certificate = self._settings.limits, authority.issue(host)
        kinds = {"windows": WindowsShells(host, self._site, limits)} | (
            {"exchange": ExchangeShells(host, self._site, limits)} if host.has_exchange else {})
        self._endpoints[host.name] = {}
        for role, kind in kinds.items():
            endpoint = Endpoint(host, kind, traffic=self._traffic,
                                timeout_s_max=limits.operation_timeout_s_max)
            self._endpoints[host.name][role] = endpoint
            for is_tls in (False, True):
                listener = Listener(
                    endpoint=endpoint, accounts=self._accounts, traffic=self._traffic,
                    is_tls=is_tls, envelope_bytes_max=limits.envelope_bytes_max,
                    policy=self._policy(
                        host, is_exchange=role == "exchange",
                        channel_binding=certificate.channel_binding if is_tls else None))
                bound = sockets[f"{role}_{'https' if is_tls else 'http'}"][host.address]
                await self._serve(bound, listener.serve, certificate.context if is_tls else None)

    def _policy(
        self, host: SiteHost, *, is_exchange: bool, channel_binding: bytes | None
    ) -> AuthenticationPolicy:
        has_kerberos = self._realm is not None
        takes_basic = channel_binding is not None or self._settings.allows_basic_over_http
        schemes = (
            *((Scheme.NEGOTIATE,) if has_kerberos or not is_exchange else ()),
            *((Scheme.KERBEROS,) if has_kerberos else ()),
            *((Scheme.BASIC,) if takes_basic else ()),
        )
        return AuthenticationPolicy(
            schemes=schemes, accepts_ntlm=not is_exchange, channel_binding=channel_binding,
            keytab=None if self._realm is None else self._realm.keytab(host))

    async def _serve(
        self, bound: socket.socket, serve: Serve, context: ssl.SSLContext | None = None
    ) -> None:
        async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            try:
                # only `stop` cancels; asyncio's streams would report it as a mistake
                with contextlib.suppress(asyncio.CancelledError):
                    await serve(reader, writer)
            finally:
                self._tasks.discard(task)

        self._servers.append(
            await asyncio.start_server(served, sock=bound, ssl=context, backlog=_BACKLOG))

    def _set_environment(self, folder: Path) -> None:
        """The acceptors find their credentials only through the process environment."""
        users = folder / "ntlm_users"
        write_ntlm_users(users, self._accounts.users)
        wanted = {"NTLM_USER_FILE": str(users)}
        if self._realm is not None:
            wanted |= self._realm.acceptor_environment()
        self._environment_before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)


async def serve_until_stopped(
    site: Site, settings: LabSettings, *, on_ready: Callable[[LabAddress], None]
) -> None:
    """Run a lab until SIGTERM or SIGINT.

    Effects: `lab.json` in the lab's folder says where it is; it comes when all is ready and goes
    when the lab ends.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    port_file = settings.folder / "lab.json"
    server = LabServer(site, settings)
    try:
        address = await server.start()
        being_written = port_file.with_suffix(".new")
        being_written.write_text(address.as_json(), encoding="utf-8")
        being_written.replace(port_file)
        on_ready(address)
        await stopped.wait()
    finally:
        port_file.unlink(missing_ok=True)
        await server.stop()
