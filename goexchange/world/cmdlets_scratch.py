"""Databases that come and go: made empty, removed from the directory with their files left behind,
and the mailboxes that keep one from being removed.

Source: the vendor's reference of New-MailboxDatabase, Remove-MailboxDatabase and Get-Mailbox: a
database is made dismounted, its file appears with the first mount, and only the directory's object
is ever removed. The words of the warnings and of the refusal are not confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from goexchange.world.chance import guid
from goexchange.world.cmdlet_errors import needs_confirmation, not_found
from goexchange.world.cmdlets_groups import groups_of, refused
from goexchange.world.cmdlets_read import find_database
from goexchange.world.databases import make_database, write_files
from goexchange.world.engines import engine_of, has_streaming_files, page_bytes_of
from goexchange.world.exchange_objects import mailbox_database, type_names
from goexchange.world.files import flush_map_of
from goexchange.world.log_stream import OLD_DIGITS
from goexchange.world.mounting import dismount
from goexchange.world.refusals import NotModelled
from goexchange.world.site import DatabaseDescription
from goexchange.world.streaming import write_streaming
from goexchange.world.values import CmdletAnswer, CmdletError, ExchangeObject

if TYPE_CHECKING:
    from goexchange.world.databases import MailboxDatabase
    from goexchange.world.world import World

_NEW_PAGES, _NEW_FREE = 48, 30
_RESTART = (
    "Please restart the Microsoft Exchange Information Store service on server {server} after"
    " adding new mailbox databases."
)
_REMOVED = (
    "The specified database has been removed. You must remove the database file located in"
    " {path} from your computer manually if it exists. Specified database: {name}"
)
_HELD = (
    "This mailbox database contains one or more mailboxes, mailbox plans, archive mailboxes, public"
    " folder mailboxes or arbitration mailboxes. Before you can remove it, they have to be moved."
)
_KINDS = ("Archive", "Arbitration", "PublicFolder")


def make_empty(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """New-MailboxDatabase without -Recovery: the object alone, dismounted; before Exchange 2010 it
    lies in a storage group, which has its logs.
    """
    name = given["Name"]
    group = given.get("StorageGroup") or ""
    server = group.partition("\\")[0] or given["Server"]
    if given.get("EdbFilePath") is None or not (group or given.get("LogFolderPath")):
        raise NotModelled("New-MailboxDatabase without paths")
    if given.get("Confirm"):
        return CmdletAnswer(terminating=needs_confirmation("New-MailboxDatabase", name))
    host = next((h for h in world.exchange_hosts if h.name.lower() == server.lower()), None)
    if host is None or find_database(world, name) is not None:
        why = (
            f"The server '{server}' wasn't found."
            if host is None
            else f"Database '{name}' already exists. Please specify a different name."
        )
        return refused(world, "New-MailboxDatabase", why, name)
    folder, prefix = given.get("LogFolderPath"), f"E{len(world.databases) % 256:02X}"
    of_group = group.rpartition("\\")[2]
    if of_group:
        there = groups_of(world, host)
        if of_group not in there:
            why = f"The storage group '{group}' wasn't found."
            return refused(world, "New-MailboxDatabase", why, name)
        folder, prefix = there[of_group]
    made = make_database(
        DatabaseDescription(
            name=name,
            copies=(host.name,),
            edb_path=given["EdbFilePath"],
            log_folder=str(folder),
            log_prefix=prefix,
            storage_group=of_group or None,
            pages=_NEW_PAGES,
            free_pages=_NEW_FREE,
            full_backup_hours_ago=None,
            age_days=0,
            is_mounted=False,
            closed_logs=0,
            mailboxes=0,
        ),
        seed=world.seed,
        now=world.now(),
        log_bytes=world.site.log_bytes,
    )
    if has_streaming_files(host.description.generation):
        made.stream.digits = OLD_DIGITS
    made.is_new = True
    world.databases[made.guid] = made
    world.note("database-made", host=host.name, database=name, detail=made.edb_path)
    return CmdletAnswer(
        objects=(mailbox_database(world, made, with_status=False),),
        warnings=(_RESTART.format(server=host.name),),
        duration_s=world.site.times.cmdlet,
    )


def write_first_file(world: World, database: MailboxDatabase) -> None:
    """The first mount of a database that was made empty writes its file and its logs."""
    files = world.host_of(database).files
    if database.is_new and not files.exists(database.edb_path):
        generation = world.host_of(database).description.generation
        write_files(
            database,
            files,
            seed=world.seed,
            now=world.now(),
            engine=engine_of(generation),
            page_size=page_bytes_of(generation),
        )
        if has_streaming_files(generation):
            write_streaming(files, database.edb_path, seed=database.name.encode())
        map_path = flush_map_of(database.edb_path)
        if files.exists(map_path):
            files.delete(map_path)
    database.is_new = False


def remove_mailbox_database(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Remove-MailboxDatabase: refused while it holds mailboxes; files stay where they are."""
    database = find_database(world, given["Identity"])
    if database is None:
        error = not_found(world, "Remove-MailboxDatabase", given["Identity"])
        return _failed(world, error)
    if given.get("WhatIf"):
        return CmdletAnswer(duration_s=world.site.times.cmdlet)
    if given.get("Confirm", True):
        words = needs_confirmation("Remove-MailboxDatabase", database.name)
        return CmdletAnswer(terminating=words)
    if database.description.mailboxes:
        return refused(world, "Remove-MailboxDatabase", _HELD, database.name)
    host = world.host_of(database)
    if database.mounted_on is not None:
        dismount(database, host, now=world.now())
    host.files.release(database.holder)
    del world.databases[database.guid]
    world.repairs[:] = [each for each in world.repairs if each.database != database.guid]
    for run in world.backups:
        run.covered = tuple(each for each in run.covered if each != database.guid)
    world.note("database-removed", host=host.name, database=database.name)
    words_left = _REMOVED.format(path=database.edb_path, name=database.name)
    return CmdletAnswer(warnings=(words_left,), duration_s=world.site.times.cmdlet)


def get_mailbox(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Get-Mailbox -Database: the ordinary mailboxes; those of other kinds only when asked for."""
    database = find_database(world, given["Database"])
    if database is None:
        return _failed(world, not_found(world, "Get-Mailbox", given["Database"]))
    is_special = any(given.get(kind) for kind in _KINDS)
    count = 0 if is_special else database.description.mailboxes
    wanted = str(given.get("ResultSize") or "1000")
    shown = count if wanted.lower() == "unlimited" else min(count, int(wanted))
    more = "There are more results available than are currently displayed. To view them, increase"
    return CmdletAnswer(
        objects=tuple(_mailbox(world, database, index) for index in range(shown)),
        warnings=(f"{more} the value for the ResultSize parameter.",) if shown < count else (),
        duration_s=world.site.times.cmdlet,
    )


def _mailbox(world: World, database: MailboxDatabase, index: int) -> ExchangeObject:
    name = f"{database.name} user {index + 1}"
    return ExchangeObject(
        type_names=type_names("Microsoft.Exchange.Data.Directory.Management.Mailbox"),
        to_string=name,
        properties={
            "Name": name,
            "Guid": guid(world.seed, "mailbox", name),
            "Database": database.name,
        },
    )


def _failed(world: World, error: CmdletError) -> CmdletAnswer:
    return CmdletAnswer(errors=(error,), duration_s=world.site.times.cmdlet)
