"""What the world answers, and which answers each effect may have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from attrs import frozen

from goexchange.driver import effects
from goexchange.errors import GoexchangeError
from goexchange.model.actual import ActualServer
from goexchange.model.run import Record


class Request(Enum):
    """What an operator can ask of a run; the values are words of the journal."""

    PAUSE = "pause"  # no new step, but for those that bring mail back
    PROCEED = "proceed"  # go on after a pause
    STOP = "stop"  # finish the database in hand, start no other
    ABORT = "abort"  # the way back now
    HOLD = "hold"  # of the whole store: start no other database


@frozen(kw_only=True)
class Appended:
    """The records as they stand in the journal, flushed."""

    records: tuple[Record, ...]


@frozen(kw_only=True)
class Answered:
    """The host answered: the `result` of a host script, or the plain form of an Exchange answer."""

    result: Mapping[str, Any]


@frozen(kw_only=True)
class Refused:
    """The host answered with an error of its own; `code` is a word of the contract or the cmdlet's
    error id.
    """

    code: str
    message: str


@frozen(kw_only=True)
class Lost:
    """No answer came: whether the request had an effect is not known."""

    message: str


@frozen(kw_only=True)
class Observed:
    """The server as it is now."""

    server: ActualServer


@frozen(kw_only=True)
class Verified:
    """The verdict of our own verifier: `ok`, and what it found."""

    result: Mapping[str, Any]


@frozen(kw_only=True)
class LeasesHeld:
    """All leases are ours: fencing numbers by server, and when the first of them expires."""

    numbers: Mapping[str, int]
    expires_at: datetime


@frozen(kw_only=True)
class LeasesDenied:
    """At least one lease is not ours; the message says who holds it and until when."""

    message: str


@frozen(kw_only=True)
class LeasesUnreachable:
    """What keeps the leases cannot be asked now: whether they are still ours is not known."""

    message: str


@frozen(kw_only=True)
class Released:
    """The leases were given back."""


@frozen(kw_only=True)
class Woke:
    """The moment came."""


@frozen(kw_only=True)
class Requested:
    """An operator asked; may come while any effect is outstanding and does not answer it.

    Shape: `id` names the request in the store, so that it is taken up once; empty when it has none.
    """

    request: Request
    by: str
    id: str = ""


Event = (
    Appended
    | Answered
    | Refused
    | Lost
    | Observed
    | Verified
    | LeasesHeld
    | LeasesDenied
    | LeasesUnreachable
    | Released
    | Woke
    | Requested
)

LEGAL_EVENTS: Mapping[type, tuple[type, ...]] = {
    effects.Append: (Appended,),
    effects.Send: (Answered, Refused, Lost),
    effects.Observe: (Observed, Refused, Lost),
    effects.VerifySet: (Verified, Refused, Lost, Woke),  # Woke: it is still at it, ask again
    effects.AcquireLeases: (LeasesHeld, LeasesDenied, LeasesUnreachable),
    effects.RenewLeases: (LeasesHeld, LeasesDenied, LeasesUnreachable),
    effects.ReleaseLeases: (Released,),
    effects.WaitUntil: (Woke,),
    effects.Finish: (),
}


class IllegalEvent(GoexchangeError):
    """The performer answered an effect with an event that cannot be its answer; the machine is
    unchanged.
    """

    id = "illegal-event"
