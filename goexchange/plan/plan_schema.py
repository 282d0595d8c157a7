"""The JSON Schema of the plan file, made from the model's types and the codec's rules, so that it
cannot drift.

Shape: draft-07 without `oneOf` and `anyOf`: what may be null or unknown is said with `if` and
`then`.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import attrs

from goexchange.model.plan import PlanBody
from goexchange.model.unknown import Unknown

Schema = dict[str, Any]

_PLAIN: Mapping[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
}
_UNKNOWN: Schema = {
    "type": "object",
    "description": "A fact that could not be read, and why.",
    "required": ["unknown"],
    "properties": {"unknown": {"type": "string", "description": "Why it could not be read."}},
}
_WORDS = {
    "utc": "as RFC 3339 in UTC",
    "bytes": "in bytes",
    "s": "in seconds",
    "max": "at most",
}


def plan_schema() -> Schema:
    """Return the schema of a whole plan file."""
    definitions: dict[str, Schema] = {"Unknown": _UNKNOWN}
    body = schema_of(PlanBody, definitions)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "goexchange/plan/v1",
        "title": "goexchange plan",
        "description": "A sealed plan: exactly what runs. The digest covers the body alone.",
        "type": "object",
        "required": ["body", "sha256", "created_at_utc", "created_by"],
        "properties": {
            "body": body,
            "sha256": {
                "type": "string",
                "pattern": "^[0-9a-f]{64}$",
                "description": "SHA-256 of the canonical JSON of the body; its first eight"
                " digits are the id.",
            },
            "created_at_utc": {
                "type": "string",
                "format": "date-time",
                "description": "When the plan was made; outside the digest.",
            },
            "created_by": {"type": "string", "description": "Who made it; outside the digest."},
        },
        "definitions": dict(sorted(definitions.items())),
    }


def schema_of(kind: Any, definitions: dict[str, Schema]) -> Schema:
    """The schema of one type; classes are added to `definitions` and referred to."""
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    if get_origin(kind) in (Union, UnionType):
        return _union(get_args(kind), definitions)
    if get_origin(kind) is tuple:
        return {"type": "array", "items": schema_of(get_args(kind)[0], definitions)}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [each.value for each in kind]}
    if isinstance(kind, type) and attrs.has(kind):
        return _class(kind, definitions)
    return {}  # plain JSON of any kind: parameters, arguments, observed values


def _class(kind: type, definitions: dict[str, Schema]) -> Schema:
    name = kind.__name__
    if name not in definitions:
        definitions[name] = {}  # keeps a class that refers to itself from recursing
        hints = typing.get_type_hints(kind)
        fields = attrs.fields(kind)
        definitions[name] = {
            "type": "object",
            "description": (kind.__doc__ or name).strip().split("\n")[0],
            "required": [each.name for each in fields if each.default is attrs.NOTHING],
            "properties": {
                each.name: _described(schema_of(hints[each.name], definitions), each.name)
                for each in fields
            },
        }
    return {"$ref": f"#/definitions/{name}"}


def _union(members: tuple[Any, ...], definitions: dict[str, Schema]) -> Schema:
    kinds = [each for each in members if each not in (NoneType, Unknown)]
    schema = _tagged(kinds, definitions) if len(kinds) > 1 else schema_of(kinds[0], definitions)
    if Unknown in members:
        is_unknown = {"type": "object", "required": ["unknown"]}
        schema = {"if": is_unknown, "then": {"$ref": "#/definitions/Unknown"}, "else": schema}
    if NoneType in members:
        schema = {"if": {"type": "null"}, "then": {"type": "null"}, "else": schema}
    return schema


def _tagged(kinds: list[Any], definitions: dict[str, Schema]) -> Schema:
    """Members of a union of classes carry their class under `is`."""
    choices = [
        {
            "if": {"properties": {"is": {"const": each.__name__}}},
            "then": schema_of(each, definitions),
        }
        for each in kinds
    ]
    names = [each.__name__ for each in kinds]
    tag = {"enum": names, "description": "Which kind it is."}
    return {"type": "object", "required": ["is"], "properties": {"is": tag}, "allOf": choices}


def _described(schema: Schema, name: str) -> Schema:
    """The schema with a description made of the member's name, which says unit and bound last."""
    if "$ref" in schema:
        return schema  # beside a reference draft-07 ignores everything
    words = name.split("_")
    units = [_WORDS[each] for each in words[1:] if each in _WORDS]
    plain = [each for number, each in enumerate(words) if number == 0 or each not in _WORDS]
    text = " ".join(plain)
    return {
        "description": f"{text[0].upper()}{text[1:]}{''.join(', ' + each for each in units)}.",
        **schema,
    }
