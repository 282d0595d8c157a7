"""The verb `lab`: a simulated site in a folder, with a project beside it that is ready to use."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import frozen

from goexchange.errors import UsageError
from goexchange.lab.disk import FolderDisk
from goexchange.lab.server import LabAddress, serve_until_stopped
from goexchange.lab.settings import LabLimits, LabSettings
from goexchange.lab.site_of_world import SiteOfWorld, SystemClock
from goexchange.spec.scripts import OLD
from goexchange.world.site import (
    SiteDescription,
    clustered_site,
    default_site,
    with_backup_server,
    with_old_server,
    with_vault,
)
from goexchange.world.world import World

SITE_FOLDER = "site"
PASSWORD_FILE = "lab-password"
USER = "gxadmin"
SPECIFICATION = """\
# yaml-language-server: $schema=../schemas/specification.v1.json
apiVersion: goexchange/v1
kind: Specification
metadata:
  name: preventative
  description: Keep the lab's databases compact, verified and restorable

targets:
  servers: [EX01, EX02]
  databases: {include: ["*"], exclude: ["RDB*"]}

desired:
  white_space_max: 20%
  verified_within: 30d
  online_full_backup_within: 7d

script:
  name: preventative-maintenance
  rebuild: {not_again_within: 180d, gain_min: 1MiB}

backup:
  before:
    offline:
      target: {path: '\\\\backup01\\exchange$'}
      include: [registry, exchange-configuration]
  after:
    online: {method: windows-server-backup, target: {path: 'F:'}, timeout: 1h}

custom_processes:
  before:
    - {name: suspend antivirus, run: ['C:\\ops\\av.cmd', suspend]}
  after:
    - {name: resume antivirus, run: ['C:\\ops\\av.cmd', resume], undoes: suspend antivirus}

schedule: {window: always}
"""


CLUSTERED_SPECIFICATION = """\
# yaml-language-server: $schema=../schemas/specification.v1.json
apiVersion: goexchange/v1
kind: Specification
metadata: {name: compact}
targets: {servers: [MAIL1]}
desired: {white_space_max: 20%}
script:
  name: offline-defrag
  rebuild: {not_again_within: 180d, gain_min: 1MiB}
backup:
  before: {offline: {target: {path: 'L:\\sets'}}}
  after: {online: {method: windows-server-backup, target: {path: 'F:'}, timeout: 1h}}
schedule: {window: always}
"""
_CLUSTERED_ROOT = "L:\\goexchange"  # on a disk that moves with the server


@frozen(kw_only=True)
class LabOptions:
    """How a lab is started. `pace` makes hosts work faster; `seed` names the site's content."""

    folder: Path
    pace: float
    scale: float
    seed: int
    delay_ms: float
    uses_kerberos: bool
    exchange_idle_s: float
    has_old_server: bool = False
    is_clustered: bool = False


def up(options: LabOptions, *, on_ready: Callable[[LabAddress], None]) -> None:
    """Serve the site until the process is told to stop.

    Effects: creates the project files in the folder when they are missing; the site's disks lie in
    `site/`.
    Raises: UsageError when a lab already runs there.
    """
    folder = options.folder.resolve()
    running = address_of(folder)
    if running is not None:
        raise UsageError(
            f"a lab already runs in {folder}; stop it with: goexchange lab down {folder}"
        )
    site_folder = folder / SITE_FOLDER
    site_folder.mkdir(parents=True, exist_ok=True)
    made = clustered_site if options.is_clustered else default_site
    description = with_vault(made(scale=options.scale, pace=options.pace))
    if not options.is_clustered:
        description = with_backup_server(description)
    if options.has_old_server and not options.is_clustered:
        description = with_old_server(description, scale=options.scale)
    world = World(description, SystemClock(), FolderDisk(site_folder / "disks"), seed=options.seed)
    limits = LabLimits(exchange_idle_s=options.exchange_idle_s)
    settings = LabSettings(
        folder=site_folder,
        limits=limits,
        delay_ms=options.delay_ms,
        uses_kerberos=options.uses_kerberos,
    )

    def ready(address: LabAddress) -> None:
        (site_folder / "lab.pid").write_text(str(os.getpid()), "utf-8")
        _write_project(folder, address, site.password(USER), description)
        on_ready(address)

    site = SiteOfWorld(world)
    try:
        asyncio.run(serve_until_stopped(site, settings, on_ready=ready))
    finally:
        (site_folder / "lab.pid").unlink(missing_ok=True)


def down(folder: Path) -> bool:
    """Stop the lab of a folder; False when none runs there."""
    process = _process_of(folder)
    if process is None:
        return False
    os.kill(process, signal.SIGTERM)
    for _ in range(200):
        if not _is_alive(process):
            return True
        time.sleep(0.05)
    raise UsageError(f"the lab in {folder} (process {process}) does not stop")


def move(folder: Path, server: str) -> str:
    """Let the next node take a clustered server over; the node that it moves to.

    Raises: UsageError when no lab runs there, or the server is none of its clustered ones.
    """
    running = address_of(folder.resolve())
    if running is None:
        raise UsageError(f"no lab runs in {folder}; start one with: goexchange lab up {folder}")
    where = f"http://127.0.0.1:{running['ports']['control']}/move"
    try:
        with urllib.request.urlopen(where, json.dumps({"host": server}).encode(), 10) as answer:
            return str(json.loads(answer.read())["moves_to"])
    except urllib.error.HTTPError as refused:
        why = json.loads(refused.read())["error"]
        raise UsageError(f"{server} cannot be moved: {why}") from refused


def address_of(folder: Path) -> dict[str, Any] | None:
    """Where the lab of a folder listens; None when none runs there."""
    port_file = folder / SITE_FOLDER / "lab.json"
    if _process_of(folder) is None or not port_file.exists():
        return None
    address: dict[str, Any] = json.loads(port_file.read_text("utf-8"))
    return address


def _process_of(folder: Path) -> int | None:
    try:
        process = int((folder / SITE_FOLDER / "lab.pid").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return process if _is_alive(process) else None


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _write_project(
    folder: Path, address: LabAddress, password: str, description: SiteDescription
) -> None:
    """Configuration, inventory and specification; the inventory is always written anew: ports
    change.
    """
    secret = folder / PASSWORD_FILE
    secret.touch(mode=0o600)
    secret.write_text(password, "utf-8")
    inventory = folder / "inventory"
    inventory.mkdir(exist_ok=True)
    (inventory / "lab.yaml").write_text(_inventory_text(folder, address, description), "utf-8")
    is_clustered = any(each.nodes for each in description.servers)
    name = "compact.yaml" if is_clustered else "preventative.yaml"
    text = CLUSTERED_SPECIFICATION if is_clustered else SPECIFICATION
    for path, content in (
        (folder / "specs" / name, text),
        (folder / "goexchange.yaml", "apiVersion: goexchange/v1\nkind: Configuration\n"),
    ):
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_text(content, "utf-8")


def _inventory_text(folder: Path, address: LabAddress, description: SiteDescription) -> str:
    ports = address.ports
    generations = {each.name: each.generation for each in description.servers}
    lines = [
        "# Written by `goexchange lab up`: the ports change with every start.",
        "apiVersion: goexchange/v1",
        "kind: Inventory",
        "metadata: {name: lab}",
        "servers:",
    ]
    for host in address.hosts:
        if host.name in generations:
            lines += [f"  {host.name}:", f"    address: {host.fqdn}"]
            channels = {"exchange": ports.exchange_https} if host.has_exchange else {}
            for name, port in {**channels, "windows": ports.windows_http}.items():
                lines.append(f"    {name}: {{host: {host.address}, port: {port}}}")
            if generations[host.name] in OLD:
                lines.append(f'    generation: "{generations[host.name].value}"')
    names = [each.name for each in description.machines]
    for host in address.hosts:
        if host.name in names:
            lines += ["machines:"] if host.name == names[0] else []
            channel = f"windows: {{host: {host.address}, port: {ports.windows_http}}}"
            lines.append(f"  {host.name}: {{address: {host.fqdn}, {channel}}}")
    if description.groups:
        lines.append("availability_groups:")
        lines += [
            f"  {group.name}: {{servers: [{', '.join(group.servers)}]}}"
            for group in description.groups
        ]
    lines += [
        "connection_profiles:",
        "  default:",
        f"    username: {json.dumps(f'LAB{chr(92)}{USER}')}",
        f"    password: {json.dumps(f'file:{folder / PASSWORD_FILE}')}",
        f"    ca_file: {json.dumps(str(address.ca_file))}",
        "    exchange: {authentication: basic, scheme: https}",
        "    windows: {transport: ntlm, scheme: http}",
        "windows:",
        "  always:",
        "    zone: UTC",
        "    days: [MON, TUE, WED, THU, FRI, SAT, SUN]",
        f"    from: '{_last_hour()}'",
        f"    to: '{_last_hour()}'",
        "shares:",
        "  - path: '\\\\backup01\\exchange$'",
        f"    mounted_at: {json.dumps(str(_share_folder(folder)))}",
        "mount_confirm_after: 2s",
        *(
            [f"host_root: '{_CLUSTERED_ROOT}'"]
            if any(each.nodes for each in description.servers)
            else []
        ),
        "rates:",
        "  {copy: 20MiB/s, rebuild: 8MiB/s, verify: 40MiB/s, repair: 40MiB/s, backup: 20MiB/s}",
    ]
    return "\n".join(lines) + "\n"


def _last_hour() -> str:
    """The full hour before this one: a day from there, the window has hours left whenever it is."""
    return f"{datetime.now(UTC) - timedelta(hours=1):%H}:00"


def _share_folder(folder: Path) -> Path:
    """Where the share `\\\\backup01\\exchange$` of the site lies on this machine."""
    return folder / SITE_FOLDER / "disks" / "backup01" / "exchange$"
