"""`pilot` on Exchange 2010 over the real protocols: afterwards its generation is asked about no
more.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from goexchange.errors import ExitCode
from tests.end_to_end.site import lab
from tests.end_to_end.test_exchange_2010 import relax
from tests.end_to_end.test_scripts import BACKUP, SET, written

pytestmark = [pytest.mark.timeout(900), pytest.mark.long]

NONE = ", error_correction: {primary_passes_max: 0, defragmented_passes_max: 0}"
WANTED = {
    "DB10": ("EX05", "preventative-maintenance", "white_space_max: 20%", NONE, SET + BACKUP),
}


def test_a_proved_server_needs_no_consent_for_its_generation(tmp_path: Path) -> None:
    with lab(tmp_path, "--old", "--pace", "30", "--scale", "0.2") as site:
        written(site, WANTED)
        relax(site)
        before = site.run("plan", "--out", "before.json", COLUMNS="300")
        assert "unconfirmed-generation" in before.out and "unproven-build" in before.out
        consent = ("--consent", "unconfirmed-generation")
        done = site.run("pilot", "EX05", "--yes", *consent, COLUMNS="300")
        assert done.code == ExitCode.OK, done.out + done.err
        after = site.run("plan", "--out", "after.json", COLUMNS="300")
        assert "unconfirmed-generation" not in after.out and "unproven-build" not in after.out
        left = [path for path in site.disk("EX05").rglob("*gx-pilot-*") if path.is_file()]
        assert not left
