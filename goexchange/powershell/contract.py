"""The form of a host script's contract, and the pieces its schemas are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

Schema = Mapping[str, Any]


@frozen(kw_only=True)
class Contract:
    """What a host script promises.

    Shape: `errors` are the codes it may answer with besides `internal`; `cmdlets` and `tools` all
    that it calls.
    """

    script: str
    version: int
    purpose: str
    changes_host: bool
    arguments: Schema
    result: Schema
    errors: tuple[str, ...]
    cmdlets: tuple[str, ...]
    tools: tuple[str, ...] = ()


TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
BASE64: Schema = {"type": "string", "pattern": r"^[A-Za-z0-9+/]*=*$"}


def maybe(schema: Schema) -> Schema:
    """The same, or null."""
    return {**schema, "type": [schema["type"], "null"]}


def several(schema: Schema) -> Schema:
    """A list of them."""
    return {"type": "array", "items": schema}


def record(**members: Schema) -> Schema:
    """An object with exactly these members, all required."""
    return {
        "type": "object",
        "properties": dict(members),
        "required": sorted(members),
        "additionalProperties": False,
    }


def optional(*names: str, **members: Schema) -> Schema:
    """The same as `record`, but those that are named may be left out."""
    whole = record(**members)
    return {**whole, "required": [name for name in whole["required"] if name not in names]}


ANYTHING: Schema = {"type": "object"}
INTEGER: Schema = {"type": "integer"}
FENCE = {"root": TEXT, "fence": COUNT}
FILE = record(
    path=TEXT, exists=FLAG, size_bytes=maybe(COUNT), created_at=maybe(TIME), modified_at=maybe(TIME)
)
EVENT = record(log=TEXT, provider=TEXT, id=COUNT, at=TIME, text=TEXT)
TOOL_RUN = record(exit_code=INTEGER, output=BASE64, error_output=BASE64)
LISTED_FILE = record(path=TEXT, size_bytes=COUNT, modified_at=TIME)
