"""Every script on Exchange 2010 over the real protocols: refused without the consent, done with it,
and planned again: nothing is left to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.site import Site, lab, steps
from tests.end_to_end.test_scripts import BACKUP, PASSES, SET, of, written

pytestmark = pytest.mark.long  # each of them is played in every run, by the simulation

VERIFIED, DOWN = "verified_within: 30d", ", verify: offline"
ROUNDS = (
    {
        "DB10": ("EX05", "preventative-maintenance", "white_space_max: 20%", PASSES, SET + BACKUP),
        "DB11": ("EX05", "online-error-diagnostic", VERIFIED, "", ""),
        "DB12": ("EX05", "offline-diagnostic-report", VERIFIED, DOWN, ""),
    },
    {
        "DB10": ("EX05", "offline-space-diagnostic", "measured_within: 90d", DOWN, ""),
        "DB11": ("EX05", "online-error-correction", VERIFIED, "", ""),
        "DB12": ("EX05", "store-error-correction", VERIFIED, "", SET),
    },
    {
        "DB11": ("EX05", "exchange-backup", "offline_backup_within: 30d", "", SET),
        "DB12": ("EX05", "offline-defrag", "white_space_max: 10%", "", SET + BACKUP),
        "PF10": ("EX05", "offline-defrag", "white_space_max: 10%", "", SET + BACKUP),
    },
)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    options = ("--old", "--pace", "20", "--scale", "0.2")
    with lab(tmp_path_factory.mktemp("old"), *options) as site:
        rounds = []
        for wanted in ROUNDS:
            written(site, wanted)
            relax(site)
            refused = None
            if not rounds:
                site.run("plan", "--out", "unapproved.json")
                refused = site.run("apply", "unapproved.json")
            plan = site.planned()
            rounds.append(
                {
                    "body": plan["body"],
                    "refused": refused,
                    "apply": site.run("apply", "plan.json"),
                    "records": site.journal(),
                    "report": site.run("report", "--json").document,
                    "again": site.run("plan", "--out", "again.json"),
                }
            )
        yield {"site": site, "rounds": rounds}


def relax(site: Site) -> None:
    for path in (site.folder / "specs").glob("*.yaml"):
        path.write_text(path.read_text("utf-8").replace("gain_min: 1MiB", "gain_min: 64KiB"))


@pytest.mark.parametrize("index", range(len(ROUNDS)))
def test_each_round_needs_the_consent_and_ends_well(seen: dict[str, Any], index: int) -> None:
    one = seen["rounds"][index]
    consents = [(each["consent"], each["address"]) for each in one["body"]["consents"]]
    assert ("unconfirmed-generation", "EX05") in consents
    if one["refused"] is not None:
        assert one["refused"].code == 13 and "unconfirmed-generation" in one["refused"].out
    assert one["apply"].code == 0, one["apply"].out + one["apply"].err
    for database in ROUNDS[index]:
        assert of(one["report"], database)["state"] == "done", database
    assert one["again"].code == 0 and "nothing to do" in one["again"].out.lower()


def test_the_passes_are_those_that_the_event_log_tells(seen: dict[str, Any]) -> None:
    one = seen["rounds"][0]
    passes = of(one["report"], "DB10")["passes"]
    assert [(each["pass_name"], each["errors"]) for each in passes] == [
        ("primary", 2), ("defragmented", 0),
    ]  # fmt: skip
    sent = [each["data"] for each in one["records"] if each["kind"] == "intent"]
    assert not any("Get-MailboxRepairRequest" in json.dumps(each) for each in sent)
    assert steps(one["records"], "outcome", "repair-request")


def test_the_file_that_was_rebuilt_is_smaller_and_backed_up(seen: dict[str, Any]) -> None:
    found = of(seen["rounds"][0]["report"], "DB10")
    assert found["size_after"]["size_bytes"] < found["size_before"]["size_bytes"] * 0.7
    assert found["backup_after"]["words"] == "proved full backup"
