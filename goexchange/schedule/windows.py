"""When a maintenance window is open: occurrences with IANA zones, over midnight and over clock
changes.

A window is open from the first moment at which the zone's clocks have reached `opens` to the first
one after it at which they have reached `closes`; every length is elapsed time between moments.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from attrs import frozen

from goexchange.model.configuration import EVERY_WEEK, Weekday, Window
from goexchange.schedule.wall_clock import moment_of

WEEKDAYS = tuple(Weekday)
_DAY = timedelta(days=1)
_DAYS_AHEAD = 15  # a clock change may swallow one occurrence of a weekly window
_DAYS_AHEAD_BY_WEEK = 220  # the fifth weekday of a month is up to three months away


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

    def overlaps(self, begins: datetime, ends: datetime) -> bool:
        """Whether it is open at some moment of the time from `begins` to before `ends`."""
        return self.opens_at_utc < ends and begins < self.closes_at_utc

    def left_s(self, moment: datetime) -> int:
        """Elapsed seconds until it closes, negative afterwards; before it opens, its whole
        length.
        """
        start = max(moment, self.opens_at_utc)
        return int((self.closes_at_utc - start).total_seconds())


def occurrence_at(window: Window, moment: datetime) -> Occurrence:
    """Return the occurrence that contains the moment, else the next one after it."""
    return next(_occurrences(window, moment))


def occurrence_after(window: Window, moment: datetime) -> Occurrence:
    """Return the next occurrence that opens after the moment."""
    return next(each for each in _occurrences(window, moment) if moment < each.opens_at_utc)


def occurrences(window: Window, moment: datetime, count: int) -> tuple[Occurrence, ...]:
    """Return the first `count` occurrences that have not closed by the moment."""
    return tuple(islice(_occurrences(window, moment), count))


def occurrences_between(window: Window, begins: datetime, ends: datetime) -> tuple[Occurrence, ...]:
    """Return the occurrences that are open at some moment of the time from `begins` to `ends`."""
    found: list[Occurrence] = []
    for each in _occurrences(window, begins):
        if each.opens_at_utc >= ends:
            break
        found.append(each)
    return tuple(found)


def _occurrences(window: Window, moment: datetime) -> Iterator[Occurrence]:
    """Every occurrence that has not closed by the moment, in order.

    Raises: ValueError when there is none for too long: a window that opens on no day.
    """
    zone = ZoneInfo(window.zone)
    reach = _DAYS_AHEAD if window.weeks == EVERY_WEEK else _DAYS_AHEAD_BY_WEEK
    day = moment.astimezone(zone).date() - _DAY
    last = day
    while (day - last).days <= reach:
        found = _on_day(window, zone, day)
        if found is not None and moment < found.closes_at_utc:
            last = day
            yield found
        day += _DAY
    raise ValueError(f"the window {window.name} opens on no day")


def _on_day(window: Window, zone: ZoneInfo, day: date) -> Occurrence | None:
    if WEEKDAYS[day.weekday()] not in window.days or week_of_month(day) not in window.weeks:
        return None
    opens, closes = window.opens, window.closes
    is_over_midnight = (closes.hour, closes.minute) <= (opens.hour, opens.minute)
    opens_at = moment_of(day, opens, zone)
    closes_at = moment_of(day + _DAY if is_over_midnight else day, closes, zone)
    if closes_at <= opens_at:  # the clock change swallowed the whole window
        return None
    return Occurrence(
        window=window.name, zone=window.zone, opens_at_utc=opens_at, closes_at_utc=closes_at
    )


def week_of_month(day: date) -> int:
    """Which one of its weekday in its month a day is: 1 to 5."""
    return (day.day - 1) // 7 + 1
