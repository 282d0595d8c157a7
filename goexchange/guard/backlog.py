"""A database with public folders is taken down only while its replication has nothing waiting."""

from __future__ import annotations

from goexchange.guard.guard import AT_ALL_TIMES, Answer, Guard, Question, blocks, need, passes


def _no_backlog(question: Question) -> Answer:
    found = question.database.replication_backlog
    if found is None:
        return passes("no public folders in it")
    waiting = need(found, "its replication backlog")
    if waiting:
        return blocks(
            f"{waiting} replication messages are still to be worked in",
            "wait until the store has worked them in, and plan again",
            replication_backlog=waiting,
        )
    return passes("no replication message waits", replication_backlog=0)


NO_BACKLOG = Guard(
    id="no-replication-backlog",
    rule="a database with public folders is taken down only when its replication has nothing"
    " waiting",
    moments=AT_ALL_TIMES,
    reads=("database.replication_backlog",),
    judge=_no_backlog,
)
