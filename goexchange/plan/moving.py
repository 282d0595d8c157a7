"""Moving mailboxes to a fresh database: named as the right tool, with its size and how long it
takes; this version does not execute it.
"""

from __future__ import annotations

from goexchange.model.actual import ActualDatabase
from goexchange.model.unknown import Unknown
from goexchange.plan import words

MOVE_BYTES_PER_HOUR = 5 * 1024**3
"""A stated default and no measurement: how fast mailboxes move depends on the site."""


def move_mailboxes(database: ActualDatabase) -> str:
    """What to do instead of a rebuild, with figures where the sizes are known."""
    text = (
        "move its mailboxes to a fresh database (New-MoveRequest), which gives the space back"
        " without an outage and keeps its copies"
    )
    return f"{text}{_amount(database)}"


def move_out(database: ActualDatabase) -> str:
    """What follows a repair: nobody vouches for a repaired file for long."""
    text = (
        "move its mailboxes out to a fresh database (New-MoveRequest) and retire it,"
        " for a repaired file is no file to stay on"
    )
    return f"{text}{_amount(database)}"


def _amount(database: ActualDatabase) -> str:
    """How much there is to move and how long it takes."""
    size, white = database.size_bytes, database.white_space_bytes
    if isinstance(size, Unknown) or isinstance(white, Unknown):
        return "; how much there is to move is unknown"
    content = max(size - white, 0)
    seconds = max(60, -(-content * 3600 // MOVE_BYTES_PER_HOUR))
    rate = words.size(MOVE_BYTES_PER_HOUR)
    return (
        f": {words.size(content)} to move and the logs of it, about"
        f" {words.span(seconds)} at the stated default of {rate} an hour (nothing measured)"
    )
