"""A whole ordinary session owes crash points; a part of it owes none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.counted import POINTS_MIN, PROPERTY, CrashPoints, count, taken

SOURCES = pytest.Config.ArgsSource


def report(points: int, when: str = "call") -> Any:
    return SimpleNamespace(when=when, user_properties=[(PROPERTY, points), ("counts", "words")])


def session(source: object = SOURCES.TESTPATHS, *, status: int = 0, **options: Any) -> Any:
    chosen = {"keyword": "", **options}
    config = SimpleNamespace(
        option=SimpleNamespace(markexpr=options.get("markexpr", "not long")),
        args_source=source,
        getoption=lambda name, default=None: chosen.get(name, default),
    )
    return SimpleNamespace(config=config, exitstatus=status)


@pytest.mark.parametrize(
    ("played", "of", "status"),
    [
        (POINTS_MIN, session(), 0),
        (POINTS_MIN - 1, session(), 1),
        (POINTS_MIN - 1, session(status=2), 2),
        (POINTS_MIN - 1, session(SOURCES.ARGS), 0),
        (POINTS_MIN - 1, session(keyword="kill"), 0),
        (POINTS_MIN - 1, session(lf=True), 0),
        (POINTS_MIN - 1, session(markexpr="long"), 0),
    ],
)
def test_a_whole_session_fails_below_what_it_owes(played: int, of: Any, status: int) -> None:
    points, told = CrashPoints(), list[str]()
    points.pytest_runtest_logreport(report(played - 1))
    points.pytest_runtest_logreport(report(1))
    points.pytest_runtest_logreport(report(1000, when="teardown"))
    points.pytest_sessionfinish(of)
    points.pytest_terminal_summary(SimpleNamespace(write_line=lambda line, **_: told.append(line)))
    assert of.exitstatus == status
    assert f"{played} crash points played" in told
    assert (f"too few crash points: {POINTS_MIN} are owed" in told) is (status == 1)


def test_what_is_counted_is_taken_once() -> None:
    before = taken()
    count(3)
    count(4)
    assert (taken(), taken()) == (7, 0)
    count(before)
