"""A site of many servers as documents and saved facts, for the benchmark of plans.

Every fifth database needs a rebuild, every seventh a backup; the others need nothing.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from goexchange import codec
from goexchange.model import actual
from tests.unit.plan.builders import GIB, NOW, database, host, record, server

SPECIFICATION = """\
apiVersion: goexchange/v1
kind: Specification
metadata: {name: everything}
targets: {servers: ["site:berlin"]}
desired: {white_space_max: 20%, online_full_backup_within: 7d}
script: {name: preventative-maintenance}
backup:
  before: {offline: {target: {path: 'E:\\goexchange'}}}
  after: {online: {method: windows-server-backup, target: {path: 'F:'}}}
schedule: {window: night}
"""
CONFIGURATION = "apiVersion: goexchange/v1\nkind: Configuration\nspecifications: specs\n"


def write_project(folder: Path, *, servers: int, databases: int) -> None:
    """Write configuration, inventory, specification and `facts.json`."""
    names = [f"EX{number:03}" for number in range(1, servers + 1)]
    (folder / "specs").mkdir(parents=True)
    (folder / "goexchange.yaml").write_text(CONFIGURATION, "utf-8")
    (folder / "specs" / "everything.yaml").write_text(SPECIFICATION, "utf-8")
    lines = [
        "apiVersion: goexchange/v1",
        "kind: Inventory",
        "metadata: {name: big}",
        "sites: {berlin: {zone: Europe/Berlin}}",
        'windows: {night: {zone: Europe/Berlin, days: [SAT], from: "22:00", to: "06:00"}}',
        "servers:",
        *(f"  {name}: {{address: {name.lower()}.contoso.example, site: berlin}}" for name in names),
    ]
    (folder / "inventory.yaml").write_text("\n".join(lines) + "\n", "utf-8")
    with (folder / "goexchange.yaml").open("a", encoding="utf-8") as file:
        file.write("inventory: inventory.yaml\n")
    each = databases // servers
    state = actual.ActualState(
        observed_at_utc=NOW,
        servers=tuple(_server(name, at * each, each) for at, name in enumerate(names)),
    )
    (folder / "facts.json").write_text(json.dumps(codec.to_plain(state), indent=1), "utf-8")


def _server(name: str, first: int, count: int) -> actual.ActualServer:
    found = tuple(_database(name, first + number) for number in range(count))
    return server(name, databases=found, host=host(name, records=tuple(record(of) for of in found)))


def _database(name: str, number: int) -> actual.ActualDatabase:
    return database(
        f"DB{number:04}",
        name,
        size_bytes=(20 + number % 80) * GIB,
        white_space_bytes=(12 if number % 5 == 0 else 1) * GIB,
        last_full_backup_utc=NOW - timedelta(days=9 if number % 7 == 0 else 2),
    )
