"""The chain of a journal: every record carries the digest of the one before.

A journal is a file of JSON lines. A line that does not end in a newline was never acknowledged: it
is *torn* and may
be cut. Anything else that does not fit is *damage*, and nothing is cut.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from goexchange.codec import canonical_json, digest, parse_time, time_text
from goexchange.model.run import Record, RecordKind

FIRST_PREVIOUS = "0" * 64
_MEMBERS = frozenset({"sequence", "at_utc", "kind", "data", "previous", "sha256"})


@frozen
class Draft:
    """A record before it has its place in the chain."""

    kind: RecordKind
    data: Mapping[str, Any]


@frozen(kw_only=True)
class Damage:
    """The first place of a journal that does not fit, and why; `line` starts at 1."""

    line: int
    reason: str


@frozen(kw_only=True)
class Reading:
    """What the bytes of a journal hold.

    Shape: `records` are those before the torn or damaged place; `torn_bytes` is the length of the
    unacknowledged
    end (0 when there is none); `damage` is None when every whole line fits its chain.
    """

    records: tuple[Record, ...]
    torn_bytes: int
    damage: Damage | None


def seal(drafts: Sequence[Draft], *, after: Record | None, at: datetime) -> tuple[Record, ...]:
    """Give drafts their places after the last record of a journal (None for a new one)."""
    sealed: list[Record] = []
    last = after
    for draft in drafts:
        last = _next(draft, last, at)
        sealed.append(last)
    return tuple(sealed)


def line_of(record: Record) -> bytes:
    """Return the record as one line of the journal, newline included."""
    return canonical_json({**_plain(record), "sha256": record.sha256}) + b"\n"


def read_lines(content: bytes) -> Reading:
    """Read a journal as far as it fits."""
    whole, _, torn = content.rpartition(b"\n")
    lines = whole.split(b"\n") if whole else []
    records: list[Record] = []
    for number, line in enumerate(lines, start=1):
        record = _record_of(line, records[-1] if records else None)
        if isinstance(record, str):
            return Reading(
                records=tuple(records), torn_bytes=0, damage=Damage(line=number, reason=record)
            )
        records.append(record)
    return Reading(records=tuple(records), torn_bytes=len(torn), damage=None)


def first_damage(records: Sequence[Record]) -> Damage | None:
    """Where the chain of records in hand breaks; None when it is whole."""
    before: Record | None = None
    for number, record in enumerate(records, start=1):
        reason = None
        if digest(_plain(record)) != record.sha256:
            reason = "its digest does not fit its content"
        elif record.previous != (before.sha256 if before else FIRST_PREVIOUS):
            reason = "it does not follow the record before"
        elif record.sequence != number:
            reason = "its number does not follow"
        if reason is not None:
            return Damage(line=number, reason=reason)
        before = record
    return None


def _next(draft: Draft, last: Record | None, at: datetime) -> Record:
    data = json.loads(
        canonical_json(draft.data)
    )  # what is folded now is what a reader will fold later
    sequence = last.sequence + 1 if last else 1
    previous = last.sha256 if last else FIRST_PREVIOUS
    open_record = Record(
        sequence=sequence, at_utc=at, kind=draft.kind, data=data, previous=previous, sha256=""
    )
    return Record(
        sequence=sequence,
        at_utc=at,
        kind=draft.kind,
        data=data,
        previous=previous,
        sha256=digest(_plain(open_record)),
    )


def _plain(record: Record) -> dict[str, Any]:
    return {
        "sequence": record.sequence,
        "at_utc": time_text(record.at_utc),
        "kind": record.kind.value,
        "data": record.data,
        "previous": record.previous,
    }


def _record_of(line: bytes, before: Record | None) -> Record | str:
    """Return the record of a line, or the reason why it is none."""
    try:
        plain = json.loads(line)
    except ValueError:
        return "not a JSON line"
    if (
        not isinstance(plain, dict)
        or not plain.keys() >= _MEMBERS
        or not isinstance(plain["data"], dict)
    ):
        return "not a record"
    stated = plain.pop("sha256")
    if digest(plain) != stated:
        return "its digest does not fit its content"
    if plain["previous"] != (before.sha256 if before else FIRST_PREVIOUS):
        return "it does not follow the record before"
    if plain["sequence"] != (before.sequence + 1 if before else 1):
        return "its number does not follow"
    try:
        return Record(
            sequence=plain["sequence"],
            at_utc=parse_time(plain["at_utc"]),
            kind=RecordKind(plain["kind"]),
            data=plain["data"],
            previous=plain["previous"],
            sha256=stated,
        )
    except (ValueError, TypeError, AttributeError) as error:
        return f"not a record of this version: {error}"
