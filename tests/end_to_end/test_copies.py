"""A replicated database is looked at on a suspended passive copy, over the real protocols; the
controller dies while the copy is suspended.
"""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.site import Done, Site, lab, steps

SPECIFICATION = """apiVersion: goexchange/v1
kind: Specification
metadata: {name: look-at-copies}
targets: {servers: [EX02]}
desired: {verified_within: 30d}
script: {name: offline-diagnostic-report, verify: offline}
"""
LOCKED = 11
pytestmark = pytest.mark.long  # the simulation plays it at every boundary in every run


def copies(site: Site) -> dict[str, str]:
    """The status of each copy of DB07 by its member, as a fresh observation reads it."""
    done = site.run("observe", "--server", "EX02", "--server", "EX03", "--json")
    assert done.code == 0, done.err
    (db07,) = (
        each
        for server in done.document["servers"]
        for each in server["databases"]
        if each["name"] == "DB07"
    )
    assert set(db07["copies"]) == {"EX02", "EX03"}
    return {
        copy["server"]: copy["status"]
        for server in done.document["servers"]
        for copy in server["copies"]
        if copy["database"] == "DB07"
    }


def is_looking(records: list[dict[str, Any]]) -> bool:
    begun = steps(records, "intent", "detect-errors")
    return bool(begun) and not steps(records, "outcome", "detect-errors")


def released(site: Site, *words: str) -> Done:
    """A release as soon as the old controller counts as dead."""
    found: list[Done] = []

    def is_let() -> bool:
        found.append(site.run("release", *words))
        return found[-1].code != LOCKED

    site.wait_until(is_let)
    return found[-1]


def test_the_copys_host_alone_leads_to_all_that_a_dead_run_left_on_two(tmp_path: Path) -> None:
    """Its store is gone too: the job on EX03 is ended, the copy goes on, EX02 has nothing open."""
    with lab(tmp_path, "--pace", "0.2", "--scale", "0.2") as site:
        for path in (tmp_path / "specs").glob("*.yaml"):
            path.unlink()
        (tmp_path / "specs" / "copies.yaml").write_text(SPECIFICATION, "utf-8")
        with (tmp_path / "goexchange.yaml").open("a", encoding="utf-8") as settings:
            settings.write("heartbeat_every: 4s\nlease_expires_after: 12s\n")
        site.planned()
        before = copies(site)
        process = site.start("apply", "plan.json")
        site.wait_until(lambda: any(site.disk("EX03").rglob("started.json")))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=120)
        assert is_looking(site.journal()), "the kill missed the look"
        shutil.rmtree(tmp_path / ".goexchange")
        done = released(site, "EX03")
        assert done.code == 0, done.out + done.err
        assert copies(site) == before
        assert steps(site.journal(), "outcome", "cancel-jobs")
        again = site.run("release", "EX02")
        assert again.code == 0 and "nothing to release" in again.out


def test_the_copy_of_a_dead_controller_is_resumed_by_the_next(tmp_path: Path) -> None:
    with lab(tmp_path, "--pace", "0.05", "--scale", "0.2") as site:
        for path in (tmp_path / "specs").glob("*.yaml"):
            path.unlink()
        (tmp_path / "specs" / "copies.yaml").write_text(SPECIFICATION, "utf-8")
        plan = site.planned()
        assert plan["body"]["decisions"][0]["need"] == "verify"
        assert plan["body"]["decisions"][0]["outage_s"] in (None, 0)
        before = copies(site)
        process = site.start("apply", "plan.json")
        site.wait_for(is_looking)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=120)
        assert is_looking(site.journal()), "the kill missed the look"
        assert copies(site)["EX03"] != before["EX03"]  # left suspended by the dead controller
        resumed = site.run("resume", "last")
        assert resumed.code == 0, resumed.out + resumed.err
        assert copies(site) == before
        records = site.journal()
        assert len(steps(records, "outcome", "resume-copy")) == 1
        assert not steps(records, "intent", "dismount")
        again = site.run("plan", "--out", "again.json")
        assert "nothing to do" in again.out
