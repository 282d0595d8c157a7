"""Every command block of the documents, typed on a site: all documents on three labs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.command_blocks import SCENARIOS, as_it_stands, others
from tests.end_to_end.site import lab

# whole nights, some of which wait for leases to end
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

A_NIGHT = (
    "first-real-server.md",
    "least-privilege-account.md",
    "kerberos-and-certificates.md",
    "backup-agents.md",
    "share-as-backup-target.md",
    "running-nights.md",
    "reports.md",
    "restore.md",
)
A_BAD_NIGHT = ("left-offline-at-night.md",)
A_FIRST_TRY = ("README.md",)
SMALL = ("--pace", "8", "--scale", "0.3")


def test_a_good_night_and_what_is_done_afterwards(tmp_path: Path) -> None:
    with lab(tmp_path, *SMALL) as site:
        for document in A_NIGHT:
            SCENARIOS[document](site)
        for document in others():
            as_it_stands(document, site)


def test_a_bad_night(tmp_path: Path) -> None:
    with lab(tmp_path, *SMALL) as site:
        with (tmp_path / "goexchange.yaml").open("a", encoding="utf-8") as settings:
            settings.write("heartbeat_every: 4s\nlease_expires_after: 12s\n")
        for document in A_BAD_NIGHT:
            SCENARIOS[document](site)


def test_a_first_try(tmp_path: Path) -> None:
    with lab(tmp_path, *SMALL) as site:
        for document in A_FIRST_TRY:
            SCENARIOS[document](site)


def test_every_scenario_is_played() -> None:
    assert {*A_NIGHT, *A_BAD_NIGHT, *A_FIRST_TRY} == set(SCENARIOS)
