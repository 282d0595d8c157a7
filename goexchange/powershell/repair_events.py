"""What the store of Exchange 2010 writes about repair requests: it has no cmdlet that tells them.

The numbers of the events are the vendor's; the form of their texts is not confirmed. An event is a
database's own when its text has the database's GUID, or its name between quotes. An event that
names nothing in that way could be anybody's, and then nothing is said at all.
Source: the vendor's reference of New-MailboxRepairRequest, events of MSExchangeIS Mailbox Store.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from goexchange.codec import parse_time
from goexchange.model.unknown import Unknown

REPAIRS_OF_HOURS = 48  # how far is looked back; longer than a request may take
STARTED = 10059  # of a whole database
ENDED_WELL = 10048
CORRUPTION = 10062
FAILED = (10045, 10049, 10050, 10051)
_MAILBOX_STARTED = 10047
_READ = frozenset({STARTED, ENDED_WELL, CORRUPTION, *FAILED, _MAILBOX_STARTED})
_QUOTED = re.compile(r"\"([^\"\r\n]{1,64})\"|'([^'\r\n]{1,64})'|\u201c([^\u201d\r\n]{1,64})\u201d")
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
SHOWN = "an event about a repair request names no database in a form that is known"


@frozen(kw_only=True)
class RepairEvents:
    """A database's own events since a moment, oldest first.

    Shape: `identities` tell them apart: time, number, and the place among equals.
    """

    identities: tuple[str, ...]
    starts: int
    ends: int
    failures: int
    corruptions: int

    @property
    def is_open(self) -> bool:
        """Whether a request has begun that has not come to an end."""
        return self.starts > self.ends + self.failures


def repair_events(
    answer: Mapping[str, Any], *, name: str, guid: str, since: datetime | None = None
) -> RepairEvents | Unknown:
    """The events of one database in the answer of `read-repairs`.

    Unknown: when an event in question names no database that could be told, or has no time.
    """
    mine: list[tuple[datetime, int]] = []
    for one in answer["events"]:
        if one["id"] not in _READ:
            continue
        at = parse_time(one["at"])
        if since is not None and at < since:
            continue
        named = _names(str(one["text"]))
        if not named:
            return Unknown(SHOWN)
        if guid.lower() in named or name.lower() in named:
            mine.append((at, int(one["id"])))
    return _counted(sorted(mine, key=lambda each: each[0]))


def without(found: RepairEvents, counted: Collection[str]) -> RepairEvents:
    """What no earlier pass has counted."""
    return _of_identities([each for each in found.identities if each not in counted])


def _names(text: str) -> frozenset[str]:
    quoted = {part.lower() for match in _QUOTED.findall(text) for part in match if part}
    return frozenset(quoted | {each.lower() for each in _GUID.findall(text)})


def _counted(events: list[tuple[datetime, int]]) -> RepairEvents:
    seen: dict[tuple[datetime, int], int] = {}
    identities = []
    for at, number in events:
        seen[(at, number)] = seen.get((at, number), 0) + 1
        identities.append(f"{at.isoformat()}|{number}|{seen[(at, number)]}")
    return _of_identities(identities)


def _of_identities(identities: Sequence[str]) -> RepairEvents:
    numbers = [int(each.split("|")[1]) for each in identities]
    return RepairEvents(
        identities=tuple(identities),
        starts=numbers.count(STARTED),
        ends=numbers.count(ENDED_WELL),
        failures=sum(numbers.count(each) for each in FAILED),
        corruptions=numbers.count(CORRUPTION),
    )
