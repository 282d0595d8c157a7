"""Making whole ESE databases, from parameters or compacted from another, as streams of chunks.

Deterministic: signatures, times and the seed of the content come in. What is written is a valid
file in every page, with space trees that say what is owned and what is free and a catalogue without
tables; the other pages are leaves of filler.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator

from attrs import frozen

from goexchange.errors import Damaged
from goexchange.ese.header import (
    HEADER_SLOTS,
    DatabaseHeader,
    DatabaseState,
    rebuild,
    write_database_header,
)
from goexchange.ese.pages import (
    NEW_CHECKSUM_FLAG,
    PageFault,
    correct_page,
    seal_pages,
    verify_pages,
)
from goexchange.ese.space import (
    AVAILABLE_ROOT,
    FLAG_LEAF,
    FLAG_ROOT,
    FLAG_SPACE_TREE,
    OWNED_ROOT,
    Extent,
    Reader,
    free_extents,
    owned_pages,
    page_header_bytes,
)
from goexchange.ese.structures import LogTime, Signature, Tally

__all__ = [
    "SYSTEM_PAGES",
    "build_database",
    "defragment",
    "defragmented_header",
    "defragmented_pages",
    "file_bytes",
    "repaired_header",
    "repaired_pages",
]

SYSTEM_PAGES = 3
CATALOGUE_ROOTS = (4, 24)  # the catalogue and its copy
CHUNK_BYTES = 4 * 1024 * 1024

_EXTENTS_MAX = 16
_FLAG_NEW_RECORDS = 0x800
_CONTENT_OBJECT = 2
_ROOT_OBJECT = 1
_KEY_BYTES = 4
# One tag (of 4 bytes) for the page's prefix, one for the node; the node starts with its key's
# length.
_NODE_OVERHEAD = 2 * 4 + 2 + _KEY_BYTES


@frozen(kw_only=True)
class _PageFields:
    """What a page header says beside checksum and number."""

    page_size: int
    dbtime: int
    flags: int
    objid: int = _ROOT_OBJECT


def file_bytes(header: DatabaseHeader, pages: int) -> int:
    """Size of a database file of so many pages."""
    return (pages + HEADER_SLOTS) * header.page_size


def build_database(
    header: DatabaseHeader, *, pages: int, free_pages: int = 0, seed: bytes = b""
) -> Iterator[bytes]:
    """A complete database file, in chunks of at most 4 MiB.

    Shape: both header slots, then `pages` pages, `free_pages` of them available in up to 16 extents
    over the file; every second of those extents is blank, the others hold pages that were used
    once.
    Raises: ValueError when `free_pages` do not fit beside the three system pages.
    """
    if not 0 <= free_pages <= pages - SYSTEM_PAGES:
        raise ValueError(f"{free_pages} free pages do not fit into {pages} pages")
    free = _spread_free(pages, free_pages)
    blank = {number for each in free[1::2] for number in range(each.first_page, each.last_page + 1)}
    filler = _Filler(header, seed)
    yield write_database_header(header) * HEADER_SLOTS
    per_chunk = CHUNK_BYTES // header.page_size
    for first in range(1, pages + 1, per_chunk):
        chunk = bytearray()
        for number in range(first, min(first + per_chunk, pages + 1)):
            if number in blank:
                chunk += bytes(header.page_size)
            elif number in CATALOGUE_ROOTS:
                chunk += _empty_leaf(header, _CONTENT_OBJECT)
            elif number > SYSTEM_PAGES:
                chunk += filler.page(number)
            else:
                chunk += _system_page(header, number, pages, free)
        seal_pages(chunk, first, header.page_size)
        yield bytes(chunk)


def defragmented_header(source: DatabaseHeader, *, signature: Signature) -> DatabaseHeader:
    """Header of what a defragmentation makes of a database.

    A new signature, clean, no log stream, no backup history; earlier repairs and reseeds only as
    old counts.
    Source: ESE source, comp.cxx; Microsoft's notes on eseutil /d.
    """
    fresh = DatabaseHeader(
        signature=signature,
        state=DatabaseState.CLEAN_SHUTDOWN,
        dbtime=source.dbtime,
        last_objid=source.last_objid,
    )
    kept = (
        "page_size",
        "format_version",
        "format_update_major",
        "format_update_minor",
        "created_version",
        "created_update_major",
        "engine_format_version",
        "nls_version",
        "os_major",
        "os_minor",
        "os_build",
        "os_service_pack",
    )
    return rebuild(
        fresh,
        **{name: getattr(source, name) for name in kept},
        old_repair_count=source.old_repair_count + source.repair_count,
        ecc_fix_success=_only_old(source.ecc_fix_success),
        ecc_fix_failure=_only_old(source.ecc_fix_failure),
        bad_checksum=_only_old(source.bad_checksum),
        reseed=_only_old(source.reseed),
        patch=_only_old(source.patch),
    )


def defragmented_pages(read: Reader, page_size: int) -> int:
    """How many pages are left when the free ones are dropped.

    Raises: Damaged when the space trees cannot be read.
    """
    owned, free = _space(read, page_size)
    return owned - sum(each.pages for each in free)


def defragment(read: Reader, source: DatabaseHeader, *, result: DatabaseHeader) -> Iterator[bytes]:
    """The compacted file of a database that `build_database` made, in chunks of at most 4 MiB.

    Content pages keep their order and get new numbers; links between pages are not rewritten (ours
    have none).
    Raises: Damaged when a page or a space tree of the source is; what was yielded before is then
    worthless.
    """
    owned, free = _space(read, source.page_size)
    left = owned - sum(each.pages for each in free)
    size = source.page_size
    yield write_database_header(result) * HEADER_SLOTS
    chunk = bytearray()
    for number in range(1, SYSTEM_PAGES + 1):
        chunk += _system_page(result, number, left, ())
    written = 0
    for page in _content_pages(read, size, owned, free):
        chunk += page
        if len(chunk) >= CHUNK_BYTES:
            seal_pages(chunk, written + 1, size)
            written += len(chunk) // size
            yield bytes(chunk)
            chunk = bytearray()
    if chunk:
        seal_pages(chunk, written + 1, size)
        yield bytes(chunk)


class _Filler:
    """Content pages that depend on seed and number only."""

    def __init__(self, header: DatabaseHeader, seed: bytes) -> None:
        self._size = header.page_size
        self._dbtime = max(header.dbtime, 1)
        self._room = self._size - page_header_bytes(self._size) - _NODE_OVERHEAD
        self._noise = hashlib.shake_128(b"content" + seed).digest(2 * self._size)

    def page(self, number: int) -> bytes:
        start = number * 40503 % self._size
        content = self._noise[start : start + self._room]
        fields = _PageFields(
            page_size=self._size,
            dbtime=self._dbtime - number * 7919 % self._dbtime,
            flags=FLAG_ROOT | FLAG_LEAF,
            objid=_CONTENT_OBJECT + number % 97,
        )
        return _page(fields, prefix=b"", nodes=((struct.pack(">I", number), content),))


def _spread_free(pages: int, free_pages: int) -> tuple[Extent, ...]:
    """Free extents of about equal length, each behind an equal share of used pages."""
    count = min(_EXTENTS_MAX, free_pages)
    used = pages - SYSTEM_PAGES - free_pages
    extents = []
    for index in range(1, count + 1):
        upto = SYSTEM_PAGES + used * index // count + free_pages * index // count
        share = free_pages * index // count - free_pages * (index - 1) // count
        extents.append(Extent(upto, share))
    return tuple(extents)


def _system_page(
    header: DatabaseHeader, number: int, pages: int, free: tuple[Extent, ...]
) -> bytes:
    """Page 1 (root of the database), 2 (extents it owns) or 3 (extents available)."""
    flags = FLAG_ROOT | FLAG_LEAF
    if number in (OWNED_ROOT, AVAILABLE_ROOT):
        extents = (Extent(pages, pages),) if number == OWNED_ROOT else free
        nodes = tuple(
            (struct.pack(">I", each.last_page), struct.pack("<I", each.pages)) for each in extents
        )
        fields = _PageFields(
            page_size=header.page_size, dbtime=max(header.dbtime, 1), flags=flags | FLAG_SPACE_TREE
        )
        return _page(fields, prefix=bytes(16), nodes=nodes)
    # Primary extent, parent, flags (more than one extent), root of the owned extents.
    space_header = struct.pack("<IIII", pages, 0, 1, OWNED_ROOT)
    fields = _PageFields(page_size=header.page_size, dbtime=max(header.dbtime, 1), flags=flags)
    return _page(fields, prefix=space_header, nodes=())


def _empty_leaf(header: DatabaseHeader, objid: int) -> bytes:
    """The root of a tree without records: as the catalogue it says that there are no tables."""
    fields = _PageFields(
        page_size=header.page_size,
        dbtime=max(header.dbtime, 1),
        flags=FLAG_ROOT | FLAG_LEAF,
        objid=objid,
    )
    return _page(fields, prefix=bytes(16), nodes=())


def repaired_pages(content: bytes, header: DatabaseHeader) -> bytes:
    """The pages of a damaged file as a repair leaves them: one that cannot be read is an empty
    leaf, what can be corrected is.

    Raises: Damaged when a system page is bad: the space trees of the whole file hang on them.
    """
    size = header.page_size
    pages = bytearray(content)
    for finding in verify_pages(pages, 1, size).findings:
        if finding.page <= SYSTEM_PAGES:
            raise Damaged(f"page {finding.page} is {finding.fault.value}")
        start = (finding.page - 1) * size
        page = bytearray(pages[start : start + size])
        if finding.fault is PageFault.CORRECTABLE and finding.bit is not None:
            pages[start : start + size] = correct_page(page, finding.bit)
            continue
        empty = bytearray(_empty_leaf(header, _CONTENT_OBJECT))
        seal_pages(empty, finding.page, size)
        pages[start : start + size] = empty
    return bytes(pages)


def repaired_header(
    source: DatabaseHeader, *, signature: Signature, at: LogTime
) -> DatabaseHeader:
    """Header of what a repair made of a database: another signature, no log stream, a repair more.

    Source: ESE source, repair.cxx (ErrREPAIRChangeDBSignature).
    """
    kept = defragmented_header(source, signature=signature)
    return rebuild(
        kept,
        repair_count=source.repair_count + 1,
        old_repair_count=source.old_repair_count,
        repair_time=at,
    )


def _page(fields: _PageFields, *, prefix: bytes, nodes: tuple[tuple[bytes, bytes], ...]) -> bytes:
    """One page without its checksum.

    Source: ESE source, cpage.cxx: page header, nodes behind it, tags from the end.
    """
    page = bytearray(fields.page_size)
    start = page_header_bytes(fields.page_size)
    bodies = [prefix] + [struct.pack("<H", len(key)) + key + content for key, content in nodes]
    offset = 0
    for index, body in enumerate(bodies):
        page[start + offset : start + offset + len(body)] = body
        tag = fields.page_size - 4 * (index + 1)
        struct.pack_into("<HH", page, tag, len(body), offset)
        offset += len(body)
    room = fields.page_size - start - 4 * len(bodies) - offset
    flags = fields.flags | NEW_CHECKSUM_FLAG | _FLAG_NEW_RECORDS
    struct.pack_into("<QIII", page, 8, fields.dbtime, 0, 0, fields.objid)
    struct.pack_into("<HHHHI", page, 28, room, 0, offset, len(bodies), flags)
    return bytes(page)


def _space(read: Reader, page_size: int) -> tuple[int, tuple[Extent, ...]]:
    owned, free = owned_pages(read, page_size), free_extents(read, page_size)
    if owned is None or free is None:
        raise Damaged("the space trees of the database (pages 2 and 3) cannot be read")
    if any(each.first_page <= SYSTEM_PAGES or each.last_page > owned for each in free):
        raise Damaged("the database counts pages as free that it does not own")
    return owned, free


def _content_pages(
    read: Reader, page_size: int, owned: int, free: tuple[Extent, ...]
) -> Iterator[bytes]:
    dropped = {number for each in free for number in range(each.first_page, each.last_page + 1)}
    per_chunk = CHUNK_BYTES // page_size
    for first in range(SYSTEM_PAGES + 1, owned + 1, per_chunk):
        count = min(per_chunk, owned + 1 - first)
        chunk = bytearray(read((first + 1) * page_size, count * page_size))
        if len(chunk) < count * page_size:
            raise Damaged(f"the file ends before page {owned}, the last that the database owns")
        for finding in verify_pages(chunk, first, page_size).findings:
            if finding.page in dropped:
                continue
            if finding.fault is not PageFault.CORRECTABLE or finding.bit is None:
                raise Damaged(f"page {finding.page} is {finding.fault.value}")
            start = (finding.page - first) * page_size
            page = correct_page(chunk[start : start + page_size], finding.bit)
            chunk[start : start + page_size] = page
        for number in range(first, first + count):
            if number not in dropped:
                start = (number - first) * page_size
                yield bytes(chunk[start : start + page_size])


def _only_old(tally: Tally) -> Tally:
    return Tally(old_count=tally.old_count + tally.count)
