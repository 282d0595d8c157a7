"""An observation as plain text: every server, its host in one line, its databases in a table."""

from __future__ import annotations

from datetime import datetime

from goexchange.model.actual import (
    ActualDatabase,
    ActualHost,
    ActualMta,
    ActualServer,
    ActualState,
    Cluster,
)
from goexchange.model.machines import is_machine
from goexchange.model.unknown import Unknown
from goexchange.report.shown import shown, wrap
from goexchange.report.table import Column, Frame, Row, table
from goexchange.report.units import day_text, share_text, size_text

_COLUMNS = (
    Column(heading="database", is_flexible=True),
    Column(heading="state"),
    Column(heading="size", is_right=True),
    Column(heading="white space", is_right=True),
    Column(heading="copies"),
    Column(heading="last full backup"),
)


def render_facts(state: ActualState, *, width: int) -> str:
    """The facts of every server; what could not be read says *unknown* and why."""
    frame = Frame(width=width)
    lines: list[str] = []
    for server in state.servers:
        lines += _server(server, frame)
    return "\n".join(line.rstrip() for line in lines)


def _server(server: ActualServer, frame: Frame) -> list[str]:
    generation = server.generation
    name = generation if isinstance(generation, Unknown) else f"Exchange {generation.value}"
    group = server.availability_group
    member = "" if group is None else f" · availability group {_said(group)}"
    if is_machine(server):
        lines = ["", *wrap(f"{shown(server.name)} · a machine without Exchange", frame.width)]
        return [*lines, *(f"  {line}" for line in wrap(_machine(server), frame.width - 2))]
    who = f"{shown(server.name)} ({shown(server.fqdn)})"
    head = f"{who} · {name} · build {_said(server.build)}{member}"
    lines = ["", *wrap(head, frame.width)]
    lines += [f"  {line}" for line in wrap(_host(server), frame.width - 2)]
    lines += [f"  {line}" for line in wrap(_group(server), frame.width - 2)] if group else []
    if server.cluster is not None:
        lines += [f"  {line}" for line in wrap(_cluster(server), frame.width - 2)]
    if isinstance(server.mta, ActualMta):
        lines += [f"  {line}" for line in wrap(_mta(server.mta), frame.width - 2)]
    if isinstance(server.databases, Unknown):
        return [*lines, f"  databases: {server.databases}"]
    rows = [_row(database) for database in server.databases]
    return [*lines, *table(_COLUMNS, rows, frame)]


def _host(server: ActualServer) -> str:
    host = server.host
    if isinstance(host, Unknown):
        return f"host: {host}"
    tool = _said(host.eseutil_version)
    return f"PowerShell {shown(host.powershell_version)} · eseutil {tool} · {_free(host)}"


def _machine(server: ActualServer) -> str:
    host = server.host
    if isinstance(host, Unknown):
        return f"host: {host}"
    rights = "administrator rights" if host.is_elevated else "no administrator rights"
    return f"PowerShell {shown(host.powershell_version)} · {rights} · {_free(host)}"


def _free(host: ActualHost) -> str:
    if isinstance(host.volumes, Unknown):
        return "volumes unknown"
    return ", ".join(
        f"{shown(each.mount_point)} {size_text(each.free_bytes)} free" for each in host.volumes
    )


def _mta(mta: ActualMta) -> str:
    """The message transfer agent of Exchange 2003, and its queue database."""
    where = mta.data_folder
    place = str(where) if isinstance(where, Unknown) else shown(where)
    events = f" · {len(mta.events)} events about its queues" if mta.events else ""
    state = f"{shown(mta.service.state)}, {shown(mta.service.start_type)}"
    return f"MTA: {state} · queue database {size_text(mta.size_bytes)} in {place}{events}"


def _group(server: ActualServer) -> str:
    """The members of its group, and how the passive copies on the server stand."""
    group, copies = server.group, server.copies
    members = Unknown("") if group is None or isinstance(group, Unknown) else group.servers
    said = "unknown" if isinstance(members, Unknown) else ", ".join(map(shown, members))
    if isinstance(copies, Unknown):
        return f"members {said} · copies {copies}"
    passive = [
        f"{shown(each.database)} {_said(each.status)}"
        for each in copies
        if each.server.lower() == server.name.lower() and each.is_active is not True
    ]
    return f"members {said} · passive copies here: {', '.join(passive) or 'none'}"


def _cluster(server: ActualServer) -> str:
    """The node that owns a clustered server, and all of them."""
    cluster, host = server.cluster, server.host
    if not isinstance(cluster, Cluster):
        return f"whether it is a cluster is {cluster}"
    node = "an unknown node" if isinstance(host, Unknown) else shown(host.name)
    nodes = ", ".join(map(shown, cluster.nodes)) or "nodes that are not told"
    return f"clustered server: on {node}, of {nodes}"


def _row(database: ActualDatabase) -> Row:
    white = database.white_space_bytes
    size = database.size_bytes
    share = white if isinstance(white, Unknown) else size_text(white)
    if not isinstance(white, Unknown) and not isinstance(size, Unknown):
        share = f"{size_text(white)} {share_text(white, size)}"
    return Row(
        cells=(
            shown(database.name),
            _state(database),
            "unknown" if isinstance(size, Unknown) else size_text(size),
            "unknown" if isinstance(share, Unknown) else share,
            "unknown" if isinstance(database.copies, Unknown) else str(len(database.copies)),
            _backup(database.last_full_backup_utc),
        )
    )


def _state(database: ActualDatabase) -> str:
    if isinstance(database.is_mounted, Unknown):
        return "unknown"
    state = "mounted" if database.is_mounted else "dismounted"
    recovery = database.is_recovery
    return state if isinstance(recovery, Unknown) or not recovery else f"{state}, recovery"


def _backup(moment: datetime | None | Unknown) -> str:
    if isinstance(moment, Unknown):
        return "unknown"
    return "never" if moment is None else day_text(moment)


def _said(value: str | Unknown) -> str:
    return "unknown" if isinstance(value, Unknown) else shown(value)
