"""What `status`, `runs`, `lock` and `journal` say of runs that the real driver has written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from goexchange.cli.main import main
from goexchange.codec import digest, to_plain
from goexchange.driver import effects as to_do
from goexchange.journal.chain import Draft, line_of
from goexchange.model.plan import Plan
from goexchange.model.run import RecordKind
from goexchange.plan.sealing import dump
from goexchange.store.clock import SystemClock
from goexchange.store.holders import holder_of
from goexchange.store.journal_file import JournalFile, read_journal
from goexchange.store.lease_sqlite import SqliteLeases
from goexchange.store.requests import write_request
from goexchange.store.runs import RunFolder, Runs
from tests.driver.plans import NOW, plan_of, rebuild_lane
from tests.driver.twin import Twin, drive, machine_of

LATER = NOW + timedelta(days=30)
Cli = Callable[..., Any]
WHY = ("--why", "its disk is gone")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(SystemClock, "now", lambda _: LATER)
    return tmp_path / ".goexchange"


@pytest.fixture
def cli(store: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Type a verb: the exit code and what was printed, or the document of `--json`."""

    def run(*words: str, code: int = 0) -> Any:
        with pytest.raises(SystemExit) as end:
            main(words)
        output = capsys.readouterr()
        assert int(end.value.code or 0) == code, output.out + output.err
        return json.loads(output.out) if "--json" in words else output.out + output.err

    return run


def plan_number(number: int) -> Plan:
    plan = plan_of(rebuild_lane())
    body = evolve(plan.body, format="goexchange/plan/v1", specifications=(f"weekly-{number}",))
    return evolve(plan, body=body, sha256=digest(to_plain(body)))


def keep(
    store: Path, twin: Twin, *, until: Callable[[Twin], bool] | None = None, day: int = 0
) -> RunFolder:
    """Drive a run, to its end or until something is so, and keep it in a store."""
    plan = plan_number(day)
    machine = machine_of(plan, twin)
    if until is None:
        drive(machine, twin)
    else:
        while not (until(twin) and isinstance(machine.next(twin.now), to_do.WaitUntil)):
            machine.accept(twin.perform(machine.next(twin.now)), twin.now)
    folder = Runs(store).create(
        plan=dump(plan), approval=None, now=NOW + timedelta(days=day, minutes=day)
    )
    folder.journal_path.write_bytes(b"".join(line_of(record) for record in twin.journal))
    return folder


def is_down(twin: Twin) -> bool:
    return not twin.is_mounted


def test_nothing_runs_and_nothing_is_written(store: Path, cli: Cli) -> None:
    assert "Nothing runs." in cli("status")
    assert "Nobody holds a lease" in cli("lock", "list")
    assert "keeps no run" in cli("runs", "list")
    assert cli("status", "--json")["runs"] == []
    assert not store.exists()
    cli("status", "20261122", code=10)


def test_a_run_whose_process_died_with_a_database_down(store: Path, cli: Cli) -> None:
    run = keep(store, Twin(), until=is_down)
    text = cli("status")
    assert "PROCESS GONE" in text and f"goexchange resume {run.id}" in text
    assert "LEFT OFFLINE  EX01/DB05" in text and "Mount-Database -Identity 'DB05'" in text
    assert "EX01/DB05 is dismounted since" in text
    assert max(len(line) for line in text.splitlines() if "goexchange" not in line) <= 80
    plain = cli("status", run.id, "--json")
    assert [each["trouble"] for each in plain["databases"]] == ["down"]
    assert plain["runs"][0]["down"][0]["database"] == "EX01/DB05"
    assert "process gone" in cli("runs", "list")
    assert "its process is gone" in cli("watch", run.id), "it does not wait for a dead process"


def test_a_database_that_its_own_run_has_down_waits_for_nobody(store: Path, cli: Cli) -> None:
    run = keep(store, Twin(), until=is_down)
    write_request(run.path, "abort", by="maria", now=NOW)
    with JournalFile(run.journal_path):
        plain = cli("status", "--json")
        text = cli("status")
    assert plain["runs"][0]["life"] == "alive" and plain["databases"] == []
    assert "RUNNING" in text and "is dismounted since" in text
    assert "abort asked by maria" in text and "not taken up" in text
    assert re.search(r"EX01 / DB05  \d+/\d+ ", text), "phase n of m"


def test_unprotected_is_said_until_a_later_run_proves_a_backup(store: Path, cli: Cli) -> None:
    keep(store, Twin(is_proving=False))
    for _ in range(2):
        text = cli("status")
        assert "UNPROTECTED  EX01/DB05" in text and "wbadmin start backup" in text
    keep(store, Twin(tool_fails={"/k"}), day=1)  # it did nothing to the file
    assert "UNPROTECTED" in cli("status")
    keep(store, Twin(), day=2)
    assert "UNPROTECTED" not in cli("status")
    assert cli("status", "--json")["runs_ended"] == 3


def test_down_is_said_until_a_later_run_saw_it_mounted(store: Path, cli: Cli) -> None:
    keep(store, Twin(unmountable={"new", "old"}))
    assert cli("status", "--json")["databases"][0]["trouble"] == "down"
    keep(store, Twin(blocked={"no-backup-running"}), day=1)
    assert cli("status", "--json")["databases"] == []


def test_a_plan_of_another_version_hides_no_database(store: Path, cli: Cli) -> None:
    run = keep(store, Twin(is_proving=False))
    run.plan_path.write_text("{}", "utf-8")
    assert "UNPROTECTED  EX01/DB05" in cli("status")
    keep(store, Twin(), day=2)
    assert "UNPROTECTED" not in cli("status")


def test_a_doubt_is_a_question_with_its_evidence(store: Path, cli: Cli) -> None:
    twin = Twin()
    twin.lose = lambda number, send: "after" if "dismount" in send.purpose else None
    run = keep(store, twin)
    text = cli("status")
    assert f"QUESTION  run {run.id}" in text and "UNDECIDED" in text
    assert f"goexchange resume {run.id} --assume done|not-done EX01/DB05/06-dismount" in text


def test_a_journal_that_cannot_be_read_hides_no_other_run(store: Path, cli: Cli) -> None:
    damaged = keep(store, Twin(), until=is_down)
    lines = damaged.journal_path.read_bytes()
    damaged.journal_path.write_bytes(lines.replace(b"DB05", b"DB06", 1))
    keep(store, Twin(is_proving=False), day=1)
    text = cli("status")
    assert "cannot be read" in text and f"goexchange journal verify {damaged.id}" in text
    assert "UNPROTECTED" in text


def test_leases_are_listed_with_who_and_until_when(store: Path, cli: Cli) -> None:
    take(store, "elsewhere:4711:r", LATER)
    listed = cli("lock", "list", "--json")
    assert (listed[0]["name"], listed[0]["holder"]) == ("EX01", "elsewhere:4711:r")
    assert "elsewhere:4711:r" in cli("status")


def take(store: Path, holder: str, now: datetime, *, run: str = "r") -> None:
    store.mkdir(exist_ok=True)
    SqliteLeases(store / "leases.sqlite").acquire(
        ("EX01",), holder=holder, run=run, lease_s=300, now=now, cmdlet_limit_s=60
    )


def test_a_lease_is_broken_only_with_a_reason_and_never_silently(store: Path, cli: Cli) -> None:
    take(store, "elsewhere:4711:r", LATER)
    cli("lock", "break", "EX01", code=64)
    cli("lock", "break", "EX01", "--why", " ", code=64)
    cli("lock", "break", "EX02", *WHY, "--yes", code=10)
    text = cli("lock", "break", "ex01", *WHY)
    assert "may be alive: look there first" in text and "Nothing was changed" in text
    assert not (store / "operators.jsonl").exists()
    done = cli("lock", "break", "EX01", *WHY, "--yes", "--json")
    record = read_journal(store / "operators.jsonl").records[0]
    assert (record.data["state"], record.data["why"]) == ("broken", "its disk is gone")
    assert "@" in record.data["by"] and record.data["holder"] == "elsewhere:4711:r"
    after = SqliteLeases(store / "leases.sqlite").read()[0]
    assert after.number == done["number"] + 1
    assert not after.is_held(LATER) and after.free_at() is not None
    assert "broken" in cli("journal", "export", "operators")


def test_a_living_process_is_not_robbed_and_a_dead_ones_journal_tells(
    store: Path, cli: Cli
) -> None:
    run = keep(store, Twin(), until=is_down)
    take(store, holder_of(run.id), LATER, run=run.id)
    with JournalFile(run.journal_path):
        text = cli("lock", "break", "EX01", *WHY, "--yes", code=14)
    assert f"goexchange abort {run.id}" in text
    before = SqliteLeases(store / "leases.sqlite").read()[0].number
    assert before == 1 and not (store / "operators.jsonl").exists()
    cli("lock", "break", "EX01", *WHY, "--yes")
    last = read_journal(run.journal_path).records[-1]
    assert (last.kind, last.data["state"]) == (RecordKind.LEASE, "broken")
    assert cli("journal", "verify", run.id, "--json")["is_whole"] is True


def test_a_journal_is_whole_torn_or_damaged(store: Path, cli: Cli) -> None:
    run = keep(store, Twin())
    content = run.journal_path.read_bytes()
    whole = cli("journal", "verify", "last", "--json")
    assert (whole["is_whole"], whole["records"]) == (True, content.count(b"\n"))
    assert "no published head" in cli("journal", "verify", "last")
    run.journal_path.write_bytes(content + b'{"at')
    assert "the last 4 bytes are torn" in cli("journal", "verify", "last")
    assert "4 torn bytes" in cli("journal", "tail", "last", "-n", "1")
    run.journal_path.write_bytes(content.replace(b"DB05", b"DB06", 1))
    assert "DAMAGED" in cli("journal", "verify", "last", code=30)
    assert "what follows it is not shown" in cli("journal", "tail", "last", code=30)
    cli("journal", "export", "last", code=30)


def test_a_new_chain_is_seen_against_a_head_that_was_published(store: Path, cli: Cli) -> None:
    run = keep(store, Twin())
    records = read_journal(run.journal_path).records
    head = f"{len(records)}:{records[-1].sha256}"
    report = store.parent / "out" / run.id / "report.json"
    report.parent.mkdir(parents=True)
    report.write_text(
        json.dumps({"journal": {"records": len(records), "head": records[-1].sha256}}), "utf-8"
    )
    assert "as in" in cli("journal", "verify", run.id, "--head", head)
    with JournalFile(run.journal_path) as journal:
        journal.append((Draft(RecordKind.LANE_STARTED, {"lane": "x"}),), NOW)
    assert len(cli("journal", "verify", run.id, "--json")["compared"]) == 1, "a resume appends"
    run.journal_path.write_bytes(b"".join(line_of(one) for one in records[:-3]))
    assert "records are gone" in cli("journal", "verify", run.id, code=30)
    run.journal_path.unlink()
    with JournalFile(run.journal_path) as journal:  # a clever hand: a whole chain of its own
        journal.append([Draft(one.kind, {**one.data, "x": 1}) for one in records], NOW)
    text = cli("journal", "verify", run.id, code=30)
    assert "is another one than" in text
    report.unlink()
    cli("journal", "verify", run.id)
    cli("journal", "verify", run.id, "--head", head, code=30)
    cli("journal", "verify", run.id, "--head", "nonsense", code=64)
    report.write_text("{}", "utf-8")
    cli("journal", "verify", run.id, code=10)


def test_a_journal_is_exported_byte_for_byte_or_for_a_spreadsheet(store: Path, cli: Cli) -> None:
    run = keep(store, Twin())
    cli("journal", "export", run.id, "--out", "j.jsonl")
    assert Path("j.jsonl").read_bytes() == run.journal_path.read_bytes()
    cli("journal", "export", run.id, "--format", "csv", "--out", "j.csv")
    lines = Path("j.csv").read_text("utf-8").splitlines()
    assert lines[0] == "sequence,at_utc,kind,server,lane,step,data"
    assert len(lines) == run.journal_path.read_bytes().count(b"\n") + 1
    assert len(cli("journal", "tail", run.id, "-n", "3", "--json")) == 3
    assert "run ended: done" in cli("journal", "tail", run.id)


def test_runs_are_pruned_when_old_and_nobody_needs_them(store: Path, cli: Cli) -> None:
    first = keep(store, Twin())
    unprotected = keep(store, Twin(is_proving=False), day=1)
    dead = keep(store, Twin(), until=is_down, day=2)
    (unprotected.path / "notes.txt").write_text("mine", "utf-8")
    words = ("runs", "prune", "--older-than", "1s", "--keep", "0", "--json")
    said = {one["run"]: one["why"] for one in cli(*words)["decisions"]}
    assert said == {
        first.id: "",
        unprotected.id: "a database that it left waits for a person",
        dead.id: "it has not ended",
    }
    assert first.path.exists()
    cli(*words, "--yes")
    assert not first.path.exists() and unprotected.path.exists() and dead.path.exists()
    from goexchange.errors import NotNow

    with pytest.raises(NotNow, match=f"{first.id}.*keeps no more"):
        Runs(store).require_unapplied(plan_number(0).sha256)
    assert cli("runs", "prune", "--older-than", "1s", "--keep", "9").count("keep") == 2
    cli("runs", "prune", "--older-than", "soon", code=64)
