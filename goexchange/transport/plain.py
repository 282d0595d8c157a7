"""Objects of PowerShell remoting, as pypsrp gives them, to the plain values that `facts` reads."""

from __future__ import annotations

import uuid
from typing import Any

Plain = Any
DEPTH_MAX = 6


def plain_object(value: Any) -> dict[str, Plain]:
    """One object of a pipeline's output: its properties by name, and its first type name under
    `$type`.

    Shape: Exchange's property bags arrive as adapted properties; what remoting added
    (PSComputerName, RunspaceId)
    as extended ones. A value that is not an object is `{"$type": ..., "value": ...}`.
    """
    if not hasattr(value, "adapted_properties"):
        return {"$type": type(value).__name__, "value": plain_value(value)}
    members = {**value.extended_properties, **value.adapted_properties}
    plain = {name: plain_value(member) for name, member in members.items()}
    plain["$type"] = _first_type(value)
    return plain


def plain_value(value: Any, depth: int = 0) -> Plain:
    """A property's value: text of enums, sizes, paths and references; lists; nested bags; None for
    nil.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, list | tuple):
        return [plain_value(member, depth + 1) for member in value]
    if isinstance(value, dict):
        return {str(name): plain_value(member, depth + 1) for name, member in value.items()}
    listed = _listed(value)
    if listed is not None:
        return [plain_value(member, depth + 1) for member in listed]
    text = getattr(value, "to_string", None)
    if isinstance(text, str):
        return text
    if depth < DEPTH_MAX and hasattr(value, "adapted_properties"):
        members = {**value.extended_properties, **value.adapted_properties}
        return {name: plain_value(member, depth + 1) for name, member in members.items()}
    return str(value)


def _listed(value: Any) -> list[Any] | None:
    """The members of a typed collection, which pypsrp keeps as a list among the property sets."""
    for member in getattr(value, "property_sets", ()):
        if isinstance(member, list):
            return member
    return None


def _first_type(value: Any) -> str:
    names = getattr(value, "types", None) or [""]
    return str(names[0]).removeprefix("Deserialized.").removeprefix("Selected.")
