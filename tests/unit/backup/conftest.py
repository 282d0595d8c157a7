"""Scans made by hand: what a pass over real files would give, without files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from goexchange.ese.header import DatabaseHeader, HeaderCopy, HeaderReading
from goexchange.ese.logs import LogBody, LogHeader, LogReading
from goexchange.ese.pages import PageVerdicts
from goexchange.ese.scan import DatabaseScan, FileKind, FileScan, LogScan
from goexchange.ese.structures import BackupRecord, LogPosition, LogTime, Signature

STREAM = Signature(random=771203311, created=LogTime.at(datetime(2024, 3, 2, 8, 15, tzinfo=UTC)))


def created(generation: int) -> LogTime:
    return LogTime.at(datetime(2024, 3, 9, 6, generation % 60, tzinfo=UTC))


@pytest.fixture
def header() -> DatabaseHeader:
    return DatabaseHeader(
        signature=Signature(random=1, created=STREAM.created),
        log_signature=STREAM,
        last_consistent=LogPosition(generation=0x14, sector=3, byte=8),
        last_consistent_time=created(0x14),
        previous_full_backup=BackupRecord(
            mark=LogPosition(generation=0x11, sector=8, byte=0x16),
            marked_at=created(0x11),
            first_generation=0x0E,
            last_generation=0x10,
        ),
    )


@pytest.fixture
def database() -> Callable[..., FileScan]:
    def scan(header: DatabaseHeader | None, **changes: object) -> FileScan:
        reading = HeaderReading(
            header=header,
            copy_used=HeaderCopy.PRIMARY if header else HeaderCopy.NONE,
            page_size=32768 if header else None,
        )
        values: dict[str, object] = {
            "reading": reading,
            "file_pages": 100,
            "owned_pages": 100,
            "trailing_bytes": 0,
            "pages": PageVerdicts(pages=100, good=100),
            "beyond": PageVerdicts(),
        }
        return FileScan(
            path="DB01.edb",
            size_bytes=102 * 32768,
            kind=FileKind.DATABASE,
            sha256="d" * 64,
            database=DatabaseScan(**(values | changes)),  # type: ignore[arg-type]
        )

    return scan


@pytest.fixture
def log() -> Callable[..., FileScan]:
    def scan(generation: int, name: str | None = None, **changes: object) -> FileScan:
        values: dict[str, object] = {
            "generation": generation,
            "created": created(generation),
            "previous_created": created(generation - 1),
            "previous_checksum": generation - 1,
            "signature": STREAM,
        }
        header = LogHeader(**(values | changes))  # type: ignore[arg-type]
        body = LogBody(live=10, empty=245, accumulated_checksum=generation)
        return FileScan(
            path=name or f"E00{generation:08X}.log",
            size_bytes=header.file_bytes,
            kind=FileKind.LOG,
            sha256=f"{generation:064x}",
            log=LogScan(reading=LogReading(header=header), body=body),
        )

    return scan
