"""Measures goexchange against its alternatives and writes docs/benchmarks.md.

Usage: python -m tests.bench.run [--ansible PATH_OF_THE_ANSIBLE_PROGRAM]. Without Ansible its rows
say so. Figures are medians; everything, the lab included, shares the machine's cores.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import frozen

from goexchange import codec
from tests.bench import documents
from tests.bench.clients import FACTS
from tests.transport.conftest import served
from tests.transport.connections import SECRET_VARIABLE, entry
from tests.transport.lab.lab_process import CHECKOUT, Lab

DOCUMENT = CHECKOUT / "docs" / "benchmarks.md"
DATABASES = 5
PASSWORD = "Correct horse 1"
ANSIBLE_MISSING = "not measured: Ansible with pywinrm is not installed"


@frozen(kw_only=True)
class Cost:
    """What one way to ask some servers cost: requests, and seconds by part (medians)."""

    requests: int
    seconds: dict[str, float]


def main() -> None:
    """Measure everything and write the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ansible", default=shutil.which("ansible"))
    ansible = parser.parse_args().ansible
    started = time.monotonic()
    parts = [_head(ansible), documents.chapter()]
    with tempfile.TemporaryDirectory() as folder:
        for count in (1, 10, 100):
            where = Path(folder) / str(count)
            where.mkdir()
            with served(where, f"servers={count}", f"databases={DATABASES}") as lab:
                parts.append(_servers(lab, count, where, ansible))
    parts.append(f"The whole session took {time.monotonic() - started:.0f} s.\n")
    DOCUMENT.write_text("\n".join(parts), "utf-8")


def _head(ansible: str | None) -> str:
    version = "Ansible is not installed"
    if ansible:
        printed = subprocess.run([ansible, "--version"], capture_output=True, text=True, check=True)
        version = printed.stdout.splitlines()[0].replace("ansible [core ", "ansible-core ")[:-1]
    return (
        "# Benchmarks\n\n"
        "Written by `python -m tests.bench.run`; every figure was measured in one session.\n\n"
        f"- {datetime.now(UTC).date().isoformat()}; {os.cpu_count()} cores, Python "
        f"{platform.python_version()}; {version}\n"
        f"- Load of the machine when it began: {os.getloadavg()[0]:.1f} (other work than this\n"
        "  makes every figure larger; the ratios suffer less).\n"
        "- The servers are lab servers on the same machine: real pywinrm and pypsrp over real\n"
        "  sockets, NTLM with message sealing for Windows, Basic over TLS for Exchange. Client\n"
        "  and lab share the cores, so figures without added delay are bounds of CPU, not of a\n"
        "  network.\n"
        "- A lab command costs no time of its own. Real hosts add the start of PowerShell to\n"
        "  every command: once per observation here, once per fact or task elsewhere.\n"
        "- Of goexchange's requests 5 are the observation (one more for each operation time-out\n"
        "  of a slow answer), 8 open and close the sessions, which a run keeps. Ansible's one\n"
        "  command gives a host name, the observation all facts of plans and guards.\n"
    )


def _servers(lab: Lab, count: int, folder: Path, ansible: str | None) -> str:
    names = [str(host["name"]) for host in lab.where["hosts"]]
    connections = json.dumps([codec.to_plain(entry(lab, name)) for name in names])
    runs, runs_of_others = (3, 3) if count <= 10 else (3, 1)
    lines = [
        f"## {count} server{'s' if count > 1 else ''}, {DATABASES} databases each",
        "",
        f"Median of {runs} runs (of the others: {runs_of_others}); seconds of the whole process,",
        "its start included; requests are counted by the lab.",
        "",
        "| what | added per request | requests per server | seconds | ratio |",
        "|---|--:|--:|--:|--:|",
    ]
    notes: list[str] = []
    for delay_ms in (0, 50):
        lab.control("delay", ms=delay_ms)
        ours = _cost(lab, runs, lambda: _client("goexchange", connections))
        rows = [("goexchange: open, observe (all facts), close", ours)]
        if count <= 10:
            by_fact = _cost(lab, runs_of_others, lambda: _client("pywinrm", connections))
            rows.append((f"pywinrm: one command per fact ({FACTS})", by_fact))
        if ansible:
            with _ansible_inventory(lab, names, folder) as inventory:
                theirs = _cost(lab, runs_of_others, lambda: _ansible(ansible, inventory, count))
            rows.append(("Ansible `raw`: one command", theirs))
        lines += [_row(name, delay_ms, cost, count, ours) for name, cost in rows]
        if not ansible:
            lines.append(f"| Ansible `raw` | {delay_ms} ms | {ANSIBLE_MISSING} | | |")
        notes.append(
            f"- {delay_ms} ms: opening the sessions {ours.seconds['open']:.2f} s, observing "
            f"{ours.seconds['observe']:.2f} s, all without the start of "
            f"the process {ours.seconds['all']:.2f} s."
        )
    lab.control("delay", ms=0)
    return "\n".join([*lines, "", *notes, ""])


def _row(name: str, delay_ms: int, cost: Cost, count: int, ours: Cost) -> str:
    seconds = cost.seconds["process"]
    ratio = seconds / ours.seconds["process"]
    each = cost.requests / count
    return f"| {name} | {delay_ms} ms | {each:.0f} | {seconds:.2f} | {ratio:.1f} |"


def _cost(lab: Lab, runs: int, measure: Callable[[], dict[str, float]]) -> Cost:
    measured, requests = [], 0
    for _ in range(runs):
        lab.control("reset")
        started = time.perf_counter()
        parts = measure()
        measured.append({**parts, "process": time.perf_counter() - started})
        requests = sum(each["http"] for each in _counters(lab).values())
    return Cost(
        requests=requests,
        seconds={part: statistics.median(one[part] for one in measured) for part in measured[0]},
    )


def _counters(lab: Lab) -> dict[str, dict[str, int]]:
    return {name: lab.counted(name) for name in (host["name"] for host in lab.where["hosts"])}


def _client(kind: str, connections: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.clients", kind],
        input=connections, capture_output=True, text=True, cwd=CHECKOUT, check=False,
        env={**os.environ, SECRET_VARIABLE: PASSWORD},
    )  # fmt: skip
    if done.returncode != 0:
        raise SystemExit(f"{kind}: {done.stderr[-2000:]}")
    parts: dict[str, float] = json.loads(done.stdout)
    return parts


@contextmanager
def _ansible_inventory(lab: Lab, names: list[str], folder: Path) -> Iterator[Path]:
    variables = {
        "ansible_connection": "winrm",
        "ansible_user": "LAB\\admin",
        "ansible_password": PASSWORD,
        "ansible_port": lab.port("windows_http"),
        "ansible_winrm_scheme": "http",
        "ansible_winrm_transport": "ntlm",
        "ansible_shell_type": "powershell",
    }
    hosts = {name: {"ansible_host": lab.address(name)} for name in names}
    path = folder / "ansible.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps({"all": {"hosts": hosts, "vars": variables}}))
    yield path.rename(path.with_suffix(".yaml"))  # JSON is YAML


def _ansible(program: str, inventory: Path, count: int) -> dict[str, float]:
    done = subprocess.run(
        [program, "all", "-i", str(inventory), "-m", "raw", "-a", "hostname", "-f", str(count)],
        capture_output=True, text=True, check=False,
        env={**os.environ, "ANSIBLE_HOME": str(inventory.parent / "home"), "no_proxy": "*"},
    )  # fmt: skip
    if done.returncode != 0 or done.stdout.count("rc=0") != count:
        raise SystemExit(f"ansible: {_tail(done)}")
    return {}


def _tail(done: subprocess.CompletedProcess[Any]) -> str:
    return str(done.stdout + done.stderr)[-2000:]


if __name__ == "__main__":
    main()
