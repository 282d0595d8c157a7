"""Rules for every test: no skip goes unnoticed where everything is installed; counts are shown."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest

ALLOWED_SKIPS = ("pwsh", "GOEXCHANGE_ESE_SAMPLES")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Generator[None, Any, Any]:
    """With GOEXCHANGE_NO_SKIPS set a skip is a failure, but for what a machine may lack."""
    report = yield
    if report.skipped and os.environ.get("GOEXCHANGE_NO_SKIPS") and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr)
        if not any(allowed in reason for allowed in ALLOWED_SKIPS):
            report.outcome = "failed"
            report.longrepr = f"skipped where nothing may be skipped: {reason}"
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
