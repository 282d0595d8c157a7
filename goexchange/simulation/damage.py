"""Damage that was there before the night, and the record of the look that found it."""

from __future__ import annotations

from datetime import timedelta

from goexchange.codec import to_plain
from goexchange.model.actual import DatabaseRecord, Look, LookKind
from goexchange.world.databases import MailboxDatabase
from goexchange.world.files import join
from goexchange.world.site import PAGE_BYTES
from goexchange.world.world import World

_IN_THE_PAGE = 1000
_LOOKED_BEFORE = timedelta(days=2)


def damage(world: World, name: str, *, pages: tuple[int, ...]) -> None:
    """Bytes of these pages of the database's file are other ones from now on."""
    database = world.database_named(name)
    files = world.host_of(database).files
    for page in pages:
        at = (page + 1) * PAGE_BYTES + _IN_THE_PAGE
        content = bytes(each ^ 0x5A for each in files.read(database.edb_path, at, 4))
        files.write_at(database.edb_path, at, content)


def record_damage(world: World, name: str, *, root: str, errors: int) -> None:
    """What an earlier run wrote down on the host: page checksums found errors."""
    database = world.database_named(name)
    world.host_of(database).files.write_json(
        join(root, "databases", f"{database.guid}.json"),
        to_plain(_record(database, world, errors)),
    )


def _record(database: MailboxDatabase, world: World, errors: int) -> DatabaseRecord:
    at = world.now() - _LOOKED_BEFORE
    return DatabaseRecord(
        database_guid=str(database.guid),
        database=database.name,
        run="20261126T210000-0001",
        signature=None,
        verified_at_utc=None,
        rebuilt_at_utc=None,
        rebuild_gain_bytes=None,
        rebuild_goal_met=None,
        set_folder=None,
        set_digest=None,
        set_taken_at_utc=None,
        protected_at_utc=None,
        looks=(Look(kind=LookKind.PAGES, at_utc=at, errors=errors, warnings=0),),
    )
