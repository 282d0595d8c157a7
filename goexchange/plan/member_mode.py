"""Maintenance mode of one member of an availability group: what of it is to be changed, where its
active copies and messages go, and why not.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from goexchange.facts.copies_of import is_lagged
from goexchange.facts.members import Beside, beside, is_on
from goexchange.facts.server_mode import BY_NODE
from goexchange.model.actual import ActualServer
from goexchange.model.copies import ActualCopy, ActualGroup, ailment
from goexchange.model.desired import DesiredState
from goexchange.model.plan import Reason
from goexchange.model.server import (
    BLOCKED,
    CALL_ROUTER,
    DRAINING,
    HUB_TRANSPORT,
    INACTIVE,
    WHOLE_SERVER,
    ServerMode,
)
from goexchange.model.unknown import Unknown
from goexchange.plan.finding import Needed, fact_unknown, not_possible
from goexchange.plan.passive import MEND_COPIES, OBSERVE_MEMBERS

_WANTED = ((HUB_TRANSPORT, DRAINING), (CALL_ROUTER, DRAINING), (WHOLE_SERVER, INACTIVE))

TRANSPORT_STAYS = (
    "its transport is not drained: messages that wait in its queues stay there until it is back"
)


@frozen(kw_only=True)
class ActiveMove:
    """An active copy that goes to another member for the time."""

    database: str
    guid: str
    to: str


@frozen(kw_only=True)
class MemberMode:
    """What brings one member into maintenance mode.

    Shape: `target` takes the messages that wait, None where nothing can hand them over (before
    Exchange 2013); `stays` says in words what is left alone then. `components` are those that
    Maintenance has not taken out already, with the state that they get; `policy` is the activation
    policy that is put back, None where it is Blocked already; `awaited` are the copies on the
    member that have to be well again afterwards; `places` are the servers with a copy of each
    replicated database of the member, `guids` these databases.
    """

    group: str
    target: ActualServer | None
    components: tuple[tuple[str, str], ...]
    policy: str | None
    moves: tuple[ActiveMove, ...]
    awaited: tuple[ActualCopy, ...]
    places: tuple[tuple[str, tuple[str, ...]], ...]
    guids: tuple[str, ...]
    stays: tuple[str, ...] = ()

    @property
    def drains(self) -> bool:
        """Whether its transport is drained by us."""
        return (HUB_TRANSPORT, DRAINING) in self.components


def choose_mode(
    server: ActualServer, seen: Sequence[ActualServer], *, spec: DesiredState
) -> MemberMode | Needed:
    """Return what is to be done, or the refusal with its reason."""
    place = spec.script.place
    found = beside(server, seen)
    if isinstance(found, Unknown):
        return not_possible(
            Reason.COPIES_UNKNOWN,
            f"how the rest of its group stands is unknown: {found.reason}",
            origin=place,
            instead=OBSERVE_MEMBERS,
        )
    if found.ailing:
        return not_possible(
            Reason.COPY_NOT_WELL,
            f"no member goes while its group is not well: {'; '.join(found.ailing)}",
            origin=place,
            instead=MEND_COPIES,
        )
    changes = _changes(server, spec)
    if isinstance(changes, Needed):
        return changes
    components, policy = changes
    has_components = server.generation not in BY_NODE
    target = _target(server, seen, spec) if has_components else None
    moves = _moves(server, found, seen, spec)
    if isinstance(target, Needed):
        return target
    if isinstance(moves, Needed):
        return moves
    assert isinstance(server.group, ActualGroup)
    return MemberMode(
        group=server.group.name,
        target=target,
        components=components,
        policy=policy,
        moves=moves,
        awaited=tuple(_awaited(server, found)),
        places=tuple(
            (name, tuple(each.server for each in copies)) for name, copies in found.copies.items()
        ),
        guids=tuple(sorted(guid for name, guid in _guids(seen).items() if name in found.copies)),
        stays=() if has_components else (TRANSPORT_STAYS, _manager(server, server.group)),
    )


def _manager(server: ActualServer, group: ActualGroup) -> str:
    """Where the role of primary active manager lies, and why it is left there."""
    manager = group.primary_active_manager
    if isinstance(manager, Unknown):
        return f"where the primary active manager of {group.name} is, is unknown: {manager.reason}"
    if manager.partition(".")[0].lower() != server.name.partition(".")[0].lower():
        return f"the primary active manager of {group.name} is {manager}, another member"
    return (
        f"the primary active manager of {group.name} is this server: the role (the core cluster"
        " group) is not moved by hand, the cluster gives it to another member when this one goes"
        " down"
    )


def _changes(
    server: ActualServer, spec: DesiredState
) -> tuple[tuple[tuple[str, str], ...], str | None] | Needed:
    """The components that are taken out, and the activation policy that is put back."""
    mode, place = server.mode, spec.script.place
    if not isinstance(mode, ServerMode):
        reason = mode if isinstance(mode, Unknown) else Unknown("it belongs to no group")
        return fact_unknown("its maintenance mode", reason, origin=place)
    if isinstance(mode.components, Unknown):
        return fact_unknown("the state of its components", mode.components, origin=place)
    if isinstance(mode.activation_policy, Unknown):
        return fact_unknown("its activation policy", mode.activation_policy, origin=place)
    names = {each.component for each in mode.components}
    missing = {HUB_TRANSPORT, WHOLE_SERVER} - names
    if missing and server.generation not in BY_NODE:
        told = Unknown(f"Exchange does not tell of {', '.join(sorted(missing))}")
        return fact_unknown("the state of its components", told, origin=place)
    free = {each.component for each in mode.components if each.is_ours_to_take}
    policy = None if mode.activation_policy == BLOCKED else mode.activation_policy
    return tuple(each for each in _WANTED if each[0] in free), policy


def _target(
    server: ActualServer, seen: Sequence[ActualServer], spec: DesiredState
) -> ActualServer | Needed:
    """The member that takes the messages: of the same version, its transport active."""
    against: list[str] = []
    for each in _members(server, seen):
        why = _against_target(server, each)
        if why is None:
            return each
        against.append(f"{each.name}: {why}")
    return not_possible(
        Reason.BLOCKED_BY_GUARD,
        f"no other member can take its messages: {'; '.join(against) or 'there is none'}",
        origin=spec.script.place,
        instead="bring the transport of another member into service, and plan again",
    )


def _against_target(server: ActualServer, member: ActualServer) -> str | None:
    if member.generation != server.generation or isinstance(member.generation, Unknown):
        return "it has another version of Exchange"
    hub = _hub(member)
    if isinstance(hub, Unknown):
        return f"the state of its transport is unknown: {hub.reason}"
    return None if hub == "Active" else f"its transport is {hub}"


def _hub(member: ActualServer) -> str | Unknown:
    if not isinstance(member.mode, ServerMode):
        return member.mode if isinstance(member.mode, Unknown) else Unknown("it was not told")
    found = member.mode.component(HUB_TRANSPORT)
    if isinstance(found, Unknown):
        return found
    return Unknown("it was not told") if found is None else found.state


def _moves(
    server: ActualServer, found: Beside, seen: Sequence[ActualServer], spec: DesiredState
) -> tuple[ActiveMove, ...] | Needed:
    moves: list[ActiveMove] = []
    guids = _guids(seen)
    for name in found.active_on(server.name):
        others = [each for each in found.copies[name] if not is_on(each, server.name)]
        told = [(each, _against_move(each, seen)) for each in others]
        fit = [each for each, why in told if why is None]
        if not fit or name not in guids:
            why = "; ".join(f"{each.server}: {why}" for each, why in told)
            return not_possible(
                Reason.NO_COPY_TO_LOOK_AT,
                f"no other member can take over {name}: {why or 'its GUID is unknown'}",
                origin=spec.script.place,
                instead=MEND_COPIES,
            )
        best = min(fit, key=lambda each: (_preference(each), each.server))
        moves.append(ActiveMove(database=name, guid=guids[name], to=best.server))
    return tuple(moves)


def _against_move(copy: ActualCopy, seen: Sequence[ActualServer]) -> str | None:
    """Why nothing is activated there, well as the copy is."""
    lag = is_lagged(copy)
    if lag is not False:
        return "it is a lagged copy" if lag is True else "whether it is lagged is unknown"
    if copy.is_activation_suspended is not False:
        return "somebody has suspended its activation"
    member = next((each for each in seen if each.name.lower() == copy.server.lower()), None)
    if member is None or not isinstance(member.mode, ServerMode):
        return "its activation policy is unknown"
    policy = member.mode.activation_policy
    return None if policy in ("Unrestricted", "IntrasiteOnly") else f"its policy is {policy}"


def _preference(copy: ActualCopy) -> int:
    return 0 if isinstance(copy.activation_preference, Unknown) else copy.activation_preference


def _awaited(server: ActualServer, found: Beside) -> list[ActualCopy]:
    """The copies on the member that are well now; one that is not cannot be waited for."""
    mine = [each for copies in found.copies.values() for each in copies]
    mine = [each for each in mine if is_on(each, server.name)]
    return [
        each
        for each in mine
        if each.is_active is True
        or ailment(each) is None
        or (is_lagged(each) is True and each.status == "Healthy")
    ]


def _members(server: ActualServer, seen: Sequence[ActualServer]) -> list[ActualServer]:
    assert isinstance(server.group, ActualGroup) and isinstance(server.group.servers, tuple)
    names = {each.lower() for each in server.group.servers} - {server.name.lower()}
    return sorted(
        (each for each in seen if each.name.lower() in names), key=lambda each: each.name
    )


def _guids(seen: Sequence[ActualServer]) -> dict[str, str]:
    return {
        each.name: each.guid
        for server in seen
        if not isinstance(server.databases, Unknown)
        for each in server.databases
    }
