"""Small databases and logs from our own writer, and the real samples where they are at hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from goexchange.ese.header import DatabaseHeader
from goexchange.ese.space import Reader
from goexchange.ese.structures import LogPosition, LogTime, Signature
from goexchange.ese.writer import build_database

MADE = LogTime.at(datetime(2024, 3, 2, 8, 15, 32, 123000, UTC))


@pytest.fixture
def header() -> DatabaseHeader:
    return DatabaseHeader(
        page_size=32768,
        dbtime=9114583,
        signature=Signature(random=204834231, created=MADE),
        log_signature=Signature(random=771203311, created=MADE),
        last_consistent=LogPosition(generation=0x4C3, sector=0x1E, byte=0x16F),
        last_consistent_time=MADE,
    )


@pytest.fixture
def built() -> Callable[..., bytes]:
    def build(header: DatabaseHeader, pages: int = 40, free: int = 12) -> bytes:
        return b"".join(build_database(header, pages=pages, free_pages=free, seed=b"test"))

    return build


@pytest.fixture
def reader() -> Callable[[bytes], Reader]:
    return lambda content: lambda offset, length: content[offset : offset + length]


@pytest.fixture(scope="session")
def samples() -> Path:
    folder = os.environ.get("GOEXCHANGE_ESE_SAMPLES")
    if not folder:
        pytest.skip("GOEXCHANGE_ESE_SAMPLES names no folder with real ESE files")
    return Path(folder)
