"""Crash points that tests play, counted: a session of all ordinary tests owes a number of them.

`tests/conftest.py` takes what a test has counted into the test's report, adds the reports up (also
of several processes), and says the sum at the end.
"""

from __future__ import annotations

from collections.abc import Callable

from goexchange.model.run import RunResult
from goexchange.simulation import crashes
from goexchange.simulation.crashes import Report
from goexchange.simulation.night import Night

POINTS_MIN = 2_000  # row 1 of the bar, for the ordinary tests
PROPERTY = "crash points"
Judge = Callable[[Night, RunResult], None]

_played = [0]


def count(points: int) -> None:
    """A test of this process has played so many points, each gone on with to the end."""
    _played[0] += points


def taken() -> int:
    """How many were counted since this was asked last."""
    points, _played[0] = _played[0], 0
    return points


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
