"""Wall-clock times of a zone as moments, over times that exist twice or not at all."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from goexchange.model.configuration import TimeOfDay

_MINUTE = timedelta(minutes=1)


def moment_of(day: date, at: TimeOfDay, zone: ZoneInfo) -> datetime:
    """The first moment at which the zone's clocks have reached a time of that day.

    Shape: a time that exists twice is its first moment; one that the clocks jump over is reached
    at the jump, so that 02:30 is the moment after 01:59.
    """
    wall = datetime.combine(day, time(at.hour, at.minute))
    later = wall.replace(tzinfo=zone).astimezone(UTC)
    if later.astimezone(zone).replace(tzinfo=None) == wall:
        return later
    # In a gap PEP 495 reads fold 0 with the offset before the jump and fold 1 with the one after:
    # the jump lies between the two.
    return _jump(wall.replace(tzinfo=zone, fold=1).astimezone(UTC), later, zone)


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first whole minute with the offset of `after`; clocks are changed at whole minutes."""
    offset = after.astimezone(zone).utcoffset()
    while after - before > _MINUTE:
        middle = before + (after - before) // _MINUTE // 2 * _MINUTE
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after
