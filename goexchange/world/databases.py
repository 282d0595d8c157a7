"""Mailbox databases: their state in the store, and the ESE files that they are made of."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import UUID

from attrs import define, field

from goexchange.ese.header import (
    PAGE_SIZES,
    BackupKind,
    DatabaseHeader,
    HeaderReading,
    read_database_header,
    rebuild,
    rewrite_header,
)
from goexchange.ese.rendering import DEFAULT_ENGINE, EngineVersion
from goexchange.ese.space import free_pages
from goexchange.ese.structures import (
    BackupRecord,
    FileType,
    LogPosition,
    LogTime,
    Signature,
    seal_header,
)
from goexchange.ese.writer import build_database
from goexchange.world.chance import guid, number
from goexchange.world.files import HostFiles, flush_map_of
from goexchange.world.log_stream import LogStream
from goexchange.world.site import PAGE_BYTES, DatabaseDescription

if TYPE_CHECKING:
    from goexchange.world.copies import PassiveCopy

FLUSH_MAP_BYTES = 8192
HEADER_BYTES = 2 * PAGE_BYTES
_PAGE_SIZE_AT = 236  # in the header
_FIRST_GENERATION = 0x4C0
_CACHED_PAGES_MAX = 256


@define(kw_only=True)
class MailboxDatabase:
    """State of one database.

    Shape: `active_server` owns the database; `mounted_on` is None while it is dismounted.
    `attached_signature` is that of the file which the log stream last had attached: only that one
    can be replayed into. `outstanding` is that of a file whose attachment some logs begin and never
    end, and that of these logs: while they lie there, no other file is attached. `corruptions` are
    what repair requests find by kind (lower case), pass by pass: correcting the first uncovers the
    next; `mailboxes_left_out` is how many requests still leave one out.
    """

    description: DatabaseDescription
    guid: UUID
    dn_guid: UUID
    active_server: str
    mounted_on: str | None
    is_mount_at_startup: bool
    stream: LogStream
    attached_signature: Signature
    created_at: datetime
    is_backup_running: bool = False
    last_change_at: datetime | None = None
    outstanding: tuple[Signature, Signature] | None = None
    corruptions: dict[str, list[int]] = field(factory=dict)
    mailboxes_left_out: int = 0
    passive: dict[str, PassiveCopy] = field(factory=dict)
    replication_waiting: int | None = 0  # of one with public folders
    is_new: bool = False  # its file is written by the first mount

    @property
    def name(self) -> str:
        return self.description.name

    @property
    def edb_path(self) -> str:
        return self.description.edb_path

    @property
    def holder(self) -> str:
        """Whoever opens its files for the store is known by this name."""
        return f"store:{self.guid}"


def read_header(files: HostFiles, path: str) -> HeaderReading:
    """Both header copies of a database file."""
    return _reading(files.read(path, 0, HEADER_BYTES))


def change_header(files: HostFiles, path: str, **changes: object) -> None:
    """Write some fields into both header copies."""
    slot = rewrite_header(files.read(path, 0, page_bytes(files, path)), **changes)
    files.write_at(path, 0, slot + slot)


def page_bytes(files: HostFiles, path: str) -> int:
    """The page size that the header of a file names."""
    named = int.from_bytes(files.read(path, _PAGE_SIZE_AT, 4), "little")
    return named if named in PAGE_SIZES else PAGE_BYTES


def white_space_bytes(files: HostFiles, path: str) -> int | None:
    """Free pages of a file in bytes; None when its space trees cannot be read."""
    size = page_bytes(files, path)
    if files.size(path) <= _CACHED_PAGES_MAX * size:
        pages = _free_pages(files.read(path), size)
    else:
        pages = free_pages(lambda offset, length: files.read(path, offset, length), size)
    return None if pages is None else pages * size


def flush_map(edb_path: str) -> bytes:
    """A flush map file for a database (its header page; the map itself is empty)."""
    page = bytearray(FLUSH_MAP_BYTES)
    page[667:671] = int(FileType.FLUSH_MAP).to_bytes(4, "little")
    page[704:708] = (sum(edb_path.encode()) & 0xFFFFFFFF).to_bytes(4, "little")
    return seal_header(page) + bytes(FLUSH_MAP_BYTES)


def make_database(
    description: DatabaseDescription, *, seed: int, now: datetime, log_bytes: int
) -> MailboxDatabase:
    """The state of a database that nobody has mounted yet; writes no files."""
    name = description.name
    created_at = now - timedelta(days=description.age_days)
    signature = Signature(random=number(seed, "signature", name), created=LogTime.at(created_at))
    stream = LogStream(
        folder=description.log_folder,
        prefix=description.log_prefix,
        signature=Signature(
            random=number(seed, "log-signature", name),
            created=LogTime.at(created_at - timedelta(seconds=2)),
        ),
        log_bytes=log_bytes,
        database_path=description.edb_path,
        database_signature=signature,
        generation=_FIRST_GENERATION + number(seed, "generation", name, below=512),
        created=LogTime.at(now - timedelta(hours=2 * description.closed_logs + 1)),
    )
    return MailboxDatabase(
        description=description,
        guid=description.guid or guid(seed, "database", name),
        dn_guid=guid(seed, "database-object", name),
        active_server=description.copies[0],
        mounted_on=None,
        is_mount_at_startup=description.is_mount_at_startup,
        stream=stream,
        attached_signature=signature,
        created_at=created_at,
        corruptions={kind.lower(): list(found) for kind, found in description.corruptions},
        mailboxes_left_out=description.mailboxes_left_out,
        replication_waiting=description.replication_waiting,
    )


def write_files(
    database: MailboxDatabase,
    files: HostFiles,
    *,
    seed: int,
    now: datetime,
    engine: EngineVersion = DEFAULT_ENGINE,
    page_size: int = PAGE_BYTES,
) -> None:
    """Write database, flush map and logs of a database to a host, cleanly shut down."""
    description, stream = database.description, database.stream
    if not files.exists(stream.current_path):  # else another database of its storage group has
        stream.start(files)
        for index in range(description.closed_logs):
            hours = 2 * (description.closed_logs - index)
            stream.roll(files, now - timedelta(hours=hours))
        stream.write_checkpoint(files)
    header = rebuild(
        _first_header(database, seed=seed, now=now),
        format_update_major=engine.update_major,
        created_update_major=engine.update_major,
        format_update_minor=engine.update_minor,
        engine_format_version=engine.engine_format_version,
        page_size=page_size,
    )
    content_seed = f"{seed}/{database.name}".encode()
    write_database(files, database, header=header, content_seed=content_seed)
    if not engine.is_short:
        files.write(flush_map_of(database.edb_path), flush_map(database.edb_path))
    files.age(database.edb_path, database.created_at)


def write_database(
    files: HostFiles, database: MailboxDatabase, *, header: DatabaseHeader, content_seed: bytes
) -> None:
    """Write the database file; small ones are built once per process."""
    description = database.description
    pages, free = description.pages, description.free_pages
    if pages <= _CACHED_PAGES_MAX:
        files.write(database.edb_path, _built(header, pages, free, content_seed))
        return
    chunks = build_database(header, pages=pages, free_pages=free, seed=content_seed)
    files.write_chunks(database.edb_path, chunks)


@lru_cache(maxsize=128)
def _free_pages(content: bytes, size: int) -> int | None:
    return free_pages(lambda offset, length: content[offset : offset + length], size)


@lru_cache(maxsize=512)
def _reading(slots: bytes) -> HeaderReading:
    return read_database_header(slots)


@lru_cache(maxsize=64)
def _built(header: DatabaseHeader, pages: int, free: int, content_seed: bytes) -> bytes:
    return b"".join(build_database(header, pages=pages, free_pages=free, seed=content_seed))


def _first_header(database: MailboxDatabase, *, seed: int, now: datetime) -> DatabaseHeader:
    stream = database.stream
    shut_at = LogTime.at(now - timedelta(minutes=90))
    position = LogPosition(generation=stream.generation, sector=0x1E, byte=0x16F)
    return DatabaseHeader(
        dbtime=2_000_000 + number(seed, "dbtime", database.name, below=7_000_000),
        signature=database.attached_signature,
        last_consistent=position,
        last_consistent_time=shut_at,
        last_attach=LogPosition(generation=stream.generation - 1, sector=2, byte=0x268),
        last_attach_time=LogTime.at(now - timedelta(days=9)),
        last_detach=position,
        last_detach_time=shut_at,
        log_signature=stream.signature,
        last_objid=10_000 + number(seed, "objid", database.name, below=9000),
        os_major=10,
        os_build=20348,
        page_size=PAGE_BYTES,
        previous_full_backup=_last_backup(database, now),
        previous_full_backup_kind=BackupKind.OS_SNAPSHOT,
    )


def _last_backup(database: MailboxDatabase, now: datetime) -> BackupRecord:
    hours = database.description.full_backup_hours_ago
    if hours is None:
        return BackupRecord()
    oldest = database.stream.generation - database.description.closed_logs
    return backup_record(
        LogPosition(generation=oldest, sector=8, byte=16), now - timedelta(hours=hours)
    )


def backup_record(mark: LogPosition, moment: datetime) -> BackupRecord:
    """A line of backup history."""
    return BackupRecord(
        mark=mark,
        marked_at=LogTime.at(moment),
        first_generation=max(1, mark.generation - 3),
        last_generation=mark.generation,
    )
