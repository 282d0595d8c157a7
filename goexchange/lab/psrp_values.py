"""Exchange objects and errors as their CLIXML looks, and parameters read from it.

Source: CLIXML exports in Microsoft's CSS-Exchange repository (HealthChecker tests, Exchange 2019).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from psrpcore import types

from goexchange.world.values import (
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

_DATA = "Microsoft.Exchange.Data."


class ScriptBlockRefused(Exception):
    """A parameter holds a script block, which a no-language runspace does not take."""


def serialised(value: Value) -> object:
    """What psrpcore writes for a value so that it looks as Exchange's own serialisation does."""
    writer = _WRITERS.get(type(value))
    return value if writer is None else writer(value)


def serialised_object(
    source: ExchangeObject, *, computer: str, runspace_id: UUID
) -> types.PSObject:
    """A top-level object, with the note properties that remote objects carry."""
    written = _object(source)
    written.PSObject.extended_properties = _notes({
        "PSComputerName": computer, "RunspaceId": runspace_id, "PSShowComputerName": False,
    })
    return written


def selected(
    source: ExchangeObject, properties: Mapping[str, Value], *, computer: str, runspace_id: UUID
) -> types.PSObject:
    """What Select-Object leaves of an object: note properties only."""
    written = types.PSObject()
    written.PSObject.type_names = [
        f"Selected.{source.type_names[0]}", "System.Management.Automation.PSCustomObject",
        "System.Object",
    ]
    written.PSObject.extended_properties = _notes({
        **{name: serialised(value) for name, value in properties.items()},
        "PSComputerName": computer, "RunspaceId": runspace_id, "PSShowComputerName": False,
    })
    return written


def error_record(error: CmdletError, *, command: str) -> types.ErrorRecord:
    """An error record as a pipeline writes it or fails with it."""
    exception = types.NETException(Message=error.message)
    exception.PSObject.type_names = [error.exception_type, *exception.PSObject.type_names]
    category = types.ErrorCategoryInfo(
        Category=types.ErrorCategory[error.category.value],
        Activity=command,
        Reason=error.exception_type,
        TargetName=error.target or "",
        TargetType="String" if error.target else "",
    )
    return types.ErrorRecord(
        Exception=exception, CategoryInfo=category, TargetObject=error.target,
        FullyQualifiedErrorId=error.error_id,
    )


def parameter(value: object) -> object:
    """A parameter as plain Python.

    Raises: ScriptBlockRefused; TypeError for a type that the lab does not know.
    """
    match value:
        case None | bool():
            return value
        case types.PSScriptBlock():
            raise ScriptBlockRefused
        case types.PSCredential():
            return Credential(str(value.UserName), value.Password.decrypt())
        case types.PSSecureString():
            return value.decrypt()
        case str():
            return str(value)
        case int():
            return int(value)
        case float():
            return float(value)
        case datetime():
            return value
        case timedelta():
            return TimeSpan(round(value.total_seconds() * 10_000_000))
        case UUID():
            return UUID(str(value))
        case list():
            return tuple(parameter(each) for each in value)
        case dict():
            return {str(key): parameter(each) for key, each in value.items()}
        case types.PSObject() if value.PSObject.type_names[0].endswith("SwitchParameter"):
            return bool(getattr(value, "IsPresent"))  # noqa: B009 a property of the remote object
    raise TypeError(f"a parameter of type {type(value).__name__}")


def _object(source: ExchangeObject) -> types.PSObject:
    properties = {name: serialised(value) for name, value in source.properties.items()}
    return _made(source.type_names, source.to_string, properties)


def _made(
    type_names: tuple[str, ...], to_string: str, properties: Mapping[str, object]
) -> types.PSObject:
    written = types.PSObject()
    written.PSObject.type_names = list(type_names)
    written.PSObject.to_string = to_string
    written.PSObject.adapted_properties = _notes(properties)
    return written


def _notes(properties: Mapping[str, object]) -> list[types.PSPropertyInfo]:
    return [types.PSNoteProperty(name, value=value) for name, value in properties.items()]


def _size(size: Size) -> types.PSObject:
    return _made((f"{_DATA}ByteQuantifiedSize", "System.ValueType", "System.Object"), size.text, {})


def _unlimited(value: UnlimitedSize) -> types.PSObject:
    is_unlimited = value.size is None
    return _made(
        (f"{_DATA}Unlimited`1[[{_DATA}ByteQuantifiedSize]]", "System.ValueType", "System.Object"),
        "Unlimited" if value.size is None else value.size.text,
        {"IsUnlimited": is_unlimited, "Value": None if value.size is None else value.size.text},
    )


@lru_cache
def _enum_member(value: EnumValue) -> enum.Enum:
    """psrpcore writes any Python enumeration with its module and class as the type name."""
    module, _, name = value.type_name.rpartition(".")
    made: Callable[..., type[enum.Enum]] = enum.Enum  # type: ignore[assignment]
    return made(name, {value.text: value.number}, module=module)(value.number)


def _reference(reference: Reference) -> types.PSObject:
    rdn, _, parent = reference.distinguished_name.partition(",")
    return _made(
        (f"{_DATA}Directory.ADObjectId", f"{_DATA}ObjectId", "System.Object"),
        reference.name,
        {
            "Name": reference.name, "DistinguishedName": reference.distinguished_name,
            "ObjectGuid": reference.guid, "Rdn": rdn, "Parent": parent,
        },
    )


def _long_path(path: LongPath) -> types.PSObject:
    is_unc = path.path.startswith("\\\\")
    return _made(
        (f"{_DATA}LocalLongFullPath", f"{_DATA}LongPath", "System.Object"),
        path.path,
        {
            "PathName": path.path, "DriveName": "" if is_unc else path.path[:2],
            "IsLocalFull": not is_unc, "IsUnc": is_unc,
        },
    )


def _time_span(span: TimeSpan) -> types.PSObject:
    seconds, fraction = divmod(abs(span.ticks), 10_000_000)
    hours, rest = divmod(seconds, 3600)
    days, hours = divmod(hours, 24)
    minutes, seconds = divmod(rest, 60)
    text = "-" if span.ticks < 0 else ""
    text += f"{days}." if days else ""
    text += f"{hours:02}:{minutes:02}:{seconds:02}" + (f".{fraction:07}" if fraction else "")
    parts = {"Days": days, "Hours": hours, "Minutes": minutes, "Seconds": seconds,
             "Milliseconds": fraction // 10_000, "Ticks": abs(span.ticks)}
    sign = -1 if span.ticks < 0 else 1
    return _made(
        (f"{_DATA}EnhancedTimeSpan", "System.ValueType", "System.Object"), text,
        {
            **{name: types.PSInt64(sign * number) for name, number in parts.items()},
            "TotalSeconds": types.PSDouble(span.ticks / 10_000_000),
        },
    )


def _server_version(version: ServerVersion) -> types.PSObject:
    return _made(
        (f"{_DATA}ServerVersion", "System.Object"), str(version),
        {
            "Major": version.major, "Minor": version.minor, "Build": version.build,
            "Revision": version.revision, "FilePatchLevelDescription": "",
        },
    )


def _key_value(pair: KeyValuePair) -> types.PSObject:
    key, value = serialised(pair.key), serialised(pair.value)
    return _made(
        ("System.Collections.Generic.KeyValuePair`2", "System.ValueType", "System.Object"),
        f"[{_text(pair.key)}, {_text(pair.value)}]", {"Key": key, "Value": value},
    )


def _text(value: Value) -> str:
    match value:
        case Reference():
            return value.name
        case Size() | EnumValue():
            return value.text
        case TimeSpan():
            return str(_time_span(value).PSObject.to_string)
    return str(value)


_WRITERS: dict[type, Callable[..., object]] = {
    ExchangeObject: _object,
    Size: _size,
    UnlimitedSize: _unlimited,
    EnumValue: _enum_member,
    Reference: _reference,
    LongPath: _long_path,
    TimeSpan: _time_span,
    ServerVersion: _server_version,
    KeyValuePair: _key_value,
    tuple: lambda values: types.PSList([serialised(each) for each in values]),
    float: types.PSDouble,
}
