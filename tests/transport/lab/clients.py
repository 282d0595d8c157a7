"""The real clients, as the tests use them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan
from winrm.exceptions import WinRMOperationTimeoutError
from winrm.protocol import Protocol

from tests.transport.lab.lab_process import ADMIN, ADMIN_PASSWORD, Lab


def winrm(lab: Lab, transport: str = "ssl", **options: Any) -> Protocol:
    """pywinrm with the lab's certificate authority; plain HTTP for what seals messages itself."""
    name = options.pop("listener", "windows_https" if transport == "ssl" else "windows_http")
    return Protocol(lab.url(name), **{
        "transport": transport, "username": ADMIN, "password": ADMIN_PASSWORD,
        "ca_trust_path": lab.ca_file, "proxy": None, "operation_timeout_sec": 5,
        "read_timeout_sec": 10, **options})


@contextmanager
def shell(protocol: Protocol, **options: Any) -> Iterator[str]:
    shell_id = protocol.open_shell(**{"codepage": 65001, **options})
    try:
        yield shell_id
    finally:
        protocol.close_shell(shell_id)


def run(protocol: Protocol, shell_id: str, line: str) -> tuple[bytes, bytes, int]:
    command_id = protocol.run_command(shell_id, line)
    output = protocol.get_command_output(shell_id, command_id)
    protocol.cleanup_command(shell_id, command_id)
    return output


def receive(
    protocol: Protocol, shell_id: str, command_id: str
) -> tuple[bytes, int | None, bool]:
    """One Receive: standard output, exit code, whether it is over; waits through time-outs."""
    while True:
        try:
            out, _, code, done = protocol.get_command_output_raw(shell_id, command_id)
        except WinRMOperationTimeoutError:
            continue
        return out, code, done


def exchange(lab: Lab, **options: Any) -> WSMan:
    """pypsrp to the Exchange endpoint: Basic over TLS unless told otherwise."""
    is_tls = options.pop("ssl", True)
    return WSMan(lab.address(), **{
        "port": lab.port("exchange_https" if is_tls else "exchange_http"), "ssl": is_tls,
        "path": "PowerShell", "auth": "basic", "username": ADMIN, "password": ADMIN_PASSWORD,
        "cert_validation": lab.ca_file, "no_proxy": True, "reconnection_retries": 0, **options})


@contextmanager
def pool(wsman: WSMan) -> Iterator[RunspacePool]:
    with wsman, RunspacePool(wsman, configuration_name="Microsoft.Exchange") as opened:
        yield opened


def cmdlet(opened: RunspacePool, name: str, **parameters: Any) -> tuple[list[Any], PowerShell]:
    powershell = PowerShell(opened)
    powershell.add_cmdlet(name).add_parameters(parameters)
    return powershell.invoke(), powershell
