"""Rules for every test: no skip goes unnoticed where everything is installed."""

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
