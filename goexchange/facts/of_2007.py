"""Exchange 2007 as its snap-in describes it, said in the words of later versions.

A database there belongs to a storage group, which has the log folder, the prefix and the copies.
What a sign of replication says is believed only when it is a word that is known; what the version
does not have at all (move requests, repair requests) is said so, once, here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from goexchange.facts.answer import ExchangeAnswer
from goexchange.facts.places import file_facts_of
from goexchange.model.actual import (
    ActualDatabase,
    ActualHost,
    Cluster,
    Generation,
    StorageGroup,
)
from goexchange.model.plan import ExchangeCall
from goexchange.model.unknown import Unknown
from goexchange.powershell.sizes import generation_of, parse_server_version
from goexchange.powershell.space_events import free_space

Json = Mapping[str, Any]

DATABASES = ("MailboxDatabase", "PublicFolderDatabase")
ALONE = "Disabled"
CLUSTERED = {ALONE: False, "NonShared": True, "Shared": False}  # whether it has copies
ALL = "Get-MailboxDatabase"  # an error of it makes the whole list unknown
NOT_TOLD = Unknown(
    "the store has told no free space of the present file (event 1221, once its nightly"
    " defragmentation has ended)"
)
_OF_GROUP = ("LogFolderPath", "LogFilePrefix", "CircularLoggingEnabled")


def statements_of_2007(server: str) -> tuple[ExchangeCall, ...]:
    """The statements of one observation."""
    return (
        ExchangeCall(cmdlet="Get-ExchangeServer", parameters={"Identity": server}),
        ExchangeCall(cmdlet="Get-MailboxServer", parameters={"Identity": server}),
        ExchangeCall(cmdlet="Get-StorageGroup", parameters={"Server": server}),
        ExchangeCall(cmdlet="Get-MailboxDatabase", parameters={"Server": server, "Status": True}),
        of_public_folders(server),
    )


def of_public_folders(server: str) -> ExchangeCall:
    """The statement about databases with public folders, which Exchange 2010 still has."""
    return ExchangeCall(
        cmdlet="Get-PublicFolderDatabase", parameters={"Server": server, "Status": True}
    )


def is_2007(exchange: Json) -> bool:
    """Whether an answer is of a server with Exchange 2007."""
    answer = ExchangeAnswer(exchange)
    text = answer.text(answer.one("ExchangeServer"), "AdminDisplayVersion")
    version = text if isinstance(text, Unknown) else parse_server_version(text)
    if isinstance(version, Unknown):
        return False
    return generation_of(version) is Generation.EXCHANGE_2007


def as_later(exchange: Json) -> Json:
    """The same answer with what later versions say of a database itself; any other is as it was.

    Unknown: what a group that is not found exactly once would say is left out.
    """
    if not is_2007(exchange):
        return exchange
    answer = ExchangeAnswer(exchange)
    objects = [_later(answer, each) for each in exchange["objects"]]
    failed = answer.failure_of("Get-StorageGroup")
    errors = list(exchange["errors"])
    if failed is not None:  # without the groups the list of databases says too little
        errors.append({"message": failed.reason, "id": "", "category": "", "target": ALL})
    return {**exchange, "objects": objects, "errors": errors}


def cluster_of(answer: ExchangeAnswer) -> Cluster | None | Unknown:
    """The failover cluster that the server runs on; None for one of its own, and for versions that
    have groups instead.
    """
    if not is_2007(answer.plain):
        return None
    server = answer.one("MailboxServer")
    kind = answer.text(server, "ClusteredStorageType")
    if isinstance(kind, Unknown):
        return kind
    if kind not in CLUSTERED:
        return Unknown(f"ClusteredStorageType is {kind!r}, an unknown word")
    if kind == ALONE:
        return None
    nodes = answer.texts(server, "RedundantMachines")
    return Cluster(kind=kind, nodes=nodes if isinstance(nodes, tuple) else ())


def groups_of(answer: ExchangeAnswer) -> tuple[StorageGroup, ...] | Unknown:
    """Every storage group of the server, the empty ones too; none of versions that have none.

    Unknown: all of them when they could not be asked, or one has no name.
    """
    failed = answer.failure_of("Get-StorageGroup")
    if failed is not None:
        return failed
    found = []
    for each in answer.of_type("StorageGroup"):
        name = answer.text(each, "Name")
        if isinstance(name, Unknown):
            return Unknown("Exchange gave a storage group without a name")
        found.append(
            StorageGroup(
                name=name,
                log_folder=answer.text(each, "LogFolderPath"),
                is_recovery=answer.flag(each, "Recovery"),
            )
        )
    return tuple(sorted(found, key=lambda each: each.name.lower()))


def finished(
    databases: tuple[ActualDatabase, ...],
    answer: ExchangeAnswer,
    *,
    host: ActualHost | Unknown,
    events: Json | Unknown | None,
) -> tuple[ActualDatabase, ...]:
    """The databases with what the host tells instead: size and free space of their files; and with
    what the version does not have at all: no repair request waits there.
    """
    groups = {
        str(each["Guid"]).lower(): group["Name"]
        for each in answer.databases()
        if (group := _group_of(answer, each)) is not None
    }
    return tuple(
        evolve(
            each,
            has_repair_requests=False,
            storage_group=str(groups[each.guid]),
            size_bytes=file_size(host, each.edb_path),
            white_space_bytes=free_of_file(
                (each.edb_path, each.guid),
                group=groups[each.guid],
                name=each.name,
                host=host,
                events=events,
            ),
        )
        for each in databases
    )


def file_size(host: ActualHost | Unknown, path: str) -> int | Unknown:
    """The size of a file as the host sees it."""
    file = file_facts_of(host, path)
    if isinstance(file, Unknown):
        return file
    return Unknown("the file is not there") if file.size_bytes is None else file.size_bytes


def free_of_file(
    database: tuple[str, str],
    *,
    group: str,
    name: str,
    host: ActualHost | Unknown,
    events: Json | Unknown | None,
) -> int | Unknown:
    """The newest figure since the present file was made. A file that we have rebuilt, and of which
    the store has said nothing yet, has none for certain.

    Shape: `database` is the path of its file, and its GUID.
    """
    path, guid = database
    file = file_facts_of(host, path)
    if isinstance(file, Unknown) or isinstance(host, Unknown):
        return Unknown("since when the present file is there is not known")
    if isinstance(events, Unknown):
        return events
    found = None if events is None else free_space(events, group=group, name=name)
    made = file.created_at_utc
    if found is not None and made is not None and found.at_utc >= made:
        return found.free_bytes
    records = () if isinstance(host.records, Unknown) else host.records
    rebuilt = [each.rebuilt_at_utc for each in records if each.database_guid == guid]
    if made is not None and any(at is not None and at >= made for at in rebuilt):
        return 0
    return NOT_TOLD


def _later(answer: ExchangeAnswer, plain: Json) -> Json:
    kind = str(plain["$type"]).rsplit(".", 1)[-1] if "$type" in plain else ""
    if kind == "MailboxServer":
        return {**plain, "DatabaseAvailabilityGroup": None}  # they came with Exchange 2010
    return _database(answer, plain) if kind in DATABASES else plain


def _database(answer: ExchangeAnswer, plain: Json) -> Json:
    group = _group_of(answer, plain)
    if group is None:
        return plain
    found = {name: group[name] for name in _OF_GROUP if name in group}
    owner = answer.text(plain, "Server")
    servers = {} if isinstance(owner, Unknown) else {"Servers": [owner]}
    return {**plain, **found, **servers, **_mounted(answer, plain), **_copies(answer, group)}


def _group_of(answer: ExchangeAnswer, plain: Json) -> Json | None:
    """The one storage group that the database names: `EX06\\First Storage Group`, or the name."""
    named = answer.text(plain, "StorageGroup")
    if isinstance(named, Unknown):
        return None
    wanted = named.rsplit("\\", 1)[-1].casefold()
    found = [
        each
        for each in answer.of_type("StorageGroup")
        if str(answer.text(each, "Name")).casefold() == wanted
    ]
    return found[0] if len(found) == 1 else None


def _mounted(answer: ExchangeAnswer, plain: Json) -> dict[str, Any]:
    """A database there is mounted on its own server or nowhere."""
    is_mounted = answer.flag(plain, "Mounted")
    fqdn = answer.text(answer.one("ExchangeServer"), "Fqdn")
    if is_mounted is False:
        return {"MountedOnServer": None}
    if is_mounted is True and not isinstance(fqdn, Unknown):
        return {"MountedOnServer": fqdn}
    return {}


def _copies(answer: ExchangeAnswer, group: Json) -> dict[str, Any]:
    """Whether there are copies: a local one, standby machines, or a cluster that replicates."""
    kind = answer.text(answer.one("MailboxServer"), "ClusteredStorageType")
    local = answer.flag(group, "HasLocalCopy")
    standby = {"StandbyMachines": None, **group}["StandbyMachines"]
    if isinstance(kind, Unknown) or kind not in CLUSTERED:
        return {}
    if CLUSTERED[kind] or local is True or standby:
        return {"ReplicationType": "Remote"}
    is_alone = local is False and standby == []
    return {"ReplicationType": "None"} if is_alone else {}
