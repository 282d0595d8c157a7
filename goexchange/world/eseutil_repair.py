"""`eseutil /p`: a file repaired in place, what cannot be read of it discarded.

Shape: a page that is bad becomes an empty one; a file whose space trees are bad is beyond repair.
It works on a file that is not shut down cleanly too.
Source: ESE source, repair.cxx; the captured words of a repair.
"""

from __future__ import annotations

from datetime import datetime

from goexchange.errors import Damaged
from goexchange.ese.header import HEADER_SLOTS, HeaderReading, write_database_header
from goexchange.ese.jet_errors import JetError
from goexchange.ese.pages import verify_pages
from goexchange.ese.rendering import progress_lines
from goexchange.ese.structures import LogTime, Signature
from goexchange.ese.writer import repaired_header, repaired_pages
from goexchange.world.files import HostFiles
from goexchange.world.work import Write

REPAIRED = 595  # a warning: the run has succeeded, and the file has changed
FULL_BACKUP_NOTE = (
    "Note:",
    "  It is recommended that you immediately perform a full backup",
    "  of this database. If you restore a backup made before the",
    "  repair, the database will be rolled back to the state",
    "  it was in at the time of that backup.",
    "",
)


def repair_lines(path: str, temporary: str) -> list[str]:
    """What it prints before its verdict."""
    return [
        f"        Database: {path}",
        f"  Temp. Database: {temporary}",
        "",
        "Checking database integrity.",
        "",
        *progress_lines("Scanning"),
        "",
        "",
    ]


def repaired(
    files: HostFiles, path: str, reading: HeaderReading, *, signature: Signature, at: datetime
) -> tuple[JetError | None, tuple[Write, ...]]:
    """What stops the repair, and the file that it writes; none where there is nothing to repair."""
    header = reading.header
    if header is None:
        return JetError.DatabaseCorrupted, ()
    size = header.page_size
    content = files.read(path)[HEADER_SLOTS * size :]
    whole = content[: len(content) // size * size]
    if not verify_pages(whole, 1, size).faulty:
        return None, ()
    try:
        pages = repaired_pages(whole, header)
    except Damaged:
        return JetError.DatabaseCorrupted, ()
    fresh = repaired_header(header, signature=signature, at=LogTime.at(at))
    written = write_database_header(fresh) * HEADER_SLOTS + pages
    return None, (Write(path=path, content=written),)


def verdict_lines(is_changed: bool) -> list[str]:
    """What it prints at its end, before its last line."""
    if not is_changed:
        return ["Integrity check successful.", ""]
    return [
        "Scanning the database catalog.",
        "",
        "Repairing damaged tables.",
        "",
        "Repair completed. Database corruption has been repaired!",
        "",
        *FULL_BACKUP_NOTE,
    ]


def warning_line(milliseconds: int) -> str:
    """The last line of a repair that changed the file."""
    elapsed = f"{milliseconds // 1000}.{milliseconds % 1000}"
    return (
        f"Operation completed successfully with {REPAIRED} (JET_wrnDatabaseRepaired, Database"
        f" corruption has been repaired) after {elapsed} seconds."
    )
