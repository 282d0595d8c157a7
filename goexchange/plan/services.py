"""Services of other products: stopped while a database is down, and put back as they were."""

from __future__ import annotations

from goexchange.model.plan import Action, Reason
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import host_job
from goexchange.plan.context import LaneContext


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
        summary=f"stop {', '.join(names)} and what depends on them, recorded on the host before",
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


def _record(context: LaneContext) -> dict[str, str]:
    return {"root": context.root, "record": context.database.guid}
