"""When a maintenance window is open: occurrences with IANA zones, over midnight and over clock
changes.

Wall-clock times are turned into moments once, at each end; every length is elapsed time between
moments.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from attrs import frozen

from goexchange.model.configuration import TimeOfDay, Weekday, Window

_WEEKDAYS = tuple(Weekday)
_DAYS_AHEAD = 15  # a clock change may swallow one occurrence of a weekly window


@frozen(kw_only=True)
class Occurrence:
    """One opening of a window, as moments."""

    window: str
    zone: str
    opens_at_utc: datetime
    closes_at_utc: datetime

    @property
    def length_s(self) -> int:
        """Elapsed seconds between opening and closing; a clock change inside makes it shorter or
        longer.
        """
        return int((self.closes_at_utc - self.opens_at_utc).total_seconds())

    def contains(self, moment: datetime) -> bool:
        """Whether the window is open then; the closing moment itself is outside."""
        return self.opens_at_utc <= moment < self.closes_at_utc

    def left_s(self, moment: datetime) -> int:
        """Elapsed seconds until it closes, negative afterwards; before it opens, its whole
        length.
        """
        start = max(moment, self.opens_at_utc)
        return int((self.closes_at_utc - start).total_seconds())


def occurrence_at(window: Window, moment: datetime) -> Occurrence:
    """Return the occurrence that contains the moment, else the next one after it."""
    zone = ZoneInfo(window.zone)
    today = moment.astimezone(zone).date()
    for offset in range(-1, _DAYS_AHEAD):
        found = _on_day(window, zone, today + timedelta(days=offset))
        if found is not None and moment < found.closes_at_utc:
            return found
    raise ValueError(f"the window {window.name} opens on no day")


def occurrence_after(window: Window, moment: datetime) -> Occurrence:
    """Return the next occurrence that opens after the moment."""
    zone = ZoneInfo(window.zone)
    today = moment.astimezone(zone).date()
    for offset in range(-1, _DAYS_AHEAD):
        found = _on_day(window, zone, today + timedelta(days=offset))
        if found is not None and moment < found.opens_at_utc:
            return found
    raise ValueError(f"the window {window.name} opens on no day")


def _on_day(window: Window, zone: ZoneInfo, day: date) -> Occurrence | None:
    if _WEEKDAYS[day.weekday()] not in window.days:
        return None
    opens, closes = window.opens, window.closes
    is_over_midnight = (closes.hour, closes.minute) <= (opens.hour, opens.minute)
    opens_at = _moment(day, opens, zone)
    closes_at = _moment(day + timedelta(days=1) if is_over_midnight else day, closes, zone)
    if closes_at <= opens_at:  # the clock change swallowed the whole window
        return None
    return Occurrence(
        window=window.name, zone=window.zone, opens_at_utc=opens_at, closes_at_utc=closes_at
    )


def _moment(day: date, at: TimeOfDay, zone: ZoneInfo) -> datetime:
    """The moment of a wall-clock time.

    Shape: a time that exists twice is its first moment; one that the clock jumps over is read with
    the offset in force before the jump (PEP 495, fold 0), so 02:30 becomes 03:30.
    """
    return datetime(day.year, day.month, day.day, at.hour, at.minute, tzinfo=zone).astimezone(UTC)
