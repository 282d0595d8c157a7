"""Crash points that tests play, counted: a session of all ordinary tests owes a number of them.

`conftest.py` takes what a test has counted into the test's report, adds the reports up (also those
of other processes), and says the sum at the end.
"""

from __future__ import annotations

from typing import Any

import pytest

POINTS_MIN = 2_000  # row 1 of the bar, for the ordinary tests
PROPERTY = "crash points"

_played = [0]


def count(points: int) -> None:
    """A test of this process has played so many points, each gone on with to the end."""
    _played[0] += points


def taken() -> int:
    """How many were counted since this was asked last."""
    points, _played[0] = _played[0], 0
    return points


class CrashPoints:
    """The points of all processes of a session, added up where the reports arrive."""

    def __init__(self) -> None:
        self.played = 0
        self.are_too_few = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test has ended, here or in another process."""
        if report.when == "call":
            self.played += sum(n for name, n in report.user_properties if name == PROPERTY)  # type: ignore[misc]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A whole session that has passed with too few points has not passed."""
        if session.exitstatus == 0 and _is_whole(session.config):
            self.are_too_few = self.played < POINTS_MIN
            session.exitstatus = 1 if self.are_too_few else 0

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say how many."""
        if self.are_too_few:
            terminalreporter.write_line(f"too few crash points: {POINTS_MIN} are owed", red=True)
        if self.played:
            terminalreporter.write_line(f"{self.played} crash points played")


def _is_whole(config: pytest.Config) -> bool:
    """Whether all ordinary tests were asked for, and nothing chosen among them."""
    is_ordinary = config.option.markexpr == "not long"
    chosen = ("keyword", "ignore", "ignore_glob", "deselect", "lf", "collectonly")
    return (
        is_ordinary
        and config.args_source is pytest.Config.ArgsSource.TESTPATHS
        and not any(config.getoption(name, default=None) for name in chosen)
    )
