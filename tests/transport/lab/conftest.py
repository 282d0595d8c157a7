"""One lab for all protocol tests, in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.transport.lab import lab_process
from tests.transport.lab.lab_process import Lab


@pytest.fixture(scope="session")
def running_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    process, lab = lab_process.start(tmp_path_factory.mktemp("lab"))
    try:
        yield lab
    finally:
        process.terminate()
        assert process.wait(timeout=10) == 0


@pytest.fixture
def lab(running_lab: Lab) -> Iterator[Lab]:
    """The lab with counters at zero and nothing disturbed."""
    running_lab.control("calm")
    running_lab.control("reset")
    yield running_lab
    running_lab.control("calm")
    running_lab.control("delay", ms=0)
