"""The real clients with tickets from the lab's own KDC."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import pytest

from tests.transport.lab.clients import cmdlet, exchange, pool, run, shell, winrm
from tests.transport.lab.lab_process import ADMIN_PASSWORD, Lab

PRINCIPAL = "admin@LAB.TEST"
HOST = "ex01.lab.test"


@pytest.fixture
def ticket(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A ticket of the lab's realm in a cache of its own."""
    if lab.where["kerberos_missing"] is not None:
        pytest.skip(str(lab.where["kerberos_missing"]))
    for module in ("gssapi", "kerberos"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"Python package {module} not installed")
    monkeypatch.setenv("KRB5_CONFIG", lab.where["kerberos_config"])
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path / 'ccache'}")
    subprocess.run(["kinit", PRINCIPAL], input=f"{ADMIN_PASSWORD}\n", text=True, check=True,
                   capture_output=True)
    return PRINCIPAL


@pytest.mark.parametrize("listener", ["windows_http", "windows_https"])
def test_pywinrm(lab: Lab, ticket: str, listener: str) -> None:
    protocol = winrm(lab, "kerberos", listener=listener, username=ticket, password=None,
                     kerberos_hostname_override=HOST)
    with shell(protocol) as opened:
        assert run(protocol, opened, "whoami")[0] == b"lab\\admin\r\n"


@pytest.mark.parametrize("auth", ["kerberos", "negotiate"])
@pytest.mark.parametrize("is_tls", [True, False])
def test_pypsrp(lab: Lab, ticket: str, auth: str, is_tls: bool) -> None:
    wsman = exchange(lab, ssl=is_tls, auth=auth, username=None, password=None,
                     negotiate_hostname_override=HOST, negotiate_service="HTTP")
    with pool(wsman) as opened:
        found, _ = cmdlet(opened, "Get-MailboxDatabase", Status=True)
    assert [each.to_string for each in found] == ["DB01", "DB02", "DB03"]


def test_password_without_a_ticket(lab: Lab, ticket: str) -> None:
    wsman = exchange(lab, ssl=False, auth="kerberos", username=ticket, password=ADMIN_PASSWORD,
                     negotiate_hostname_override=HOST, negotiate_service="HTTP")
    with pool(wsman) as opened:
        assert len(cmdlet(opened, "Get-MailboxDatabase")[0]) == 3


def test_ticket_for_another_host_is_refused(lab: Lab, ticket: str) -> None:
    wsman = exchange(lab, ssl=False, auth="kerberos", username=None, password=None,
                     negotiate_hostname_override="win02.lab.test", negotiate_service="HTTP")
    with pytest.raises(Exception, match="[Ff]ailed to authenticate|401"), pool(wsman):
        pass
    assert "Create" not in lab.counted()
