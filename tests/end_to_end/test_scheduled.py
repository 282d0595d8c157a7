"""Scheduled maintenance as a scheduler would do it: pass after pass, then the nightly look."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from goexchange.codec import canonical_json, time_text
from tests.end_to_end.site import Done, Site, lab

pytestmark = pytest.mark.long  # a whole night, pass after pass

OTHERS = "20261121T010203-abcd"
SPECIFICATION = ("specs", "preventative.yaml")


def scheduled(site: Site) -> None:
    """Due five minutes ago, by a schedule that the store knows since yesterday."""
    now = datetime.now(UTC)
    path = site.folder.joinpath(*SPECIFICATION)
    due = f"{now - timedelta(minutes=5):%H:%M}"
    text = path.read_text("utf-8").replace(
        "schedule: {window: always}", f"schedule: {{window: always, due: '{due}'}}"
    )
    assert due in text
    path.write_text(text, "utf-8")
    store = site.folder / ".goexchange"
    store.mkdir(exist_ok=True)
    known = {
        "at_utc": time_text(now - timedelta(days=1)),
        "event": "known",
        "subject": "preventative",
        "due_at_utc": None,
        "run": None,
        "text": "",
    }
    (store / "schedule.jsonl").write_bytes(canonical_json(known) + b"\n")


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Passes before and after the approval, and drift before and after somebody's hand."""
    with lab(tmp_path_factory.mktemp("week"), "--pace", "20") as site:
        scheduled(site)
        seen: dict[str, Any] = {"site": site}
        seen["first"] = site.run("run-due", "--json")
        plan = next((site.folder / "plans").glob("*.json"))
        site.run("hold", "on", "--why", "patch night")
        assert site.run("approve", str(plan), "--consent", "all").code == 0
        seen["held"] = site.run("run-due")
        site.run("hold", "off")
        seen["due"] = site.run("due", "--json")
        seen["applied"] = site.run("run-due", "--json")
        seen["again"] = site.run("run-due", "--json")
        seen["quiet"] = site.run("drift")
        records = site.disk("EX01", "C", "ProgramData", "goexchange", "databases")
        run = next((site.folder / ".goexchange" / "runs").glob("*")).name
        for file in records.rglob("*"):
            if file.is_file():  # as another controller's run would have left it
                content = file.read_bytes().replace(run.encode(), OTHERS.encode())
                file.write_bytes(content)
        seen["drift"] = site.run("drift", "--format", "md")
        yield seen


def ended(done: Done, code: int) -> None:
    assert done.code == code, done.out + done.err


def test_a_due_plan_waits_for_its_approval_and_a_hold_keeps_it(week: dict[str, Any]) -> None:
    ended(week["first"], 13)
    assert week["first"].document["passed"][0]["done"] == "needs approval"
    ended(week["held"], 14)
    assert "patch night" in week["held"].out
    found = week["due"].document["specifications"][0]
    assert found["is_due"] and found["plan"]["is_approved"]


def test_what_is_approved_is_applied_once(week: dict[str, Any]) -> None:
    ended(week["applied"], 0)
    assert week["applied"].document["passed"][0]["done"] == "applied"
    ended(week["again"], 0)
    assert week["again"].document["passed"][0]["done"] == "nothing due"
    runs = list((week["site"].folder / ".goexchange" / "runs").glob("*"))
    assert len(runs) == 1
    assert list((week["site"].folder / "out").rglob("report.html"))


def test_drift_is_quiet_until_somebody_was_there(week: dict[str, Any]) -> None:
    ended(week["quiet"], 0)
    assert "no drift" in week["quiet"].out
    ended(week["drift"], 2)
    assert f"run {OTHERS} of another controller" in week["drift"].out
    assert "<!-- goexchange drift -->" in week["drift"].out


def test_every_pass_is_written_down(week: dict[str, Any]) -> None:
    path: Path = week["site"].folder / ".goexchange" / "schedule.jsonl"
    events = [json.loads(line)["event"] for line in path.read_bytes().splitlines()]
    assert events == ["known", "planned", "served"]
