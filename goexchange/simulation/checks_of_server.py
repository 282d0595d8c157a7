"""I9 and I12 of whole servers, on the true state: what maintenance mode takes is put back or
said, and nothing active goes down with a member, nor two members at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from attrs import frozen

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
_MATTERS = ("activated", "component-set", "copy-failed", "copy-suspended", "crash", "reboot")


def moved_databases(plan: Plan) -> frozenset[str]:
    """The databases whose active copies the plan moves away for a while."""
    return frozenset(
        str(name)
        for lane in plan.body.lanes
        if lane.last_look is not None
        for name in lane.last_look.get("moves", {})
    )


@frozen(kw_only=True)
class Sight:
    """Whose run it is, and when it has last looked at a server (None: not yet)."""

    run: str
    user: str
    seen: datetime | None

    def is_news(self, effect: Effect) -> bool:
        """Whether somebody else, or chance, has changed since then how a group stands."""
        if effect.by == self.user or effect.kind not in _MATTERS:
            return False
        return self.seen is not None and effect.at >= self.seen


def of_taking(plan: Plan, world: World, effect: Effect, *, sight: Sight) -> Iterator[Violation]:
    """What a step into maintenance mode breaks."""
    host, root = world.hosts[effect.host], plan.body.rules.host_root or ""
    if is_as_it_was(host):
        return
    if not any(each["run"] == sight.run for each in open_recoveries(host, root)):
        why = f"{effect.kind} without an open recovery record"
        yield Violation(invariant="I9", step=effect.host, why=why)
    if not any(each.database == SERVER_NAME for each in host.sentinels.values()):
        why = f"{effect.kind} without a sentinel"
        yield Violation(invariant="I9", step=effect.host, why=why)
    if (effect.kind, effect.detail) == ("component-set", f"{WHOLE_SERVER}/Inactive"):
        yield from _out_of_service(world, host, sight)


def of_giving_back(
    world: World, effect: Effect, *, user: str, begun: datetime | None
) -> Iterator[Violation]:
    """I8: what somebody else took out of service, seen when the lane began, is not brought back."""
    component, _, state = effect.detail.partition("/")
    if effect.kind != "component-set" or state != ACTIVE:
        return
    before = [each for each in _settings(world, effect.host, component) if each is not effect]
    taken = before[-1] if before else None
    if taken is None or taken.by == user or begun is None or taken.at > begun:
        return
    why = f"{component} is active again, which {taken.by} took out of service"
    yield Violation(invariant="I8", step=effect.host, why=why)


def of_going_down(world: World, step: Step, *, sight: Sight) -> Iterator[Violation]:
    """What the start of a command that takes the server down breaks."""
    host = world.hosts[step.server]
    if host.description.availability_group is not None:
        yield from _out_of_service(world, host, sight)


def _out_of_service(world: World, host: Host, sight: Sight) -> Iterator[Violation]:
    """I12: nothing replicated is active there, each copy elsewhere is well, and no other member
    of its group is out of service; what came after the last look could not be known.
    """
    if any(sight.is_news(each) for each in world.effects):
        return
    for database in world.databases.values():
        if host.name not in database.description.copies or len(database.description.copies) < 2:
            continue
        if database.active_server == host.name:
            why = f"{host.name} goes, and {database.name} is active on it"
            yield Violation(invariant="I12", step=database.name, why=why)
        for on in _elsewhere(database, host):
            if not _is_well(world, database, on):
                why = f"{host.name} goes, and the copy of {database.name} on {on} is not well"
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


def _is_by_others(world: World, host: Host, what: str, user: str) -> bool:
    """Whether somebody else was the last who set it."""
    settings = _settings(world, host.name, what)
    return bool(settings) and settings[-1].by != user


def _settings(world: World, host: str, component: str) -> list[Effect]:
    return [
        each
        for each in world.effects
        if (each.kind, each.host) == ("component-set", host)
        and each.detail.startswith(f"{component}/")
    ]


def differing(host: Host) -> Iterator[tuple[str, str]]:
    """What of maintenance mode is other than at the start, and how in words."""
    described = {
        component: state
        for component, requester, state in host.description.components
        if requester == MAINTENANCE
    }
    for component, said in host.mode.by.items():
        was, now = described.get(component, ACTIVE), said.get(MAINTENANCE, ACTIVE)
        if was != now:
            yield component, f"{component} is {now}, and was {was}"
    if host.mode.policy != host.description.activation_policy:
        yield "policy", f"the activation policy is {host.mode.policy}"
    if host.mode.node != host.description.node_state:
        yield "node", f"the cluster node is {host.mode.node}"


def servers_left(
    world: World, plan: Plan, told: frozenset[str], *, user: str
) -> Iterator[Violation]:
    """I9: at the end every server of the plan is as it was, or it is `told` that it is not; what
    another hand than `user`'s has set last is its own.
    """
    for lane in plan.body.lanes:
        if not is_of_server(lane) or lane.server in told:
            continue
        host = world.hosts[lane.server]
        for what, why in differing(host):
            if _is_by_others(world, host, what, user):
                continue
            yield Violation(invariant="I9", step=lane.id, why=f"{why}, and nothing says so")


def _stopped_later(world: World, host: str, started: datetime | None) -> frozenset[str]:
    """The services that somebody else has stopped since they were last to be started."""
    return frozenset(
        each.detail
        for each in world.effects
        if (each.host, each.kind) == (host, "service-stopped")
        and started is not None
        and each.at >= started
    )


def of_server_at_rest(
    world: World, lane: Lane, result: DatabaseResult, *, started: datetime | None
) -> Iterator[Violation]:
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
        if each.name not in _stopped_later(world, lane.server, started)
        and each.name.startswith("MSExchange")
        and each.start_type == "Automatic"
        and each.state != "Running"
    ]
    if stopped:
        why = f"its lane is done, and {', '.join(stopped)} do not run"
        yield Violation(invariant="I9", step=lane.id, why=why)
