"""A lab with fixed answers in a process of its own, and sessions to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.transport.connections import SECRET_VARIABLE
from tests.transport.lab.lab_process import CHECKOUT, START_LIMIT_S, Lab
from tests.transport.open_shells import open_shells

SHELLS_MAX = 3


@contextmanager
def served(folder: Path, *given: str) -> Iterator[Lab]:
    """A running lab of tests.bench.fixed_site."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.fixed_site", str(folder), *given],
        cwd=CHECKOUT,
        env={"PYTHONPATH": str(CHECKOUT), "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"},
    )
    try:
        yield _waited_for(process, folder / "lab.json")
    finally:
        process.terminate()
        assert process.wait(timeout=10) == 0


def _waited_for(process: subprocess.Popen[bytes], port_file: Path) -> Lab:
    limit = time.monotonic() + START_LIMIT_S
    while not port_file.exists():
        assert process.poll() is None, "the lab ended before it was ready"
        assert time.monotonic() < limit, "the lab was not ready in time"
        time.sleep(0.02)
    return Lab(where=json.loads(port_file.read_text()))


@pytest.fixture(scope="session")
def fixed_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two servers with two databases each, small quotas, Kerberos where it is installed."""
    limits = (f"shells_per_user_max={SHELLS_MAX}", f"exchange_shells_per_user_max={SHELLS_MAX}")
    folder = tmp_path_factory.mktemp("fixed")
    with served(folder, "--kerberos", "servers=2", "databases=2", *limits) as lab:
        yield lab


@pytest.fixture
def site(fixed_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """The lab with counters at zero and nothing disturbed; afterwards no session may be open."""
    monkeypatch.setenv(SECRET_VARIABLE, "Correct horse 1")
    fixed_lab.control("calm")
    fixed_lab.control("reset")
    yield fixed_lab
    fixed_lab.control("calm")
    left = open_shells(fixed_lab)
    for host in left:
        fixed_lab.control("restart", host=host)
    assert set(left.values()) <= {0}, f"sessions were left open: {left}"
