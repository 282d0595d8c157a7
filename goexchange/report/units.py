"""Sizes, durations, shares and times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

NOT_RECORDED = "not recorded"
_BINARY_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")


def size_text(size_bytes: float | None) -> str:
    """`98 GiB`, `1.5 MiB`, `512 B`: three figures at most."""
    if size_bytes is None:
        return NOT_RECORDED
    if abs(size_bytes) < 1024:
        return f"{size_bytes:.0f} B"
    value = size_bytes / 1024
    unit, *larger = _BINARY_UNITS
    while abs(value) >= 999.5 and larger:
        value /= 1024
        unit = larger.pop(0)
    return f"{value:.0f} {unit}" if abs(value) >= 9.95 else f"{value:.1f} {unit}"


def bytes_text(size_bytes: int | None) -> str:
    """The size with its exact number of bytes: `98 GiB (105,226,698,752 bytes)`."""
    if size_bytes is None:
        return NOT_RECORDED
    return f"{size_text(size_bytes)} ({size_bytes:,} bytes)"


def rate_text(bytes_per_second: float | None) -> str:
    """`210 MiB/s`."""
    return NOT_RECORDED if bytes_per_second is None else f"{size_text(bytes_per_second)}/s"


def duration_text(seconds: float | None) -> str:
    """`3 h 10 m`, `4 m 05 s`, `12 s`, `2 d 3 h`: the two largest parts."""
    if seconds is None:
        return NOT_RECORDED
    whole = round(seconds)
    if whole < 0:
        return f"-{duration_text(-seconds)}"
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days} d {hour} h" if hour else f"{days} d"
    if hours:
        return f"{hours} h {minute:02d} m" if minute else f"{hours} h"
    if minutes:
        return f"{minutes} m {second:02d} s" if second else f"{minutes} m"
    return f"{second} s"


def share_text(part: float | None, whole: float | None) -> str:
    """A share in per cent: `42%`; empty when it cannot be said."""
    if part is None or not whole:
        return ""
    return f"{100 * part / whole:.0f}%"


def zone_of(name: str | None) -> tzinfo:
    """The zone of an IANA name; UTC for none, and for one that this machine does not know."""
    return UTC if name is None else _zone(name)


def moment_text(moment: datetime | None, zone: tzinfo = UTC) -> str:
    """A time to the second with its zone: `2026-11-28 22:00:05 CET`."""
    if moment is None:
        return NOT_RECORDED
    local = moment.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()}"


def minute_text(moment: datetime, zone: tzinfo = UTC) -> str:
    """A time to the minute with its day, without its zone: `Sat 28 Nov 22:00`."""
    local = moment.astimezone(zone)
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]} {local:%H:%M}"


def clock_text(moment: datetime | None, zone: tzinfo = UTC) -> str:
    """The time of day: `22:00:05`."""
    return "" if moment is None else f"{moment.astimezone(zone):%H:%M:%S}"


def day_text(moment: datetime | None, zone: tzinfo = UTC) -> str:
    """The day: `2023-03-01`."""
    return "-" if moment is None else f"{moment.astimezone(zone):%Y-%m-%d}"


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """How long it took, when both ends are known."""
    return None if start is None or end is None else (end - start) / timedelta(seconds=1)


def count_text(count: int, one: str, many: str | None = None) -> str:
    """`1 step`, `2 steps`, `1,024 pages`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


# Not taken from the locale: the same plan gives the same text everywhere.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
