"""Services of other products: stopped while a database is down, and put back as they were."""

from __future__ import annotations

from goexchange.model.actual import ActualHost
from goexchange.model.desired import DesiredState
from goexchange.model.plan import Action, Need, Reason
from goexchange.model.unknown import Unknown
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import host_job
from goexchange.plan.context import LaneContext
from goexchange.plan.finding import Needed, not_possible


def refuse_missing_services(host: ActualHost, spec: DesiredState, needed: Needed) -> Needed | None:
    """The same for a database, where services are stopped only while it is down: a database that
    only wants mounting is mounted.
    """
    if needed.need is Need.MOUNT or not needed.treatment.is_offline:
        return None
    return missing_service(host, spec)


def missing_service(host: ActualHost, spec: DesiredState) -> Needed | None:
    """A service that is to be stopped and is not there, most often a slip of the pen; where nobody
    looked, or the host could not say, it is found when it is stopped, before the outage.
    """
    if isinstance(host.asked_services, Unknown):
        return None
    wanted = {each.lower() for each in spec.services_stopped}
    for asked in host.asked_services:
        if asked.service is None and asked.name.lower() in wanted:
            instead = f"did you mean {' or '.join(asked.near)}? " if asked.near else ""
            return not_possible(
                Reason.BLOCKED_BY_GUARD,
                f"{host.name} has no service {asked.name}, which is to be stopped",
                origin=spec.services_place,
                instead=f"{instead}change `services.stop_while_down`",
            )
    return None


def add_stop_services(lane: LaneBuilder, context: LaneContext) -> str | None:
    """Stop what the specification names; the host writes down what there was before it touches
    anything. The step's id, None where nothing is named.
    """
    names = context.spec.services_stopped
    if not names:
        return None
    return lane.add(
        Action.STOP_SERVICES,
        host_job("stop-services", {**_record(context), "services": list(names)}),
        summary=f"stop {', '.join(_as_seen(each, context.host) for each in names)} and what"
        " depends on them, recorded on the host before",
        reason=Reason.ASKED_FOR,
        undo="each service as it was",
        estimate_s=30,
        origin=context.spec.services_place,
    )


def add_restore_services(lane: LaneBuilder, context: LaneContext, *, stopped: str | None) -> None:
    """Start again what ran, in the opposite order, whatever happened in between."""
    if stopped is None:
        return
    lane.add(
        Action.RESTORE_SERVICES,
        host_job("restore-services", _record(context)),
        summary=f"{', '.join(context.spec.services_stopped)} as they were, by the host's record",
        reason=Reason.ASKED_FOR,
        undo_of=stopped,
        attempts_max=3,
        estimate_s=30,
        origin=context.spec.services_place,
    )


def _as_seen(name: str, host: ActualHost) -> str:
    """A service with what was seen of it."""
    asked = () if isinstance(host.asked_services, Unknown) else host.asked_services
    seen = next((each.service for each in asked if each.name == name), None)
    return name if seen is None else f"{name} ({seen.state}, {seen.start_type})"


def _record(context: LaneContext) -> dict[str, str]:
    return {"root": context.root, "record": context.database.guid}
