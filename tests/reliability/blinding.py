"""A pytest plugin: one guard finds nothing, whatever it is asked. `GX_BLIND=ID pytest -p
tests.reliability.blinding`.
"""

from __future__ import annotations

import os

from goexchange.guard.guard import passes
from goexchange.guard.registry import GUARDS

VARIABLE = "GX_BLIND"


def pytest_configure() -> None:
    """Put the bug in before any test is read."""
    guard = GUARDS[os.environ[VARIABLE]]
    object.__setattr__(guard, "judge", lambda question: passes("it is not looked at"))
