"""I9 and I12 of whole servers, on the true state: what maintenance mode takes is put back or
said, and nothing active goes down with a member, nor two members at once.
"""

from __future__ import annotations

from collections.abc import Iterator

from goexchange.driver.invariants import Violation
from goexchange.driver.lane_of_server import is_of_server
from goexchange.model.plan import Action, Lane, Plan, Step
from goexchange.model.run import DatabaseResult, LaneState
from goexchange.model.server import ACTIVE, MAINTENANCE, SERVER_NAME, WHOLE_SERVER
from goexchange.world.copies import status_of
from goexchange.world.databases import MailboxDatabase
from goexchange.world.hosts import Host
from goexchange.world.scripts_records import open_recoveries
from goexchange.world.world import Effect, World

OF_SERVERS = ("component-set", "policy-set", "node-paused")
_WELL = ("Healthy", "Mounted")


def moved_databases(plan: Plan) -> frozenset[str]:
    """The databases whose active copies the plan moves away for a while."""
    return frozenset(
        str(name)
        for lane in plan.body.lanes
        if lane.last_look is not None
        for name in lane.last_look.get("moves", {})
    )


def of_taking(plan: Plan, world: World, effect: Effect, *, run: str) -> Iterator[Violation]:
    """What a step into maintenance mode breaks."""
    host, root = world.hosts[effect.host], plan.body.rules.host_root or ""
    if is_as_it_was(host):
        return
    if not any(each["run"] == run for each in open_recoveries(host, root)):
        why = f"{effect.kind} without an open recovery record"
        yield Violation(invariant="I9", step=effect.host, why=why)
    if not any(each.database == SERVER_NAME for each in host.sentinels.values()):
        why = f"{effect.kind} without a sentinel"
        yield Violation(invariant="I9", step=effect.host, why=why)
    if host.mode.by.get(WHOLE_SERVER, {}).get(MAINTENANCE) == "Inactive":
        yield from _out_of_service(world, host)


def of_going_down(world: World, step: Step) -> Iterator[Violation]:
    """What the start of a command that takes the server down breaks."""
    host = world.hosts[step.server]
    if host.description.availability_group is not None:
        yield from _out_of_service(world, host)


def _out_of_service(world: World, host: Host) -> Iterator[Violation]:
    """I12: nothing replicated is active there, each has a well copy elsewhere, and no other member
    of its group is out of service.
    """
    for database in world.databases.values():
        if host.name not in database.description.copies or len(database.description.copies) < 2:
            continue
        if database.active_server == host.name:
            why = f"{host.name} goes, and {database.name} is active on it"
            yield Violation(invariant="I12", step=database.name, why=why)
        if not any(_is_well(world, database, on) for on in _elsewhere(database, host)):
            why = f"{host.name} goes, and {database.name} has no well copy elsewhere"
            yield Violation(invariant="I12", step=database.name, why=why)
    group = host.description.availability_group
    for other in world.hosts.values():
        is_beside = other is not host and other.description.availability_group == group
        if is_beside and _is_out(other):
            why = f"{host.name} goes, and {other.name} is out of service"
            yield Violation(invariant="I12", step=host.name, why=why)


def _is_out(host: Host) -> bool:
    """Whether it was taken out of service; without component states its cluster node says so."""
    if not host.mode.by:
        return host.mode.node == "Paused" and host.description.node_state != "Paused"
    return host.mode.by[WHOLE_SERVER].get(MAINTENANCE) == "Inactive"


def _elsewhere(database: MailboxDatabase, host: Host) -> Iterator[str]:
    return (each for each in database.description.copies if each != host.name)


def _is_well(world: World, database: MailboxDatabase, on: str) -> bool:
    return status_of(world, database, on) in _WELL


def is_as_it_was(host: Host) -> bool:
    """Whether nothing of maintenance mode is other than at the start of the world."""
    return not list(differing(host))


def differing(host: Host) -> Iterator[str]:
    """What of maintenance mode is other than at the start, in words."""
    described = {
        component: state
        for component, requester, state in host.description.components
        if requester == MAINTENANCE
    }
    for component, said in host.mode.by.items():
        was, now = described.get(component, ACTIVE), said.get(MAINTENANCE, ACTIVE)
        if was != now:
            yield f"{component} is {now}, and was {was}"
    if host.mode.policy != host.description.activation_policy:
        yield f"the activation policy is {host.mode.policy}"
    if host.mode.node != host.description.node_state:
        yield f"the cluster node is {host.mode.node}"


def servers_left(world: World, plan: Plan, told: frozenset[str]) -> Iterator[Violation]:
    """I9: at the end every server of the plan is as it was, or it is `told` that it is not."""
    for lane in plan.body.lanes:
        if not is_of_server(lane) or lane.server in told:
            continue
        host = world.hosts[lane.server]
        for why in differing(host):
            yield Violation(invariant="I9", step=lane.id, why=f"{why}, and nothing says so")


def of_server_at_rest(world: World, lane: Lane, result: DatabaseResult) -> Iterator[Violation]:
    """What must be so of a server whose lane ended well."""
    if result.state is not LaneState.DONE:
        return
    returned = {each.undo_of for each in lane.steps if each.action is Action.RETURN_ACTIVE}
    for step in lane.steps:
        if step.action is not Action.MOVE_ACTIVE or step.id not in returned:
            continue
        name = step.summary.removeprefix("active copy of ").partition(":")[0]
        database = world.database_named(name)
        moved = [
            each
            for each in world.effects
            if each.kind == "activated" and each.database == name and not each.by
        ]
        if database.active_server != lane.server and not moved:
            why = f"its lane is done, and it is active on {database.active_server}"
            yield Violation(invariant="I9", step=name, why=why)
    stopped = [
        each.name
        for each in world.hosts[lane.server].services.values()
        if each.name.startswith("MSExchange")
        and each.start_type == "Automatic"
        and each.state != "Running"
    ]
    if stopped:
        why = f"its lane is done, and {', '.join(stopped)} do not run"
        yield Violation(invariant="I9", step=lane.id, why=why)
