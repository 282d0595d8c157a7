"""Cmdlet answers as plain JSON values: what the transport makes of a real Exchange answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from goexchange.codec import time_text
from goexchange.world.values import (
    CmdletAnswer,
    CmdletError,
    Credential,
    EnumValue,
    ExchangeObject,
    KeyValuePair,
    LongPath,
    Reference,
    ServerVersion,
    Size,
    TimeSpan,
    UnlimitedSize,
    Value,
)

_TICKS = 10_000_000


def answer_as_plain(answer: CmdletAnswer) -> dict[str, Any]:
    """Objects, errors and warnings; a terminating error is the last of the errors, marked so."""
    errors = [_error(each) for each in answer.errors]
    if answer.terminating is not None:
        errors.append({**_error(answer.terminating), "terminating": True})
    return {
        "objects": [_object(each) for each in answer.objects],
        "errors": errors,
        "warnings": list(answer.warnings),
    }


def plain_value(value: Value) -> Any:
    """One value: sizes as Exchange's text, enumerations by their text, references by name, times as
    RFC 3339.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, tuple):
        return [plain_value(each) for each in value]
    if isinstance(value, ExchangeObject):
        return _object(value)
    if isinstance(value, KeyValuePair):
        return {"Key": plain_value(value.key), "Value": plain_value(value.value)}
    if isinstance(value, Credential):
        raise TypeError("a credential is never part of an answer")
    return _text(value)


def time_span_text(span: TimeSpan) -> str:
    """`[-][d.]hh:mm:ss[.fffffff]`."""
    seconds, ticks = divmod(abs(span.ticks), _TICKS)
    days, rest = divmod(seconds, 86400)
    text = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    text = f"{days}.{text}" if days else text
    text = f"{text}.{ticks:07d}" if ticks else text
    return f"-{text}" if span.ticks < 0 else text


def _text(
    value: UUID
    | Size
    | UnlimitedSize
    | EnumValue
    | Reference
    | LongPath
    | TimeSpan
    | ServerVersion,
) -> str:
    if isinstance(value, Size | EnumValue):
        return value.text
    if isinstance(value, UnlimitedSize):
        return "Unlimited" if value.size is None else value.size.text
    if isinstance(value, Reference):
        return value.name
    if isinstance(value, LongPath):
        return value.path
    if isinstance(value, TimeSpan):
        return time_span_text(value)
    return str(value)


def _object(value: ExchangeObject) -> dict[str, Any]:
    properties = {name: plain_value(each) for name, each in value.properties.items()}
    return {"$type": value.type_names[0], **properties}


def _error(error: CmdletError) -> dict[str, Any]:
    return {
        "message": error.message,
        "id": error.error_id,
        "category": error.category.value,
        "target": error.target,
    }
