"""The main job, as typed: validate, observe, plan, approve, apply, report, verify, plan again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from goexchange.ese.header import DatabaseHeader, read_database_header
from tests.end_to_end.site import Done, Site, lab, steps

REVIEWS = (".html", ".md", ".txt", ".json", ".junit.xml", ".csv")
EDB = ("EX01", "D", "DB05", "DB05.edb")


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """One night on a lab; what each command gave, and the database's header before and after."""
    with lab(tmp_path_factory.mktemp("night"), "--pace", "20", "--exchange-idle", "2") as site:
        seen: dict[str, Any] = {"site": site}
        seen["validate"] = site.run("validate")
        seen["observe"] = site.run("observe", "--out", "facts.json")
        reviews = [f"--report=out/review{ending}" for ending in REVIEWS]
        seen["plan"] = site.run("plan", "--out", "plan.json", "--detailed-exitcode", *reviews)
        seen["plan_json"] = json.loads((site.folder / "plan.json").read_bytes())
        seen["unapproved"] = site.run("apply", "plan.json")
        seen["approve"] = site.run("approve", "plan.json", "--consent", "all")
        seen["size_before"] = site.disk(*EDB).stat().st_size
        site.control("reset")
        seen["apply"] = site.run("apply", "plan.json")
        seen["requests"] = site.control("state")["counters"]["EX01"]
        seen["records"] = site.journal()
        seen["header_after"] = header(site.disk(*EDB))
        seen["report"] = site.run("report", "--json")
        seen["history"] = site.run("history", "EX01", "--json")
        seen["second"] = site.run("plan", "--detailed-exitcode")
        seen["again"] = site.run("apply", "plan.json")
        yield seen


def header(path: Path) -> DatabaseHeader:
    with path.open("rb") as file:
        reading = read_database_header(file.read(65536))
    assert reading.header is not None
    return reading.header


def ended(done: Done, code: int) -> None:
    assert done.code == code, done.out + done.err


def test_every_verb_ends_as_documented(night: dict[str, Any]) -> None:
    ended(night["validate"], 0)
    ended(night["observe"], 0)
    ended(night["plan"], 2)
    ended(night["unapproved"], 13)
    ended(night["approve"], 0)
    ended(night["apply"], 0)
    ended(night["report"], 0)
    ended(night["second"], 0)


def test_a_second_plan_is_empty(night: dict[str, Any]) -> None:
    assert "Plan: " in night["second"].out
    assert "rebuild" not in night["second"].out.split("VERDICT")[1].splitlines()[0]


def test_an_applied_plan_is_refused_and_resume_is_named(night: dict[str, Any]) -> None:
    ended(night["again"], 14)
    assert "goexchange resume" in night["again"].err


def test_a_refused_apply_leaves_no_run_behind(night: dict[str, Any]) -> None:
    runs = list((night["site"].folder / ".goexchange" / "runs").glob("*"))
    assert len(runs) == 1


def test_the_rebuilt_file_has_a_new_signature_and_fewer_pages(night: dict[str, Any]) -> None:
    site: Site = night["site"]
    kept = next(site.disk("EX01", "D", "DB05").glob("DB05.edb.before-*"))
    assert header(kept).signature != night["header_after"].signature
    assert kept.stat().st_size == night["size_before"]
    assert site.disk(*EDB).stat().st_size < night["size_before"]


def test_the_set_verifies_and_a_flipped_bit_is_found(night: dict[str, Any]) -> None:
    site: Site = night["site"]
    manifest = next(site.disk("backup01", "exchange$").rglob("backup-set.json"))
    ended(site.run("verify", str(manifest.parent)), 0)
    edb = manifest.parent / "DB05.edb"
    content = bytearray(edb.read_bytes())
    content[32768 * 7 + 100] ^= 4
    edb.write_bytes(content)
    damaged = site.run("verify", str(manifest.parent), "--json")
    ended(damaged, 30)
    findings = damaged.document["paths"][0]["findings"]
    assert any("DB05.edb" in each["path"] for each in findings)
    content[32768 * 7 + 100] ^= 4
    edb.write_bytes(content)


def test_the_reports_sizes_are_those_of_the_files(night: dict[str, Any]) -> None:
    site: Site = night["site"]
    databases = night["report"].document["databases"]
    database = next(each for each in databases if each["database"] == "DB05")
    assert database["size_before"]["size_bytes"] == night["size_before"]
    assert database["size_after"]["size_bytes"] == site.disk(*EDB).stat().st_size
    before = database["white_space_before"]["size_bytes"]
    assert database["white_space_after"]["size_bytes"] < before // 10


def test_the_mount_happened_over_a_fresh_session(night: dict[str, Any]) -> None:
    """The idle limit (2 s) passes while the database is rebuilt: the old session was gone."""
    assert night["requests"]["Create"] > 2  # a shell and a pool would be two
    assert len(steps(night["records"], "intent", "mount")) == 1
    assert len(steps(night["records"], "outcome", "mount")) == 1


def test_every_act_is_explained_by_an_intent_before_it(night: dict[str, Any]) -> None:
    intents: set[str] = set()
    outcomes = 0
    for record in night["records"]:
        if record["kind"] == "intent":
            intents.add(record["data"]["step"])
        if record["kind"] == "outcome":
            assert record["data"]["step"] in intents
            outcomes += 1
    assert outcomes > 40


def test_no_secret_is_in_any_artefact(night: dict[str, Any]) -> None:
    """Neither our password nor one that stands on the command line of somebody's scheduled task."""
    site: Site = night["site"]
    secrets = [(site.folder / "lab-password").read_bytes(), b"Canary-5f1e9c"]
    files = [site.folder / "plan.json", site.folder / "facts.json"]
    for folder in ("out", ".goexchange", "site/disks"):
        files += [path for path in (site.folder / folder).rglob("*") if path.is_file()]
    looked_at = [path for path in files if path.suffix not in {".edb", ".log"}]
    assert len(looked_at) > 10
    assert {f"review{ending}" for ending in REVIEWS} <= {path.name for path in looked_at}
    for path in looked_at:
        for secret in secrets:
            assert secret not in path.read_bytes(), path
    assert b"--password ***" in (site.folder / "facts.json").read_bytes()


def test_the_html_report_needs_nothing_from_outside(night: dict[str, Any]) -> None:
    html = next((night["site"].folder / "out").rglob("report.html")).read_text("utf-8")
    assert html.startswith("<!DOCTYPE html>")
    assert "<script" not in html
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "")


def test_what_the_night_measured_is_history_on_the_controller_and_on_the_host(
    night: dict[str, Any],
) -> None:
    ended(night["history"], 0)
    found = {each["work"]: each for each in night["history"].document}
    assert {"copy", "rebuild", "page-checksums", "integrity", "hash", "mount"} <= set(found)
    assert all(each["earlier_runs"] == 1 for each in found.values())
    assert "1 earlier run" in found["rebuild"]["source"]
    site: Site = night["site"]
    (server,) = site.run("observe", "EX01", "--json").document["servers"]
    records = server["host"]["records"]
    timed = {each["work"] for record in records for each in record["timings"]}
    assert {"copy", "rebuild"} <= timed
