"""The kills of the simulation, counted for the session."""

from __future__ import annotations

from collections.abc import Callable

from goexchange.model.run import RunResult
from goexchange.simulation import crashes
from goexchange.simulation.crashes import Report
from goexchange.simulation.night import Night
from tests.counted import count

Judge = Callable[[Night, RunResult], None]


def crash_everywhere(
    night: Night, *, every: int = 1, again: int | None = None, judge: Judge | None = None
) -> Report:
    """As in the simulation, and counted."""
    report = crashes.crash_everywhere(night, every=every, again=again, judge=judge)
    count(report.points)
    return report


def crash_in_rounds(
    night: Night, *, lives: int = crashes.LIVES, every: int = 1, judge: Judge | None = None
) -> Report:
    """As in the simulation, and counted."""
    report = crashes.crash_in_rounds(night, lives=lives, every=every, judge=judge)
    count(report.points)
    return report
