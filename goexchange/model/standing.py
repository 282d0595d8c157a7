"""How it stands with a store at one moment: what runs, who holds what, what waits for a person."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from attrs import frozen


class Life(Enum):
    """How it stands with the process of a run."""

    ALIVE = "alive"
    MAY_LIVE = "may-live"  # elsewhere: its lease has not expired
    GONE = "gone"
    ENDED = "ended"  # the run has ended; no process is needed


class Trouble(Enum):
    """What a database waits for."""

    DOWN = "down"
    UNPROTECTED = "unprotected"  # in service, without a proved backup of the present file
    UNDECIDED = "undecided"


@frozen(kw_only=True)
class LeaseSeen:
    """A lease that somebody has, or has not given back."""

    name: str
    number: int
    holder: str
    run: str | None
    since_utc: datetime | None
    until_utc: datetime | None
    free_at_utc: datetime | None
    is_held: bool


@frozen(kw_only=True)
class DatabaseInTrouble:
    """A database that a run left in a state that a person has to end."""

    trouble: Trouble
    server: str
    database: str
    run: str
    since_utc: datetime | None
    why: str
    commands: tuple[str, ...]


@frozen(kw_only=True)
class RequestSeen:
    """A request that no process has taken up yet."""

    request: str
    by: str
    at_utc: datetime


@frozen(kw_only=True)
class QuestionSeen:
    """A step whose outcome looking cannot decide."""

    run: str
    step: str
    evidence: str
