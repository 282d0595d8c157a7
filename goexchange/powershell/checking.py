"""A checker for the small part of JSON Schema that contracts use; nothing to import, fast enough
for every answer.

Shape: `type` (one or several), `enum`, `pattern`, `minimum`, `properties`, `required`,
`additionalProperties: false`, `items`. Another keyword is a mistake of ours and raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

_KNOWN = frozenset(
    {
        "type",
        "enum",
        "pattern",
        "minimum",
        "properties",
        "required",
        "additionalProperties",
        "items",
    }
)
_RARE = frozenset({"enum", "pattern", "minimum"})
_NOTHING: Mapping[str, Any] = {}
_NAMES: Mapping[type, frozenset[str]] = {
    dict: frozenset({"object"}),
    list: frozenset({"array"}),
    tuple: frozenset({"array"}),
    str: frozenset({"string"}),
    int: frozenset({"integer", "number"}),
    float: frozenset({"number"}),
    bool: frozenset({"boolean"}),
    type(None): frozenset({"null"}),
}
"""What JSON Schema calls the values that JSON and a plan have; nothing else is sent anywhere."""


def problems(value: Any, schema: Mapping[str, Any], place: str = "$") -> Iterator[str]:
    """What does not fit the schema, one text each, with its place; nothing when all fits."""
    if not _KNOWN.issuperset(schema):
        raise ValueError(f"keywords that contracts do not use: {sorted(set(schema) - _KNOWN)}")
    if "type" in schema and not _has_type(value, schema["type"]):
        yield f"{place}: expected {_words(schema['type'])}, found {type(value).__name__}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r} is none of {', '.join(map(repr, schema['enum']))}"
    if isinstance(value, str) and "pattern" in schema:
        if not _pattern(schema["pattern"]).search(value):
            yield f"{place}: {value[:60]!r} does not match {schema['pattern']}"
    elif isinstance(value, (int, float)) and "minimum" in schema and value < schema["minimum"]:
        yield f"{place}: {value} is below {schema['minimum']}"
    elif isinstance(value, dict):
        yield from _member_problems(value, schema, place)
    elif isinstance(value, (list, tuple)) and "items" in schema:
        for index, member in enumerate(value):
            yield from problems(member, schema["items"], f"{place}[{index}]")


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether `problems` would find nothing, in a fraction of the time: asked of every answer."""
    kinds = schema.get("type")
    if kinds is not None and not _has_type(value, kinds):
        return False
    if type(value) is dict and not _members_fit(value, schema):
        return False
    if type(value) in (list, tuple) and "items" in schema:
        inner = schema["items"]
        if not all(fits(member, inner) for member in value):
            return False
    return _RARE.isdisjoint(schema) or next(problems(value, schema), None) is None


def _members_fit(value: dict[str, Any], schema: Mapping[str, Any]) -> bool:
    properties = schema.get("properties", _NOTHING)
    if any(name not in value for name in schema.get("required", ())):
        return False
    is_open = schema.get("additionalProperties", True)
    return all(
        fits(member, properties[name]) if name in properties else is_open
        for name, member in value.items()
    )


def _member_problems(value: dict[str, Any], schema: Mapping[str, Any], place: str) -> Iterator[str]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{place}.{name}: missing"
    for name, member in value.items():
        if name in properties:
            yield from problems(member, properties[name], f"{place}.{name}")
        elif "additionalProperties" in schema and not schema["additionalProperties"]:
            yield f"{place}.{name}: not in the contract"


def _has_type(value: Any, kinds: str | list[str]) -> bool:
    names = _NAMES.get(type(value), frozenset())
    return kinds in names if isinstance(kinds, str) else not names.isdisjoint(kinds)


def _words(kinds: str | list[str]) -> str:
    return kinds if isinstance(kinds, str) else " or ".join(kinds)


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)
