"""What is true in a world, whoever believes what: for invariants that need the hosts' real state.

Shape: everything here only looks. A *good* copy of a database is a whole, clean file with its own
signature in every page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from attrs import frozen

from goexchange.ese.header import DatabaseHeader
from goexchange.ese.pages import verify_pages
from goexchange.ese.structures import Signature
from goexchange.world.databases import MailboxDatabase, read_header
from goexchange.world.files import folder_of, name_of
from goexchange.world.hosts import Host

if TYPE_CHECKING:
    from goexchange.world.world import World



@frozen(kw_only=True)
class TrueFile:
    """A database file somewhere on a host: what its header says, and whether every page is
    sound.
    """

    path: str
    signature: Signature
    dbtime: int
    is_clean: bool
    is_sound: bool
    faulty_pages: int = 0

    @property
    def is_good(self) -> bool:
        return self.is_clean and self.is_sound

    def is_like(self, other: TrueFile) -> bool:
        """Whether it is the same file as far as header and damage go."""
        mine = (self.signature, self.dbtime, self.is_clean, self.faulty_pages)
        return mine == (other.signature, other.dbtime, other.is_clean, other.faulty_pages)


@frozen(kw_only=True)
class TrueDatabase:
    """The true state of one database.

    Shape: `present` is the file at its path (None: missing or no database); `originals` are files
    beside it that were renamed (`.edb.before-...`); `copies` are sealed or unsealed copies of the
    file elsewhere on the host and its shares.
    """

    name: str
    server: str
    is_mounted: bool
    is_mount_at_startup: bool
    present: TrueFile | None
    originals: tuple[TrueFile, ...]
    copies: tuple[TrueFile, ...]
    last_full_backup: datetime | None

    @property
    def good_files(self) -> tuple[TrueFile, ...]:
        """Everything that mail could still be read from."""
        every = (self.present, *self.originals, *self.copies)
        return tuple(
            each for each in every if each is not None and (each.is_good or self._is_live(each))
        )

    def has_set_of(self, signature: Signature) -> bool:
        """Whether a good copy of the file with this signature lies outside the database's
        folder.
        """
        return any(each.is_good and each.signature == signature for each in self.copies)

    def has_evidence_of(self, original: TrueFile) -> bool:
        """Whether a copy with the very damage of this file lies outside the database's folder."""
        return any(original.is_like(each) for each in self.copies)

    def _is_live(self, file: TrueFile) -> bool:
        return self.is_mounted and file is self.present and file.is_sound


@frozen(kw_only=True)
class Truth:
    """Everything at one moment."""

    at: datetime
    databases: tuple[TrueDatabase, ...]
    effects: dict[tuple[str, str], int]

    def database(self, name: str) -> TrueDatabase:
        """One database by name."""
        return next(each for each in self.databases if each.name == name)


def truth_of(world: World) -> Truth:
    """Look at everything."""
    world.advance()
    databases = tuple(true_database(world, each) for each in world.databases.values())
    return Truth(at=world.now(), databases=databases, effects=effects_of(world))


def true_database(world: World, database: MailboxDatabase) -> TrueDatabase:
    """Look at one database."""
    host = world.host_of(database)
    present = true_file(host, database.edb_path)
    header = _header(host, database.edb_path)
    folder, name = folder_of(database.edb_path), name_of(database.edb_path).lower()
    beside = [
        path
        for path in host.files.names_in(folder)
        if name_of(path).lower().startswith(f"{name}.before-")
    ]
    last = None
    if header is not None and header.previous_full_backup.is_set:
        last = header.previous_full_backup.marked_at.to_datetime()
    return TrueDatabase(
        name=database.name,
        server=host.name,
        is_mounted=database.mounted_on is not None,
        is_mount_at_startup=database.is_mount_at_startup,
        present=present,
        originals=_good(true_file(host, path) for path in beside),
        copies=_good(true_file(host, path) for path in _copies(world, host, database)),
        last_full_backup=last,
    )


def true_file(host: Host, path: str) -> TrueFile | None:
    """A database file as it is; None when there is none that can be read."""
    header = _header(host, path)
    if header is None:
        return None
    content, size = host.files.read(path), header.page_size
    return TrueFile(
        path=path,
        signature=header.signature,
        dbtime=header.dbtime,
        is_clean=header.is_clean,
        is_sound=_is_sound(content, size),
        faulty_pages=_faulty_pages(content[2 * size :], size),
    )


@lru_cache(maxsize=128)
def _is_sound(content: bytes, page_size: int) -> bool:
    """Whether a whole file is whole pages, all sound; the same bytes are looked at again and
    again, and often only the headers have changed.
    """
    pages = content[2 * page_size :]
    return len(content) % page_size == 0 and _faulty_pages(pages, page_size) == 0


@lru_cache(maxsize=128)
def _faulty_pages(content: bytes, page_size: int) -> int:
    """How many pages are not sound."""
    return verify_pages(content, 1, page_size).faulty


def effects_of(world: World) -> dict[tuple[str, str], int]:
    """How often each effect happened: by kind and by what it happened to (database, job or
    file).
    """
    return dict(Counter((each.kind, each.database or each.detail) for each in world.effects))


def silently_down(world: World, *, known_offline: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Databases that we dismounted, that are down now, and that nothing speaks of: no report, no
    sentinel.

    Shape: `known_offline` are names that a report, exit code or notification has named. A sentinel
    that still waits for its time is not silence.
    """
    dismounted = {each.database for each in world.effects if each.kind == "dismount"}
    spoken = {
        each.database for host in world.hosts.values() for each in host.sentinels.values()
    } | {each.database for each in world.effects if each.kind == "sentinel-spoke"}
    return tuple(
        each.name
        for each in world.databases.values()
        if each.name in dismounted
        and each.mounted_on is None
        and each.name not in spoken
        and each.name not in known_offline
    )


def _header(host: Host, path: str) -> DatabaseHeader | None:
    return read_header(host.files, path).header if host.files.exists(path) else None


def _copies(world: World, host: Host, database: MailboxDatabase) -> list[str]:
    """Files of the database's name that are neither in its folder nor below it."""
    name, folder = name_of(database.edb_path).lower(), folder_of(database.edb_path).lower()
    places = [each.mount_point for each in (*host.files.volumes, *host.files.shares)]
    found = {path for place in places for path in host.files.below(place)}
    return sorted(
        path
        for path in found
        if name_of(path).lower() == name and not path.lower().startswith(folder + "\\")
    )


def _good(files: Iterable[TrueFile | None]) -> tuple[TrueFile, ...]:
    return tuple(each for each in files if each is not None)
