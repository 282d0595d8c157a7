"""What `release` is asked for: a host of the inventory, or a database."""

from __future__ import annotations

import pytest

from goexchange.app.releasing import _target
from tests.unit.cli.test_selection import SITE


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("ex01", ("ex01", None)),
        ("BKUP01", ("BKUP01", None)),
        ("EX01/DB05", ("EX01", "DB05")),
        ("DB05", (None, "DB05")),
    ],
)
def test_a_machine_is_a_host_and_no_database(
    target: str, found: tuple[str | None, str | None]
) -> None:
    assert _target(target, SITE) == found
