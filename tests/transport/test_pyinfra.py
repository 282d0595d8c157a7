"""The real pyinfra command line with our connector and facts; and the fleet, in a patched child."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from goexchange import codec
from goexchange.errors import InvalidDocument
from goexchange.pyinfra_deploy.hosts import hosts
from tests.bench.fixed_site import ODD_NAME
from tests.transport.connections import SECRET_VARIABLE, entry
from tests.transport.lab.lab_process import CHECKOUT, Lab

pytestmark = pytest.mark.lab
EXAMPLE = CHECKOUT / "specs" / "pyinfra"


@pytest.fixture
def inventory(site: Lab, tmp_path: Path) -> Path:
    """An inventory document of both servers."""
    lines = ["apiVersion: goexchange/v1", "kind: Inventory", "metadata: {name: lab}", "servers:"]
    for name in ("EX001", "EX002"):
        host = site.address(name)
        lines += [
            f"  {name}:",
            f"    exchange: {{host: {host}, port: {site.port('exchange_https')}}}",
            f"    windows: {{host: {host}, port: {site.port('windows_http')}}}",
        ]
    lines += [
        "connection_profiles:",
        "  default:",
        "    username: 'LAB\\admin'",
        f"    password: env:{SECRET_VARIABLE}",
        f"    ca_file: {site.ca_file}",
        "    exchange: {authentication: basic, scheme: https}",
        "    windows: {transport: ntlm, scheme: http}",
    ]
    path = tmp_path / "inventory.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


def pyinfra(inventory: Path, *words: str) -> tuple[int, str]:
    """Run pyinfra's command line; exit code and everything it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "pyinfra", "-y", str(EXAMPLE / "inventory.py"), *words],
        env={**os.environ, "GOEXCHANGE_INVENTORY": str(inventory), "PYTHONPATH": str(CHECKOUT)},
        capture_output=True, text=True, timeout=240, cwd=inventory.parent,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_example_deploy_runs(inventory: Path, site: Lab) -> None:
    code, printed = pyinfra(inventory, str(EXAMPLE / "deploy.py"))
    assert code == 0, printed
    for name in ("EX001", "EX002"):
        assert f"{name}: Exchange build 15.2.1544.4" in printed
        assert f"{name}: {ODD_NAME}: mounted True" in printed
        assert site.counted(name)["Delete"] == 2
    assert "Traceback" not in printed


def test_changes_are_refused_with_the_reason(inventory: Path, tmp_path: Path, site: Lab) -> None:
    deploy = tmp_path / "deploy.py"
    deploy.write_text(
        "from goexchange.pyinfra_deploy.operations import exchange_cmdlet\n"
        f"exchange_cmdlet(cmdlet='Mount-Database', parameters={{'Identity': {ODD_NAME!r}}})\n"
    )
    code, printed = pyinfra(inventory, str(deploy))
    assert code != 0
    assert "use goexchange plan and goexchange apply" in " ".join(printed.split())
    assert site.counted("EX001").get("Command", 0) == 0


def test_shell_text_is_refused(inventory: Path, site: Lab) -> None:
    code, printed = pyinfra(inventory, "exec", "--", "Get-Service")
    assert code != 0
    assert "not shell text" in " ".join(printed.split())


def test_hosts_keep_secrets_as_references(inventory: Path) -> None:
    found = dict(hosts(inventory))
    assert list(found) == ["@goexchange/EX001", "@goexchange/EX002"]
    assert "Correct horse" not in json.dumps(found)
    assert SECRET_VARIABLE in found["@goexchange/EX001"]["goexchange_server"]


def test_hosts_of_a_broken_inventory_say_where(tmp_path: Path) -> None:
    broken = tmp_path / "inventory.yaml"
    broken.write_text("apiVersion: goexchange/v1\nkind: Inventory\nserverz: {}\n")
    with pytest.raises(InvalidDocument, match=r"inventory\.yaml:3:1"):
        hosts(broken)
    with pytest.raises(InvalidDocument, match="cannot be read"):
        hosts(tmp_path / "none.yaml")


FLEET = """\
import json, sys
from goexchange.app.worker import Fleet
from goexchange import codec
from goexchange.errors import GoexchangeError
from goexchange.model.configuration import ServerEntry
from goexchange.model.plan import ExchangeCall

servers = [codec.from_plain(ServerEntry, each) for each in json.load(sys.stdin)]

def ask(session):
    call = ExchangeCall(cmdlet="Get-MailboxServer", parameters={"Identity": session.server.name})
    return session.exchange([call], time_limit_s=20)["objects"][0]["Name"]

with Fleet(servers) as fleet:
    answers = fleet.map(ask)
shown = {
    name: f"{answer.exit_code.value} {answer}" if isinstance(answer, GoexchangeError) else answer
    for name, answer in answers.items()
}
print(json.dumps(shown), flush=True)
with Fleet(servers) as fleet:
    raise KeyboardInterrupt
"""


def test_fleet_asks_all_and_closes_all(site: Lab) -> None:
    """One server is away; an exception passes through the second fleet: nothing stays open."""
    away = codec.to_plain(entry(site, "EX002"))
    away["name"] = "EX009"
    for channel in ("exchange", "windows"):
        away["connection"][channel]["port"] = 9
    servers = [codec.to_plain(entry(site, "EX001")), codec.to_plain(entry(site, "EX002")), away]
    done = subprocess.run(
        [sys.executable, "-c", FLEET], input=json.dumps(servers), capture_output=True, text=True,
        timeout=240, cwd=CHECKOUT, env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )  # fmt: skip
    answers = json.loads(done.stdout)
    assert (answers["EX001"], answers["EX002"]) == ("EX001", "EX002")
    assert answers["EX009"].startswith("15 EX009, Exchange channel: no connection")
    assert "KeyboardInterrupt" in done.stderr
    assert site.counted("EX001")["Delete"] == site.counted("EX002")["Delete"] == 4
