"""Clustered servers of Exchange 2007 and 2003 with one copy that moves from node to node: what is
refused of them by name, and the lane of one that is well, bound to the node that owns it now.

A run's records, jobs and fence lie in the tool's folder. They go where the database goes only when
that folder lies on a disk that the database itself needs: such a disk is owned by whoever owns the
server, and the ways back find everything through the next owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import evolve

from goexchange.errors import Diagnostic, NotNow, Place, Severity
from goexchange.facts.places import volume_of
from goexchange.model.accounts import account_at
from goexchange.model.actual import ActualServer, Cluster
from goexchange.model.configuration import Inventory
from goexchange.model.desired import BackupTarget, DesiredState
from goexchange.model.plan import Action, Direction, Lane, Need, Reason, RunsWhen, Step
from goexchange.model.server import SAME_NODE
from goexchange.model.unknown import Unknown
from goexchange.plan import words
from goexchange.plan.finding import Needed, fact_unknown, not_possible
from goexchange.plan.paths import is_share
from goexchange.plan.treatment import Passes

SHARED = "Shared"
_SENT_NOWHERE = frozenset({Action.NOTIFY})
# They keep what has become of a database that is in service again; on whichever node it is.
_AFTERWARDS = frozenset({
    Action.WRITE_DATABASE_RECORD, Action.CLOSE_RECOVERY_RECORD, Action.FORCE_WAY_BACK,
})  # fmt: skip


def refuse_on_cluster(
    server: ActualServer, needed: Needed, spec: DesiredState, inventory: Inventory
) -> Needed | None:
    """Why the work cannot be planned on a clustered server, if something is in its way."""
    if needed.need is Need.MOUNT or server.cluster is None:
        return None
    if isinstance(server.cluster, Unknown):
        if not needed.treatment.is_offline:
            return None
        place = spec.script.place
        return fact_unknown("whether it is a cluster", server.cluster, origin=place)
    return next(_refusals(server, needed, spec, inventory), None)


def refuse_agent_on_cluster(server: ActualServer, spec: DesiredState) -> Needed | None:
    """The message transfer agent of a clustered server is a resource of its cluster."""
    if isinstance(server.cluster, Unknown):
        return fact_unknown("whether it is a cluster", server.cluster, origin=spec.script.place)
    if server.cluster is None:
        return None
    return not_possible(
        Reason.BLOCKED_BY_GUARD,
        f"{standing_of(server)}: its message transfer agent is a resource of the cluster, which"
        " starts a stopped service again, or moves the whole server",
        origin=spec.script.place,
        instead="take the resource of the agent offline in Cluster Administrator, and run mtacheck"
        " by hand on the node that owns it",
    )


def refuse_other_work(server: ActualServer, instead: str) -> None:
    """What is no maintenance of a database is not executed there: no earlier file in place of a
    present one, no pilot.

    Raises: NotNow for a clustered server, and where that is not known.
    """
    if isinstance(server.cluster, Unknown):
        raise NotNow(f"whether {server.name} is a cluster is unknown: {server.cluster.reason}")
    if server.cluster is not None:
        raise NotNow(f"{standing_of(server)}: that is not executed there; {instead}")


def on_cluster(lane: Lane, server: ActualServer) -> Lane:
    """The lane with the guard that looks who owns the server, before every step that does not
    bring mail back; that of a server of its own as it is.
    """
    if not isinstance(server.cluster, Cluster):
        return lane
    return evolve(lane, steps=tuple(map(_guarded, lane.steps)))


def told_of_clusters(servers: Iterable[ActualServer]) -> tuple[Diagnostic, ...]:
    """A warning for each clustered server with work: its nodes, its owner, and what a move does."""
    return tuple(
        Diagnostic(
            id="on-cluster",
            summary="a clustered server is worked on through the node that owns it",
            detail=f"{standing_of(server)}. Before each step the run looks again who owns it: after"
            " a move nothing new is begun, and what is down is brought back through the new owner."
            " The sentinel is a task of the node, and does not move.",
            severity=Severity.WARNING,
            address=server.name,
        )
        for server in servers
        if isinstance(server.cluster, Cluster)
    )


def standing_of(server: ActualServer) -> str:
    """Server, kind, owner and nodes, in words."""
    cluster = server.cluster
    assert isinstance(cluster, Cluster)
    node = "an unknown node" if isinstance(server.host, Unknown) else server.host.name
    where = words.listed(cluster.nodes) or "nodes that are not told"
    kind = "single-copy cluster" if cluster.kind == SHARED else f"{cluster.kind} storage"
    return f"{server.name} is a clustered server ({kind}, now on {node}, of {where})"


def _guarded(step: Step) -> Step:
    is_free = (
        step.direction is Direction.BACK
        or step.action in _SENT_NOWHERE | _AFTERWARDS
        or step.runs_when is RunsWhen.REBUILT_IN_SERVICE  # a new file is backed up wherever it is
    )
    return step if is_free else evolve(step, guards=(*step.guards, SAME_NODE))


def _refusals(
    server: ActualServer, needed: Needed, spec: DesiredState, inventory: Inventory
) -> Iterator[Needed]:
    yield from _of_commands(server, spec)
    if not needed.treatment.is_offline:
        return
    place = spec.script.place
    assert isinstance(server.cluster, Cluster)
    if server.cluster.kind != SHARED:
        yield _refused(
            server, "how its copies are suspended and seeded again is not executed",
            "move its mailboxes to a fresh database", place=place,
        )  # fmt: skip
    if not isinstance(server.host, Unknown) and server.host.name.lower() == server.name.lower():
        yield _refused(
            server, "it is asked for by the name of a node",
            "name the clustered server in the inventory, with its own address, and no node",
            place=place,
        )  # fmt: skip
    correction = spec.script.error_correction
    after = correction.defragmented_passes_max if needed.treatment.rebuilds else 0
    if needed.treatment.passes is not Passes.NONE and (correction.primary_passes_max or after):
        yield _refused(
            server, "how isinteg is told a clustered server is not confirmed",
            "offline-defrag, the offline diagnostics, or `error_correction` with no passes",
            place=correction.place,
        )  # fmt: skip
    yield from _of_places(server, needed, spec, inventory)


def _of_commands(server: ActualServer, spec: DesiredState) -> Iterator[Needed]:
    """What is undone on the node where it was done: the next owner would undo nothing there."""
    if spec.services_stopped:
        yield _refused(
            server, "its services are resources of the cluster, and `services` stops them",
            "take their resources offline in the cluster, and leave `services` out",
            place=spec.services_place or spec.script.place,
        )  # fmt: skip
    if spec.processes_before or spec.processes_after or spec.conflicts.suspend:
        yield _refused(
            server, "custom processes and suspended backups are of the node: after a move they"
            " would be undone on another",
            "leave them out of the specification for this server", place=spec.script.place,
        )  # fmt: skip


def _of_places(
    server: ActualServer, needed: Needed, spec: DesiredState, inventory: Inventory
) -> Iterator[Needed]:
    """Everything that a way back needs lies on a disk that moves with the databases."""
    root = inventory.host_root
    moving = _moving_volumes(server)
    if isinstance(moving, Unknown):
        yield fact_unknown("which disks move with it", moving, origin=spec.script.place)
        return
    if not _is_on(server, root, moving):
        yield _refused(
            server, f"the tool's folder {root} lies on no disk of its databases: after a move the"
            " next owner would know nothing of the run",
            f"`host_root` in the inventory on {words.listed(sorted(moving))}, which"
            f" {'moves' if len(moving) == 1 else 'move'} with the databases; other servers then"
            " need an inventory of their own",
            place=spec.script.place,
        )  # fmt: skip
    for target in _targets(needed, spec):
        if account_at(target.path, inventory) is not None:
            yield _refused(
                server, f"{target.path} is written as an account of its own, whose task and"
                " password stay on the node",
                "a share that the nodes' own accounts may write to", place=target.place,
            )  # fmt: skip
        if not is_share(target.path) and not _is_on(server, target.path, moving):
            yield _refused(
                server, f"{target.path} lies on no disk of its databases, and may stay with the"
                " node",
                f"a share, or a folder on {words.listed(sorted(moving))}", place=target.place,
            )  # fmt: skip


def _targets(needed: Needed, spec: DesiredState) -> Iterator[BackupTarget]:
    if needed.treatment.copies and spec.backup_before.offline is not None:
        yield spec.backup_before.offline.target
    if needed.treatment.rebuilds and spec.backup_after.offline is not None:
        yield spec.backup_after.offline.target


def _moving_volumes(server: ActualServer) -> frozenset[str] | Unknown:
    """The volumes with files of its databases: a database cannot be mounted where they are not."""
    databases = server.databases
    if isinstance(databases, Unknown):
        return databases
    found = set()
    for each in databases:
        for path in (each.edb_path, each.log_folder):
            volume = volume_of(server.host, path)
            if isinstance(volume, Unknown):
                return volume
            found.add(volume.mount_point)
    return frozenset(found)


def _is_on(server: ActualServer, path: str, moving: frozenset[str]) -> bool:
    volume = volume_of(server.host, path)
    return not isinstance(volume, Unknown) and volume.mount_point in moving


def _refused(server: ActualServer, why: str, instead: str, *, place: Place) -> Needed:
    return not_possible(
        Reason.BLOCKED_BY_GUARD, f"{standing_of(server)}: {why}", origin=place, instead=instead
    )
