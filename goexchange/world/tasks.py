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
    has_spoken: bool = False

    @property
    def speaks_at(self) -> datetime:
        return self.fed_at + timedelta(seconds=self.silent_after_s)
