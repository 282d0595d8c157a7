"""What the commands of a backup vendor's agent print: a state, and when copies were made.

The words are the operator's own mapping. What no mapping names, what comes with another exit code
than 0, and what prints nothing is Unknown, never success.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from goexchange.model.desired import BackupState
from goexchange.model.unknown import Unknown

_SHOWN_MAX = 60
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2})?(\.\d{1,6})?\d*Z")


def state_of(
    text: str, exit_code: int | None, states: Mapping[str, BackupState]
) -> BackupState | Unknown:
    """The state that `state` printed: its last line that is not empty, as one of the mapped words.

    Unknown: any other word, no word, no exit code or another one than 0.
    """
    if exit_code is None:
        return Unknown("the command that asks for the state could not be started")
    if exit_code != 0:
        return Unknown(f"the command that asks for the state ended with {exit_code}")
    word = last_line(text)
    if not word:
        return Unknown("the command that asks for the state printed nothing")
    for prints, means in states.items():
        if prints.strip().casefold() == word.casefold():
            return means
    return Unknown(f"it printed '{word[:_SHOWN_MAX]}', which no mapping names")


def last_line(text: str) -> str:
    """The last line that is not empty, trimmed; empty when there is none."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]
    return lines[-1] if lines else ""


def copies_in(text: str) -> tuple[datetime, ...]:
    """When copies were made that can be fetched: the lines that are one time in UTC and nothing
    else, oldest first.

    Shape: `2026-11-28T01:00:00Z`; seconds may be missing.
    """
    found = []
    for line in re.split(r"[\r\n]+", text):
        match = _MOMENT.fullmatch(line.strip())
        moment = _moment(match) if match else None
        if moment is not None:
            found.append(moment)
    return tuple(sorted(found))


def _moment(match: re.Match[str]) -> datetime | None:
    text = f"{match[1]}T{match[2]}{match[3] or ':00'}{(match[4] or '.0').ljust(7, '0')}"
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None
