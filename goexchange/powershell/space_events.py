"""What the store of Exchange 2007 writes about free space: no cmdlet of it tells any.

One form of the text is known; an event in any other says nothing. Units: the store counts whole
megabytes and leaves the rest out, so that the figure is the least there is.
Source: the vendor's event 1221 of MSExchangeIS Mailbox Store, and of MSExchangeIS Public Store.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

from goexchange.codec import parse_time

SPACE_OF_HOURS = 14 * 24  # the nightly work ends within two weeks also where its window is short
FREE_SPACE = 1221
_TEXT = re.compile(
    r'The database "(?P<group>[^"\\\r\n]+)\\(?P<name>[^"\\\r\n]+)" has (?P<number>\d{1,7})'
    r" megabytes of free space after online defragmentation has terminated\."
)
_MEGABYTE = 1024 * 1024


@frozen(kw_only=True)
class FreeSpace:
    """The free space of a database at a moment."""

    at_utc: datetime
    free_bytes: int


def free_space(answer: Mapping[str, Any], *, group: str, name: str) -> FreeSpace | None:
    """The newest figure of one database in the answer of `read-space`; None where none is its."""
    found = [
        FreeSpace(at_utc=parse_time(one["at"]), free_bytes=int(match["number"]) * _MEGABYTE)
        for one in answer["events"]
        if one["id"] == FREE_SPACE and (match := _TEXT.match(str(one["text"]))) is not None
        and (match["group"].casefold(), match["name"].casefold())
        == (group.casefold(), name.casefold())
    ]
    return max(found, key=lambda each: each.at_utc, default=None)
