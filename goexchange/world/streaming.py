"""The streaming file of a database of Exchange 2003: a header like the database's own, and content
with a checksum of its own, because the real one's lie in tables of the database.
"""

from __future__ import annotations

import hashlib

from attrs import evolve

from goexchange.ese.header import DatabaseHeader, read_database_header, write_database_header
from goexchange.ese.structures import FileType
from goexchange.model.streaming_file import streaming_beside
from goexchange.world.databases import HEADER_BYTES, change_header, page_bytes, read_header
from goexchange.world.files import HostFiles

PAGE_BYTES = 4096
_PAGES = 40
_DIGEST_BYTES = 32
_SAME = (
    "state", "last_consistent", "last_consistent_time", "last_attach", "last_attach_time",
    "last_detach", "last_detach_time", "log_signature", "log_required_low", "log_required_high",
)  # fmt: skip


def streaming_content(header: DatabaseHeader, *, seed: bytes, pages: int = _PAGES) -> bytes:
    """A whole streaming file that belongs to a database with that header."""
    slot = write_database_header(evolve(header, file_type=FileType.STREAMING))
    words = hashlib.sha256(seed).digest()
    body = (words * (pages * PAGE_BYTES // len(words)))[: pages * PAGE_BYTES - _DIGEST_BYTES]
    return slot + slot + body + hashlib.sha256(body).digest()


def write_streaming(files: HostFiles, edb_path: str, *, seed: bytes) -> None:
    """Make the streaming file of a database that lies there."""
    header = read_header(files, edb_path).header
    assert header is not None
    files.write(streaming_beside(edb_path), streaming_content(header, seed=seed))


def rebuilt_streaming(files: HostFiles, path: str, header: DatabaseHeader) -> bytes:
    """What a defragmentation makes of a streaming file: half of it, under the new header."""
    content = files.read(path)
    pages = max(2, len(content) // PAGE_BYTES // 2)
    return streaming_content(header, seed=hashlib.sha256(content).digest(), pages=pages)


def is_sound_streaming(files: HostFiles, path: str) -> bool:
    """Whether its content is what its checksum says."""
    content = files.read(path)[2 * PAGE_BYTES :]
    body, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
    return bool(body) and hashlib.sha256(body).digest() == digest


def are_a_pair(files: HostFiles, edb_path: str, streaming_path: str) -> bool:
    """Whether the two say that they are files of one database, at one position of its logs."""
    one = read_header(files, edb_path).header
    slots = files.read(streaming_path, 0, HEADER_BYTES)
    other = read_database_header(slots).header
    if one is None or other is None or other.file_type is not FileType.STREAMING:
        return False
    return (one.signature, one.last_consistent) == (other.signature, other.last_consistent)


def is_of_another(files: HostFiles, edb_path: str, streaming_path: str) -> bool:
    """Whether a second file is there that says it is the one of another database."""
    if not files.exists(streaming_path):
        return False
    other = read_database_header(files.read(streaming_path, 0, HEADER_BYTES)).header
    one = read_header(files, edb_path).header
    if one is None or other is None or other.file_type is not FileType.STREAMING:
        return False
    return one.signature != other.signature


def follow_header(files: HostFiles, edb_path: str) -> None:
    """What the store has written into the header of a database stands in its second file too."""
    path = streaming_beside(edb_path)
    header = read_header(files, edb_path).header
    if header is None or not files.exists(path):
        return
    assert page_bytes(files, path) == PAGE_BYTES
    change_header(files, path, **{name: getattr(header, name) for name in _SAME})
