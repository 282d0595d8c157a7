"""The databases of Exchange 2003 over the real protocols: pairs of files, no cmdlets anywhere;
refused without the consents, done with them, and planned again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.site import Site, lab
from tests.end_to_end.test_scripts import BACKUP, PASSES, SET, of, written

pytestmark = pytest.mark.long  # each of them is played in every run, by the simulation

PROGRAM = "'C:\\agent\\backup.cmd'"
AGENT = (
    f"\n  after: {{online: {{method: agent, timeout: 2h, agent: {{start: [{PROGRAM}, start],"
    f" state: [{PROGRAM}, state], copies: [{PROGRAM}, copies], poll_every: 5s,"
    " states: {Idle: failed, Running: running, Success: succeeded, Failed: failed}}}}"
)
DOWN = ", verify: offline"
NONE = ", error_correction: {primary_passes_max: 0, defragmented_passes_max: 0}"
BOTH = "verified_within: 30d, measured_within: 90d"
FIRST = {
    "DB30": ("EX07", "preventative-maintenance", "white_space_max: 20%", NONE, SET + AGENT),
    "DB31": ("EX07", "offline-diagnostic-report", BOTH, DOWN, ""),
    "DB32": ("EX07", "store-error-correction", "verified_within: 30d", PASSES, SET),
}
NTBACKUP = "\n  after: {online: {method: ntbackup, target: {path: 'F:\\online'}, timeout: 2h}}"
SECOND = {
    "DB30": (
        "EX07", "exchange-backup", "offline_backup_within: 1s, online_full_backup_within: 1s", "",
        SET + NTBACKUP,
    ),
    "DB31": ("EX07", "offline-space-diagnostic", "measured_within: 1s", DOWN, ""),
    "DB32": ("EX07", "offline-defrag", "white_space_max: 20%", "", SET + NTBACKUP),
}
REFUSED = {
    "DB31": ("EX07", "exchange-backup", "offline_backup_within: 1s", "", SET),
    "DB32": ("EX07", "exchange-backup", "online_full_backup_within: 1s", "", SET + BACKUP),
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    options = ("--old", "--pace", "20", "--scale", "0.2")
    with lab(tmp_path_factory.mktemp("pairs"), *options) as site:
        written(site, FIRST)
        site.run("plan", "--out", "unapproved.json")
        refused = site.run("apply", "unapproved.json")
        rounds = [played(site, FIRST)]
        again = site.run("plan", "--out", "again.json")
        sets = [path.parent for path in site.disk("EX07").rglob("backup-set.json")]
        verified = [site.run("verify", str(path)) for path in sets[:1]]
        rounds.append(played(site, SECOND))
        written(site, REFUSED)
        said = site.run("plan", "--out", "refused.json", COLUMNS="300")
        yield {
            "site": site, "refused": refused, "rounds": rounds, "again": again,
            "sets": sets, "verified": verified, "left": " ".join(f"{said.out} {said.err}".split()),
        }  # fmt: skip


def played(site: Site, wanted: Any) -> dict[str, Any]:
    written(site, wanted)
    site.planned()
    applied = site.run("apply", "plan.json")
    return {"apply": applied, "report": site.run("report", "--json").document}


def test_nothing_runs_without_the_consents(seen: dict[str, Any]) -> None:
    assert seen["refused"].code == 13 and "unconfirmed-generation" in seen["refused"].out


@pytest.mark.parametrize(("index", "wanted"), [(0, FIRST), (1, SECOND)])
def test_each_round_ends_well(seen: dict[str, Any], index: int, wanted: dict[str, Any]) -> None:
    one = seen["rounds"][index]
    assert one["apply"].code == 0, one["apply"].out + one["apply"].err
    for database in wanted:
        assert of(one["report"], database)["state"] == "done", database
    assert seen["again"].code == 0 and "nothing to do" in seen["again"].out.lower()


def test_a_set_holds_both_files_and_our_verifier_says_that_it_cannot_tell(
    seen: dict[str, Any],
) -> None:
    names = [{path.suffix for path in each.iterdir()} for each in seen["sets"]]
    assert names and all({".edb", ".stm"} <= each for each in names)
    (said,) = seen["verified"]
    assert said.code != 0 and "streaming" in said.out.lower()


def test_what_is_not_executed_there_is_refused_by_name(seen: dict[str, Any]) -> None:
    assert "those of PUB31 too (one storage group)" in seen["left"]
    assert "no windows-server-backup on Windows Server 2003" in seen["left"]


def test_ntbackup_leaves_a_file_for_each_storage_group_and_is_proved(seen: dict[str, Any]) -> None:
    files = sorted(seen["site"].disk("EX07").rglob("*.bkf"))
    assert len(files) == 2 and all(each.stat().st_size > 1_000_000 for each in files)
    found = seen["rounds"][1]["report"]["online_backups"]
    assert {each["address"] for each in found} == {"EX07/DB30", "EX07/DB32"}
    assert all(each["proved"] and each["method"].startswith("ntbackup: ") for each in found)


def test_doctor_and_observe_know_the_server(seen: dict[str, Any]) -> None:
    said = seen["site"].run("observe", "--json")
    assert said.code == 0 and "DB30.stm" in json.dumps(said.document)
    found = seen["site"].run("doctor", "EX07")
    assert "Exchange 2003, build 6.5.7638.1" in found.out, found.out
