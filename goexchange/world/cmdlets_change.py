"""Exchange cmdlets that change something: mount, dismount, settings, repair requests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from goexchange.world.chance import guid
from goexchange.world.cmdlet_errors import (
    already_dismounted,
    exchange_error,
    mount_failed,
    needs_confirmation,
    not_found,
)
from goexchange.world.cmdlets_read import find_database, repair_row
from goexchange.world.cmdlets_scratch import write_first_file
from goexchange.world.copies import (
    begin_seed,
    part_ways,
    resume,
    seeding,
    suspend,
    suspend_activation,
)
from goexchange.world.databases import MailboxDatabase
from goexchange.world.mounting import MountRefused, begin_attachment, dismount, mount
from goexchange.world.refusals import HostDown, NotModelled
from goexchange.world.repairs import FAILED, FAILED_CODE, RepairRequest, tell
from goexchange.world.values import CmdletAnswer, CmdletError, ErrorCategory

if TYPE_CHECKING:
    from goexchange.world.world import World

_CORRUPTION_TYPES = frozenset({
    "searchfolder", "aggregatecounts", "provisionedfolder", "folderview", "folderacl",
    "corruptjunkrule",
    "restrictionfolder", "rulemessageclass", "uniquemidindex", "missingspecialfolders", "imapid",
    "lockedmovetarget", "dropalllazyindexes", "replstate", "scheduledcheck", "messageptagcn",
    "messageid",
})  # fmt: skip
_ALONE = frozenset({"aggregatecounts", "folderview", "folderacl", "imapid"})


def mount_database(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Mount-Database; a mounted one stays as it is."""
    database = find_database(world, given["Identity"])
    if database is None:
        return _failed(world, not_found(world, "Mount-Database", given["Identity"]))
    if given.get("Force") or given.get("AcceptDataLoss"):
        raise NotModelled("Mount-Database with -Force or -AcceptDataLoss")
    if given.get("Confirm"):
        return CmdletAnswer(terminating=needs_confirmation("Mount-Database", database.name))
    if given.get("WhatIf"):
        return _done(world)
    host = world.host_of(database)
    if host.down_until is not None:
        raise HostDown(host.name)
    if database.mounted_on is not None:
        return _done(world)
    planned = world.faults.take_mount(database.name)
    try:
        if planned is not None:
            if planned.leaves_logs:
                begin_attachment(database, host, now=world.now())
            raise MountRefused(planned.error)
        write_first_file(world, database)
        mount(database, host, now=world.now())
    except MountRefused as refusal:
        return _failed(
            world, mount_failed(world, database, refusal.error), seconds=world.site.times.mount
        )
    part_ways(world, database)
    detail = str(database.attached_signature.random)
    world.note("mount", host=host.name, database=database.name, detail=detail)
    return _done(world, seconds=world.site.times.mount)


def dismount_database(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Dismount-Database; asks unless told not to."""
    database = find_database(world, given["Identity"])
    if database is None:
        return _failed(world, not_found(world, "Dismount-Database", given["Identity"]))
    if given.get("WhatIf"):
        return _done(world)
    if given.get("Confirm", True):
        return CmdletAnswer(terminating=needs_confirmation("Dismount-Database", database.name))
    if database.mounted_on is None:
        return _failed(world, already_dismounted(world, database))
    host = world.host_of(database)
    if host.down_until is not None:
        raise HostDown(host.name)
    _end_repairs(world, database)
    dismount(database, host, now=world.now())
    world.note("dismount", host=host.name, database=database.name)
    return _done(world, seconds=world.site.times.dismount)


def set_mailbox_database(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Set-MailboxDatabase -MountAtStartup; saying what is already so gives a warning."""
    return _set_database(world, given, cmdlet="Set-MailboxDatabase", is_public_folder=False)


def set_public_folder_database(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Set-PublicFolderDatabase -MountAtStartup."""
    return _set_database(world, given, cmdlet="Set-PublicFolderDatabase", is_public_folder=True)


def _set_database(
    world: World, given: Mapping[str, Any], *, cmdlet: str, is_public_folder: bool
) -> CmdletAnswer:
    database = find_database(world, given["Identity"])
    if database is None or database.description.is_public_folder is not is_public_folder:
        return _failed(world, not_found(world, cmdlet, given["Identity"]))
    wanted = given.get("MountAtStartup")
    if given.get("Confirm"):
        return CmdletAnswer(terminating=needs_confirmation(cmdlet, database.name))
    if given.get("WhatIf"):
        return _done(world)
    if wanted is None or wanted == database.is_mount_at_startup:
        words = (
            f"The command completed successfully but no settings of '{database.name}' have been"
            " modified."
        )
        return CmdletAnswer(warnings=(words,), duration_s=world.site.times.cmdlet)
    database.is_mount_at_startup = wanted
    world.note(
        "mount-at-startup-set",
        host=database.active_server,
        database=database.name,
        detail=str(wanted),
    )
    return _done(world)


def suspend_copy(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Suspend-MailboxDatabaseCopy of one passive copy; asks unless told not to."""
    found = _passive(world, "Suspend-MailboxDatabaseCopy", given["Identity"])
    if isinstance(found, CmdletError):
        return _failed(world, found)
    if given.get("Confirm", True):
        words = needs_confirmation("Suspend-MailboxDatabaseCopy", given["Identity"])
        return CmdletAnswer(terminating=words)
    if given.get("ActivationOnly"):
        suspend_activation(world, *found, given.get("SuspendComment"))
        return _done(world)
    suspend(world, *found, given.get("SuspendComment"))
    return _done(world)


def resume_copy(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Resume-MailboxDatabaseCopy of one passive copy."""
    found = _passive(world, "Resume-MailboxDatabaseCopy", given["Identity"])
    if isinstance(found, CmdletError):
        return _failed(world, found)
    resume(world, *found, replication_only=bool(given.get("ReplicationOnly")))
    return _done(world)


def update_copy(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Update-MailboxDatabaseCopy -BeginSeed: begun, and left to the replication service."""
    name, identity = "Update-MailboxDatabaseCopy", given["Identity"]
    found = _passive(world, name, identity)
    if isinstance(found, CmdletError):
        return _failed(world, found)
    if given.get("Confirm", True):
        return CmdletAnswer(terminating=needs_confirmation(name, identity))
    if not (given.get("BeginSeed") and given.get("DeleteExistingFiles")):
        raise NotModelled(f"{name} without -BeginSeed and -DeleteExistingFiles")
    database, server = found
    copy = database.passive[server]
    others = seeding(database)
    if others:
        words = f"A seed of '{database.name}' is in progress on {', '.join(others)}."
        exception = "SeedInProgressException"
    elif not (copy.is_suspended or copy.has_failed):
        words = f"The database copy '{identity}' must be suspended before it can be seeded."
        exception = "InvalidOperationException"
    elif database.mounted_on is None:
        words = f"The active copy of '{database.name}' is not mounted: there is no source."
        exception = "InvalidOperationException"
    else:
        begin_seed(world, database, server)
        return _done(world)
    error = exchange_error(
        world, name, words,
        exception=exception, category=ErrorCategory.INVALID_OPERATION, target=identity,
    )  # fmt: skip
    return _failed(world, error)


def _passive(
    world: World, cmdlet: str, identity: str
) -> tuple[MailboxDatabase, str] | CmdletError:
    """The database and server of one passive copy, or the error that the cmdlet gives."""
    name, _, server = identity.partition("\\")
    database = find_database(world, name)
    if database is None or server not in database.description.copies:
        return not_found(world, cmdlet, identity)
    host = world.hosts[server]
    if server in database.passive and host.down_until is None:
        return database, server
    is_active = server == database.active_server
    why = "is the active copy" if is_active else "cannot be reached: its server is down"
    return exchange_error(
        world, cmdlet, f"The database copy '{identity}' {why}.",
        exception="InvalidOperationException",
        category=ErrorCategory.INVALID_OPERATION,
        target=identity,
    )  # fmt: skip


def new_repair_request(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """New-MailboxRepairRequest of a whole database: one at a time per server, and only while it is
    mounted.
    """
    database = find_database(world, given["Database"])
    if database is None:
        return _failed(world, not_found(world, "New-MailboxRepairRequest", given["Database"]))
    refusal = _repair_refusal(world, database, given["CorruptionType"])
    if refusal is not None:
        return _failed(world, refusal)
    if given.get("Confirm"):
        return CmdletAnswer(
            terminating=needs_confirmation("New-MailboxRepairRequest", database.name)
        )
    number = len(world.repairs)
    now = world.now()
    request = RepairRequest(
        database=database.guid,
        request=guid(world.seed, "repair-request", number),
        job=guid(world.seed, "repair-job", number),
        corruption_types=given["CorruptionType"],
        is_detect_only=bool(given.get("DetectOnly")),
        queued_at=now,
        ends_at=now + timedelta(seconds=world.site.times.repair_request),
    )
    world.repairs.append(request)
    tell(request, world.host_of(database), database, at=now)
    world.note(
        "repair-request",
        host=database.active_server,
        database=database.name,
        detail=",".join(request.corruption_types),
    )
    return CmdletAnswer(objects=(repair_row(world, request),), duration_s=world.site.times.cmdlet)


def _repair_refusal(
    world: World, database: MailboxDatabase, types: tuple[str, ...]
) -> CmdletError | None:
    wanted = [each.lower() for each in types]
    unknown = [each for each in types if each.lower() not in _CORRUPTION_TYPES]
    if unknown:
        words = (
            f'Cannot convert value "{unknown[0]}" to type'
            ' "Microsoft.Exchange.Management.MailboxCorruptionType".'
        )
    elif len(wanted) > 1 and _ALONE.intersection(wanted):
        words = "This corruption type can't be combined with others in one request."
    elif database.mounted_on is None:
        words = f"The database '{database.name}' is not mounted. (hr=0x80004005, ec=1142)"
    elif _is_busy(world, database):
        words = (
            f"The server {database.active_server} is already running the allowed number of"
            " database repair requests."
        )
    else:
        return None
    return exchange_error(
        world, "New-MailboxRepairRequest", words,
        exception="InvalidOperationException",
        category=ErrorCategory.INVALID_ARGUMENT,
        target=database.name,
    )  # fmt: skip


def _is_busy(world: World, database: MailboxDatabase) -> bool:
    return any(
        each.ends_at is not None
        and world.databases[each.database].active_server == database.active_server
        for each in world.repairs
    )


def _end_repairs(world: World, database: MailboxDatabase) -> None:
    for request in world.repairs:
        if request.database == database.guid and request.ends_at is not None:
            request.ends_at, request.state = None, FAILED
            request.error_code = FAILED_CODE
            tell(request, world.host_of(database), database, at=world.now())


def _done(world: World, *, seconds: float | None = None) -> CmdletAnswer:
    return CmdletAnswer(duration_s=world.site.times.cmdlet if seconds is None else seconds)


def _failed(world: World, error: CmdletError, *, seconds: float | None = None) -> CmdletAnswer:
    return CmdletAnswer(
        errors=(error,), duration_s=world.site.times.cmdlet if seconds is None else seconds
    )
