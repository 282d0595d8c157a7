"""Rules for every test: no skip goes unnoticed where everything is installed; counts are shown, and
a session of all ordinary tests has played the crash points that it owes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from typing import Any

import pytest

from tests.counted import PROPERTY, CrashPoints, taken

ALLOWED_SKIPS = ("pwsh", "GOEXCHANGE_ESE_SAMPLES")

# Folders whose files take longest, longest first: begun last, one of them would keep one process
# at work while the others have nothing left.
SLOW_FOLDERS = ("end_to_end", "simulation/night", "simulation", "browser", "transport", "driver")


@pytest.hookimpl
def pytest_configure(config: pytest.Config) -> None:
    """Hundreds of processes of the command line are started here: the first one compiles a module,
    the others read it, also where the environment says not to keep what was compiled. The same
    goes for the tests themselves, whose assertions are rewritten: that takes longer than to read
    them all.

    Crash points are added up where the reports are told, not in processes that only run tests.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(CrashPoints(), "crash-points")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; among files of one folder the random order stays."""

    def rank(item: pytest.Item) -> int:
        path = item.path.as_posix()
        places = (n for n, name in enumerate(SLOW_FOLDERS) if f"/tests/{name}/" in path)
        return next(places, len(SLOW_FOLDERS))

    items.sort(key=rank)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Generator[None, Any, Any]:
    """With GOEXCHANGE_NO_SKIPS set a skip is a failure, but for what a machine may lack."""
    report = yield
    if report.skipped and os.environ.get("GOEXCHANGE_NO_SKIPS") and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr)
        if not any(allowed in reason for allowed in ALLOWED_SKIPS):
            report.outcome = "failed"
            report.longrepr = f"skipped where nothing may be skipped: {reason}"
    if report.when == "call" and (points := taken()) and report.passed:
        report.user_properties.append((PROPERTY, points))
    return report


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Counts that a test has kept (`record_property("counts", text)`) are shown to people."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, text in getattr(report, "user_properties", ()):
                if name == "counts" and report.when == "call":
                    terminalreporter.section(report.nodeid, sep="-")
                    terminalreporter.write_line(str(text))
