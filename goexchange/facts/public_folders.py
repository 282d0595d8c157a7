"""Databases with public folders, which Exchange 2007 and 2010 have: what of them is told otherwise
than of a mailbox database, and what their replication has still to work in.

Source: the vendor's reference of Get-PublicFolderDatabase (no copies but by public folder
replication, never one for recovery), and of the counter *Replication Receive Queue Size* of
MSExchangeIS Public: the number of replication messages that wait to be worked in. How the counter
names a database is not confirmed: exactly one of the known forms has to fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from goexchange.facts.answer import ExchangeAnswer
from goexchange.model.actual import ActualDatabase, ActualHost
from goexchange.model.unknown import Unknown

Json = Mapping[str, Any]


def is_public_folder(plain: Json) -> bool:
    """Whether an object is such a database."""
    return str(plain["$type"]).rsplit(".", 1)[-1] == "PublicFolderDatabase"


def as_mailbox_database(plain: Json) -> Json:
    """The same object with what only a mailbox database says: it has no copies of its own, unless
    its storage group says otherwise, and is never one for recovery.
    """
    if not is_public_folder(plain):
        return plain
    alone = {"Recovery": False, "ReplicationType": "None", "Servers": [plain.get("Server")]}
    is_grouped = "StorageGroup" in plain  # of Exchange 2007: the group's signs count, or none
    mine = {"Recovery": False} if is_grouped else alone
    return {**mine, **plain}


def with_backlogs(
    databases: tuple[ActualDatabase, ...], answer: ExchangeAnswer, *, host: ActualHost | Unknown
) -> tuple[ActualDatabase, ...]:
    """The databases, those with public folders with their backlog."""
    groups = {
        str(each["Guid"]).lower(): str(each["StorageGroup"]).rsplit("\\", 1)[-1]
        for each in answer.databases()
        if "Guid" in each and "StorageGroup" in each
    }
    return tuple(
        evolve(each, replication_backlog=_backlog(each, groups.get(each.guid), host=host))
        if each.is_public_folder
        else each
        for each in databases
    )


def _backlog(
    database: ActualDatabase, group: str | None, *, host: ActualHost | Unknown
) -> int | Unknown:
    if database.is_mounted is not True:
        return Unknown("the store counts it only while the database is mounted")
    queues = host if isinstance(host, Unknown) else host.replication_queues
    if isinstance(queues, Unknown):
        return queues
    names = {database.name.casefold()}
    if group is not None:
        names.add(f"{group}-{database.name}".casefold())
    found = [each.waiting for each in queues if each.name.casefold() in names]
    if len(found) != 1:
        return Unknown(f"the store has {len(found)} counters of that name")
    return found[0]
