"""When a maintenance window is open: occurrences with IANA zones, over midnight and over clock
changes.

A window is open from the first moment at which the zone's clocks have reached `opens` to the first
one after it at which they have reached `closes`; every length is elapsed time between moments.
Openings of two days that touch are one: a window of whole days does not close at its hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from attrs import evolve, frozen

from goexchange.model.configuration import EVERY_WEEK, Weekday, Window
from goexchange.schedule.wall_clock import moment_of

WEEKDAYS = tuple(Weekday)
_DAY = timedelta(days=1)
_DAYS_AHEAD = 15  # a clock change may swallow one occurrence of a weekly window
_DAYS_AHEAD_BY_WEEK = 220  # the fifth weekday of a month is up to three months away
_DAYS_TOLD = 8  # of a window that never closes: its day, and a week
_SEEN_AHEAD = timedelta(days=_DAYS_TOLD - 1)


@frozen(kw_only=True)
class Occurrence:
    """One opening of a window, as moments.

    Shape: `days` is how many openings of a day it joins. One of a window that never closes
    (`is_endless`) begins with its own day and ends a week later than that day would.
    """

    window: str
    zone: str
    opens_at_utc: datetime
    closes_at_utc: datetime
    days: int = 1
    is_endless: bool = False

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
    """Return the first `count` occurrences that have not closed by the moment, one after the
    other.
    """
    return tuple(islice(_apart(window, moment), count))


def occurrences_between(window: Window, begins: datetime, ends: datetime) -> tuple[Occurrence, ...]:
    """Return the occurrences that are open at some moment of the time from `begins` to `ends`."""
    found: list[Occurrence] = []
    for each in _apart(window, begins):
        if each.opens_at_utc >= ends:
            break
        found.append(each)
    return tuple(found)


def never_closes(window: Window) -> bool:
    """Whether it is open around the clock on every day."""
    is_whole_day = window.opens == window.closes
    is_every_day = set(WEEKDAYS) <= set(window.days) and set(EVERY_WEEK) <= set(window.weeks)
    return is_whole_day and is_every_day


def _apart(window: Window, moment: datetime) -> Iterator[Occurrence]:
    """The occurrences without those that begin inside the one before: those of a window that never
    closes do.
    """
    last: Occurrence | None = None
    for each in _occurrences(window, moment):
        if last is None or each.opens_at_utc >= last.closes_at_utc:
            last = each
            yield each


def _occurrences(window: Window, moment: datetime) -> Iterator[Occurrence]:
    """Every occurrence that has not closed by the moment, in order.

    Raises: ValueError when there is none for too long: a window that opens on no day.
    """
    zone = ZoneInfo(window.zone)
    yesterday = moment.astimezone(zone).date() - _DAY
    if never_closes(window):
        yield from _days_of_endless(window, zone, moment, yesterday)
        return
    reach = _DAYS_AHEAD if window.weeks == EVERY_WEEK else _DAYS_AHEAD_BY_WEEK
    day = last = _first_of_joined(window, zone, yesterday)
    joined: Occurrence | None = None
    while (day - last).days <= reach:
        found = _on_day(window, zone, day)
        if joined is not None and found is not None and _touch(joined, found):
            found = _through(joined, found)
        elif joined is not None and moment < joined.closes_at_utc:
            yield joined
        joined, last = found, day if found is not None else last
        day += _DAY
    raise ValueError(f"the window {window.name} opens on no day")


def _days_of_endless(
    window: Window, zone: ZoneInfo, moment: datetime, day: date
) -> Iterator[Occurrence]:
    """The days of a window that never closes, each told for another week."""
    while True:
        found, later = _on_day(window, zone, day), _on_day(window, zone, day + _SEEN_AHEAD)
        if found is not None and moment < found.closes_at_utc:
            whole = found if later is None else evolve(_through(found, later), days=_DAYS_TOLD)
            yield evolve(whole, is_endless=True)
        day += _DAY


def _first_of_joined(window: Window, zone: ZoneInfo, day: date) -> date:
    """The first of the days up to this one whose openings touch."""
    found, before = _on_day(window, zone, day), _on_day(window, zone, day - _DAY)
    while found is not None and before is not None and _touch(before, found):
        day -= _DAY
        found, before = before, _on_day(window, zone, day - _DAY)
    return day


def _touch(one: Occurrence, following: Occurrence) -> bool:
    return following.opens_at_utc <= one.closes_at_utc


def _through(one: Occurrence, last: Occurrence) -> Occurrence:
    return evolve(one, closes_at_utc=last.closes_at_utc, days=one.days + last.days)


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
