"""What must still hold when the plan is applied: predicates with the values seen, never the values
themselves.

A little movement of a size does not void a plan; another file, server or number of copies does.
"""

from __future__ import annotations

from typing import Any

from goexchange.facts.catalogue import FACTS, Subject, white_space_ratio
from goexchange.model.actual import ActualDatabase, ActualMta, ActualServer
from goexchange.model.plan import FactClass, Need, Operator, Premise, Reason
from goexchange.model.unknown import Unknown, known
from goexchange.plan.context import LaneContext


def premises_of_server(server: ActualServer) -> tuple[Premise, ...]:
    """Premises about a server that hosts a lane: its product, and the very build of product and
    tool.
    """
    found = [_equal(server.name, "server.generation", known(server.generation).value)]
    for fact in ("exsetup_version", "eseutil_version"):
        value = getattr(known(server.host), fact)
        if not isinstance(value, Unknown):
            found.append(_equal(server.name, f"host.{fact}", value))
    if server.cluster is not None:  # records, jobs and fence lie on the node that was seen
        found.append(_equal(server.name, "host.name", known(server.host).name))
    return tuple(found)


def premises_of_mta(server: ActualServer) -> tuple[Premise, ...]:
    """Premises about a message transfer agent: its product, its build, and where everything is."""
    assert isinstance(server.mta, ActualMta)
    name, mta = server.name, server.mta
    state = mta.service.state
    return (
        _equal(name, "server.generation", known(server.generation).value),
        _equal(name, "server.build", known(server.build)),
        _equal(name, "server.mta_tool", known(mta.tool)),
        _equal(name, "server.mta_data_folder", known(mta.data_folder)),
        _equal(name, "server.mta_state", state, fact_class=FactClass.HEALTH),
    )


def premises_of_server_work(server: ActualServer, *, is_member: bool) -> tuple[Premise, ...]:
    """Premises about a server that is taken down: what it is, and what is put back afterwards."""
    name = server.name
    found = [
        _equal(name, "server.generation", known(server.generation).value),
        _equal(name, "server.availability_group", known(server.availability_group)),
    ]
    if is_member:
        health = FactClass.HEALTH
        for fact in ("activation_policy", "set_by_maintenance", "active_replicated"):
            value = FACTS[f"server.{fact}"].read(Subject(server=server))
            seen = list(value) if isinstance(value, tuple) else value
            found.append(_equal(name, f"server.{fact}", seen, fact_class=health))
    return tuple(found)


def premises_of_lane(context: LaneContext) -> tuple[Premise, ...]:
    """Premises about the database of a lane."""
    address, database = context.lane_id, context.database
    found = [
        _equal(address, "database.guid", database.guid),
        _equal(address, "database.server", database.server),
        _equal(address, "database.edb_path", database.edb_path),
        _equal(address, "database.log_folder", database.log_folder),
        _equal(address, "database.copies_count", len(known(database.copies))),
        _equal(address, "database.is_recovery", False),
    ]
    if context.needed.need is not Need.MOUNT:
        found.append(_equal(address, "database.is_mounted", True, fact_class=FactClass.HEALTH))
    maximum = context.spec.conditions.white_space_max
    is_asked_for = Reason.ASKED_FOR in context.needed.reasons  # a pilot's own, whatever it gains
    if context.needed.need is Need.REBUILD and maximum is not None and not is_asked_for:
        found.append(_white_space(address, database, maximum))
    return tuple(found)


def is_dismounted(context: LaneContext) -> Premise:
    """The premise of mounting: void where somebody else has mounted it meanwhile, which is fine."""
    return _equal(context.lane_id, "database.is_mounted", False, fact_class=FactClass.HEALTH)


def _white_space(address: str, database: ActualDatabase, maximum: float) -> Premise:
    ratio = white_space_ratio(database)
    return Premise(
        address=address,
        fact="database.white_space_ratio",
        operator=Operator.GREATER,
        value=maximum,
        seen=None if isinstance(ratio, Unknown) else round(ratio, 4),
        fact_class=FactClass.HEALTH,
    )


def _equal(
    address: str, fact: str, value: Any, *, fact_class: FactClass = FactClass.IDENTITY
) -> Premise:
    return Premise(
        address=address,
        fact=fact,
        operator=Operator.EQUAL,
        value=value,
        seen=value,
        fact_class=fact_class,
    )
