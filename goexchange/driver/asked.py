"""Which databases an observation of a server asks about: those of its lanes, by their GUIDs."""

from __future__ import annotations

from goexchange.model.plan import Lane, Plan
from goexchange.model.server import NO_DATABASES


def databases_of(lane: Lane) -> tuple[str, ...]:
    """The databases that an observation for the lane asks about.

    Shape: what is no database is never asked for; the lane of a server names those that are in its
    last look.
    """
    if lane.database_guid is None:
        return ()
    if lane.database_guid not in NO_DATABASES:
        return (lane.database_guid,)
    look = lane.last_look
    return () if look is None else tuple(str(guid) for guid in look["databases"])


def databases_on(plan: Plan, server: str) -> tuple[str, ...]:
    """The same for every lane of a server, each database once."""
    found = [
        guid for lane in plan.body.lanes if lane.server == server for guid in databases_of(lane)
    ]
    return tuple(dict.fromkeys(found))
