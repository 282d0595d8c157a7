"""Every script once over the real protocols, on databases with awkward names and places: as typed,
one plan for each round, the report read, planned again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.site import Site, lab, steps

VIP = "Müller & Söhne's Mail [VIP]"
SET = "\n  before: {offline: {target: {path: 'E:\\sets'}}}"
BACKUP = "\n  after: {online: {method: windows-server-backup, target: {path: 'F:'}}}"
PASSES = ", error_correction: {primary_passes_max: 2, treat_warnings_as_errors: true}"
FIRST = {
    "DB01": ("EX01", "online-error-diagnostic", "verified_within: 30d", "", ""),
    "DB02": ("EX01", "store-error-correction", "verified_within: 30d", PASSES, SET),
    "DB03": ("EX01", "online-error-correction", "verified_within: 30d", PASSES, ""),
    VIP: (
        "EX01",
        "offline-diagnostic-report",
        "verified_within: 30d, measured_within: 90d",
        ", verify: offline",
        "",
    ),
    "DB05": ("EX01", "offline-defrag", "white_space_max: 20%", "", SET + BACKUP),
    "DB09": ("EX04", "offline-space-diagnostic", "measured_within: 90d", ", verify: offline", ""),
}
SECOND = {
    "DB09": (
        "EX04",
        "exchange-backup",
        "offline_backup_within: 30d, online_full_backup_within: 1h",
        "",
        SET + BACKUP,
    ),
    "DB07": ("EX02", "offline-space-diagnostic", "measured_within: 90d", ", verify: offline", ""),
    "RDB01": ("EX01", "exchange-backup", "offline_backup_within: 30d", "", SET),
    "DB01": ("EX01", "offline-diagnostic-report", "verified_within: 30d", "", ""),
    "DB03": ("EX01", "mta-error-correction", "mounted: true", "", ""),
}
DOWN = {"DB02", VIP, "DB05", "DB09"}


def written(site: Site, wanted: dict[str, tuple[str, str, str, str, str]]) -> None:
    """One specification for each database; those of an earlier round go."""
    folder = site.folder / "specs"
    for path in folder.glob("*.yaml"):
        path.unlink()
    for number, (database, (server, script, desired, more, backup)) in enumerate(wanted.items()):
        name = database.replace("'", "''")
        text = (
            "apiVersion: goexchange/v1\nkind: Specification\n"
            f"metadata: {{name: s{number}-{script}}}\n"
            f"targets: {{servers: [{server}], databases: {{include: ['{name}']}}}}\n"
            f"desired: {{{desired}}}\n"
            f"script: {{name: {script}, rebuild: {{gain_min: 1MiB}}{more}}}\n"
            + (f"backup:{backup}\n" if backup else "")
        )
        (folder / f"s{number}.yaml").write_text(text, "utf-8")


pytestmark = pytest.mark.long  # each of them is played in every run, by the simulation


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with lab(tmp_path_factory.mktemp("scripts"), "--pace", "20", "--scale", "0.2") as site:
        found: dict[str, Any] = {"site": site}
        for round_, wanted in (("first", FIRST), ("second", SECOND)):
            written(site, wanted)
            found[round_] = site.planned()
            found[f"{round_} apply"] = site.run("apply", "plan.json")
            found[f"{round_} records"] = site.journal()
            found[f"{round_} report"] = site.run("report", "--json").document
            found[f"{round_} again"] = site.run("plan", "--out", "again.json")
            found[f"{round_} text"] = site.run("report").out
        yield found


def of(report: Any, database: str) -> Any:
    return next(each for each in report["databases"] if each["database"] == database)


def test_every_script_ends_well(seen: dict[str, Any]) -> None:
    for each in ("first", "second"):
        done = seen[f"{each} apply"]
        assert done.code == 0, done.out + done.err


def test_only_what_the_script_takes_down_was_down(seen: dict[str, Any]) -> None:
    report = seen["first report"]
    for database in FIRST:
        assert of(report, database)["state"] == "done", database
        assert bool(of(report, database)["offline"]) == (database in DOWN), database


def test_the_report_has_what_each_script_found(seen: dict[str, Any]) -> None:
    report = seen["first report"]
    for database in ("DB01", "DB02", "DB03", VIP):
        passes = of(report, database)["passes"]
        assert [(one["errors"], one["warnings"]) for one in passes] == [(0, 0)] * len(passes)
        assert passes, database
    assert [one["pass_name"] for one in of(report, "DB02")["passes"]] == ["primary", "defragmented"]
    for database in (VIP, "DB09"):
        measured = of(report, database)["recoverable"]
        assert measured["source"] == "the dismounted file"
        assert measured["size_bytes"] >= 0
    assert of(report, "DB05")["recoverable"] is None
    assert "measured in the file" in seen["first text"]
    assert "not looked for" in seen["first text"]


def test_the_measured_space_is_exchanges_own_where_it_lies_in_the_root(
    seen: dict[str, Any],
) -> None:
    found = of(seen["first report"], "DB09")
    assert found["recoverable"]["size_bytes"] == found["white_space_before"]["size_bytes"] > 0


def test_the_defragmentation_made_the_file_smaller(seen: dict[str, Any]) -> None:
    found = of(seen["first report"], "DB05")
    assert found["size_after"]["size_bytes"] < found["size_before"]["size_bytes"] * 0.7
    assert not steps(seen["first records"], "intent", "repair-request") or not any(
        "/DB05/" in each for each in steps(seen["first records"], "intent", "repair-request")
    )
    assert found["backup_after"]["words"] == "proved full backup"


def test_the_rehearsal_takes_both_backups_and_does_no_maintenance(seen: dict[str, Any]) -> None:
    records = seen["second records"]
    for action in ("seal-set", "online-backup", "prove-backup"):
        assert len(steps(records, "outcome", action)) == 1, action
    for action in ("detect-errors", "repair-request", "rebuild", "swap"):
        assert steps(records, "intent", action) == [], action
    (one,) = seen["second report"]["sets"]
    assert one["address"] == "EX04/DB09" and one["is_verified"]


def test_what_cannot_be_done_says_why_and_what_instead(seen: dict[str, Any]) -> None:
    decisions = {each["address"]: each for each in seen["second"]["body"]["decisions"]}
    for address, words, instead in (
        ("EX02/DB07", "its space is not measured on one", "white space that Exchange tells"),
        ("EX01/RDB01", "it is a recovery database", "exclude it"),
        ("EX01/MTA", "does not apply to Exchange 2019", "online-error-correction"),
    ):
        assert decisions[address]["need"] == "not-possible", address
        assert words in decisions[address]["explanation"]
        assert instead in decisions[address]["instead"]
    # What the offline diagnostic would look at was seen by nobody: it asks for an outage by name.
    assert decisions["EX01/DB01"]["reasons"] == ["outage-not-asked-for"]
    assert "verify: offline" in decisions["EX01/DB01"]["instead"]


def test_planning_again_finds_nothing_to_do(seen: dict[str, Any]) -> None:
    for each in ("first", "second"):
        assert seen[f"{each} again"].code == 0, seen[f"{each} again"].out
        assert " to " not in seen[f"{each} again"].out.split("VERDICT")[1].split("\n")[1], each
