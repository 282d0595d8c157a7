"""The other copies of a database that is rebuilt on its active copy: suspended before the outage,
resumed as they were when the original is in service again, else seeded anew.

A seed is begun and left to the replication service, so that it goes on without this tool; what
waits for it can be resumed. One copy at a time, each healthy before the next.
"""

from __future__ import annotations

from typing import Any

from goexchange.model.copies import ActualCopy
from goexchange.model.history import Work
from goexchange.model.left import activation_of
from goexchange.model.plan import Action, RunsWhen
from goexchange.plan import words
from goexchange.plan.builder import LaneBuilder, timed
from goexchange.plan.context import LaneContext
from goexchange.plan.copy_back import (
    RESUMES_MAX,
    add_activation_back,
    held_copy,
    resumed_probe,
    seeded_probe,
    suspended_probe,
    well_poll,
)
from goexchange.plan.estimates import result_size
from goexchange.plan.replicas import is_lagged
from goexchange.powershell import cmdlets

CATCHES_UP_S = 60  # without history: what was written meanwhile is copied and replayed
SEED_LIMIT_MIN_S = 12 * 3600
HOLD_GUARDS = (
    "identity",
    "not-recovery",
    "copies-well",
    "no-backup-running",
    "no-other-maintenance",
    "no-declared-work",
    "space",
    "window",
)


def held_copies(context: LaneContext) -> list[dict[str, Any]]:
    """What the recovery record says of the copies that are suspended for the rebuild."""
    assert context.replicas is not None  # asked only of a database with other copies
    return [
        {"identity": each.identity, "is_lagged": is_lagged(each), **activation_of(held_copy(each))}
        for each in context.replicas.copies
    ]


def add_hold_copies(lane: LaneBuilder, context: LaneContext) -> tuple[str, ...]:
    """Suspend every other copy; the ids of the steps."""
    if context.replicas is None:
        return ()
    comment = f"goexchange: {context.spec.name}, until it is seeded from the rebuilt file"
    return tuple(
        lane.add(
            Action.SUSPEND_COPY,
            cmdlets.suspend_copy(copy.identity, comment),
            summary=f"{_of(copy)}: replicating -> suspended; it cannot be activated from here on",
            guards=HOLD_GUARDS if number == 0 else ("copies-held",),
            probe=suspended_probe(copy.identity),
            undo="resume it while the original is in service; seed it when the rebuilt file is",
            estimate_s=5,
            origin=context.spec.script.rebuild.place,
        )
        for number, copy in enumerate(context.replicas.copies)
    )


def add_copies_back(
    lane: LaneBuilder, context: LaneContext, suspended: tuple[str, ...]
) -> None:
    """The original is in service again: its copies go on where they were."""
    if context.replicas is None:
        return
    pairs = tuple(zip(context.replicas.copies, suspended, strict=True))
    for copy, step in pairs:
        lane.add(
            Action.RESUME_COPY,
            cmdlets.resume_copy(
                copy.identity, replication_only=held_copy(copy).is_activation_suspended
            ),
            summary=f"way back: {_of(copy)}: suspended -> replicating",
            probe=resumed_probe(copy.identity),
            attempts_max=RESUMES_MAX,
            runs_when=RunsWhen.COPIES_FIT,
            undo_of=step,
            estimate_s=5,
        )
    for copy, step in pairs:
        lane.add(
            Action.AWAIT_COPY,
            cmdlets.get_copy(copy.identity),
            summary=f"way back: until {_of(copy)} is healthy and its queues are short",
            poll=_well(context, copy),
            runs_when=RunsWhen.COPIES_FIT,
            undo_of=step,
            estimate_s=CATCHES_UP_S,
        )


def add_seeds(lane: LaneBuilder, context: LaneContext, suspended: tuple[str, ...]) -> None:
    """The rebuilt file is in service: every other copy is made anew from it."""
    if context.replicas is None:
        return
    size = result_size(context.database)
    estimate = context.times.of(Work.SEED, size)
    for copy, step in zip(context.replicas.copies, suspended, strict=True):
        lost = "; its history is lost" if is_lagged(copy) else ""
        lane.add(
            Action.SEED_COPY,
            cmdlets.seed_copy(copy.identity),
            summary=f"{_of(copy)}: seeded anew from the active one, about {words.size(size)}, and"
            f" healthy before the next{lost}",
            probe=seeded_probe(copy.identity),
            poll=_well(context, copy),
            undo_of=step,
            time_limit_s=max(SEED_LIMIT_MIN_S, 2 * estimate.duration.p90_s),
            **timed(estimate),
        )
        add_activation_back(lane, held_copy(copy), undo_of=step)


def _well(context: LaneContext, copy: ActualCopy) -> Any:
    return well_poll(
        copy.identity, interval_s=context.pace.poll_interval_s, is_lagged=is_lagged(copy)
    )


def _of(copy: ActualCopy) -> str:
    lagged = "lagged " if is_lagged(copy) else ""
    return f"{lagged}copy on {copy.server}"
