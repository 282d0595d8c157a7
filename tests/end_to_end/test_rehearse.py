"""A plan of the lab, rehearsed without the lab: on a twin, from the facts in the file alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.site import Site, lab

RUNS = "12"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a plan of one rebuild; its lab is down again."""
    with lab(tmp_path_factory.mktemp("rehearsed"), "--scale", "0.1") as found:
        done = found.run("plan", "--out", "plan.json", "--database", "DB05")
        assert done.code == 0, done.out + done.err
    shutil.rmtree(found.folder / "policies", ignore_errors=True)
    yield found


def test_a_rehearsal_counts_outages_and_what_faults_come_to(site: Site) -> None:
    done = site.run("rehearse", "plan.json", "--runs", RUNS, "--markdown", "summary.md", "--json")
    assert done.code == 0, done.out + done.err
    found = done.document
    assert found["classes"]["all scenarios"]["runs"] == int(RUNS)
    assert found["classes"]["all scenarios"]["broken"] == 0 and not found["broken"]
    assert len(found["classes"]) > 3 and found["classes"]["no fault"]["left_down"] == 0
    outage = found["outages"]["DB05"]
    assert 0 < outage["p50_s"] <= outage["p90_s"] <= outage["max_s"]
    summary = (Path(site.folder) / "summary.md").read_text("utf-8")
    assert summary.startswith(f"### Rehearsal of plan {found['plan']}: {RUNS} runs")
    again = site.run("rehearse", "plan.json", "--runs", RUNS, "--json")
    assert again.document == found, "the same seeds give the same counts"


def test_a_passed_limit_of_a_policy_is_said_and_has_its_exit_code(site: Site) -> None:
    folder = Path(site.folder) / "policies"
    folder.mkdir()
    (folder / "strict.yaml").write_text(
        "apiVersion: goexchange/v1\nkind: Policy\nmetadata: {name: strict}\n"
        "limits: {rehearsal: {outage_p90_max: 1s}}\n"
    )
    try:
        done = site.run("rehearse", "plan.json", "--runs", "3")
    finally:
        shutil.rmtree(folder)
    assert done.code == 14, done.out + done.err
    assert "limit passed: DB05: outage p90" in done.out and "(policy strict)" in done.out
    assert max(map(len, done.out.splitlines())) <= 100
