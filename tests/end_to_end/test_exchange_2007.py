"""Every script on Exchange 2007 over the real protocols: its cmdlets by host script, no Exchange
endpoint anywhere; refused without the consents, done with them, and planned again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.site import Site, lab, steps
from tests.end_to_end.test_scripts import BACKUP, PASSES, SET, of, written

pytestmark = pytest.mark.long  # each of them is played in every run, by the simulation

VERIFIED, DOWN = "verified_within: 30d", ", verify: offline"
AROUND = ", error_correction: {primary_passes_max: 3, defragmented_passes_max: 2}"
BOTH = "verified_within: 30d, measured_within: 90d"
ROUNDS = (
    {
        "DB20": ("EX06", "preventative-maintenance", "white_space_max: 20%", AROUND, SET + BACKUP),
        "DB22": ("EX06", "offline-diagnostic-report", BOTH, DOWN, ""),
        "DB23": ("EX06", "store-error-correction", VERIFIED, PASSES, SET),
    },
    {
        "DB20": ("EX06", "exchange-backup", "offline_backup_within: 1s", "", SET),
        "DB21": ("EX06", "offline-space-diagnostic", "measured_within: 90d", DOWN, ""),
    },
)
REFUSED = (
    {"DB21": ("EX06", "offline-defrag", "white_space_max: 10%", "", SET + BACKUP)},
    {"DB22": ("EX06", "online-error-diagnostic", VERIFIED, "", "")},
    {"PF20": ("EX06", "offline-diagnostic-report", BOTH, DOWN, "")},
)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    options = ("--old", "--pace", "20", "--scale", "0.2")
    with lab(tmp_path_factory.mktemp("older"), *options) as site:
        written(site, ROUNDS[0])
        site.run("plan", "--out", "unapproved.json")
        refused = site.run("apply", "unapproved.json")
        rounds = [played(site, wanted) for wanted in ROUNDS]
        left = []
        for wanted in REFUSED:
            written(site, wanted)
            said = site.run("plan", "--out", "refused.json", COLUMNS="300")
            left.append(" ".join(f"{said.out} {said.err}".split()))
        yield {"site": site, "refused": refused, "rounds": rounds, "left": left}


def played(site: Site, wanted: Any) -> dict[str, Any]:
    written(site, wanted)
    for path in (site.folder / "specs").glob("*.yaml"):
        path.write_text(path.read_text("utf-8").replace("gain_min: 1MiB", "gain_min: 64KiB"))
    plan = site.planned()
    return {
        "body": plan["body"],
        "apply": site.run("apply", "plan.json"),
        "records": site.journal(),
        "report": site.run("report", "--json").document,
        "again": site.run("plan", "--out", "again.json"),
    }


def test_nothing_runs_without_the_consents(seen: dict[str, Any]) -> None:
    assert seen["refused"].code == 13
    assert "unconfirmed-generation" in seen["refused"].out
    assert "store-integrity-correction" in seen["refused"].out


@pytest.mark.parametrize("index", range(len(ROUNDS)))
def test_each_round_ends_well(seen: dict[str, Any], index: int) -> None:
    one = seen["rounds"][index]
    assert one["apply"].code == 0, one["apply"].out + one["apply"].err
    for database in ROUNDS[index]:
        assert of(one["report"], database)["state"] == "done", database


def test_a_second_plan_of_the_first_round_is_empty(seen: dict[str, Any]) -> None:
    again = seen["rounds"][0]["again"]
    assert again.code == 0 and "nothing to do" in again.out.lower()


def test_what_isinteg_found_is_in_the_report(seen: dict[str, Any]) -> None:
    passes = of(seen["rounds"][0]["report"], "DB23")["passes"]
    assert [each["errors"] for each in passes] == [0]
    assert steps(seen["rounds"][0]["records"], "outcome", "store-integrity")


def test_isinteg_went_over_both_files_of_the_rebuild(seen: dict[str, Any]) -> None:
    passes = of(seen["rounds"][0]["report"], "DB20")["passes"]
    found = {each["pass_name"]: each for each in passes if each["passes"]}
    assert [errors for errors, _ in found["primary"]["passes"]] == [2, 0]
    assert [errors for errors, _ in found["defragmented"]["passes"]] == [0]


def test_the_file_that_was_rebuilt_is_smaller_and_backed_up(seen: dict[str, Any]) -> None:
    found = of(seen["rounds"][0]["report"], "DB20")
    assert found["size_after"]["size_bytes"] < found["size_before"]["size_bytes"] * 0.7
    assert found["backup_after"]["words"] == "proved full backup"


def test_shared_logs_an_online_script_and_a_replication_backlog_are_refused_by_name(
    seen: dict[str, Any],
) -> None:
    shared, online, behind = seen["left"]
    assert "17 replication messages are still to be worked in" in behind
    assert "those of DB22 too (one storage group)" in shared
    assert "offline-diagnostic-report, with the database dismounted" in online


def test_doctor_finds_the_server_fit_without_an_endpoint(seen: dict[str, Any]) -> None:
    found = seen["site"].run("doctor", "EX06")
    assert "ready" in found.out and "Exchange 2007, build 8.3.83.6" in found.out, found.out
