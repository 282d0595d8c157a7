"""Members of journal records, read with tolerance: missing or of another kind gives None."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from goexchange.codec import parse_time


def member(data: object, path: str) -> Any:
    """The value at a dotted path; None when it is not there or is an unknown fact."""
    value: Any = data
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return None if isinstance(value, Mapping) and set(value) == {"unknown"} else value


def text_at(data: object, path: str) -> str | None:
    """A text."""
    value = member(data, path)
    return value if isinstance(value, str) else None


def int_at(data: object, path: str) -> int | None:
    """A whole number."""
    value = member(data, path)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def number_at(data: object, path: str) -> float | None:
    """A number."""
    value = member(data, path)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def flag_at(data: object, path: str) -> bool | None:
    """True or false."""
    value = member(data, path)
    return value if isinstance(value, bool) else None


def moment_at(data: object, path: str) -> datetime | None:
    """A time."""
    value = text_at(data, path)
    if value is None:
        return None
    try:
        return parse_time(value)
    except ValueError:
        return None


def rows_at(data: object, path: str) -> tuple[Any, ...]:
    """The members of a list; none when there is no list."""
    value = member(data, path)
    return tuple(value) if isinstance(value, list | tuple) else ()


def mapping_at(data: object, path: str) -> Mapping[str, Any] | None:
    """A record inside a record."""
    value = member(data, path)
    return value if isinstance(value, Mapping) else None
