"""Somebody else's work at declared times: which of it falls into a stretch of time, by server."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta

from goexchange.model.configuration import Inventory, OtherWorkKind
from goexchange.model.desired import DeclaredBackup
from goexchange.model.plan import PlannedWork
from goexchange.schedule.due import (
    ZONE_WITHOUT_WINDOW,
    due_after,
    due_at_or_before,
    due_rule,
)
from goexchange.schedule.windows import occurrences_between


def work_of_inventory(
    inventory: Inventory, servers: Collection[str], *, begins: datetime, ends: datetime
) -> Iterator[PlannedWork]:
    """What the inventory declares for these servers in that time."""
    for work in inventory.other_work:
        concerned = [name for name in work.servers if name in servers]
        for opening in occurrences_between(work.when, begins, ends) if concerned else ():
            for server in concerned:
                yield PlannedWork(
                    name=work.when.name,
                    kind=work.kind.value,
                    server=server,
                    begins_at_utc=opening.opens_at_utc,
                    ends_at_utc=opening.closes_at_utc,
                )


def work_of_specification(
    declared: Iterable[DeclaredBackup],
    servers: Collection[str],
    *,
    zone: str | None,
    begins: datetime,
    ends: datetime,
) -> Iterator[PlannedWork]:
    """What a specification declares for its servers in that time; `zone` is that of its window."""
    for work in declared:
        rule = due_rule(
            work.due, zone=work.zone or zone or ZONE_WITHOUT_WINDOW, every_s=None, starting=None
        )
        lasts = timedelta(seconds=work.lasts_s)
        start = due_at_or_before(rule, begins - lasts) or due_after(rule, begins - lasts)
        while start < ends:
            if start + lasts > begins:
                for server in servers:
                    yield PlannedWork(
                        name=work.name,
                        kind=OtherWorkKind.OTHER.value,
                        server=server,
                        begins_at_utc=start,
                        ends_at_utc=start + lasts,
                    )
            start = due_after(rule, start)
