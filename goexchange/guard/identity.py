"""The database is exactly the one that was planned: one, by GUID, at the same place, of an
ordinary kind, with one copy.
"""

from __future__ import annotations

from goexchange.guard.guard import AT_ALL_TIMES, Answer, Guard, Question, blocks, need, passes
from goexchange.model.actual import ActualDatabase
from goexchange.model.plan import Action
from goexchange.model.unknown import Unknown

PLAN_AGAIN = "plan again: goexchange plan"


def _identity(question: Question) -> Answer:
    database = question.database
    planned = _planned(question)
    if planned is None:
        return blocks("the plan's facts do not hold the database", PLAN_AGAIN)
    differing = [
        name
        for name in ("name", "server", "edb_path", "log_folder")
        if getattr(database, name).lower() != getattr(planned, name).lower()
    ]
    seen = {name: getattr(database, name) for name in ("guid", "name", "server", "edb_path")}
    if differing:
        return blocks(f"{', '.join(differing)} changed since the plan was made", PLAN_AGAIN, **seen)
    return passes(f"one database with GUID {database.guid}, {database.edb_path}", **seen)


def _planned(question: Question) -> ActualDatabase | None:
    for server in question.body.facts.servers:
        if server.name == question.lane.server and not isinstance(server.databases, Unknown):
            for each in server.databases:
                if each.guid == question.lane.database_guid:
                    return each
    return None


def _not_recovery(question: Question) -> Answer:
    database = question.database
    if need(database.is_recovery, "whether it is a recovery database"):
        return blocks(
            "it is a recovery database", "exclude it from the specification", is_recovery=True
        )
    return passes("no recovery database", is_recovery=False)


def _single_copy(question: Question) -> Answer:
    database = question.database
    copies = need(database.copies, "the list of its copies")
    is_replicated = need(database.is_replicated, "whether it is replicated")
    if is_replicated or len(copies) != 1:
        return blocks(
            f"{len(copies)} copies: {', '.join(copies)}",
            "move its mailboxes to a fresh database instead of taking it down",
            copies=list(copies),
            is_replicated=is_replicated,
        )
    return passes("one copy, not replicated", copies=list(copies), is_replicated=False)


def _mount_at_startup(question: Question) -> Answer:
    value = need(question.database.is_mount_at_startup, "whether it is mounted at startup")
    is_planned_true = question.has(Action.SET_MOUNT_AT_STARTUP)
    if value != is_planned_true and not _is_set_by_us(question):
        return blocks(
            f"mount at startup is {value} and was {is_planned_true} when the plan was made",
            PLAN_AGAIN,
            is_mount_at_startup=value,
        )
    return passes(
        f"mount at startup is {value}: recorded, and put back to that", is_mount_at_startup=value
    )


def _is_set_by_us(question: Question) -> bool:
    sent = [
        question.run.step(each.id).attempts
        for each in question.steps(Action.SET_MOUNT_AT_STARTUP)
        if question.run is not None
    ]
    return any(sent)


IDENTITY = Guard(
    id="identity",
    rule="exactly the database that was planned: one, by GUID, at the same paths on the"
    " same server",
    moments=AT_ALL_TIMES,
    reads=("server.databases",),
    judge=_identity,
)
NOT_RECOVERY = Guard(
    id="not-recovery",
    rule="a recovery database is never maintained",
    moments=AT_ALL_TIMES,
    reads=("server.databases", "database.is_recovery"),
    judge=_not_recovery,
)
SINGLE_COPY = Guard(
    id="single-copy",
    rule="a database with more than one copy is never taken down for offline work",
    moments=AT_ALL_TIMES,
    reads=("server.databases", "database.copies", "database.is_replicated"),
    judge=_single_copy,
)
MOUNT_AT_STARTUP = Guard(
    id="mount-at-startup",
    rule="mount at startup is known before it is changed, and is put back to what it was",
    moments=AT_ALL_TIMES,
    reads=("server.databases", "database.is_mount_at_startup"),
    judge=_mount_at_startup,
)
