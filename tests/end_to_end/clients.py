"""The real clients, used directly against a lab, without goexchange."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from tests.end_to_end.site import Site

_PROGRAM = """
import json, sys
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

given = json.loads(sys.argv[1])
wsman = WSMan(given["host"], port=given["port"], ssl=True, path="PowerShell", auth="basic",
              username=given["user"], password=given["password"], cert_validation=given["ca"],
              no_proxy=True)
with RunspacePool(wsman, configuration_name="Microsoft.Exchange") as pool:
    shell = PowerShell(pool)
    shell.add_cmdlet(given["cmdlet"]).add_parameters(given["parameters"])
    output = shell.invoke()
    print(json.dumps({"objects": [str(each) for each in output],
                      "errors": [str(each) for each in shell.streams.error]}))
wsman.close()
"""


def exchange_cmdlet(site: Site, cmdlet: str, **parameters: Any) -> dict[str, Any]:
    """Run one cmdlet on EX01 with pypsrp, in a process of its own."""
    import json

    where = json.loads((site.folder / "site" / "lab.json").read_text("utf-8"))
    host = next(each for each in where["hosts"] if each["name"] == "EX01")
    given = {
        "host": host["address"],
        "port": where["ports"]["exchange_https"],
        "user": "LAB\\gxadmin",
        "password": (site.folder / "lab-password").read_text("utf-8"),
        "ca": where["ca_file"],
        "cmdlet": cmdlet,
        "parameters": parameters,
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _PROGRAM, json.dumps(given)],
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert not answer["errors"], answer["errors"]
    return answer
