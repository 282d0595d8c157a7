"""Passive copies of databases: what the replication service does with their files.

Source: Exchange cmdlet reference (Suspend-, Resume-MailboxDatabaseCopy); a copy's file is in dirty
shutdown while logs are replayed into it, and stays so when replay is suspended.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import define

from goexchange.ese.header import DatabaseState
from goexchange.world.databases import MailboxDatabase, change_header, read_header
from goexchange.world.files import HostFiles, flush_map_of

if TYPE_CHECKING:
    from goexchange.world.world import World


@define(kw_only=True)
class PassiveCopy:
    """State of one passive copy.

    Shape: `well_from` is when it has caught up after it was resumed; until then it initializes.
    `has_failed` is a copy that replay could not open: it has to be seeded again.
    """

    is_suspended: bool = False
    is_activation_suspended: bool = False
    comment: str | None = None
    well_from: datetime | None = None
    has_failed: bool = False
    copy_queue: int = 0
    replay_queue: int = 0
    replay_lag_s: int = 0


def passive_copies(database: MailboxDatabase) -> dict[str, PassiveCopy]:
    """The passive copies at the start, by server."""
    lags = dict(database.description.replay_lags_s)
    return {
        server: PassiveCopy(replay_lag_s=lags.get(server, 0))
        for server in database.description.copies
        if server != database.active_server
    }


def status_of(world: World, database: MailboxDatabase, server: str) -> str:
    """Exchange's word for how a copy stands."""
    host = world.hosts[server]
    if host.down_until is not None:
        return "ServiceDown"
    if server == database.active_server:
        return "Mounted" if database.mounted_on else "Dismounted"
    copy = database.passive[server]
    if copy.has_failed:
        return "FailedAndSuspended"
    if copy.is_suspended:
        return "Suspended"
    if copy.well_from is not None and world.now() < copy.well_from:
        return "Initializing"
    return "Healthy"


def hold_copy(database: MailboxDatabase, files: HostFiles) -> None:
    """The replication service has the files of a passive copy open, and replays logs into it."""
    stream, path = database.stream, database.edb_path
    header = read_header(files, path).header
    if header is not None and header.is_clean:
        change_header(
            files,
            path,
            state=DatabaseState.DIRTY_SHUTDOWN,
            log_signature=stream.signature,
            log_required_low=stream.generation,
            log_required_high=stream.generation,
            log_committed=stream.generation,
            log_committed_time=stream.created,
        )
    for held in (path, flush_map_of(path), stream.current_path):
        files.hold(held, database.holder)


def suspend(world: World, database: MailboxDatabase, server: str, comment: str | None) -> None:
    """Stop replay of a passive copy: its files are closed, and stay as they are."""
    copy = database.passive[server]
    copy.comment = comment
    if copy.is_suspended:
        return
    copy.is_suspended = True
    world.hosts[server].files.release(database.holder)
    world.note("copy-suspended", host=server, database=database.name)


def resume(world: World, database: MailboxDatabase, server: str) -> None:
    """Let replay go on; a file that somebody else has open makes the copy fail."""
    copy, files = database.passive[server], world.hosts[server].files
    if not copy.is_suspended:
        return
    copy.is_suspended, copy.comment, copy.is_activation_suspended = False, None, False
    world.note("copy-resumed", host=server, database=database.name)
    if world.faults.take_copy_failure(server) or files.is_open(database.edb_path):
        copy.has_failed = True
        copy.comment = "The passive copy's file could not be opened. (ec=-1032)"
        return
    copy.well_from = world.now() + timedelta(seconds=world.site.times.copy_resume)
    hold_copy(database, files)
