"""A replicated database is rebuilt by consent over the real protocols; the controller dies while
its other copy is seeded, and the next one finds the seed.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.site import Site, lab, steps
from tests.end_to_end.test_copies import copies

SPECIFICATION = """apiVersion: goexchange/v1
kind: Specification
metadata: {name: rebuild-db07}
targets: {servers: [EX02], databases: {include: [DB07]}}
desired: {white_space_max: 20%}
script: {name: offline-defrag, rebuild: {gain_min: 64KiB, replicated: by-consent}}
backup:
  before: {offline: {target: {path: '\\\\backup01\\exchange$'}}}
  after: {online: {method: windows-server-backup, target: {path: 'F:'}, timeout: 1h}}
schedule: {window: always}
"""
CONSENT = "rebuild-replicated-database"
pytestmark = pytest.mark.long  # the simulation plays it at every boundary in every run


def is_seeding(records: list[dict[str, Any]]) -> bool:
    return bool(steps(records, "intent", "seed-copy"))


def refused_without_consent(site: Site, body: dict[str, Any]) -> None:
    others = sorted({each["consent"] for each in body["consents"]} - {CONSENT})
    options = [word for name in others for word in ("--consent", name)]
    approved = site.run("approve", "plan.json", *options)
    refused = site.run("apply", "plan.json")
    assert approved.code or refused.code
    assert CONSENT in approved.out + approved.err + refused.out + refused.err
    assert copies(site) == {"EX02": "Mounted", "EX03": "Healthy"}


def test_a_seed_outlives_its_controller_and_is_found_by_the_next(tmp_path: Path) -> None:
    with lab(tmp_path, "--pace", "0.05", "--scale", "0.2") as site:
        for path in (tmp_path / "specs").glob("*.yaml"):
            path.unlink()
        (tmp_path / "specs" / "reseed.yaml").write_text(SPECIFICATION, "utf-8")
        body = site.planned()["body"]
        assert body["decisions"][0]["need"] == "rebuild"
        (needed,) = (each for each in body["consents"] if each["consent"] == CONSENT)
        assert "EX03" in needed["finding"] and "New-MoveRequest" in needed["finding"]
        refused_without_consent(site, body)
        assert site.run("approve", "plan.json", "--consent", "all").code == 0
        process = site.start("apply", "plan.json")
        site.wait_for(is_seeding)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        resumed = site.run("resume", "last")
        assert resumed.code == 0, resumed.out + resumed.err
        assert copies(site) == {"EX02": "Mounted", "EX03": "Healthy"}
        effects = [each["kind"] for each in site.control("effects")["effects"]]
        assert effects.count("seed-begun") == effects.count("seed-ended") == 1
        again = site.run("plan", "--out", "again.json")
        assert "nothing to do" in again.out
