"""A lab in a process of its own, and what tests ask of it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from attrs import frozen

TINY_SITE = Path(__file__).with_name("tiny_site.py")
CHECKOUT = Path(__file__).parents[3]
START_LIMIT_S = 60.0
ADMIN, ADMIN_PASSWORD = "LAB\\admin", "Correct horse 1"


@frozen(kw_only=True)
class Lab:
    """A running lab; `where` is its port file."""

    where: dict[str, Any]

    def address(self, host: str = "EX01") -> str:
        return next(str(each["address"]) for each in self.where["hosts"] if each["name"] == host)

    def port(self, name: str) -> int:
        return int(self.where["ports"][name])

    def url(self, name: str, host: str = "EX01") -> str:
        scheme = "https" if name.endswith("https") else "http"
        path = "wsman" if name.startswith("windows") else "PowerShell"
        return f"{scheme}://{self.address(host)}:{self.port(name)}/{path}"

    @property
    def ca_file(self) -> str:
        return str(self.where["ca_file"])

    def control(self, action: str, /, **body: object) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port('control')}/{action}", json.dumps(body).encode(),
            method="POST")
        with urllib.request.urlopen(request, timeout=5) as answer:
            return dict(json.load(answer))

    def counted(self, host: str = "EX01") -> dict[str, int]:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.port('control')}/state", timeout=5
        ) as answer:
            return dict(json.load(answer)["counters"].get(host, {}))


def start(folder: Path, *limits: str) -> tuple[subprocess.Popen[bytes], Lab]:
    """Start a lab and wait until it says where it is."""
    process = subprocess.Popen(
        [sys.executable, str(TINY_SITE), str(folder), *limits], cwd=CHECKOUT,
        env={"PYTHONPATH": str(CHECKOUT), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"})
    port_file = folder / "lab.json"
    limit = time.monotonic() + START_LIMIT_S
    while not port_file.exists():
        assert process.poll() is None, "the lab ended before it was ready"
        assert time.monotonic() < limit, "the lab was not ready in time"
        time.sleep(0.02)
    return process, Lab(where=json.loads(port_file.read_text()))
