"""What the store does to a database: mount, dismount, write mail into it; the files change with
it.
"""

from __future__ import annotations

import struct
from datetime import datetime

from goexchange.ese.header import DatabaseHeader, DatabaseState
from goexchange.ese.jet_errors import JetError
from goexchange.ese.pages import seal_page
from goexchange.ese.space import AVAILABLE_ROOT, free_extents, page_header_bytes
from goexchange.ese.structures import LogTime
from goexchange.model.streaming_file import streaming_beside
from goexchange.world.databases import (
    MailboxDatabase,
    change_header,
    flush_map,
    page_bytes,
    read_header,
)
from goexchange.world.engines import has_flush_maps, has_streaming_files, page_bytes_of
from goexchange.world.files import HostFiles, flush_map_of
from goexchange.world.hosts import Host
from goexchange.world.streaming import are_a_pair, follow_header

STORE = "MSExchangeIS"
_NO_TIME = LogTime()
_MAIL_DBTIME = 40


class MountRefused(Exception):
    """The store does not mount; `error` is a JET error number."""

    def __init__(self, error: int) -> None:
        super().__init__(f"the database cannot be mounted: {error}")
        self.error = error


def mount(database: MailboxDatabase, host: Host, *, now: datetime) -> None:
    """Attach the file at the database's path, whatever its signature, when it is clean or can be
    replayed.

    Raises: MountRefused; nothing has changed then but the event log.
    """
    try:
        header = _attachable(database, host, now)
    except MountRefused as refusal:
        text = (
            f"At '{now:%m/%d/%Y %I:%M:%S %p}', the copy of '{database.name}' on this server"
            f" failed to mount: {refusal.error}."
        )
        host.log(STORE, 9519, at=now, text=text)
        raise
    stream, files = database.stream, host.files
    if not files.exists(stream.current_path):
        stream.restart(now)
    database.outstanding = None
    stream.database_signature = header.signature
    stream.roll(files, now)
    moment = LogTime.at(now)
    change_header(
        files,
        database.edb_path,
        state=DatabaseState.DIRTY_SHUTDOWN,
        dbtime=header.dbtime + 4,
        dbid=1,
        log_signature=stream.signature,
        log_required_low=stream.generation,
        log_required_high=stream.generation,
        log_committed=stream.generation,
        log_committed_time=stream.created,
        last_attach=stream.position,
        last_attach_time=moment,
        log_consistent=stream.generation,
    )
    if has_streaming_files(host.description.generation):
        follow_header(files, database.edb_path)
    stream.write_checkpoint(files)
    map_path = flush_map_of(database.edb_path)
    if not files.exists(map_path) and has_flush_maps(host.description.generation):
        files.write(map_path, flush_map(database.edb_path))
    database.attached_signature = header.signature
    database.mounted_on = host.name
    _hold(database, files)
    _log_engine(
        database,
        host,
        now=now,
        event_id=326,
        text=f"The database engine attached a database (1, {database.edb_path}). (Time=0 seconds)",
    )
    host.log(
        STORE,
        9523,
        at=now,
        text=f'The Microsoft Exchange Information Store Database "{database.name}" was started.',
    )


def begin_attachment(database: MailboxDatabase, host: Host, *, now: datetime) -> None:
    """A mount that will fail has got as far as the logs: they begin an attachment of the file that
    is in place.
    """
    stream, files = database.stream, host.files
    header = _header(files, database.edb_path)
    if not files.exists(stream.current_path):
        stream.restart(now)
    stream.database_signature = header.signature
    stream.roll(files, now)
    stream.write_checkpoint(files)
    stream.hold(files)
    database.outstanding = (header.signature, stream.signature)


def dismount(database: MailboxDatabase, host: Host, *, now: datetime) -> None:
    """Detach the file cleanly."""
    files, stream = host.files, database.stream
    files.release(database.holder)
    stream.users.discard(database.holder)
    header = _header(files, database.edb_path)
    moment = LogTime.at(now)
    change_header(
        files,
        database.edb_path,
        state=DatabaseState.CLEAN_SHUTDOWN,
        dbtime=header.dbtime + 2,
        log_required_low=0,
        log_required_high=0,
        log_committed=0,
        log_committed_time=_NO_TIME,
        log_consistent=0,
        last_consistent=stream.position,
        last_consistent_time=moment,
        last_detach=stream.position,
        last_detach_time=moment,
    )
    if has_streaming_files(host.description.generation):
        follow_header(files, database.edb_path)
    stream.write_checkpoint(files)
    database.mounted_on = None
    database.is_backup_running = False
    _log_engine(
        database,
        host,
        now=now,
        event_id=327,
        text=f"The database engine detached a database (1, {database.edb_path}). (Time=0 seconds)",
    )
    host.log(
        STORE,
        9539,
        at=now,
        text=f'The Microsoft Exchange Information Store Database "{database.name}" was stopped.',
    )


def lose(database: MailboxDatabase) -> None:
    """The host went down with the database mounted: its file stays dirty."""
    database.mounted_on = None
    database.is_backup_running = False
    database.stream.users.discard(database.holder)


def write_mail(database: MailboxDatabase, host: Host, *, pages: int, now: datetime) -> int:
    """Mail comes in: free pages are used up, a log is filled; the number of pages that were free to
    take.
    """
    files = host.files
    taken = _use_free_pages(files, database.edb_path, pages)
    header = _header(files, database.edb_path)
    change_header(files, database.edb_path, dbtime=header.dbtime + _MAIL_DBTIME * max(1, taken))
    files.release(database.holder)
    database.stream.roll(files, now)
    _hold(database, files)
    generation = database.stream.generation
    change_header(
        files,
        database.edb_path,
        log_required_high=generation,
        log_committed=generation,
        log_committed_time=database.stream.created,
    )
    database.last_change_at = now
    return taken


def _attachable(database: MailboxDatabase, host: Host, now: datetime) -> DatabaseHeader:
    files, path = host.files, database.edb_path
    if not files.exists(path):
        raise MountRefused(int(JetError.FileNotFound))
    if files.is_open(path):
        raise MountRefused(int(JetError.FileAccessDenied))
    reading = read_header(files, path)
    header = reading.header
    if header is None:
        raise MountRefused(int(JetError.DatabaseCorrupted))
    if header.page_size != page_bytes_of(host.description.generation):
        raise MountRefused(int(JetError.PageSizeMismatch))
    if has_streaming_files(host.description.generation):
        _demand_streaming(files, path)
    database.stream.look(files)
    if _is_begun_for_another(database, files, header):
        # Source: jethdr.w, an attachment that is outstanding at the start of recovery
        raise MountRefused(int(JetError.AttachedDatabaseMismatch))
    if header.is_clean:
        return header
    if not _can_replay(database, files, header):
        raise MountRefused(int(JetError.DatabaseDirtyShutdown))
    _log_engine(
        database,
        host,
        now=now,
        event_id=300,
        text="The database engine is initiating recovery steps.",
    )
    _log_engine(
        database,
        host,
        now=now,
        event_id=302,
        text="The database engine has successfully completed recovery steps.",
    )
    return header


def _demand_streaming(files: HostFiles, path: str) -> None:
    """The second file of the database has to be there, and to belong to the first."""
    streaming = streaming_beside(path)
    if not files.exists(streaming):
        raise MountRefused(int(JetError.FileNotFound))
    if files.is_open(streaming):
        raise MountRefused(int(JetError.FileAccessDenied))
    if not are_a_pair(files, path, streaming):
        raise MountRefused(int(JetError.DatabaseStreamingFileMismatch))


def _is_begun_for_another(
    database: MailboxDatabase, files: HostFiles, header: DatabaseHeader
) -> bool:
    """Whether the logs that lie there begin the attachment of another file."""
    if database.outstanding is None or not files.exists(database.stream.current_path):
        return False
    file, logs = database.outstanding
    return logs == database.stream.signature and file != header.signature


def _can_replay(database: MailboxDatabase, files: HostFiles, header: DatabaseHeader) -> bool:
    stream = database.stream
    is_same_set = (
        header.state is DatabaseState.DIRTY_SHUTDOWN
        and header.log_signature == stream.signature
        and header.signature == database.attached_signature
    )
    low, high = header.log_required_low, header.log_required_high
    return is_same_set and stream.holds_required(files, low, high)


def _header(files: HostFiles, path: str) -> DatabaseHeader:
    header = read_header(files, path).header
    if header is None:
        raise MountRefused(int(JetError.DatabaseCorrupted))
    return header


def _hold(database: MailboxDatabase, files: HostFiles) -> None:
    stream = database.stream
    edb = database.edb_path
    for path in (edb, flush_map_of(edb), streaming_beside(edb)):
        files.hold(path, database.holder)
    stream.users.add(database.holder)
    stream.hold(files)


def _log_engine(
    database: MailboxDatabase, host: Host, *, now: datetime, event_id: int, text: str
) -> None:
    instance = f"Information Store - {database.name} (4711) {database.name}: "
    host.log("ESE", event_id, at=now, text=instance + text)


def _use_free_pages(files: HostFiles, path: str, pages: int) -> int:
    """Take pages from the last free extents; the space tree and the pages themselves change."""

    def read(offset: int, length: int) -> bytes:
        return files.read(path, offset, length)

    left = pages
    size = page_bytes(files, path)
    for index, extent in reversed(list(enumerate(free_extents(read, size) or ()))):
        taken = min(left, extent.pages)
        if taken == 0:
            break
        _shorten_last_extent(files, path, index, extent.pages - taken)
        for page in range(extent.first_page, extent.first_page + taken):
            _fill_page(files, path, page)
        left -= taken
    return pages - left


def _shorten_last_extent(files: HostFiles, path: str, index: int, pages: int) -> None:
    """Write another number of pages into the last node of the tree of available extents; none: the
    node goes.
    """
    page_size = page_bytes(files, path)
    offset = (AVAILABLE_ROOT + 1) * page_size
    page = bytearray(files.read(path, offset, page_size))
    tag = page_size - 4 * (index + 2)
    size, start = (each & 0x7FFF for each in struct.unpack_from("<HH", page, tag))
    if pages:
        content_at = page_header_bytes(page_size) + start + size - 4
        struct.pack_into("<I", page, content_at, pages)
    else:
        room, pending, lowest, tags = struct.unpack_from("<HHHH", page, 28)
        struct.pack_into("<HHHH", page, 28, room + size + 4, pending, lowest - size, tags - 1)
        struct.pack_into("<HH", page, tag, 0, 0)
    files.write_at(path, offset, seal_page(page, AVAILABLE_ROOT))


def _fill_page(files: HostFiles, path: str, number: int) -> None:
    """Write content into a page that was free: that of the first content page, under its own
    number.
    """
    size = page_bytes(files, path)
    content = files.read(path, 5 * size, size)
    files.write_at(path, (number + 1) * size, seal_page(content, number))
