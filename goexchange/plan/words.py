"""Figures in plain words: sizes, shares, durations, ages, lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

KIB = 1024
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def size(size_bytes: int) -> str:
    """`41 GiB`, `1.5 MiB`, `512 bytes`: at most one decimal, none from ten on."""
    value, above = float(size_bytes), iter(_UNITS[1:])
    unit = _UNITS[0]
    while value >= KIB and unit != _UNITS[-1]:
        value, unit = value / KIB, next(above)
    text = f"{value:.0f}" if value >= 10 or unit == "bytes" else f"{value:.1f}"
    return f"{text.removesuffix('.0')} {unit}"


def share(ratio: float) -> str:
    """`42%`; a decimal only below ten per cent."""
    percent = ratio * 100
    text = f"{percent:.0f}" if percent >= 10 else f"{percent:.1f}"
    return f"{text.removesuffix('.0')}%"


def span(seconds: int) -> str:
    """`3 h 10 m`, `2 m`, `45 s`, `30 d`."""
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} m"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} m" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def day(moment: datetime) -> str:
    """`2026-11-22`."""
    return moment.strftime("%Y-%m-%d")


def listed(names: Iterable[str]) -> str:
    """`a, b and c`."""
    every = tuple(names)
    if len(every) < 2:
        return "".join(every)
    return f"{', '.join(every[:-1])} and {every[-1]}"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 database`, `2 databases`."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"


def held_to(rate: int | None) -> str:
    """`, at most 20 MiB a second`; nothing where there is no limit."""
    return "" if rate is None else f", at most {size(rate)} a second"
