"""Notifications: events, messages, and what became of their delivery.

An event is a pure function of plan and journal, so that nothing is lost when the outbox is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from attrs import field, frozen

Json = Any


@frozen(kw_only=True)
class Event:
    """Something that people are told, for one audience.

    Shape: `id` is the same whenever the event is found again; `channels` are names of the
    configuration, empty for those of its urgent notices; `template` is a file of the operators'
    folder, None for ours; `due_at_utc` is when it is to be sent, `expires_at_utc` when it is of no
    use any more; `group` names events of which only the last that is overdue is sent.
    """

    id: str
    event: str
    audience: str
    recipients: tuple[str, ...]
    channels: tuple[str, ...]
    template: str | None
    variables: Mapping[str, Json]
    at_utc: datetime
    due_at_utc: datetime
    expires_at_utc: datetime | None = None
    group: str | None = None
    run: str | None = None
    is_urgent: bool = False


class DeliveryState(Enum):
    """What became of an event on one channel."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    REFUSED = "refused"  # by the other side, for good
    GIVEN_UP = "given-up"  # the other side was never there
    MISSED = "missed"  # nothing ran while it was due


@frozen(kw_only=True)
class Delivery:
    """One event on one channel, as the outbox has it.

    Shape: `words` say what happened last, without any address that could carry a secret;
    `settled_at_utc` is None while it waits.
    """

    event: Event
    channel: str
    state: DeliveryState
    attempts: int
    next_at_utc: datetime
    settled_at_utc: datetime | None
    words: str


@frozen(kw_only=True)
class Attachment:
    """A file that goes with a message."""

    name: str
    media_type: str
    content: bytes


@frozen(kw_only=True)
class Message:
    """An event as it is sent. `document` is what a program reads, `id` the event's."""

    id: str
    subject: str
    text: str
    html: str
    recipients: tuple[str, ...]
    document: Mapping[str, Json]
    attachments: tuple[Attachment, ...] = field(default=())
