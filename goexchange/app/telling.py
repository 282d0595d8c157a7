"""What a scheduler's pass tells people: coming outages, missed starts, databases left bare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from attrs import evolve

from goexchange.app.due import DueItem, Unprotected
from goexchange.app.notifying import announce, commands, entries, outbox_of
from goexchange.app.planning import read_plan
from goexchange.app.sending import flush
from goexchange.codec import digest
from goexchange.errors import GoexchangeError
from goexchange.model.configuration import Configuration
from goexchange.model.desired import DesiredState, Notification, NotificationEvent
from goexchange.model.notice import DeliveryState, Event
from goexchange.model.resource_check import ResourceCheck, Weight
from goexchange.report.events import run_events
from goexchange.report.message_variables import VARIABLES
from goexchange.report.units import minute_text, moment_text, zone_of
from goexchange.store.journal_file import read_journal
from goexchange.store.runs import Runs


def missed_events(
    desired: DesiredState, missed_at: datetime, *, zone: str, now: datetime
) -> Iterator[Event]:
    """A missed start, for those whom the specification names; its id is the same every time."""
    for notice in desired.notifications:
        if notice.event is NotificationEvent.WINDOW_MISSED:
            told = [notice.audience.value, *notice.to, *notice.channels, notice.template or ""]
            place = f"{desired.name}.{missed_at:%Y%m%dT%H%MZ}.{digest(told)[:12]}"
            yield Event(
                id=f"window-missed.{place}",
                event=notice.event.value,
                audience=notice.audience.value,
                recipients=notice.to,
                channels=notice.channels,
                template=notice.template,
                variables=_variables(desired, notice, missed_at, zone),
                at_utc=now,
                due_at_utc=now,
            )


def check_events(
    desired: DesiredState,
    check: ResourceCheck | None,
    verdict: str,
    *,
    item: DueItem,
    now: datetime,
) -> Iterator[Event]:
    """A resource check of the schedule, for those whom the specification names: what is not well,
    by address. One that could not be made is told once, and again when it was.
    """
    assert item.check is not None
    findings = () if check is None else check.findings
    wrong = [each for each in findings if each.weight is not Weight.GOOD]
    end = "failed" if check is None else "made"
    for notice in desired.notifications:
        if notice.event is not NotificationEvent.SCHEDULED_RESOURCE_CHECK:
            continue
        words = _variables(desired, notice, now, item.zone)
        words |= {
            "why": verdict if check is None else "",
            "verdict": verdict,
            "databases": [
                {
                    "address": each.address,
                    "state": each.weight.value,
                    "why": each.text + (f"; {each.remedy}" if each.remedy else ""),
                }
                for each in wrong
            ],
            "commands": [f"goexchange check {item.file}"],
        }
        due = item.check.due_at_utc
        yield Event(
            id=f"resource-check.{desired.name}.{due:%Y%m%dT%H%MZ}.{end}.{notice.audience.value}",
            event=notice.event.value,
            audience=notice.audience.value,
            recipients=notice.to,
            channels=notice.channels,
            template=notice.template,
            variables=words,
            at_utc=now,
            due_at_utc=now,
        )


def reminders(store: Path, bare: Iterable[Unprotected], *, now: datetime) -> Iterator[Event]:
    """What the run told of each database, once more for today."""
    for each in bare:
        run = Runs(store).find(each.run)
        plan = read_plan(str(run.plan_path))
        told = run_events(plan, read_journal(run.journal_path).records, commands(plan))
        for event in told:
            is_it = event.event == NotificationEvent.DATABASE_UNPROTECTED.value
            if is_it and each.address.endswith(f"/{event.variables['database']}"):
                yield evolve(event, id=f"{event.id}.{now:%Y-%m-%d}", at_utc=now, due_at_utc=now)


def tell(
    items: Iterable[DueItem], events: Iterable[Event], settings: Configuration
) -> tuple[str, ...]:
    """Put it all into the outbox, outages of approved plans too, and send what is due.

    Shape: what could not be told, in words; it waits in the outbox, and the next pass tries again.
    Effects: nothing here stops or fails a pass.
    """
    if not settings.notify_channels:
        return ()
    try:
        for item in items:
            if item.plan is not None and item.plan.is_approved:
                announce(read_plan(item.plan.file), settings)
        outbox_of(settings).add(entries(tuple(events), settings))
        flushed = flush(settings, wait_s=0.0, tell=lambda _: None)
    except GoexchangeError as error:
        return (f"not told: {error}",)
    failed = [one for one in flushed.settled if one.state is not DeliveryState.DELIVERED]
    return tuple(f"{one.event.event} over {one.channel}: {one.words}" for one in failed)


def _variables(
    desired: DesiredState, notice: Notification, missed_at: datetime, zone: str
) -> dict[str, Any]:
    """All words of a message; what does not apply is empty."""
    empty = {name: type(example)() for name, (_, example) in VARIABLES.items()}
    local = zone_of(zone)
    return empty | {
        "event": notice.event.value,
        "audience": notice.audience.value,
        "at": moment_text(missed_at, local),
        "specification": desired.name,
        "why": f"nothing was started when it was due, {minute_text(missed_at, local)} {zone}",
        "window_name": desired.schedule.window or "",
        "zone": zone,
        "variables": {each.name: each.value for each in notice.variables},
    }
