"""How the rest of an availability group stands when one of its members goes: what is told of the
other members, and of every copy that does not lie on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from goexchange.facts.copies_of import is_lagged
from goexchange.model.actual import ActualServer
from goexchange.model.copies import HEALTHY, MOUNTED, ActualCopy, ActualGroup, ailment
from goexchange.model.unknown import Unknown


@frozen(kw_only=True)
class Beside:
    """The replicated databases with a copy on one member: every copy of each, by its name.

    Shape: `ailing` says in words what is not well beside that member; it may not go while anything
    is.
    """

    copies: Mapping[str, tuple[ActualCopy, ...]]
    ailing: tuple[str, ...]

    def active_on(self, server: str) -> tuple[str, ...]:
        """The databases whose active copy a server holds."""
        return tuple(
            name
            for name, copies in self.copies.items()
            if any(is_on(each, server) and each.is_active is True for each in copies)
        )


def is_on(copy: ActualCopy, server: str) -> bool:
    """Whether a copy lies on a server."""
    return copy.server.lower() == server.lower()


def beside(
    server: ActualServer,
    seen: Sequence[ActualServer],
    *,
    expected: Mapping[str, Sequence[str]] | None = None,
) -> Beside | Unknown:
    """How everything beside a member stands; `expected` are the servers with a copy of each
    database, where that was found out before.

    Unknown: when the group, another member or one of the copies is.
    """
    group = server.group
    if group is None:
        return Unknown(f"{server.name} belongs to no availability group")
    for fact in (group, server.copies):
        if isinstance(fact, Unknown):
            return fact
    assert isinstance(group, ActualGroup) and isinstance(server.copies, tuple)
    told = [server, *(each for each in seen if each.name != server.name)]
    if expected is None:
        places = _places(server, group, told)
        if isinstance(places, Unknown):
            return places
        expected = places
    copies: dict[str, tuple[ActualCopy, ...]] = {}
    for name in sorted(expected):
        rows = [_told_of(name, on, told) for on in sorted(expected[name])]
        unknown = next((each for each in rows if isinstance(each, Unknown)), None)
        if unknown is not None:
            return unknown
        copies[name] = tuple(each for each in rows if isinstance(each, ActualCopy))
    members = _members(server, group)
    if isinstance(members, Unknown):
        return members
    ailing = [*members, *(text for name in copies for text in _copies(server, copies[name]))]
    return Beside(copies=copies, ailing=tuple(ailing))


def _places(
    server: ActualServer, group: ActualGroup, told: Sequence[ActualServer]
) -> dict[str, tuple[str, ...]] | Unknown:
    """The servers with a copy of each replicated database that has one here, by what every member
    tells of itself.
    """
    if isinstance(group.servers, Unknown):
        return group.servers
    found: dict[str, set[str]] = {}
    for name in group.servers:
        member = next((each for each in told if each.name.lower() == name.lower()), None)
        if member is None:
            return Unknown(f"{name} of {group.name} was not observed")
        if isinstance(member.copies, Unknown):
            return Unknown(f"the copies on {name}: {member.copies.reason}")
        for copy in member.copies:
            if is_on(copy, name):
                found.setdefault(copy.database, set()).add(copy.server)
    here = server.name.lower()
    return {
        name: tuple(sorted(servers))
        for name, servers in found.items()
        if len(servers) > 1 and here in {each.lower() for each in servers}
    }


def _told_of(
    database: str, on: str, told: Sequence[ActualServer]
) -> ActualCopy | Unknown:
    """The copy as the member itself tells of it that goes, else as another one does."""
    for server in told:
        for copy in server.copies if isinstance(server.copies, tuple) else ():
            if copy.database.lower() == database.lower() and is_on(copy, on):
                return copy
    return Unknown(f"how the copy of {database} on {on} stands was not observed")


def _members(server: ActualServer, group: ActualGroup) -> tuple[str, ...] | Unknown:
    for fact in (group.servers, group.operational, group.in_maintenance):
        if isinstance(fact, Unknown):
            return fact
    assert isinstance(group.servers, tuple) and isinstance(group.operational, tuple)
    assert isinstance(group.in_maintenance, tuple)
    up = {each.lower() for each in group.operational}
    others = [each for each in group.servers if each.lower() != server.name.lower()]
    down = [each for each in others if each.lower() not in up]
    away = [each for each in group.in_maintenance if each.lower() != server.name.lower()]
    ailing = [f"{', '.join(down)} of {group.name} is not operational"] if down else []
    ailing += [f"{', '.join(away)} of {group.name} is in maintenance"] if away else []
    return tuple(ailing)


def _copies(server: ActualServer, copies: Sequence[ActualCopy]) -> Iterator[str]:
    """What is not well of one database beside the member that goes."""
    name = copies[0].database
    active = [each for each in copies if each.is_active is True]
    if [each.status for each in active] != [MOUNTED]:
        where = ", ".join(f"{each.server}: {each.status}" for each in active) or "no server"
        yield f"{name} is not mounted on one member: {where}"
    for each in copies:
        if is_on(each, server.name) or each.is_active is True:
            continue
        if is_lagged(each) is True and each.status == HEALTHY:
            continue
        why = ailment(each)
        if why is not None:
            yield f"the copy of {name} on {each.server}: {why}"
