"""Mailbox databases as Get-MailboxDatabase -Status, Get-MoveRequest and Get-MailboxRepairRequest
describe them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from goexchange.facts.answer import ExchangeAnswer
from goexchange.facts.public_folders import as_mailbox_database, is_public_folder
from goexchange.model.actual import ActualDatabase
from goexchange.model.unknown import Unknown
from goexchange.powershell.sizes import parse_size

Json = Mapping[str, Any]

_IDENTITY = ("Name", "Guid", "Server", "EdbFilePath", "LogFolderPath")
_REPAIR_UNDER_WAY = {"Queued": True, "Running": True, "Succeeded": False, "Failed": False}
_REPAIR_TYPES = ("MailboxRepairRequest", "StoreIntegrityCheckJob")


def decode_databases(
    answer: ExchangeAnswer, *, servers: frozenset[str], known: Sequence[str]
) -> tuple[ActualDatabase, ...] | Unknown:
    """The databases that a server of these names (lower case) holds, in order of their names.

    Unknown: all of them when one lacks what identifies it, for then the list itself cannot be
    trusted.
    """
    found = []
    for plain in map(as_mailbox_database, answer.databases()):
        missing = [name for name in _IDENTITY if isinstance(answer.text(plain, name), Unknown)]
        if missing:
            return Unknown(f"Exchange gave a database without {', '.join(missing)}")
        if plain["Server"].lower() in servers:
            found.append(_decode(answer, plain, known=known))
    return tuple(sorted(found, key=lambda database: database.name.lower()))


def active_anywhere(answer: ExchangeAnswer) -> ActualDatabase | Unknown:
    """The one database that an answer is about, on whichever server it is active.

    Unknown: when the answer is about none, or does not identify it.
    """
    names = {text for plain in answer.databases() if isinstance(text := plain.get("Server"), str)}
    servers = frozenset(each.lower() for each in names)
    found = decode_databases(answer, servers=servers, known=())
    if isinstance(found, Unknown):
        return found
    return found[0] if len(found) == 1 else Unknown(f"Exchange told of {len(found)} databases")


def _decode(answer: ExchangeAnswer, plain: Json, *, known: Sequence[str]) -> ActualDatabase:
    is_mounted = answer.flag(plain, "Mounted")
    return ActualDatabase(
        name=plain["Name"],
        guid=plain["Guid"].lower(),
        server=plain["Server"],
        edb_path=plain["EdbFilePath"],
        log_folder=plain["LogFolderPath"],
        log_prefix=answer.text(plain, "LogFilePrefix"),
        is_mounted=is_mounted,
        mounted_on=_mounted_on(answer, plain, is_mounted),
        is_recovery=answer.flag(plain, "Recovery"),
        copies=answer.texts(plain, "Servers"),
        is_replicated=_is_replicated(answer, plain),
        is_circular_logging=answer.flag(plain, "CircularLoggingEnabled"),
        is_mount_at_startup=answer.flag(plain, "MountAtStartup"),
        is_backup_running=answer.flag(plain, "BackupInProgress"),
        last_full_backup_utc=_last_full_backup(answer, plain, is_mounted),
        size_bytes=_size(answer.text(plain, "DatabaseSize")),
        white_space_bytes=_size(answer.text(plain, "AvailableNewMailboxSpace")),
        has_moves=_has_moves(answer, plain["Name"]),
        has_repair_requests=_has_repair_requests(answer, plain["Guid"].lower(), known),
        is_public_folder=is_public_folder(plain),
    )


def _mounted_on(
    answer: ExchangeAnswer, plain: Json, is_mounted: bool | Unknown
) -> str | None | Unknown:
    """None where Exchange rightly leaves it empty: the database is known not to be mounted."""
    is_nil = "MountedOnServer" in plain and plain["MountedOnServer"] in (None, "")
    return None if is_nil and is_mounted is False else answer.text(plain, "MountedOnServer")


def _last_full_backup(
    answer: ExchangeAnswer, plain: Json, is_mounted: bool | Unknown
) -> datetime | None | Unknown:
    """None means never: only a mounted database, whose status could be read, says so by leaving it
    empty.
    """
    is_nil = "LastFullBackup" in plain and plain["LastFullBackup"] is None
    if is_nil and is_mounted is True:
        return None
    return answer.moment(plain, "LastFullBackup")


def _is_replicated(answer: ExchangeAnswer, plain: Json) -> bool | Unknown:
    """Whether there is more than one copy; both signs must say no before the answer is no."""
    kind = answer.text(plain, "ReplicationType")
    copies = answer.texts(plain, "Servers")
    if kind == "Remote" or (not isinstance(copies, Unknown) and len(copies) > 1):
        return True
    for sign in (kind, copies):
        if isinstance(sign, Unknown):
            return sign
    return False if kind == "None" else Unknown(f"ReplicationType is {kind!r}, an unknown word")


def _size(text: str | Unknown) -> int | Unknown:
    return text if isinstance(text, Unknown) else parse_size(text)


def _has_moves(answer: ExchangeAnswer, name: str) -> bool | Unknown:
    """Whether a move request under way has the database as its source or target."""
    unclear = answer.failure_of("Get-MoveRequest")
    for request in answer.of_type("MoveRequest"):
        ends = [answer.text(request, end) for end in ("SourceDatabase", "TargetDatabase")]
        if any(not isinstance(end, Unknown) and end.lower() == name.lower() for end in ends):
            return True
        if all(isinstance(end, Unknown) for end in ends):
            unclear = Unknown("a move request under way names neither source nor target")
    return False if unclear is None else unclear


def _has_repair_requests(answer: ExchangeAnswer, guid: str, known: Sequence[str]) -> bool | Unknown:
    """Whether a repair request of the database waits or runs."""
    if guid not in [one.lower() for one in known]:
        return Unknown("not asked yet: the database was not known when the server was observed")
    unclear = answer.failure_of("Get-MailboxRepairRequest")
    for short_name in _REPAIR_TYPES:
        for request in answer.of_type(short_name):
            identity = answer.text(request, "Identity")
            state = answer.text(request, "JobState")
            if isinstance(identity, Unknown) or isinstance(state, Unknown):
                unclear = Unknown("a repair request without Identity or JobState")
            elif identity.lower().split("\\")[0] != guid:
                continue
            elif state not in _REPAIR_UNDER_WAY:
                unclear = Unknown(f"a repair request in state {state!r}, an unknown word")
            elif _REPAIR_UNDER_WAY[state]:
                return True
    return False if unclear is None else unclear
