"""One mutant for each guard of the registry: it passes always, and a test of the guards has to
notice.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from attrs import frozen

from goexchange.guard.registry import GUARDS
from tests.reliability.blinding import VARIABLE

ROOT = Path(__file__).parents[2]
LIMIT_S = 300
_FAILED = re.compile(r"^FAILED \S*::(\w+)", re.MULTILINE)


@frozen(kw_only=True)
class Blinded:
    """A guard that passes always, and the first test that fails of it; empty when none does."""

    guard: str
    noticed_by: str


def names() -> tuple[str, ...]:
    """Every guard."""
    return tuple(GUARDS)


def blind(guard: str) -> Blinded:
    """Run the guards' own tests with this one blinded, to the first that fails."""
    options = ("-q", "-x", "-n", "0", "-p", "no:cacheprovider", "-rf")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-p", "tests.reliability.blinding",
         "tests/unit/guard"],
        cwd=ROOT,
        env={**os.environ, VARIABLE: guard},
        capture_output=True,
        encoding="utf-8",
        timeout=LIMIT_S,
        check=False,
    )  # fmt: skip
    found = _FAILED.search(done.stdout)
    return Blinded(guard=guard, noticed_by=found[1] if found and done.returncode == 1 else "")
