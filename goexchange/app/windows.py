"""The verb `window next`: the next openings of windows, and what others have declared in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from goexchange.app.loading import Specification
from goexchange.errors import InvalidDocument
from goexchange.model.configuration import Inventory, Window
from goexchange.model.plan import PlannedWork
from goexchange.schedule.other_work import work_of_inventory, work_of_specification
from goexchange.schedule.windows import Occurrence, occurrences
from goexchange.spec.selection import select_servers


@frozen(kw_only=True)
class Opening:
    """One opening of a window, and the declared work of others that falls into it."""

    occurrence: Occurrence
    usual_length_s: int
    work: tuple[PlannedWork, ...]

    @property
    def is_changed_by_clock(self) -> bool:
        """Whether a clock change makes it shorter or longer than it reads."""
        return self.occurrence.length_s != self.usual_length_s


def next_openings(
    inventory: Inventory, specifications: Sequence[Specification], *, now: datetime, count: int
) -> tuple[Opening, ...]:
    """The next openings of the specifications' windows; of every window without specifications.

    Raises: InvalidDocument when there is no window to look at.
    """
    names = {each.desired.schedule.window for each in specifications}
    windows = [window for window in inventory.windows if not specifications or window.name in names]
    if not windows:
        raise InvalidDocument(
            "the specification names no window (`schedule.window`)"
            if specifications
            else "the inventory has no window (`windows`)"
        )
    return tuple(
        _opening(inventory, specifications, window, each)
        for window in windows
        for each in occurrences(window, now, count)
    )


def _opening(
    inventory: Inventory,
    specifications: Sequence[Specification],
    window: Window,
    occurrence: Occurrence,
) -> Opening:
    desired = [
        each.desired for each in specifications if each.desired.schedule.window == window.name
    ]
    begins, ends = occurrence.opens_at_utc, occurrence.closes_at_utc
    servers = {name for spec in desired for name in select_servers(spec.targets, inventory)}
    concerned = servers or {server.name for server in inventory.servers}
    work = list(work_of_inventory(inventory, concerned, begins=begins, ends=ends))
    for spec in desired:
        work += work_of_specification(
            spec.conflicts.declared,
            select_servers(spec.targets, inventory),
            zone=window.zone,
            begins=begins,
            ends=ends,
        )
    return Opening(
        occurrence=occurrence,
        usual_length_s=_usual_length_s(window) * occurrence.days,
        work=tuple(sorted(work, key=lambda each: (each.begins_at_utc, each.server, each.name))),
    )


def _usual_length_s(window: Window) -> int:
    opens = window.opens.hour * 60 + window.opens.minute
    closes = window.closes.hour * 60 + window.closes.minute
    return ((closes - opens) % (24 * 60) or 24 * 60) * 60
