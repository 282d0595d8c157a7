"""One measurement in a process of its own: prints one JSON line of seconds.

Usage: python -m tests.bench.clients goexchange|pywinrm < connections.json
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

FACTS = 19  # what one observation asks: 4 cmdlets and 15 parts of the host, each a command there


def observe(servers: list[dict[str, Any]]) -> dict[str, float]:
    """Open, observe and close with goexchange's own channels."""
    from goexchange import codec
    from goexchange.app.observing import observe_server
    from goexchange.app.worker import Fleet
    from goexchange.errors import GoexchangeError
    from goexchange.model.configuration import ServerEntry
    from goexchange.model.unknown import Unknown
    from tests.bench.inventory import an_inventory

    entries = [codec.from_plain(ServerEntry, each) for each in servers]
    site = an_inventory(entries)
    started = time.perf_counter()
    with Fleet(entries) as fleet:
        opened = time.perf_counter()
        answers = fleet.map(lambda session: observe_server(session, session.server.name, site))
        observed = time.perf_counter()
    closed = time.perf_counter()
    for answer in answers.values():
        if isinstance(answer, GoexchangeError) or isinstance(answer.databases, Unknown):
            raise SystemExit(f"not observed: {answer}")
    return {"open": opened - started, "observe": observed - opened, "all": closed - started}


def ask_fact_by_fact(servers: list[dict[str, Any]]) -> dict[str, float]:
    """One pywinrm command per fact, the servers side by side in threads."""
    from concurrent.futures import ThreadPoolExecutor

    from winrm import Session

    def ask(server: dict[str, Any]) -> None:
        channel = server["connection"]["windows"]
        url = f"http://{channel['host']}:{channel['port']}/wsman"
        session = Session(url, auth=("LAB\\admin", "Correct horse 1"), transport="ntlm", proxy=None)
        for _ in range(FACTS):
            if session.run_cmd("hostname").std_out.strip().decode() != server["name"]:
                raise SystemExit("not the answer that was expected")

    started = time.perf_counter()
    with ThreadPoolExecutor(len(servers)) as pool:
        list(pool.map(ask, servers))
    return {"all": time.perf_counter() - started}


if __name__ == "__main__":
    measure = {"goexchange": observe, "pywinrm": ask_fact_by_fact}[sys.argv[1]]
    sys.stdout.write(json.dumps(measure(json.load(sys.stdin))))
