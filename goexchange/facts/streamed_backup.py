"""The engine's own account of one full backup that a program streamed out of it: begun, every file
read to its end, ended well, and no other one of the same storage group beside it.

Source: the vendor's articles about online backups of Exchange 2000 and 2003 (KB 318429): the
instance is the GUID of the storage group; 210 begins a full backup, 221 names each file that was
read to its end, 213 ends well; 214, 215 and 217 are failures.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import frozen

from goexchange.model.actual import HostEvent

FULL_BEGINS = 210
BEGINS, FILE_ENDED, ENDED, FAILED = (210, 211, 212), 221, 213, (214, 215, 217)
_INSTANCE = re.compile(r"\(\d+\) ([^\s:]+): ")


@frozen(kw_only=True)
class Within:
    """The time of a process by the host's clock, from its start to its end."""

    begins: datetime
    ends: datetime

    def has(self, moment: datetime) -> bool:
        """Whether an event is of that time; the old event log keeps whole seconds."""
        return self.begins.replace(microsecond=0) <= moment < self.ends + timedelta(seconds=1)


def instance_of(event: HostEvent) -> str | None:
    """The engine's instance that an event is of; None where its text has another form."""
    match = _INSTANCE.search(event.text)
    return match[1].lower() if match else None


def is_one_full_backup(
    events: Sequence[HostEvent], *, files: Sequence[str], within: Within
) -> bool:
    """Whether the events of that time tell of one full backup of all these files, and of nothing
    else of their storage group: a begin, each file read to its end, a good end.

    Unknown: two begins leave open which of them was ours, and count as none.
    """
    mine = _of_group(events, files, within)
    begun = [each.at_utc for each in mine if each.event_id in BEGINS]
    ended = [each.at_utc for each in mine if each.event_id == ENDED]
    return (
        [each.event_id for each in mine if each.event_id in BEGINS] == [FULL_BEGINS]
        and len(ended) == 1
        and begun[0] <= ended[0]
        and not any(each.event_id in FAILED for each in mine)
        and all(
            any(_names(each, file) and begun[0] <= each.at_utc <= ended[0] for each in mine)
            for file in files
        )
    )


def told_of(events: Sequence[HostEvent], *, files: Sequence[str], within: Within) -> frozenset[int]:
    """The ids of all events of their storage group in that time."""
    return frozenset(each.event_id for each in _of_group(events, files, within))


def _of_group(
    events: Sequence[HostEvent], files: Sequence[str], within: Within
) -> list[HostEvent]:
    """The events of that time of the instance that has read the first of the files."""
    inside = [each for each in events if within.has(each.at_utc)]
    instances = {instance_of(each) for each in inside if files and _names(each, files[0])}
    if len(instances) != 1 or None in instances:
        return []
    return [each for each in inside if instance_of(each) in instances]


def _names(event: HostEvent, file: str) -> bool:
    """Whether a file was read to its end."""
    text = f"{event.text.lower()}."
    return event.event_id == FILE_ENDED and f" {file.lower()}." in text
