"""Sends what waits in the outbox; a process that runs beside a run, or from a scheduler."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from attrs import frozen

from goexchange.app.notifying import catch_up, outbox_of
from goexchange.app.reporting import report_of
from goexchange.app.templating import own_templates
from goexchange.errors import GoexchangeError, InvalidDocument
from goexchange.model.configuration import Configuration, NotifyChannel
from goexchange.model.desired import NotificationEvent
from goexchange.model.notice import Attachment, Delivery, DeliveryState, Event, Message
from goexchange.notify.delivery import deliver
from goexchange.notify.failure import DeliveryFailed
from goexchange.report.html import render_html
from goexchange.report.message_variables import sample_variables
from goexchange.report.messages import render_message
from goexchange.report.templates import Own
from goexchange.store.outbox import LATE_AFTER, Outbox
from goexchange.store.runs import Runs
from goexchange.transport.secrets import resolve

ATTACHMENT_MAX_BYTES = 8_000_000
_WITH_REPORT = frozenset(
    {NotificationEvent.MAINTENANCE_FINISHED.value, NotificationEvent.MAINTENANCE_FAILED.value}
)
_PAUSE_S = 0.2


@frozen(kw_only=True)
class Flushed:
    """What one pass did: deliveries as they were settled, and what still waits."""

    settled: tuple[Delivery, ...]
    waiting: tuple[Delivery, ...]


def flush(settings: Configuration, *, wait_s: float, tell: Callable[[Delivery], None]) -> Flushed:
    """Send everything that is due; what fails for now is tried again for `wait_s` seconds."""
    catch_up(settings)
    outbox = outbox_of(settings)
    deadline = time.monotonic() + wait_s
    settled: list[Delivery] = []
    while True:
        now = datetime.now(UTC)
        delivery = outbox.claim(now)
        if delivery is not None:
            state, words = _attempt(delivery, settings)
            outbox.settle(delivery, state, words, now=datetime.now(UTC))
            told = _found(outbox, delivery)
            tell(told)
            settled.append(told)
            continue
        due = outbox.next_at(now)
        if due is None or time.monotonic() >= deadline:
            break
        time.sleep(min(_PAUSE_S, max(0.0, (due - now).total_seconds())) or 0.01)
    left = tuple(one for one in outbox.list() if one.state is DeliveryState.WAITING)
    return Flushed(settled=tuple(settled), waiting=left)


def send_sample(channel: NotifyChannel, to: tuple[str, ...], settings: Configuration) -> str:
    """Send one sample message over a channel; words for what became of it.

    Raises: DeliveryFailed, AuthenticationRefused, InvalidDocument.
    """
    now = datetime.now(UTC)
    event = Event(
        id=f"test.{now:%Y%m%dT%H%M%S%f}",
        event=NotificationEvent.MAINTENANCE_STARTING.value,
        audience="operators",
        recipients=to,
        channels=(channel.name,),
        template=None,
        variables=sample_variables({})
        | {"event": "maintenance-starting", "audience": "operators", "commands": []},
        at_utc=now,
        due_at_utc=now,
    )
    message = render_message(event, own_templates(settings), recipients=to)
    from attrs import evolve

    return deliver(evolve(message, subject=f"TEST: {message.subject}"), channel, resolve, at=now)


def _attempt(delivery: Delivery, settings: Configuration) -> tuple[DeliveryState, str]:
    channels = {channel.name: channel for channel in settings.notify_channels}
    channel = channels.get(delivery.channel)
    if channel is None:
        return DeliveryState.WAITING, f"the configuration has no channel '{delivery.channel}' now"
    try:
        message, remark = _message(delivery, settings)
        words = deliver(message, channel, resolve, at=delivery.event.at_utc)
    except DeliveryFailed as error:
        return (DeliveryState.REFUSED if error.is_final else DeliveryState.WAITING), str(error)
    except GoexchangeError as error:  # a secret that cannot be read now
        return DeliveryState.WAITING, str(error)
    return DeliveryState.DELIVERED, f"{words}{remark}"


def _message(delivery: Delivery, settings: Configuration) -> tuple[Message, str]:
    """The message, by our own templates when theirs fail now: it was well when the run began."""
    event = delivery.event
    late = datetime.now(UTC) - event.due_at_utc > LATE_AFTER
    try:
        own = own_templates(settings)
        return _rendered(event, own, settings, is_late=late)
    except InvalidDocument as error:
        from attrs import evolve

        plain = evolve(event, template=None)
        message, remark = _rendered(plain, {}, settings, is_late=late)
        return message, f"{remark}; by our own template: {error}"


def _rendered(
    event: Event, own: Own, settings: Configuration, *, is_late: bool
) -> tuple[Message, str]:
    attachments, remark = _attachments(event, own, settings)
    message = render_message(
        event, own, recipients=event.recipients, is_late=is_late, attachments=attachments
    )
    return message, remark


def _attachments(
    event: Event, own: Own, settings: Configuration
) -> tuple[tuple[Attachment, ...], str]:
    """The report, for operators, where there is one and it is not too big for a mail; else why not.

    Raises: InvalidDocument for a template of the operators that is wrong.
    """
    if event.event not in _WITH_REPORT or event.run is None or event.audience != "operators":
        return (), ""
    try:
        run = Runs(Path(settings.store)).find(event.run)
        report = report_of(run)
    except (GoexchangeError, OSError) as error:  # no report keeps the message back, or those after
        return (), f"; without the report: {error}"
    content = render_html(report, own).encode()
    if len(content) > ATTACHMENT_MAX_BYTES:
        return (), f"; without the report: it has {len(content):,} bytes"
    return (Attachment(name=f"report-{run.id}.html", media_type="text/html", content=content),), ""


def _found(outbox: Outbox, delivery: Delivery) -> Delivery:
    wanted = (delivery.event.id, delivery.channel)
    return next(one for one in outbox.list() if (one.event.id, one.channel) == wanted)
