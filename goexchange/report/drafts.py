"""Drafts of inventory and specification from what servers report, each value with its source."""

from __future__ import annotations

import json

from goexchange.model.actual import ActualDatabase, ActualServer, ActualState
from goexchange.model.configuration import Inventory
from goexchange.model.unknown import Unknown
from goexchange.report.shown import shown
from goexchange.report.units import day_text, minute_text, share_text, size_text, zone_of


def inventory_draft(state: ActualState, known: Inventory) -> str:
    """An inventory of the servers that answered; connections stay those of the present one."""
    lines = [
        "# yaml-language-server: $schema=../schemas/inventory.v1.json",
        f"# Draft of {_when(state)}: what the servers say of themselves, without connections:",
        "# take `connection_profiles`, `windows` and the rest over from the inventory you have.",
        "apiVersion: goexchange/v1",
        "kind: Inventory",
        "metadata: {name: draft}",
        "servers:",
    ]
    groups: dict[str, list[str]] = {}
    sites: dict[str, None] = {}
    for server in state.servers:
        entry = next((each for each in known.servers if each.name == server.name), None)
        lines += [f"  {_quoted(server.name)}:", f"    address: {_quoted(server.fqdn)}"]
        if entry is not None and entry.site is not None:
            lines.append(f"    site: {_quoted(entry.site)}   # from the present inventory")
            sites[entry.site] = None
        if isinstance(server.generation, Unknown):
            lines.append(f"    # generation: unknown, {shown(server.generation.reason)}")
        else:
            build = shown(server.build)
            lines.append(f'    generation: "{server.generation.value}"   # build {build}')
        if isinstance(server.availability_group, str):
            groups.setdefault(server.availability_group, []).append(server.name)
    if groups:
        lines.append("availability_groups:   # members that answered; add those that did not")
        for name, members in groups.items():
            lines.append(f"  {_quoted(name)}: {{servers: [{', '.join(map(_quoted, members))}]}}")
    if sites:
        lines.append("sites:")
        for site in known.sites:
            if site.name in sites:
                zone = f"zone: {site.zone}" if site.zone else ""
                lines.append(f"  {_quoted(site.name)}: {{{zone}}}")
    return "\n".join(lines) + "\n"


def specification_draft(server: ActualServer, state: ActualState) -> str:
    """A specification for one server that asks for nothing the databases do not have already, but
    for what is a sound default; each database is named with what it looks like now.
    """
    name = "".join(sign if sign.isalnum() else "-" for sign in server.name.lower()).strip("-")
    lines = [
        "# yaml-language-server: $schema=../schemas/specification.v1.json",
        f"# Draft of {_when(state)} for {shown(server.name)}. Look at every value first:",
        "# the backup targets below are guesses, and so is the limit of white space.",
        "apiVersion: goexchange/v1",
        "kind: Specification",
        f"metadata: {{name: {_quoted('maintain-' + name)}}}",
        "targets:",
        f"  servers: [{_quoted(server.name)}]",
        "  databases:",
        "    include:",
    ]
    if isinstance(server.databases, Unknown):
        lines.append(f'      - "*"   # its databases are unknown: {shown(server.databases.reason)}')
    else:
        found = [each for each in server.databases if each.is_recovery is not True]
        lines += [_database_line(each) for each in found] or ['      - "*"   # it has none now']
    lines += [
        "desired:",
        "  white_space_max: 20%",
        "  online_full_backup_within: 7d",
        "script: {name: preventative-maintenance}",
        "backup:",
        "  before: {offline: {target: {path: 'E:\\goexchange'}}}",
        "  after: {online: {method: windows-server-backup, target: {path: 'F:'}}}",
    ]
    return "\n".join(lines) + "\n"


def _database_line(database: ActualDatabase) -> str:
    size = database.size_bytes
    white = database.white_space_bytes
    parts = []
    if isinstance(size, int):
        parts.append(size_text(size))
        if isinstance(white, int):
            parts.append(f"white space {size_text(white)} {share_text(white, size)}".strip())
    full = database.last_full_backup_utc
    if isinstance(full, Unknown) or full is None:
        parts.append("no full backup known")
    else:
        parts.append(f"last full backup {day_text(full)}")
    if database.is_replicated is True:
        parts.append("has copies: an offline rebuild is refused")
    if database.is_mounted is False:
        parts.append("NOT MOUNTED now")
    return f"      - {_quoted(database.name)}   # {shown(', '.join(parts))}"


def _when(state: ActualState) -> str:
    return f"{minute_text(state.observed_at_utc, zone_of(None))} UTC"


def _quoted(text: str) -> str:
    """A name as YAML has it: plain where that is the same text."""
    is_plain = text.isascii() and text.replace("-", "").replace(".", "").isalnum()
    is_plain = is_plain and text[0].isalpha() and text.lower() not in ("null", "true", "false")
    return text if is_plain else json.dumps(text, ensure_ascii=False)
