"""A clustered server: one name, one set of shared disks, and the node that owns both now.

What is of a node stays with it: its own disk, its tasks and sentinels, its event logs. Files on the
shared disks, and with them everything below a folder there, go where the server goes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import define, evolve

from goexchange.model.actual import Generation
from goexchange.world.databases import MailboxDatabase
from goexchange.world.events import EventLog
from goexchange.world.hosts import Host, WindowsBackupState
from goexchange.world.refusals import ScriptFailed
from goexchange.world.tasks import VENDOR_TASK, Sentinel, TaskState

if TYPE_CHECKING:
    from goexchange.world.world import World


@define(kw_only=True)
class NodeState:
    """What a node keeps while another one owns the server."""

    events: EventLog
    tasks: dict[str, TaskState]
    sentinels: dict[str, Sentinel]
    windows_backup: WindowsBackupState


@define(kw_only=True)
class Move:
    """A move under way: where to, and which databases were mounted when it began."""

    node: str
    mounted: frozenset[str]


def begin_move(world: World, host: Host) -> bool:
    """The next node takes the server over; False where it has none, or is down anyway."""
    nodes = host.description.nodes
    if host.node not in nodes or len(nodes) < 2 or host.down_until is not None:
        return False
    mounted = frozenset(
        each.name for each in world.databases.values() if each.mounted_on == host.name
    )
    world.reboot(host.name)  # to whatever runs there it is the end of its Windows
    host.move = Move(node=nodes[(nodes.index(host.node) + 1) % len(nodes)], mounted=mounted)
    host.down_until = world.now() + timedelta(seconds=world.site.times.failover)
    return True


def arrive(world: World, host: Host) -> None:
    """The server is online on the node that it moves to, where there is a move."""
    move = host.move
    if move is None:
        return
    host.apart[host.node] = NodeState(
        events=host.events,
        tasks=host.tasks,
        sentinels=host.sentinels,
        windows_backup=host.windows_backup,
    )
    found = host.apart.pop(move.node, None) or NodeState(
        events=EventLog(),
        tasks={VENDOR_TASK.name: evolve(VENDOR_TASK)},
        sentinels={},
        windows_backup=WindowsBackupState(),
    )
    host.events, host.tasks = found.events, found.tasks
    host.sentinels, host.windows_backup = found.sentinels, found.windows_backup
    host.node = host.files.node = move.node
    world.note("node-moved", host=host.name, detail=move.node)


def comes_up_mounted(host: Host, database: MailboxDatabase) -> bool:
    """Whether the store mounts a database when it starts. Source: the help of Exchange 2007 about
    clustered mailbox servers: there a database that was dismounted stays so until somebody mounts
    it. Elsewhere, and for Exchange 2003, its own setting decides.
    """
    is_2007 = host.description.generation is Generation.EXCHANGE_2007
    if host.move is not None and is_2007 and not host.description.mounts_all_after_move:
        return database.name in host.move.mounted
    return database.is_mount_at_startup or (
        host.move is not None and host.description.mounts_all_after_move
    )


def check_node(host: Host, node: str | None) -> None:
    """What a carried cmdlet that is bound to a node checks first.

    Raises: ScriptFailed on another one.
    """
    if node is not None and host.machine.lower() != node.lower():
        raise ScriptFailed("other-node", f"this is {host.machine}, and not {node}")
