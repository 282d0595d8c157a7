"""The flush map (.jfm, Exchange 2016 on): two bits for each page's last write.

Shape: pages of 8 KiB, whatever those of the database are; page 0 is the header, each further one
notes 32512 pages of the database, from page number 0 on, high bits of a byte first.
Source: ESE source, flushmap.hxx and flushmap.cxx; confirmed on ten real files and the databases of
five of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from attrs import asdict, field, frozen

from goexchange.ese.header import DatabaseHeader
from goexchange.ese.pages import NEW_CHECKSUM_FLAG, seal_pages, verify_pages
from goexchange.ese.space import Reader
from goexchange.ese.structures import (
    FILE_TYPE,
    I32,
    NO_SIGNATURE,
    SIGNATURE,
    TIME,
    U32,
    U64,
    UNSET_TIME,
    Fields,
    FileType,
    LogTime,
    Signature,
    decode_fields,
    encode_fields,
    header_checksum,
    seal_header,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAP_PAGE_BYTES = 8192
VERSION_MAJOR = 3

_MAP_HEADER_BYTES = 64
_PER_BYTE = 4
PAGES_PER_MAP_PAGE = (MAP_PAGE_BYTES - _MAP_HEADER_BYTES) * _PER_BYTE

_CLEAN = 1
_NO_DBTIME = 0xFFFFFFFFFFFFFFFF


@frozen(kw_only=True)
class FlushMapHeader:
    """What a flush map says about itself. The two signatures tie it to a database's header."""

    version_major: int = VERSION_MAJOR
    version_update_major: int = 0
    version_update_minor: int = 0
    flags: int = _CLEAN
    created: LogTime = UNSET_TIME
    attached: LogTime = UNSET_TIME
    detached: LogTime = UNSET_TIME
    log_required_low: int = 0
    header_flush_signature: Signature = NO_SIGNATURE
    map_flush_signature: Signature = NO_SIGNATURE
    file_type: FileType = FileType.FLUSH_MAP

    @property
    def is_clean(self) -> bool:
        """Written to its end when the database was shut down."""
        return bool(self.flags & _CLEAN)

    def belongs_to(self, header: DatabaseHeader) -> bool:
        """One of the two signatures is set and the same in both, as the engine asks for."""
        pairs = (
            (self.header_flush_signature, header.header_flush_signature),
            (self.map_flush_signature, header.map_flush_signature),
        )
        return any(own.is_set and own == other for own, other in pairs)


_FIELDS: Fields = (
    ("version_major", 4, U32),
    ("version_update_major", 8, U32),
    ("version_update_minor", 12, U32),
    ("flags", 36, U32),
    ("created", 40, TIME),
    ("attached", 48, TIME),
    ("detached", 56, TIME),
    ("log_required_low", 64, I32),
    ("header_flush_signature", 88, SIGNATURE),
    ("map_flush_signature", 116, SIGNATURE),
    ("file_type", 667, FILE_TYPE),
)


class FlushMapProblem(Enum):
    """What is wrong with a flush map."""

    TOO_SHORT = "too-short"
    CHECKSUM = "checksum"
    NOT_A_FLUSH_MAP = "not-a-flush-map"
    VERSION_UNKNOWN = "version-unknown"


@frozen(kw_only=True)
class FlushMapReading:
    """What reading a flush map gave.

    Shape: `pages` are those behind the header that were read, `bad_pages` of them fail.
    Unknown: `header` is None unless it can be used.
    """

    header: FlushMapHeader | None
    problem: FlushMapProblem | None = None
    pages: int = 0
    bad_pages: int = 0


@frozen(kw_only=True)
class FlushTypes:
    """The noted type of each page's last write; pages that the map does not reach are unknown.

    Shape: `pages` are the map's data pages, one row each; those that fail their checksum are blank
    here, so that they note nothing.
    """

    pages: NDArray[Any] = field(eq=False)

    def of(self, numbers: NDArray[Any], dbtimes: NDArray[Any]) -> NDArray[Any]:
        """Type per page (1 to 3), 0 where unknown.

        Shape: a page with a dbtime above the highest that its map page knows says that the map is
        behind; the engine trusts it no further for that page, and neither do we.
        """
        import numpy as np

        row, place = numbers // PAGES_PER_MAP_PAGE, numbers % PAGES_PER_MAP_PAGE
        types = np.zeros(len(numbers), dtype=np.uint8)
        here = np.flatnonzero(row < len(self.pages))
        if not len(here):
            return types
        row, place = row[here], place[here]
        packed = self.pages[row, _MAP_HEADER_BYTES + place // _PER_BYTE]
        noted = (packed >> (6 - 2 * (place % _PER_BYTE)).astype(np.uint8)) & 3
        highest = np.ascontiguousarray(self.pages[:, 8:16]).view("<u8").ravel()[row]
        is_behind = (highest != np.uint64(_NO_DBTIME)) & (dbtimes[here] > highest)
        types[here] = np.where(is_behind, 0, noted)
        return types


def read_flush_map(read: Reader, database_pages: int) -> tuple[FlushMapReading, FlushTypes | None]:
    """Read a flush map, as far as it concerns a database of so many pages.

    Memory: a quarter byte per page of the database, whatever the size of the map's file.
    """
    import numpy as np

    slot = read(0, MAP_PAGE_BYTES)
    header = _header_of(slot)
    if not isinstance(header, FlushMapHeader):
        return FlushMapReading(header=None, problem=header), None
    wanted = database_pages // PAGES_PER_MAP_PAGE + 1
    content = bytearray(read(MAP_PAGE_BYTES, wanted * MAP_PAGE_BYTES))
    del content[len(content) // MAP_PAGE_BYTES * MAP_PAGE_BYTES :]
    # Map pages are numbered from 0, as far as their checksums go.
    verdicts = verify_pages(content, 0, MAP_PAGE_BYTES)
    pages = np.frombuffer(content, dtype=np.uint8).reshape(-1, MAP_PAGE_BYTES)
    bad = 0
    for index in range(len(pages)) if verdicts.faulty else ():
        if verify_pages(content[index * MAP_PAGE_BYTES :][:MAP_PAGE_BYTES], index, 8192).faulty:
            pages[index] = 0
            bad += 1
    reading = FlushMapReading(header=header, pages=len(pages), bad_pages=bad)
    return reading, FlushTypes(pages=pages)


def write_flush_map(
    header: FlushMapHeader, types: Sequence[int], *, highest_dbtime: int = _NO_DBTIME
) -> bytes:
    """A flush map that notes a type for each page number from 0 on.

    Source: the same layout; used by tests and by the simulated site.
    """
    slot = bytearray(MAP_PAGE_BYTES)
    encode_fields(asdict(header, recurse=False), _FIELDS, into=slot)
    body = bytearray()
    for first in range(0, max(1, len(types)), PAGES_PER_MAP_PAGE):
        page = bytearray(MAP_PAGE_BYTES)
        page[8:16] = U64.encode(highest_dbtime)
        page[16:20] = U32.encode(first // PAGES_PER_MAP_PAGE)
        page[36:40] = U32.encode(NEW_CHECKSUM_FLAG)
        for place, each in enumerate(types[first : first + PAGES_PER_MAP_PAGE]):
            page[_MAP_HEADER_BYTES + place // _PER_BYTE] |= each << 6 - 2 * (place % _PER_BYTE)
        body += page
    seal_pages(body, 0, MAP_PAGE_BYTES)
    return seal_header(slot) + bytes(body)


def _header_of(slot: bytes) -> FlushMapHeader | FlushMapProblem:
    if len(slot) < MAP_PAGE_BYTES:
        return FlushMapProblem.TOO_SHORT
    if int.from_bytes(slot[:4], "little") != header_checksum(slot):
        return FlushMapProblem.CHECKSUM
    header = FlushMapHeader(**decode_fields(slot, _FIELDS))
    if header.file_type is not FileType.FLUSH_MAP:
        return FlushMapProblem.NOT_A_FLUSH_MAP
    if header.version_major != VERSION_MAJOR:
        return FlushMapProblem.VERSION_UNKNOWN
    return header
