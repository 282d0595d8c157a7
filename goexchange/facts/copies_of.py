"""How all copies of one database stand, put together from what the members of its group told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from goexchange.model.actual import ActualDatabase, ActualServer
from goexchange.model.copies import HEALTHY, MOUNTED, ActualCopy, ActualGroup, ailment
from goexchange.model.unknown import Unknown


@frozen(kw_only=True)
class CopiesOf:
    """Every copy of a database, in order of the servers' names.

    Shape: `ailing` says in words what is not well, of the copies and of their group; nothing may be
    suspended while something does.
    """

    copies: tuple[ActualCopy, ...]
    ailing: tuple[str, ...]

    @property
    def passive(self) -> tuple[ActualCopy, ...]:
        """All but the active one."""
        return tuple(each for each in self.copies if each.is_active is False)


def copies_of(
    database: ActualDatabase, server: ActualServer, others: Sequence[ActualServer]
) -> CopiesOf | Unknown:
    """Every copy of the database: as its own server told, else as the member that holds it did.

    Unknown: when the group, one of its members or one of the copies is.
    """
    for fact in (database.copies, server.group, server.copies):
        if isinstance(fact, Unknown):
            return fact
    if server.group is None or isinstance(server.group, Unknown):
        return Unknown(f"{server.name} says that it belongs to no availability group")
    found: list[ActualCopy] = []
    for name in sorted(database.copies if isinstance(database.copies, tuple) else ()):
        copy = _told_by(server, database.name, name)
        for other in others:
            if isinstance(copy, Unknown) and other.name.lower() == name.lower():
                copy = _told_by(other, database.name, name)
        if isinstance(copy, Unknown):
            return copy
        found.append(copy)
    members = _group_ailing(server.group)
    if isinstance(members, Unknown):
        return members
    ailing = [*members, *(_said(each) for each in found if _wrong(each) is not None)]
    active = [each.server for each in found if each.is_active is True]
    if [each.lower() for each in active] != [server.name.lower()]:
        ailing.append(f"its active copy is on {', '.join(active) or 'no server'}")
    return CopiesOf(copies=tuple(found), ailing=tuple(ailing))


def is_lagged(copy: ActualCopy) -> bool | Unknown:
    """Whether logs are replayed into the copy only after a while, on purpose."""
    return copy.replay_lag_s if isinstance(copy.replay_lag_s, Unknown) else copy.replay_lag_s > 0


def _told_by(server: ActualServer, database: str, on: str) -> ActualCopy | Unknown:
    if isinstance(server.copies, Unknown):
        return server.copies
    wanted = (database.lower(), on.lower())
    for each in server.copies:
        if (each.database.lower(), each.server.lower()) == wanted:
            return each
    return Unknown(f"how the copy on {on} stands was not observed")


def _wrong(copy: ActualCopy) -> str | None:
    """What is wrong with a copy; the queue of a lagged one is long on purpose."""
    if copy.is_active is True:
        return None if copy.status == MOUNTED else f"it is {copy.status}, the active one"
    if is_lagged(copy) is True and copy.status == HEALTHY:
        return None
    return ailment(copy)


def _said(copy: ActualCopy) -> str:
    return f"the copy on {copy.server}: {_wrong(copy)}"


def _group_ailing(group: ActualGroup) -> tuple[str, ...] | Unknown:
    for fact in (group.servers, group.operational, group.in_maintenance):
        if isinstance(fact, Unknown):
            return fact
    return tuple(_members_ailing(group))


def _members_ailing(group: ActualGroup) -> Iterator[str]:
    assert isinstance(group.servers, tuple) and isinstance(group.operational, tuple)
    up = {each.lower() for each in group.operational}
    down = [each for each in group.servers if each.lower() not in up]
    if down:
        yield f"{', '.join(down)} of {group.name} is not operational"
    if group.in_maintenance:
        assert isinstance(group.in_maintenance, tuple)
        yield f"{', '.join(group.in_maintenance)} of {group.name} is in maintenance"
