"""A second opinion on windows: reads the clock of a zone minute by minute and looks when it has
reached a time. It shares nothing with the code under test but the zone data.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

from attrs import frozen

EPOCH = datetime(1, 1, 1, tzinfo=UTC)
MINUTES_A_DAY = 1440
FIRST_YEAR, LAST_YEAR = 2020, 2037
LOOK_EVERY = timedelta(hours=12)
MARGIN_DAYS = 2
EDGE = timedelta(hours=26)  # longer than the opening of any day


@frozen
class Rule:
    """A window as figures: minutes of the day, weekdays (Monday is 0), weeks of the month."""

    opens: int
    closes: int
    days: frozenset[int]
    weeks: frozenset[int]


@frozen
class Span:
    """A stretch of time: its first moment, and what the clock has reached by each minute of it."""

    begins: datetime
    reached: tuple[int, ...]

    @property
    def ends(self) -> datetime:
        """The moment after its last minute."""
        return self.begins + timedelta(minutes=len(self.reached))


@lru_cache(maxsize=512)
def changes(zone: str) -> tuple[datetime, ...]:
    """The first minute after each change of the zone's clocks."""
    info = ZoneInfo(zone)
    found = []
    moment = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
    offset = _offset(info, moment)
    while moment.year <= LAST_YEAR:
        moment += LOOK_EVERY
        if (now := _offset(info, moment)) != offset:
            minute = moment - LOOK_EVERY
            while _offset(info, minute) == offset:
                minute += timedelta(minutes=1)
            found.append(minute)
            offset = now
    return tuple(found)


def kind_of(zone: str) -> tuple[tuple[datetime, timedelta], ...]:
    """The changes with the offsets after them: zones of one kind have the same clocks."""
    info = ZoneInfo(zone)
    return tuple((each, _offset(info, each)) for each in changes(zone))


@lru_cache(maxsize=64)
def span_around(zone: str, change: datetime) -> Span:
    """The days around a change, read minute by minute."""
    info = ZoneInfo(zone)
    begins = change - timedelta(days=MARGIN_DAYS)
    walls = (
        (begins + timedelta(minutes=minute)).astimezone(info).replace(tzinfo=UTC)
        for minute in range(2 * MARGIN_DAYS * MINUTES_A_DAY)
    )
    shown = ((wall - EPOCH) // timedelta(minutes=1) for wall in walls)
    return Span(begins, tuple(accumulate(shown, max)))  # what was reached stays reached


def openings(span: Span, rule: Rule) -> Iterator[tuple[datetime, datetime]]:
    """The openings that begin and end inside the span."""
    for day in range(span.reached[0] // MINUTES_A_DAY, span.reached[-1] // MINUTES_A_DAY + 1):
        if not _counts(rule, day):
            continue
        last = day if rule.closes > rule.opens else day + 1
        opens = bisect_left(span.reached, day * MINUTES_A_DAY + rule.opens)
        closes = bisect_left(span.reached, last * MINUTES_A_DAY + rule.closes)
        if 0 < opens < closes < len(span.reached):
            yield (
                span.begins + timedelta(minutes=opens),
                span.begins + timedelta(minutes=closes),
            )


def inner(span: Span) -> tuple[datetime, datetime]:
    """The part of the span in which every opening that is open there is known to `openings`."""
    return span.begins + EDGE, span.ends - EDGE


def open_in(
    span: Span, found: Iterable[tuple[datetime, datetime]]
) -> list[tuple[datetime, datetime]]:
    """The openings, as far as they lie in the inner part of the span."""
    begins, ends = inner(span)
    cut = [(max(opens, begins), min(closes, ends)) for opens, closes in found]
    return [(opens, closes) for opens, closes in cut if opens < closes]


def joined_openings(span: Span, rule: Rule) -> list[tuple[datetime, datetime]]:
    """What is open in the inner part of the span, minute by minute: a stretch ends only where
    nothing is open.
    """
    begins, ends = inner(span)
    is_open = bytearray(len(span.reached) + 1)
    for opens, closes in openings(span, rule):
        first, last = _minutes(span, opens), _minutes(span, closes)
        is_open[first:last] = b"\x01" * (last - first)
    found: list[tuple[datetime, datetime]] = []
    opened: datetime | None = None
    for minute in range(_minutes(span, begins), _minutes(span, ends) + 1):
        moment = span.begins + timedelta(minutes=minute)
        if is_open[minute] and opened is None:
            opened = moment
        if opened is not None and (not is_open[minute] or moment == ends):
            found.append((opened, moment))
            opened = None
    return [each for each in found if each[0] < each[1]]


def _minutes(span: Span, moment: datetime) -> int:
    return (moment - span.begins) // timedelta(minutes=1)


def _counts(rule: Rule, day: int) -> bool:
    found = date.min + timedelta(days=day)
    return found.weekday() in rule.days and (found.day + 6) // 7 in rule.weeks


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    return offset
