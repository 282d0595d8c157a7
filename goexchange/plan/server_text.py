"""What the recovery record of a server says: the state before, and what a person types."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from goexchange.codec import time_text
from goexchange.model.server import (
    ACTIVE,
    HUB_TRANSPORT,
    MAINTENANCE,
    SERVER_ID,
    SERVER_NAME,
    TRANSPORT_SERVICES,
)
from goexchange.model.unknown import Unknown
from goexchange.plan.member_mode import MemberMode
from goexchange.plan.server_work import ServerWork


def content_of(work: ServerWork, at: datetime) -> dict[str, Any]:
    """Everything that was so before the first change, and that a release puts back."""
    assert work.host is not None
    services = () if isinstance(work.host.services, Unknown) else work.host.services
    mode = work.mode
    return {
        "server": work.server_name,
        "database": SERVER_NAME,
        "database_guid": SERVER_ID,
        "specification": work.spec.name,
        "planned_at": time_text(at),
        "boot_id": work.host.boot_id,
        "components": [] if mode is None else [name for name, _ in mode.components],
        "activation_policy": None if mode is None else mode.policy,
        "is_member": mode is not None,
        "moved": []
        if mode is None
        else [{"database": each.database, "to": each.to} for each in mode.moves],
        "awaited": [] if mode is None else [each.identity for each in mode.awaited],
        "alone": [{"name": each.name, "guid": each.guid} for each in work.alone],
        "services": [
            {"name": each.name, "state": each.state, "start_type": each.start_type}
            for each in services
        ],
    }


def text_of(work: ServerWork, root: str) -> str:
    """RECOVERY.txt: what a person with nothing but a console does."""
    commands = ", ".join(each.name for each in work.spec.processes_down)
    lines = [f"Maintenance of the server {work.server_name} stopped: {commands}.", ""]
    if work.mode is not None:
        lines += _member(work.server_name, work.mode, root)
    else:
        lines += [
            "The server belongs to no availability group: nothing of it was changed but by these",
            "commands. See that they are over, and that it is up.",
            "",
        ]
    if work.alone:
        lines += ["Mounted before, and without another copy:"]
        lines += [f"   Mount-Database -Identity '{_quoted(each.name)}'" for each in work.alone]
        lines += [""]
    lines += ["The services as they were before are written down in record.json beside this text."]
    return "\r\n".join(lines) + "\r\n"


def _member(server: str, mode: MemberMode, root: str) -> list[str]:
    lines = [
        "It may still be in maintenance mode. First see that the commands are over, and that it",
        "is up. Then, in this order:",
        "",
    ]
    for component, _ in reversed(mode.components):
        lines.append(
            f"   Set-ServerComponentState -Identity {server} -Component {component}"
            f" -State {ACTIVE} -Requester {MAINTENANCE}"
        )
    lines.append(f"   Resume-ClusterNode -Name {server}   # only if it was Up before, which is in")
    lines.append(f"   # {root}\\maintenance\\node.json")
    if mode.policy is not None:
        lines.append(
            f"   Set-MailboxServer -Identity {server}"
            f" -DatabaseCopyAutoActivationPolicy {mode.policy}"
        )
    if HUB_TRANSPORT in dict(mode.components):
        lines.append(f"   Restart-Service {','.join(TRANSPORT_SERVICES)}")
    lines += ["", "Its copies have to be Healthy before another member of the group goes:"]
    lines.append(f"   Get-MailboxDatabaseCopyStatus -Server {server}")
    if mode.moves:
        lines += ["", "These active copies were here before:"]
        lines += [
            f"   Move-ActiveMailboxDatabase -Identity '{_quoted(each.database)}'"
            f" -ActivateOnServer {server}"
            for each in mode.moves
        ]
    return [*lines, ""]


def _quoted(name: str) -> str:
    return name.replace("'", "''")
