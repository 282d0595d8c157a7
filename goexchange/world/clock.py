"""The clock of a world: it comes in from outside."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from attrs import define


class Clock(Protocol):
    """Something that knows the time."""

    def now(self) -> datetime:
        """The time, in UTC."""


@define
class ManualClock:
    """A clock that stands still until it is moved."""

    moment: datetime

    def now(self) -> datetime:
        """The time it was set to."""
        return self.moment

    def move(self, *, seconds: float) -> None:
        """Let time pass."""
        self.moment += timedelta(seconds=seconds)

    def move_to(self, moment: datetime) -> None:
        """Let time pass until a moment; never back."""
        self.moment = max(self.moment, moment)


@define
class EventClock:
    """The clock of everything inside a world: while something that was due earlier happens, it
    shows that earlier time.
    """

    outside: Clock
    happening_at: datetime | None = None

    def now(self) -> datetime:
        """The time of what is happening."""
        return self.outside.now() if self.happening_at is None else self.happening_at
