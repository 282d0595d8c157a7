"""Members of journal records, read with tolerance: missing or of another kind gives None."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import evolve

from goexchange.codec import parse_time
from goexchange.model.run import Record

TEXT_MAX = 16_384  # of one text in a report: more than the journal keeps of a tool's output


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


def bounded(record: Record) -> Record:
    """The record with no text longer than `TEXT_MAX`; of a tool's output the end is kept."""
    if not _has_long_text(record.data):
        return record
    return evolve(record, data=cut_texts(record.data))


def _has_long_text(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) > TEXT_MAX
    if isinstance(value, Mapping):
        return any(map(_has_long_text, value.values()))
    return isinstance(value, list | tuple) and any(map(_has_long_text, value))


def cut_texts(value: Any, name: str = "") -> Any:
    """Plain values with no text longer than `TEXT_MAX`; of a tool's output the end is kept."""
    if isinstance(value, str) and len(value) > TEXT_MAX:
        left_out = len(value) - TEXT_MAX
        if name in ("output_tail", "output"):
            return f"({left_out} earlier characters left out)\n{value[-TEXT_MAX:]}"
        return f"{value[:TEXT_MAX]}... ({left_out} more characters)"
    if isinstance(value, Mapping):
        return {key: cut_texts(inner, key) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [cut_texts(inner, name) for inner in value]
    return value
