"""A private Kerberos realm: a KDC of the lab's own in a folder of its own."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from goexchange.errors import UsageError
from goexchange.world.values import SiteHost, SiteUser

_PROGRAMS = ("krb5kdc", "kdb5_util", "kadmin.local")
_PACKAGES = "Debian: krb5-kdc krb5-admin-server krb5-user"
_SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
_START_LIMIT_S = 10.0
_SERVICES = ("HTTP", "host", "WSMAN")

_KRB5_CONFIG = """\
[libdefaults]
    default_realm = {realm}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1
    forwardable = true
[realms]
    {realm} = {{
        kdc = 127.0.0.1:{port}
    }}
[domain_realm]
{domains}
"""
_KDC_CONFIG = """\
[kdcdefaults]
    kdc_listen = ""
    kdc_tcp_listen = 127.0.0.1:{port}
[realms]
    {realm} = {{
        database_name = {folder}/principal
        key_stash_file = {folder}/stash
        acl_file = {folder}/acl
        supported_enctypes = aes256-cts-hmac-sha1-96:normal
    }}
[logging]
    kdc = FILE:{folder}/kdc.log
"""


def available() -> str | None:
    """Why the lab cannot run a KDC here; None when it can."""
    missing = [name for name in _PROGRAMS if shutil.which(name, path=_SEARCH_PATH) is None]
    if missing:
        return f"{', '.join(missing)} not installed ({_PACKAGES})"
    modules = [name for name in ("gssapi", "krb5") if importlib.util.find_spec(name) is None]
    if modules:
        return f"Python package {', '.join(modules)} not installed"
    return None


class KerberosRealm:
    """The realm: its files, its principals, and the KDC process.

    `config_file` is for clients (KRB5_CONFIG).
    """

    def __init__(self, folder: Path, realm: str) -> None:
        self.realm = realm
        self.config_file = folder / "krb5.conf"
        self._folder = folder
        self._kdc: subprocess.Popen[bytes] | None = None

    def start(self, hosts: tuple[SiteHost, ...], users: tuple[SiteUser, ...]) -> None:
        """Make the realm with its principals, and start the KDC.

        Raises: UsageError when one of the Kerberos programs fails.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        port = _free_port()
        domains = "\n".join(f"    {host.fqdn} = {self.realm}" for host in hosts)
        self.config_file.write_text(
            _KRB5_CONFIG.format(realm=self.realm, port=port, domains=domains))
        (self._folder / "kdc.conf").write_text(
            _KDC_CONFIG.format(realm=self.realm, port=port, folder=self._folder))
        master = os.urandom(16).hex()
        self._run("kdb5_util", "create", "-s", "-r", self.realm, text=f"{master}\n{master}\n")
        self._run("kadmin.local", "-r", self.realm, text=self._principals(hosts, users))
        self._kdc = subprocess.Popen(
            [_program("krb5kdc"), "-n", "-r", self.realm], env=self._environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait_until_listening(port)

    def stop(self) -> None:
        """Stop the KDC; the files stay for whoever looks after a failure."""
        if self._kdc is not None:
            self._kdc.terminate()
            self._kdc.wait(timeout=_START_LIMIT_S)
            self._kdc = None

    def keytab(self, host: SiteHost) -> Path:
        """The keys of one host: a ticket for another one does not open it."""
        return self._folder / f"{host.name}.keytab"

    def acceptor_environment(self) -> dict[str, str]:
        """The environment in which GSSAPI accepts for this realm's services."""
        return {
            "KRB5_CONFIG": str(self.config_file), "KRB5RCACHEDIR": str(self._folder),
            "KRB5_KTNAME": f"FILE:{self._folder}/none.keytab",
        }

    def _principals(self, hosts: tuple[SiteHost, ...], users: tuple[SiteUser, ...]) -> str:
        lines: list[str] = []
        for user in users:
            if '"' in user.password or "\n" in user.password:
                raise UsageError(f"lab: the password of {user.name} has a character that the "
                                 "Kerberos tools cannot take")
            lines.append(f'addprinc -pw "{user.password}" "{user.name}@{self.realm}"')
        for host in hosts:
            names = " ".join(f"{service}/{host.fqdn}@{self.realm}" for service in _SERVICES)
            lines += [f"addprinc -randkey {name}" for name in names.split()]
            lines.append(f"ktadd -k {self.keytab(host)} {names}")
        return "\n".join((*lines, "quit", ""))

    def _run(self, program: str, *arguments: str, text: str) -> None:
        done = subprocess.run(
            [_program(program), *arguments], input=text, env=self._environment(),
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise UsageError(f"lab: {program} failed: {done.stderr.strip()}")

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": _SEARCH_PATH, "KRB5_CONFIG": str(self.config_file),
            "KRB5_KDC_PROFILE": str(self._folder / "kdc.conf"), "LC_ALL": "C",
        }

    def _wait_until_listening(self, port: int) -> None:
        limit = time.monotonic() + _START_LIMIT_S
        while time.monotonic() < limit and self._kdc is not None and self._kdc.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.02)
        raise UsageError(f"lab: the KDC did not start; see {self._folder}/kdc.log")


def _program(name: str) -> str:
    found = shutil.which(name, path=_SEARCH_PATH)
    if found is None:
        raise UsageError(f"lab: {name} is not installed ({_PACKAGES})")
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
