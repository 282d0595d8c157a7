"""What a database of two files needs beside the steps of its first: one of Exchange 2003 is the
pair `.edb` and `.stm`, and only that server's own eseutil can say that the second is whole.

Source: the vendor's references of eseutil for Exchange 2003 (`/s` names the streaming file, `/f` a
temporary one; the checksums of its content lie in the database, so that both are checked at once).
"""

from __future__ import annotations

from goexchange.model.streaming_file import streaming_beside
from goexchange.plan.context import LaneContext


def is_pair(context: LaneContext) -> bool:
    """Whether the database is made up of two files."""
    return context.database.streaming_path is not None


def second_of(context: LaneContext, path: str) -> tuple[str, ...]:
    """The second file of `path`; nothing where there is none."""
    return (streaming_beside(path),) if is_pair(context) else ()


def switch_of(context: LaneContext, path: str, *, switch: str = "/s") -> tuple[str, ...]:
    """The argument of eseutil that names the second file of `path`."""
    return tuple(f"{switch}{each}" for each in second_of(context, path))
