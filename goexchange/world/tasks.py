"""Scheduled tasks of a host, sentinels among them."""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import define, frozen

from goexchange.world.sharing import Shared


@define
class TaskState:
    """A scheduled task; `actions` are command lines."""

    name: str
    state: str
    actions: tuple[str, ...]
    next_run: datetime | None


# What real servers have: somebody's task with a password on its command line, which nothing of ours
# may keep.
VENDOR_TASK = TaskState(
    name="\\Vendor\\Backup report",
    state="Ready",
    actions=("C:\\vendor\\report.exe --server backup01 --password Canary-5f1e9c",),
    next_run=None,
)


@frozen(kw_only=True)
class Sentinel(Shared):
    """A task that speaks when nobody has fed it for a while: a database may be down without its
    controller.
    """

    task: str
    root: str
    run: str
    database_guid: str
    database: str
    silent_after_s: int
    fed_at: datetime
    what: str = "outage"
    mail_to: tuple[str, ...] = ()
    webhook: str | None = None
    has_spoken: bool = False

    @property
    def speaks_at(self) -> datetime:
        return self.fed_at + timedelta(seconds=self.silent_after_s)
