"""Host scripts of maintenance mode: the cluster node, and whether a server is itself again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from goexchange.world.files import join
from goexchange.world.hosts import Host
from goexchange.world.refusals import ScriptFailed

if TYPE_CHECKING:
    from goexchange.world.world import World


def cluster_node(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Pause the node, or have it as it was by the record of this run."""
    if host.description.availability_group is None:
        raise ScriptFailed("no-cluster", f"the cluster does not answer: {host.name} has none")
    path = join(arguments["root"], "maintenance", "node.json")
    kept = host.files.read_json(path)
    was = kept["state"] if kept is not None and kept["run"] == arguments["run"] else None
    is_as_wanted = True
    if arguments["wanted"] == "paused":
        if was is None:
            was = host.mode.node
            record = {"run": arguments["run"], "node": arguments["node"], "state": was}
            host.files.write_json(path, record)
        if host.mode.node == "Up":
            host.mode.node = "Paused"
            world.note("node-paused", host=host.name)
        is_as_wanted = host.mode.node == "Paused"
    else:
        if was == "Up" and host.mode.node == "Paused":
            host.mode.node = "Up"
            world.note("node-resumed", host=host.name)
        if was is not None:
            is_as_wanted = host.mode.node == was
            if is_as_wanted:
                host.files.delete(path)
    return {"was": was, "state": host.mode.node, "is_as_wanted": is_as_wanted}


def server_state(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """This start of Windows, and which services run."""
    services = []
    for name in arguments["services"]:
        found = host.services.get(name)
        services.append({"name": name, "state": "Missing" if found is None else found.state})
    return {"boot_id": host.boot_id, "services": services}


def start_services(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Start those that do not run."""
    services = []
    for name in arguments["services"]:
        if name not in host.services:
            raise ScriptFailed("no-service", f"there is no service {name}")
        host.services[name].state = "Running"
        services.append({"name": name, "state": "Running"})
    return {"services": services}
