"""The default site over Kerberos: the real clients used directly, and goexchange with the ticket
alone.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from goexchange.lab import kerberos
from tests.end_to_end.site import Site, lab

_PROGRAM = """
import json, sys
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan
from winrm.protocol import Protocol

given = json.loads(sys.argv[1])
wsman = WSMan(given["address"], port=given["exchange_http"], ssl=False, path="PowerShell",
              auth="kerberos", negotiate_hostname_override=given["fqdn"], negotiate_service="HTTP",
              no_proxy=True)
with RunspacePool(wsman, configuration_name="Microsoft.Exchange") as pool:
    shell = PowerShell(pool)
    shell.add_cmdlet("Get-MailboxDatabase").add_parameters({"Server": "EX01", "Status": True})
    names = [each.adapted_properties["Name"] for each in shell.invoke()]
wsman.close()
protocol = Protocol(f"http://{given['address']}:{given['windows_http']}/wsman",
transport="kerberos",
                    username=given["user"], kerberos_hostname_override=given["fqdn"], proxy=None)
opened = protocol.open_shell()
command = protocol.run_command(opened, "hostname")
output = protocol.get_command_output(opened, command)[0].decode().strip()
protocol.close_shell(opened)
print(json.dumps({"databases": names, "hostname": output}))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    missing = kerberos.available()
    if missing is not None:
        pytest.skip(missing)
    for module in ("gssapi", "kerberos"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"Python package {module} is not installed (extra: kerberos)")
    folder = tmp_path_factory.mktemp("kerberos")
    with lab(folder, "--kerberos", "--scale", "0.2") as running:
        yield running


@pytest.fixture(scope="module")
def ticket(site: Site) -> dict[str, str]:
    """The environment that finds a ticket of the site's user."""
    environment = {
        "KRB5_CONFIG": where(site)["kerberos_config"],
        "KRB5CCNAME": f"FILE:{site.folder / 'ccache'}",
    }
    subprocess.run(
        ["kinit", "gxadmin@LAB.TEST"],
        input=(site.folder / "lab-password").read_text("utf-8") + "\n",
        env={**os.environ, **environment},
        text=True,
        check=True,
        capture_output=True,
    )
    return environment


def where(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((site.folder / "site" / "lab.json").read_text("utf-8"))
    return found


def test_the_real_clients_alone(site: Site, ticket: dict[str, str]) -> None:
    address = where(site)
    host = next(each for each in address["hosts"] if each["name"] == "EX01")
    given = {**host, **address["ports"], "user": "gxadmin@LAB.TEST"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _PROGRAM, json.dumps(given)],
        env={**os.environ, **ticket},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert {"DB01", "DB05"} <= set(answer["databases"])
    assert answer["hostname"] == "EX01"


def test_goexchange_with_the_ticket_alone(site: Site, ticket: dict[str, str]) -> None:
    ports = where(site)["ports"]
    text = (site.folder / "inventory" / "lab.yaml").read_text("utf-8")
    for old, new in (
        (str(ports["exchange_https"]), str(ports["exchange_http"])),
        ("authentication: basic, scheme: https", "authentication: kerberos, scheme: http"),
        ("transport: ntlm", "transport: kerberos"),
    ):
        assert old in text
        text = text.replace(old, new)
    kept = [
        line for line in text.splitlines() if "username:" not in line and "password:" not in line
    ]
    (site.folder / "ticket.yaml").write_text("\n".join(kept) + "\n", "utf-8")
    done = site.run("--inventory", "ticket.yaml", "observe", "--server", "EX01", **ticket)
    assert done.code == 0, done.err
    assert "DB05" in done.out
