"""Any bytes at all: a clear answer, never an exception, and no more reading than there is to read.

The readers count what they hand out, so that work in proportion to a number in the file, rather
than to its size, fails here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from goexchange.backup.manifest import parse_manifest
from goexchange.codec import canonical_json, digest
from goexchange.errors import InvalidDocument
from goexchange.ese.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from goexchange.ese.flush_map import FlushMapHeader, read_flush_map, write_flush_map
from goexchange.ese.header import DatabaseHeader, read_database_header, write_database_header
from goexchange.ese.log_rendering import checkpoint_dump, log_dump
from goexchange.ese.logs import (
    LogHeader,
    build_log,
    build_record_log,
    check_log_body,
    parse_log_name,
    read_log_header,
)
from goexchange.ese.page_run import PageLayout, PageSum
from goexchange.ese.pages import seal_pages
from goexchange.ese.rendering import header_dump
from goexchange.ese.space import free_pages, owned_pages
from goexchange.ese.structures import seal_header
from goexchange.ese.trailer import Trailer, read_trailer, write_trailer
from goexchange.ese.writer import build_database

FUZZ = settings(
    max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)

CALLS_MAX = 200


class Counting:
    """Bytes of a file; counts calls and what it hands out."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.calls = 0
        self.given = 0

    def __call__(self, offset: int, length: int) -> bytes:
        assert offset >= 0 and length >= 0
        part = self._content[offset : offset + length]
        self.calls += 1
        self.given += len(part)
        return part

    def check(self) -> None:
        """Each byte a few times at most, and a few calls for each sector."""
        assert self.given <= 8 * len(self._content) + 65536
        assert self.calls <= CALLS_MAX + len(self._content) // 32


EDITS = st.lists(
    st.tuples(st.integers(0, 2**16), st.binary(min_size=1, max_size=9)), min_size=1, max_size=12
)


def edited(content: bytes, edits: list[tuple[int, bytes]], upto: int) -> bytearray:
    changed = bytearray(content)
    for place, noise in edits:
        start = place % upto
        changed[start : start + len(noise)] = noise[: len(changed) - start]
    return changed


@FUZZ
@given(st.binary(max_size=9000))
@example(b"")
@example(bytes(65536))
@example(b"\xff" * 65536)
def test_any_bytes_as_any_kind_of_file(content: bytes):
    reading = read_database_header(content)
    if reading.header is not None:
        header_dump(reading, "any")
    assert read_log_header(content) and read_checkpoint(content)
    read_flush_map(Counting(content), 10**9)
    read_trailer(content, DatabaseHeader())
    for size in (2048, 4096, 32768):
        owned_pages(Counting(content), size)
        free_pages(Counting(content), size)


@FUZZ
@given(EDITS)
def test_database_headers_with_right_checksums_over_wrong_values(edits: list[tuple[int, bytes]]):
    slot = edited(write_database_header(DatabaseHeader(page_size=4096)), edits, 760)
    slot[236:240] = (4096).to_bytes(4, "little")
    reading = read_database_header(seal_header(slot) * 2)
    assert reading.header is not None and reading.page_size == 4096
    assert header_dump(reading, "any")
    read_trailer(bytes(4096), reading.header)


SEGMENTED = build_log(LogHeader(generation=3, file_sectors=8), live_segments=5).content
RECORDS = build_record_log(
    LogHeader(
        generation=3, major=7, minor=3704, sector_bytes=512, header_sectors=8, file_sectors=32
    ),
    (2, 1, 5, 1),
).content


def body_of(content: bytes) -> None:
    header = read_log_header(content).header
    if header is None:
        return
    reader = Counting(content)
    body = check_log_body(reader, header)
    reader.check()
    assert log_dump("any", header, body)


@FUZZ
@given(EDITS, st.sampled_from([SEGMENTED, RECORDS]))
def test_log_headers_with_right_checksums_over_wrong_values(
    edits: list[tuple[int, bytes]], log: bytes
):
    slot = edited(log[:4096], edits, 3000)
    body_of(seal_header(slot) + log[4096:])


@FUZZ
@given(EDITS, st.sampled_from([SEGMENTED, RECORDS]), st.integers(0, 40000))
def test_log_bodies_of_anything(edits: list[tuple[int, bytes]], log: bytes, length: int):
    body_of(log[:4096] + bytes(edited(log[4096:], edits, len(log) - 4096))[:length])


@FUZZ
@given(st.lists(st.tuples(*[st.integers(0, 2**32 - 1)] * 5), min_size=1, max_size=20))
def test_record_chains_of_any_numbers_end(records: list[tuple[int, ...]]):
    content = bytearray(RECORDS)
    for index, values in enumerate(records):
        place = 4096 + index * 512
        struct.pack_into("<BIIIII", content, place, 42, *values)
    body_of(bytes(content))


@FUZZ
@given(EDITS)
def test_checkpoints_with_right_checksums_over_wrong_values(edits: list[tuple[int, bytes]]):
    slot = edited(write_checkpoint(Checkpoint())[:4096], edits, 3000)
    reading = read_checkpoint(seal_header(slot) * 2)
    if reading.checkpoint is not None:
        assert checkpoint_dump("any", reading.checkpoint)


@FUZZ
@given(EDITS, st.integers(0, 2**40))
def test_flush_maps_of_anything(edits: list[tuple[int, bytes]], pages: int):
    content = write_flush_map(FlushMapHeader(), [1, 2, 3] * 100)
    slot = seal_header(edited(content[:8192], edits, 700))
    reader = Counting(slot + bytes(edited(content[8192:], edits, 8192)))
    read_flush_map(reader, pages)
    reader.check()


DATABASE = b"".join(build_database(DatabaseHeader(page_size=4096), pages=24, free_pages=6))


@FUZZ
@given(st.lists(st.tuples(st.integers(1, 24), EDITS), min_size=1, max_size=6))
def test_pages_with_right_checksums_over_wrong_values(
    changes: list[tuple[int, list[tuple[int, bytes]]]],
):
    content = bytearray(DATABASE)
    for number, edits in changes:
        start = (number + 1) * 4096
        # Header and tags, where the numbers are that lead elsewhere.
        page = edited(content[start : start + 4096], edits, 4096)
        page[8:40] = edited(bytes(page[8:40]), edits, 32)
        page[-32:] = edited(bytes(page[-32:]), edits, 32)
        content[start : start + 4096] = page
    body = content[8192:]
    seal_pages(body, 1, 4096)
    content[8192:] = body
    reader = Counting(bytes(content))
    owned = owned_pages(reader, 4096)
    free_pages(reader, 4096)
    reader.check()
    layout = PageLayout(page_size=4096, pages=24, owned=owned)
    total = PageSum(layout)
    total.add(layout.examine(layout.sift(memoryview(content), 0)))
    assert total.inside.pages + total.beyond.pages == 24
    assert total.zeroed.count <= 24


@FUZZ
@given(EDITS)
def test_trailers_with_right_checksums_over_wrong_values(edits: list[tuple[int, bytes]]):
    page = edited(write_trailer(Trailer(), 4096), edits, 200)
    read_trailer(seal_header(page), DatabaseHeader(page_size=4096))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["files", "restores", "set_id", "taken_at_utc", "path", "x"]), inner
        )
    ),
    max_leaves=12,
)


def refused(parse: Callable[[], object]) -> None:
    try:
        parse()
    except InvalidDocument as error:
        assert str(error)


@FUZZ
@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode()))
@example(b"[" * 100_000)
@example(b'{"a":' + b"9" * 5000 + b"}")
@example(b'{"apiVersion":"goexchange/v1","kind":"BackupSet","sha256":"","body":{"a":1e999}}')
@example(b'{"apiVersion":"goexchange/v1","kind":"BackupSet","sha256":"","body":{"a":"\\ud800"}}')
def test_manifests_of_any_bytes(content: bytes):
    refused(lambda: parse_manifest(content))


@FUZZ
@given(st.dictionaries(st.text(max_size=9), JSON, max_size=6))
def test_manifests_with_a_right_digest_over_wrong_values(body: dict[str, object]):
    document = {
        "apiVersion": "goexchange/v1",
        "kind": "BackupSet",
        "sha256": digest(body),
        "body": body,
    }
    refused(lambda: parse_manifest(canonical_json(document)))


@FUZZ
@given(st.text(max_size=30))
def test_names_of_logs(name: str):
    parse_log_name(name)
