"""Recovery databases: made of a file that is there, mounted like others, never in mail's way.

Source: the vendor's reference of New-MailboxDatabase: a recovery database is made dismounted, and
its file must have been shut down cleanly before it can be mounted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from goexchange.ese.structures import LogTime, Signature
from goexchange.world.chance import guid, number
from goexchange.world.cmdlet_errors import exchange_error, needs_confirmation
from goexchange.world.cmdlets_read import find_database
from goexchange.world.cmdlets_scratch import make_empty
from goexchange.world.databases import MailboxDatabase
from goexchange.world.exchange_objects import mailbox_database
from goexchange.world.log_stream import LogStream
from goexchange.world.site import DatabaseDescription
from goexchange.world.values import CmdletAnswer, ErrorCategory

if TYPE_CHECKING:
    from goexchange.world.world import World

_WARNING = (
    "Recovery database '{name}' was created using existing file {path}. The database must be"
    " brought into a clean shutdown state before it can be mounted."
)


def new_mailbox_database(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """New-MailboxDatabase: a recovery database here, an empty one as its own module plays it."""
    name = given["Name"]
    if not given.get("Recovery"):
        return make_empty(world, given)
    server = given["Server"]
    if given.get("Confirm"):
        return CmdletAnswer(terminating=needs_confirmation("New-MailboxDatabase", name))
    wanted = server.lower()
    host = next((each for each in world.exchange_hosts if each.name.lower() == wanted), None)
    if host is None or find_database(world, name) is not None:
        why = (
            f"The server '{server}' wasn't found."
            if host is None
            else f"Database '{name}' already exists. Please specify a different name."
        )
        error = exchange_error(
            world, "New-MailboxDatabase", why,
            exception="InvalidOperationException",
            category=ErrorCategory.INVALID_ARGUMENT,
            target=name,
        )  # fmt: skip
        return CmdletAnswer(errors=(error,), duration_s=world.site.times.cmdlet)
    made = _made(world, host.name, given)
    world.databases[made.guid] = made
    world.note("database-made", host=host.name, database=name, detail=made.edb_path)
    return CmdletAnswer(
        objects=(mailbox_database(world, made, with_status=False),),
        warnings=(_WARNING.format(name=name, path=made.edb_path),),
        duration_s=world.site.times.cmdlet,
    )


def _made(world: World, server: str, given: Mapping[str, Any]) -> MailboxDatabase:
    name, now = given["Name"], world.now()
    description = DatabaseDescription(
        name=name,
        copies=(server,),
        edb_path=given["EdbFilePath"],
        log_folder=given["LogFolderPath"],
        log_prefix=f"E{len(world.databases) % 256:02X}",
        pages=0,
        free_pages=0,
        full_backup_hours_ago=None,
        age_days=0,
        is_mounted=False,
        is_recovery=True,
        is_mount_at_startup=False,
        closed_logs=0,
        mailboxes=0,
    )
    nobody = Signature(random=number(world.seed, "log-signature", name), created=LogTime.at(now))
    stream = LogStream(
        folder=description.log_folder,
        prefix=description.log_prefix,
        signature=nobody,
        log_bytes=world.site.log_bytes,
        database_path=description.edb_path,
        database_signature=nobody,
        generation=0,
        created=LogTime.at(now),
    )
    return MailboxDatabase(
        description=description,
        guid=guid(world.seed, "database", name),
        dn_guid=guid(world.seed, "database-object", name),
        active_server=server,
        mounted_on=None,
        is_mount_at_startup=False,
        stream=stream,
        attached_signature=nobody,
        created_at=now,
    )
