"""Scanning a database file, with the flush map beside it where there is one."""

from __future__ import annotations

from io import FileIO
from pathlib import Path

from attrs import evolve, frozen

from goexchange.ese.flush_map import FlushTypes, read_flush_map
from goexchange.ese.header import (
    HEADER_SLOTS,
    DatabaseHeader,
    HeaderReading,
    read_database_header,
)
from goexchange.ese.page_run import NOTHING, PageLayout, PageSum
from goexchange.ese.pages import Sieve
from goexchange.ese.scan import DatabaseScan, FileKind, FileScan, MapUse
from goexchange.ese.space import Reader, owned_pages
from goexchange.ese.trailer import TrailerReading, read_trailer
from goexchange.store.one_pass import ScanOptions, pass_over, reader_of

COMPILED_FROM_BYTES = 4 * 1024**3
"""Size from which loading the compiled sieve costs less than it saves."""

_MAP_SUFFIXES = (".jfm", ".JFM")


@frozen
class FoundFile:
    """A file to scan: where it is, what it is called, its size and its first bytes."""

    path: Path
    name: str
    size: int
    start: bytes


def scan_database(file: FileIO, found: FoundFile, options: ScanOptions) -> FileScan:
    """Scan a database: headers, every page, lengths, trailer, and the flush map beside it."""
    reading = read_database_header(found.start)
    page_size = reading.page_size or options.page_size
    is_sampled = options.is_sampling(found.size)
    layout, total, use, trailer = None, None, MapUse.ABSENT, None
    if page_size is not None:
        trailer = _trailer(reader_of(file), found.size, page_size, reading.header)
        layout, use = _layout(file, found, page_size, reading.header)
        if trailer is not None and trailer.is_there:
            layout = evolve(layout, pages=layout.pages - 1)
        total = PageSum(layout)
    outcome = pass_over(file, found.size, options, total)
    return FileScan(
        path=found.name,
        size_bytes=found.size,
        kind=FileKind.DATABASE,
        sha256=outcome.sha256,
        is_sampled=is_sampled,
        database=evolve(
            _database_scan(reading, found.size, layout, total), flush_map=use, trailer=trailer
        ),
        read_error=outcome.read_error,
    )


def sieve_for(size: int) -> Sieve | None:
    """The compiled sieve, for a big file where it can be had."""
    if size < COMPILED_FROM_BYTES:
        return None
    try:
        from goexchange.ese.compiled import sift
    except (ImportError, RuntimeError):  # no numba, or no folder for what it compiles
        return None
    return sift


def _layout(
    file: FileIO, found: FoundFile, page_size: int, header: DatabaseHeader | None
) -> tuple[PageLayout, MapUse]:
    pages = max(0, found.size // page_size - HEADER_SLOTS)
    types, use = _flush_types(found.path, pages, header)
    has_checksums = header is None or not header.is_temporary
    owned = owned_pages(reader_of(file), page_size, has_checksums=has_checksums)
    layout = PageLayout(
        page_size=page_size,
        pages=pages,
        owned=owned,
        flush_types=types,
        sieve=sieve_for(found.size),
    )
    return layout, use


def _flush_types(
    path: Path, pages: int, header: DatabaseHeader | None
) -> tuple[FlushTypes | None, MapUse]:
    """The map beside a database, when it can be believed about it."""
    beside = [path.with_suffix(suffix) for suffix in _MAP_SUFFIXES]
    here = next((each for each in beside if each.is_file()), None)
    if here is None or header is None:
        return None, MapUse.ABSENT
    try:
        with FileIO(here, "rb") as file:
            reading, types = read_flush_map(reader_of(file), pages)
    except OSError:
        # It is one of the files of the folder, too, and its error is told there.
        return None, MapUse.UNREADABLE
    if reading.header is None:
        return None, MapUse.UNREADABLE
    if not reading.header.belongs_to(header):
        return None, MapUse.FOREIGN
    if not (reading.header.is_clean and header.is_clean):
        return None, MapUse.NOT_CLEAN
    return types, MapUse.USED


def _trailer(
    read: Reader, size: int, page_size: int, header: DatabaseHeader | None
) -> TrailerReading | None:
    if header is None or size // page_size <= HEADER_SLOTS:
        return None
    return read_trailer(read((size // page_size - 1) * page_size, page_size), header)


def _database_scan(
    reading: HeaderReading, size: int, layout: PageLayout | None, total: PageSum | None
) -> DatabaseScan:
    if layout is None or total is None:
        return DatabaseScan(
            reading=reading,
            file_pages=0,
            owned_pages=None,
            trailing_bytes=0,
            pages=NOTHING,
            beyond=NOTHING,
        )
    return DatabaseScan(
        reading=reading,
        file_pages=layout.pages,
        owned_pages=layout.owned,
        trailing_bytes=size % layout.page_size,
        pages=total.inside,
        beyond=total.beyond,
        zeroed=total.zeroed,
        stale=total.stale,
    )
