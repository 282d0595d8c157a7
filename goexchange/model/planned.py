"""What a plan says beside its steps: others' work, what its estimates rest on, who is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen

from goexchange.model.history import Work


@frozen(kw_only=True)
class PlannedWork:
    """Somebody else's declared work on a server, once; `kind` is a word of the inventory."""

    name: str
    kind: str
    server: str
    begins_at_utc: datetime
    ends_at_utc: datetime


@frozen(kw_only=True)
class PartEstimate:
    """How long one kind of work of one lane takes, and what that rests on."""

    address: str
    work: Work
    size_bytes: int
    p50_s: int
    p90_s: int
    earlier_runs: int
    source: str


@frozen(kw_only=True)
class EstimateSource:
    """What the estimates rest on: how many earlier runs, or the stated default rates."""

    earlier_runs: int
    text: str
    parts: tuple[PartEstimate, ...] = ()


@frozen(kw_only=True)
class PlannedNotice:
    """A notification event with its audience, as one specification asks for it.

    Shape: `channels` are names of the configuration; `before_s` are the lead times of an outage
    notice; `template` is a file of the operators' template folder, None for ours; `variables` are
    words for it.
    """

    event: str
    audience: str
    recipients: tuple[str, ...]
    channels: tuple[str, ...] = ()
    before_s: tuple[int, ...] = ()
    template: str | None = None
    variables: Mapping[str, str] = field(factory=dict)
    specification: str = ""
