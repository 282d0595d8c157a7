"""The databases of Exchange 2003 over the real protocols: pairs of files, no cmdlets anywhere;
refused without the consents, done with them, and planned again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
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
AROUND = ", error_correction: {primary_passes_max: 3, defragmented_passes_max: 2}"
BOTH = "verified_within: 30d, measured_within: 90d"
FIRST = {
    "DB30": ("EX07", "preventative-maintenance", "white_space_max: 20%", AROUND, SET + AGENT),
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
        ways = returned(site, tmp_path_factory.mktemp("restored") / "here")
        written(site, REFUSED)
        said = site.run("plan", "--out", "refused.json", COLUMNS="300")
        yield {
            "site": site, "refused": refused, "rounds": rounds, "again": again,
            "sets": sets, "verified": verified, "ways": ways,
            "left": " ".join(f"{said.out} {said.err}".split()),
        }  # fmt: skip


def played(site: Site, wanted: Any) -> dict[str, Any]:
    written(site, wanted)
    site.planned()
    applied = site.run("apply", "plan.json")
    return {"apply": applied, "report": site.run("report", "--json").document}


def returned(site: Site, folder: Path) -> dict[str, Any]:
    """A set of a pair to a folder; the rebuild rolled back; a set to its original place."""
    run = max((site.folder / ".goexchange" / "runs").iterdir()).name
    told = site.run("rollback", run, "--database", "DB32")
    since = told.err.split("--discard-mail-since ")[1].split()[0]
    made = site.run(
        "rollback", run, "--database", "DB32", "--discard-mail-since", since, "--out", "back.json"
    )
    unapproved = site.run("apply", "back.json")
    assert site.run("approve", "back.json", "--consent", "all").code == 0
    back = site.run("apply", "back.json")
    one = max(p.parent for p in site.disk("EX07", "E", "sets").rglob("backup-set.json")
              if "DB30" in str(p))  # fmt: skip
    there = "E:\\" + str(one.relative_to(site.disk("EX07", "E"))).replace("/", "\\")
    put = site.run("restore", there, "--server", "EX07", "--to", "original", "--out", "put.json")
    assert site.run("approve", "put.json", "--consent", "all").code == 0, put.out + put.err
    return {
        "made": made, "unapproved": unapproved, "back": back, "put": site.run("apply", "put.json"),
        "set": one, "folder": folder,
        "to folder": site.run("restore", str(one), "--to", str(folder)),
    }  # fmt: skip


def test_a_pair_is_restored_to_a_folder_put_back_and_rolled_back(seen: dict[str, Any]) -> None:
    ways = seen["ways"]
    assert ways["made"].code == 0 and "unconfirmed-generation" in ways["made"].out
    assert ways["unapproved"].code == 13
    assert ways["back"].code == 0, ways["back"].out + ways["back"].err
    disk = seen["site"].disk("EX07")
    kept = {path.suffixes[0] for path in disk.rglob("DB32.*.rebuilt-*")}
    assert kept == {".edb", ".stm"}
    # no specification says how it is backed up: both files are there, and the report says so
    assert ways["put"].code == 25, ways["put"].out + ways["put"].err
    assert {path.suffixes[0] for path in disk.rglob("DB30.*.replaced-*")} == {".edb", ".stm"}
    done = ways["to folder"]
    assert done.code == 0 and "eseutil /k" in done.out, done.out + done.err
    for name in ("DB30.edb", "DB30.stm"):
        assert (ways["folder"] / name).read_bytes() == (ways["set"] / name).read_bytes()


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
    # one for each database, and one more after the rollback
    assert len(files) == 3 and all(each.stat().st_size > 1_000_000 for each in files)
    found = seen["rounds"][1]["report"]["online_backups"]
    assert {each["address"] for each in found} == {"EX07/DB30", "EX07/DB32"}
    assert all(each["proved"] and each["method"].startswith("ntbackup: ") for each in found)


def test_doctor_and_observe_know_the_server(seen: dict[str, Any]) -> None:
    said = seen["site"].run("observe", "--json")
    assert said.code == 0 and "DB30.stm" in json.dumps(said.document)
    found = seen["site"].run("doctor", "EX07")
    assert "Exchange 2003, build 6.5.7638.1" in found.out, found.out
