"""Files of earlier versions: each is read as it was meant, or refused by name.

`old_files/v1` was written once, by a night of one rebuilt database, and is never made anew: a
change of the product that cannot read it is a change that its operators will meet.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from goexchange.app.approving import read_approval
from goexchange.backup.manifest import parse_manifest
from goexchange.backup.sealed import sealed_bytes
from goexchange.codec import canonical_json
from goexchange.driver.ending import result_of
from goexchange.errors import InvalidDocument
from goexchange.journal.chain import digest, read_lines
from goexchange.journal.replay import replay
from goexchange.model.plan import Action
from goexchange.model.run import OutcomeKind
from goexchange.plan.sealing import load
from goexchange.report.model import build_report
from goexchange.report.report_json import render_json
from goexchange.report.report_text import render_text

FOLDERS = tuple(sorted(Path(__file__).with_name("old_files").iterdir()))
V1 = FOLDERS[0]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda each: each.name)
def test_plan_journal_approval_and_manifest_are_read(folder: Path) -> None:
    plan = load((folder / "plan.json").read_bytes())
    reading = read_lines((folder / "journal.jsonl").read_bytes())
    assert (reading.damage, reading.torn_bytes, len(reading.records)) == (None, 0, 145)
    state = replay(reading.records)
    (lane,) = plan.body.lanes
    swap = next(step for step in lane.steps if step.action is Action.SWAP)
    assert state.step(swap.id).outcome is OutcomeKind.DONE
    result = result_of(plan, state)
    assert (result.exit_code, result.verdict) == (0, "done")
    approval = read_approval(folder / "approval.json")
    assert approval is not None and approval.plan_sha256 == plan.sha256
    sealed = parse_manifest((folder / "backup-set.json").read_bytes())
    assert sealed.body.database == lane.database and len(sealed.body.files) > 3


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda each: each.name)
def test_an_old_run_is_reported(folder: Path) -> None:
    plan = load((folder / "plan.json").read_bytes())
    records = read_lines((folder / "journal.jsonl").read_bytes()).records
    report = build_report(plan, records)
    assert "DB11" in render_text(report, width=80)
    assert json.loads(render_json(report))


@pytest.mark.parametrize("form", ["plan.v0", "plan.v2", "", None, 1])
def test_a_plan_of_another_form_is_refused_by_name(form: Any) -> None:
    plain = json.loads((V1 / "plan.json").read_bytes())
    plain["body"]["format"] = form
    plain["sha256"] = digest(plain["body"])
    with pytest.raises(InvalidDocument, match=r"not of the format .*: plan again"):
        load(canonical_json(plain))


def test_what_a_newer_minor_form_adds_to_a_plan_is_read_over() -> None:
    plain = json.loads((V1 / "plan.json").read_bytes())
    plain["body"]["from_the_future"] = {"more": True}
    plain["body"]["lanes"][0]["steps"][0]["also_new"] = 1
    plain["sha256"] = digest(plain["body"])
    assert load(canonical_json(plain)).body == load((V1 / "plan.json").read_bytes()).body


@pytest.mark.parametrize("version", ["goexchange/v0", "goexchange/v2"])
def test_a_manifest_of_another_form_is_refused_by_name(version: str) -> None:
    plain = json.loads((V1 / "backup-set.json").read_bytes())
    plain["apiVersion"] = version
    with pytest.raises(InvalidDocument, match="apiVersion is not goexchange/v1"):
        parse_manifest(canonical_json(plain))
    with pytest.raises(InvalidDocument, match="BackupSet|manifest"):
        parse_manifest(sealed_bytes("SetVerdict", plain["body"]))


def test_a_record_of_a_kind_that_is_not_known_is_named_and_hides_nothing_before_it() -> None:
    lines = (V1 / "journal.jsonl").read_bytes().split(b"\n")
    plain = json.loads(lines[10])
    del plain["sha256"]
    plain["kind"] = "from-the-future"
    lines[10] = canonical_json({**plain, "sha256": digest(plain)})
    reading = read_lines(b"\n".join(lines))
    assert len(reading.records) == 10 and reading.damage is not None
    assert reading.damage.line == 11 and "from-the-future" in reading.damage.reason
