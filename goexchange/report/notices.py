"""The chapter on notifications: what the run raised, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from goexchange.model.notice import Delivery, Event
from goexchange.model.plan import Plan
from goexchange.model.report import DeliveryLog, NoticeLog
from goexchange.model.run import Record
from goexchange.report.events import outage_events, run_events


def notice_logs(
    plan: Plan, records: Sequence[Record], deliveries: Sequence[Delivery]
) -> tuple[NoticeLog, ...]:
    """Announcements of the outage, then the events of the run, each with its deliveries."""
    of_event: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        of_event.setdefault(delivery.event.id, []).append(delivery)
    announced = [one for one in outage_events(plan) if one.id in of_event]
    return tuple(
        _log(event, of_event.get(event.id, ()))
        for event in (*announced, *run_events(plan, records))
    )


def _log(event: Event, deliveries: Sequence[Delivery]) -> NoticeLog:
    return NoticeLog(
        at_utc=event.at_utc,
        event=event.event,
        audience=event.audience,
        recipients=event.recipients or tuple(deliveries[0].event.recipients if deliveries else ()),
        deliveries=tuple(
            DeliveryLog(
                channel=one.channel,
                state=one.state.value,
                attempts=one.attempts,
                at_utc=one.settled_at_utc,
                text=one.words,
            )
            for one in deliveries
        ),
    )
