"""A pilot before Exchange 2010: its database lies in a storage group of its own, for which the
edition must have room. Nobody's logs are in it, and it goes when its database has gone.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from goexchange.errors import NotNow
from goexchange.model.actual import ActualServer, Generation, StorageGroup
from goexchange.model.plan import Action, Probe, Reason
from goexchange.model.unknown import Unknown
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import equals
from goexchange.plan.clusters import refuse_other_work
from goexchange.powershell import cmdlets_scratch
from goexchange.powershell.seam import is_carried

STANDARD, ENTERPRISE = "Standard", "Enterprise"


@frozen(kw_only=True)
class Room:
    """How many storage groups, those for recovery not counted, and how many databases an edition
    has room for.
    """

    groups: int
    databases: int


# Source: the vendor's table of editions for Exchange 2007; for Exchange 2003 Standard one group
# with one mailbox store and one public folder store, Enterprise four groups of five stores.
ROOM: Mapping[Generation, Mapping[str, Room]] = {
    Generation.EXCHANGE_2007: {
        STANDARD: Room(groups=5, databases=5),
        ENTERPRISE: Room(groups=50, databases=50),
    },
    Generation.EXCHANGE_2003: {
        STANDARD: Room(groups=1, databases=2),
        ENTERPRISE: Room(groups=4, databases=20),
    },
}


def has_groups(server: ActualServer) -> bool:
    """Whether databases of that version lie in storage groups."""
    return not isinstance(server.generation, Unknown) and is_carried(server.generation)


def group_of(server: ActualServer, name: str) -> StorageGroup | None:
    """The storage group of that name, as it was seen.

    Raises: NotNow when the storage groups are not known.
    """
    wanted = name.casefold()
    return next((each for each in _groups(server) if each.name.casefold() == wanted), None)


def refuse_without_room(server: ActualServer, name: str) -> None:
    """Whatever makes a group of its own impossible there.

    Raises: NotNow with the reason; nothing was changed.
    """
    refuse_other_work(
        server,
        "a new database has to lie on a disk of the cluster's own, or is replicated at once: pilot"
        " a server of the same build that stands alone; its result counts here too",
    )
    if group_of(server, name) is not None:
        raise NotNow(f"{server.name} has a storage group {name} already")
    assert not isinstance(server.generation, Unknown)  # it would have no groups
    rooms = ROOM[server.generation]
    groups = len([each for each in _groups(server) if each.is_recovery is not True])
    databases = _databases(server)
    edition = _edition(server, Room(groups=groups, databases=databases))
    room = rooms[edition or STANDARD]
    product = f"Exchange {server.generation.value} {edition or STANDARD}"
    unsure = "" if edition else "; whether it is Enterprise, which has room for more, is not known"
    for used, limit, what in (
        (groups, room.groups, "storage group"),
        (databases, room.databases, "database"),
    ):
        if used >= limit:
            raise NotNow(
                f"{server.name} has {used} {what}{'s' * (used != 1)}, and {product} has room for"
                f" {limit}{unsure}: a pilot needs one more for its own. Pilot another server of"
                " the same build; its result counts here too"
            )


def where_to_pilot(server: ActualServer) -> str:
    """What proves the server's build: a pilot of it, or of another one where none is possible."""
    if has_groups(server):
        try:
            refuse_without_room(server, "")
        except NotNow:
            return "goexchange pilot, of another server of the same build: none is possible here"
    return f"goexchange pilot {server.name}"


def add_group(lane: LaneBuilder, server: str, *, name: str, log_folder: str) -> None:
    """Make the storage group of the scratch database."""
    lane.add(
        Action.NEW_SCRATCH_GROUP,
        cmdlets_scratch.new_group(name, server, log_folder=log_folder),
        summary=f"storage group {name}, empty: its logs are the scratch database's alone",
        reason=Reason.ASKED_FOR,
        undo="removed with the pilot",
        probe=_probe(server, is_there=True),
        estimate_s=10,
    )


def add_removal_of_group(lane: LaneBuilder, server: str, *, name: str) -> None:
    """Remove the storage group; Exchange refuses one that holds a database."""
    lane.add(
        Action.REMOVE_SCRATCH_GROUP,
        cmdlets_scratch.remove_group(name, server),
        summary=f"remove the empty storage group {name}; its logs go with the folder",
        reason=Reason.ASKED_FOR,
        probe=_probe(server, is_there=False),
        estimate_s=10,
    )


def _probe(server: str, *, is_there: bool) -> Probe:
    one, none = equals("named.count", 1), equals("named.count", 0)
    return Probe(
        call=cmdlets_scratch.get_groups(server),
        done=one if is_there else none,
        not_done=none if is_there else one,
    )


def _groups(server: ActualServer) -> tuple[StorageGroup, ...]:
    found = server.storage_groups
    if isinstance(found, Unknown):
        raise NotNow(f"the storage groups of {server.name} are not known: {found.reason}")
    return found


def _databases(server: ActualServer) -> int:
    """All of them, those with public folders and those for recovery too."""
    for each in (server.databases, server.public_stores):
        if isinstance(each, Unknown):
            raise NotNow(f"which databases {server.name} holds is not known: {each.reason}")
    assert not isinstance(server.databases, Unknown)
    assert not isinstance(server.public_stores, Unknown)
    return len(server.databases) + len(server.public_stores)


def _edition(server: ActualServer, used: Room) -> str | None:
    """Standard or Enterprise: as Exchange says, or because Standard has no room for what is there.
    None where neither tells.
    """
    told = "" if isinstance(server.edition, Unknown) else server.edition
    for edition in (STANDARD, ENTERPRISE):
        if told.startswith(edition):  # the word of a trial goes on
            return edition
    assert not isinstance(server.generation, Unknown)
    least = ROOM[server.generation][STANDARD]
    is_larger = used.groups > least.groups or used.databases > least.databases
    return ENTERPRISE if is_larger else None
