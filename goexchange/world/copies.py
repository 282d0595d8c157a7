"""Passive copies of databases: what the replication service does with their files.

Source: Exchange cmdlet reference (Suspend-, Resume-, Update-MailboxDatabaseCopy); a copy's file is
in dirty shutdown while logs are replayed into it, and stays so when replay is suspended. A copy
whose file is another one than the active one's, or whose logs are of another stream, cannot go on.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import define

from goexchange.ese.header import DatabaseState
from goexchange.ese.structures import Signature
from goexchange.world.databases import MailboxDatabase, change_header, read_header
from goexchange.world.files import FileProblem, FileRefused, HostFiles, flush_map_of
from goexchange.world.mounting import dismount, mount

if TYPE_CHECKING:
    from goexchange.world.world import World


@define(kw_only=True)
class PassiveCopy:
    """State of one passive copy.

    Shape: `well_from` is when it has caught up after it was resumed; until then it initializes.
    `has_failed` is a copy that replay could not open: it has to be seeded again. `seed_ends` is
    when the seed that runs comes to an end, half-way when it is one that `seed_breaks`;
    `suspended_in` is the signature of the logs that it has replayed to its suspension.
    """

    is_suspended: bool = False
    is_activation_suspended: bool = False
    comment: str | None = None
    well_from: datetime | None = None
    has_failed: bool = False
    copy_queue: int = 0
    replay_queue: int = 0
    replay_lag_s: int = 0
    seed_ends: datetime | None = None
    seed_breaks: bool = False
    suspended_in: Signature | None = None


def passive_copies(database: MailboxDatabase) -> dict[str, PassiveCopy]:
    """The passive copies at the start, by server."""
    lags = dict(database.description.replay_lags_s)
    held = dict(database.description.activations_suspended)
    return {
        server: PassiveCopy(
            replay_lag_s=lags.get(server, 0),
            is_activation_suspended=server in held,
            comment=held.get(server),
        )
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
    if copy.seed_ends is not None:
        return "Seeding"
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
    copy.is_suspended, copy.suspended_in = True, database.stream.signature
    world.hosts[server].files.release(database.holder)
    world.note("copy-suspended", host=server, database=database.name)


def suspend_activation(
    world: World, database: MailboxDatabase, server: str, comment: str | None
) -> None:
    """The copy replicates, and nobody activates it in the database's place."""
    copy = database.passive[server]
    copy.comment, copy.is_activation_suspended = comment, True
    world.note("activation-suspended", host=server, database=database.name)


def resume(
    world: World, database: MailboxDatabase, server: str, *, replication_only: bool = False
) -> None:
    """Let replay go on; a file that somebody else has open makes the copy fail. Alone, the copy is
    not activated: its suspension had been of both.
    """
    copy, files = database.passive[server], world.hosts[server].files
    if not copy.is_suspended:
        return
    copy.is_suspended, copy.is_activation_suspended = False, replication_only
    if not replication_only:
        copy.comment = None
    world.note("copy-resumed", host=server, database=database.name)
    if world.faults.take_copy_failure(server) or files.is_open(database.edb_path):
        copy.has_failed = True
        copy.comment = "The passive copy's file could not be opened. (ec=-1032)"
        return
    if not fits(world, database, server):
        _diverge(copy)
        return
    copy.well_from = world.now() + timedelta(seconds=world.site.times.copy_resume)
    hold_copy(database, files)


def fits(world: World, database: MailboxDatabase, server: str) -> bool:
    """Whether the logs of the active copy can be replayed into the file of this one."""
    copy, files = database.passive[server], world.hosts[server].files
    if copy.suspended_in is not None and copy.suspended_in != database.stream.signature:
        return False
    if not files.exists(database.edb_path):
        return False
    header = read_header(files, database.edb_path).header
    return header is not None and header.signature == database.attached_signature


def part_ways(world: World, database: MailboxDatabase) -> None:
    """The active copy was mounted: what replicates and does not fit it any more has diverged."""
    for server, copy in database.passive.items():
        is_replicating = not copy.is_suspended and copy.seed_ends is None
        if is_replicating and not fits(world, database, server):
            world.hosts[server].files.release(database.holder)
            _diverge(copy)


def seeding(database: MailboxDatabase) -> tuple[str, ...]:
    """The servers whose copies are being seeded."""
    return tuple(name for name, copy in database.passive.items() if copy.seed_ends is not None)


def begin_seed(world: World, database: MailboxDatabase, server: str) -> None:
    """Let the replication service copy the active file over; nobody has to wait for it."""
    copy, active = database.passive[server], world.host_of(database)
    lasts = active.files.size(database.edb_path) / world.site.rates.copy
    copy.seed_breaks = world.faults.take_seed_failure(server)
    copy.has_failed, copy.well_from = False, None
    copy.seed_ends = world.now() + timedelta(seconds=lasts / 2 if copy.seed_breaks else lasts)
    world.note("seed-begun", host=server, database=database.name)


def end_seed(world: World, database: MailboxDatabase, server: str) -> None:
    """The seed has come to its end: the copy replicates, or needs an administrator."""
    copy, path = database.passive[server], database.edb_path
    source, files = world.host_of(database).files, world.hosts[server].files
    copy.seed_ends = None
    try:
        if copy.seed_breaks or database.mounted_on is None or files.is_open(path):
            raise FileRefused(FileProblem.IN_USE, path)
        for name in (path, flush_map_of(path)):
            if files.exists(name):
                files.delete(name)
            if source.exists(name):
                files.write(name, source.read(name))
    except FileRefused:
        copy.has_failed = True
        copy.comment = "The seeding operation failed. (ec=-1022)"
        world.note("seed-failed", host=server, database=database.name)
        return
    copy.is_suspended, copy.comment, copy.is_activation_suspended = False, None, False
    copy.suspended_in = None
    copy.well_from = world.now() + timedelta(seconds=world.site.times.copy_resume)
    hold_copy(database, files)
    world.note("seed-ended", host=server, database=database.name)


def break_seeds(world: World, host: str) -> None:
    """A member went down: what was seeded from it or to it stays half done."""
    for database in world.databases.values():
        for server in seeding(database):
            if host in (server, database.active_server):
                database.passive[server].seed_breaks = True
                end_seed(world, database, server)


def fail_copy(world: World, database: MailboxDatabase, server: str) -> None:
    """A passive copy fails by itself: its disk, its logs; an administrator has to seed it."""
    copy = database.passive[server]
    copy.has_failed, copy.seed_ends, copy.well_from = True, None, None
    copy.comment = "The passive copy has failed. (ec=-1022)"
    world.hosts[server].files.release(database.holder)
    world.note("copy-failed", host=server, database=database.name)


def activate(world: World, database: MailboxDatabase, server: str) -> None:
    """The active copy moves to a healthy one, without loss: Active Manager has decided so."""
    was = database.active_server
    old, new = world.hosts[was], world.hosts[server]
    dismount(database, old, now=world.now())
    new.files.release(database.holder)
    stream = database.stream
    for path in (
        *new.files.names_in(stream.folder),
        *(each for each in _files_of(database) if new.files.exists(each)),
    ):
        new.files.delete(path)
    for path in (*old.files.names_in(stream.folder), *_files_of(database)):
        if old.files.exists(path) and not new.files.exists(path):
            new.files.write(path, old.files.read(path))
    del database.passive[server]
    database.passive[was] = PassiveCopy()
    database.active_server = server
    mount(database, new, now=world.now())
    hold_copy(database, old.files)
    world.note("activated", host=server, database=database.name)


def _files_of(database: MailboxDatabase) -> tuple[str, str]:
    return database.edb_path, flush_map_of(database.edb_path)


def _diverge(copy: PassiveCopy) -> None:
    copy.has_failed = True
    copy.comment = "The log streams of the copies have diverged: the copy has to be seeded."
