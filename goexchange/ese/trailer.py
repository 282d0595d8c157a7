"""The trailer page that a streaming backup puts behind a database (Exchange 2000 to 2007).

Shape: the last page of the file, one that looks like a header: the database was copied while it
was mounted, and the page says which logs have to be replayed into it.
Source: ESE source, backup.cxx and daedef.hxx. No real file was at hand: checked against our own
writer only.
"""

from __future__ import annotations

from enum import Enum

from attrs import asdict, frozen

from goexchange.ese.header import DatabaseHeader
from goexchange.ese.structures import (
    BACKUP,
    I32,
    NO_BACKUP,
    NO_SIGNATURE,
    SIGNATURE,
    TIME,
    UNSET_TIME,
    BackupRecord,
    Fields,
    LogTime,
    Signature,
    decode_fields,
    encode_fields,
    header_checksum,
    seal_header,
)

_ZERO_WORDS = (1, 2, 3, 6)


@frozen(kw_only=True)
class Trailer:
    """What a streaming backup notes behind the pages: whose copy it is, and its logs."""

    backup: BackupRecord = NO_BACKUP
    signature: Signature = NO_SIGNATURE
    log_signature: Signature = NO_SIGNATURE
    log_required_low: int = 0
    log_required_high: int = 0
    log_committed: int = 0
    log_required_time: LogTime = UNSET_TIME
    log_committed_time: LogTime = UNSET_TIME


_FIELDS: Fields = (
    ("backup", 40, BACKUP),
    ("signature", 64, SIGNATURE),
    ("log_signature", 92, SIGNATURE),
    ("log_required_low", 120, I32),
    ("log_required_high", 124, I32),
    ("log_committed", 128, I32),
    ("log_required_time", 132, TIME),
    ("log_committed_time", 140, TIME),
)


class TrailerProblem(Enum):
    """What is wrong with the trailer page."""

    MISSING = "missing"  # -534
    CHECKSUM = "checksum"  # -535
    OF_ANOTHER_DATABASE = "of-another-database"  # -552


@frozen(kw_only=True)
class TrailerReading:
    """What looking for a trailer page gave.

    Shape: `is_there` when the last page of the file is not a page of the database. Unknown:
    `trailer` is None when there is a problem.
    """

    is_there: bool
    trailer: Trailer | None = None
    problem: TrailerProblem | None = None


def is_streaming_backup(header: DatabaseHeader) -> bool:
    """The header says that a streaming backup was under way when it was copied."""
    backup = header.current_full_backup
    return backup.first_generation != 0 and backup.last_generation == 0


def looks_like_trailer(page: bytes) -> bool:
    """The engine's own test: four words are zero that no page of a database leaves so.

    Shape: a blank page is none; a page whose number or dbtime words are set is none either.
    """
    words = [page[4 * index : 4 * index + 4] for index in _ZERO_WORDS]
    return any(page) and len(page) >= 148 and not any(any(word) for word in words)


def read_trailer(last_page: bytes, header: DatabaseHeader) -> TrailerReading | None:
    """The trailer of a streaming backup; None when there is none and none is due."""
    is_due = is_streaming_backup(header)
    if not looks_like_trailer(last_page):
        if not is_due:
            return None
        return TrailerReading(is_there=False, problem=TrailerProblem.MISSING)
    if int.from_bytes(last_page[:4], "little") != header_checksum(last_page):
        if not is_due:
            # Junk may look like one; without a backup under way the page's own verdict stands.
            return None
        return TrailerReading(is_there=True, problem=TrailerProblem.CHECKSUM)
    trailer = Trailer(**decode_fields(last_page, _FIELDS))
    is_own = (
        trailer.signature == header.signature
        and trailer.log_signature == header.log_signature
        and trailer.backup.mark == header.current_full_backup.mark
    )
    if not is_own:
        return TrailerReading(is_there=True, problem=TrailerProblem.OF_ANOTHER_DATABASE)
    return TrailerReading(is_there=True, trailer=trailer)


def write_trailer(trailer: Trailer, page_size: int) -> bytes:
    """One trailer page."""
    page = bytearray(page_size)
    encode_fields(asdict(trailer, recurse=False), _FIELDS, into=page)
    return seal_header(page)
