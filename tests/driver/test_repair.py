"""A repair with possible loss, step by step: what is judged, bound, written down and never done."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from goexchange.backup.manifest import parse_manifest
from goexchange.driver.binding import Unbound, value_of
from goexchange.driver.headers import header_facts
from goexchange.driver.invariants import Watch
from goexchange.driver.judge import judge_answer, judge_job
from goexchange.driver.judgement import JobEnd, Judgement, Subject
from goexchange.driver.looking import looks_of
from goexchange.driver.records import EVIDENCE, SET, manifest_of, sealing_of
from goexchange.journal.replay import RunState
from goexchange.model import actual
from goexchange.model.backup_set import FileRole, FileVerdict, SetMethod
from goexchange.model.plan import Action, Lane, Plan, Step
from goexchange.model.run import OutcomeKind, RecordKind, StepRecord
from goexchange.plan.planner import make_draft
from goexchange.plan.sealing import seal
from tests.driver.twin import slots_of
from tests.unit.plan.builders import NOW, database, host, inventory, record, server, spec, state

AT = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)
DONE = OutcomeKind.DONE
LOGS = ("E0500000001.log", "E0500000002.log", "E05.log", "E05tmp.log", "E05.chk")


def plan_of() -> Plan:
    of = database()
    look = actual.Look(
        kind=actual.LookKind.PAGES, at_utc=NOW - timedelta(days=1), errors=2, warnings=0
    )
    seen = state(server(databases=(of,), host=host(records=(record(of, looks=(look,)),))))
    return seal(make_draft([spec()], inventory(), seen, now=NOW, repairs=("EX01/DB05",)), NOW, "me")


PLAN = plan_of()
LANE = PLAN.body.lanes[0]
HEADER = {
    **header_facts(slots_of("old")),
    "size_bytes": 1000,
    "log_files": [{"path": f"L:\\DB05\\{name}", "size_bytes": 10} for name in LOGS],
}
PAGES = {
    "mode": "checksum", "damage": 2, "pages_seen": 100, "bad_checksums": 2,
    "wrong_page_numbers": 0, "bad_pages": [9, 20],
}  # fmt: skip


def steps_of(action: Action, lane: Lane = LANE) -> list[Step]:
    return [step for step in lane.steps if step.action is action]


def state_of(
    known: Mapping[Action, Any], *, lane: Lane = LANE, outcome: OutcomeKind = DONE
) -> RunState:
    records = {}
    for action, result in known.items():
        steps = steps_of(action, lane)
        results = result if isinstance(result, list) else [result] * len(steps)
        for step, one in zip(steps, results, strict=False):
            records[step.id] = StepRecord(
                step=step.id, attempts=1, outcome=outcome, result=one,
                first_sent_at_utc=AT, ended_at_utc=AT,
            )  # fmt: skip
    return RunState(steps=records)


def subject(action: Action, known: Mapping[Action, Any] | None = None) -> Subject:
    return Subject(plan=PLAN, lane=LANE, step=steps_of(action)[0], state=state_of(known or {}))


def why(judgement: Judgement) -> str:
    assert judgement.outcome is OutcomeKind.FAILED, judgement
    return str(judgement.result["why"])


def job(kind: str, **differs: Any) -> JobEnd:
    values: dict[str, Any] = {
        "kind": kind, "exit_code": 0, "output": b"", "result": {}, "seconds": 1.0,
    }  # fmt: skip
    return JobEnd(**{**values, **differs})


# -- looks at the damage


def checksum_run(
    *,
    bad: tuple[int, ...] = (9, 20),
    seen: int = 100,
    error: int = -1206,
    exit_code: int | None = None,
) -> JobEnd:
    last = "Operation completed successfully in 1.0 seconds."
    if error:
        last = f"Operation terminated with error {error} (JET_errX, words) after 1.0 seconds."
    text = (
        f"Initiating CHECKSUM mode...\r\n\r\n{seen} pages seen\r\n{len(bad)} bad checksums\r\n"
        "0 correctable checksums\r\n0 uninitialized pages\r\n0 wrong page numbers\r\n"
        f"10 MB/second\r\n\r\n{last}\r\n"
    )
    errors = "".join(f"ERROR: page {page} checksum failed\r\n" for page in bad)
    return job(
        "eseutil",
        exit_code=error if exit_code is None else exit_code,
        output=text.encode(),
        result={"error_output": base64.b64encode(errors.encode()).decode()},
    )


def integrity_run(words: str, *, error: int = 0) -> JobEnd:
    last = "Operation completed successfully in 1.0 seconds."
    if error:
        last = f"Operation terminated with error {error} (JET_errX, words) after 1.0 seconds."
    text = f"Initiating INTEGRITY mode...\r\n\r\n{words}\r\n\r\n{last}\r\n"
    return job("eseutil", exit_code=error, output=text.encode())


def test_a_look_that_finds_damage_has_done_what_it_was_for() -> None:
    found = judge_job(subject(Action.FIND_DAMAGE), checksum_run())
    assert found.outcome is DONE
    assert (found.result["damage"], found.result["bad_pages"]) == (2, [9, 20])
    assert [one.text for one in found.findings][:1] == ["page 9 has a bad checksum"]
    clean = judge_job(subject(Action.FIND_DAMAGE), checksum_run(bad=(), error=0))
    assert (clean.outcome, clean.result["damage"]) == (DONE, 0)


def structure(end: JobEnd) -> Judgement:
    step = steps_of(Action.FIND_DAMAGE)[1]
    return judge_job(Subject(plan=PLAN, lane=LANE, step=step, state=state_of({})), end)


def test_a_look_at_the_structure_says_it_in_its_own_words() -> None:
    corrupted = "Integrity check completed.  Database is CORRUPTED!"
    bad = structure(integrity_run(corrupted, error=-1206))
    assert (bad.outcome, bad.result["damage"]) == (DONE, 1)
    good = structure(integrity_run("Integrity check successful."))
    assert (good.outcome, good.result["damage"]) == (DONE, 0)


@pytest.mark.parametrize(
    "end",
    [
        checksum_run(error=-1022),  # it could not read on: what it counted so far says too little
        checksum_run(bad=(), error=-1206),
        checksum_run(seen=0),
        checksum_run(exit_code=0),
        checksum_run(bad=(), error=0, exit_code=-1206),
    ],
)
def test_a_look_without_a_verdict_is_no_look(end: JobEnd) -> None:
    assert "came to no verdict" in why(judge_job(subject(Action.FIND_DAMAGE), end))


def test_a_structure_without_a_verdict_is_no_look() -> None:
    assert "no verdict" in why(structure(integrity_run("Scanning", error=-1808)))


# -- evidence


def test_evidence_has_the_bad_pages_of_its_source() -> None:
    known = {Action.FIND_DAMAGE: [{"mode": "integrity", "damage": 1}, PAGES]}
    found = judge_job(subject(Action.CHECK_EVIDENCE, known), checksum_run())
    assert found.outcome is DONE and found.findings == ()
    other = judge_job(subject(Action.CHECK_EVIDENCE, known), checksum_run(bad=(9, 21)))
    assert why(other) == "the evidence is not as the file: other bad pages"
    fewer = judge_job(subject(Action.CHECK_EVIDENCE, known), checksum_run(bad=(9,), seen=99))
    assert "other pages seen, bad checksums, bad pages" in why(fewer)
    nothing = judge_job(subject(Action.CHECK_EVIDENCE), checksum_run())
    assert "nothing compares with them" in why(nothing)


def entry(path: str, sha256: str = "1") -> dict[str, Any]:
    return {"path": path, "size_bytes": 10, "sha256": sha256 * 64}


def hashed(*files: dict[str, Any], exit_code: int = 0) -> JobEnd:
    return job("hash-files", exit_code=exit_code, result={"files": list(files)})


def test_a_source_that_reads_otherwise_the_second_time_is_no_source() -> None:
    known = {Action.COPY_EVIDENCE: {"files": [entry("E:\\set\\DB05.edb")]}}
    good = judge_job(subject(Action.REREAD_SOURCE, known), hashed(entry("D:\\DB05\\DB05.edb")))
    assert good.outcome is DONE
    bad = judge_job(subject(Action.REREAD_SOURCE, known), hashed(entry("D:\\DB05\\DB05.edb", "2")))
    assert why(bad) == "the source reads other than the first time: db05.edb"
    lost = judge_job(subject(Action.REREAD_SOURCE, known), hashed())
    assert "db05.edb" in why(lost)


def test_the_working_copy_is_the_file_in_the_evidence() -> None:
    working = "D:\\DB05\\gx\\repair-DB05.edb"
    known = {
        Action.HASH_EVIDENCE: {"files": [entry("E:\\set\\DB05.edb")]},
        Action.COPY_FOR_REPAIR: {"files": [entry(working)]},
    }
    assert judge_job(subject(Action.HASH_FOR_REPAIR, known), hashed(entry(working))).outcome is DONE
    for wrong in ((), (entry(working, "2"),)):
        bad = judge_job(subject(Action.HASH_FOR_REPAIR, known), hashed(*wrong))
        assert "not the file that lies in the evidence" in why(bad)


def test_every_log_of_the_stream_is_kept_and_read_again() -> None:
    known = {Action.READ_HEADER: HEADER}
    run = state_of(known)
    copy, again = steps_of(Action.COPY_EVIDENCE)[0], steps_of(Action.REREAD_SOURCE)[0]
    pairs = value_of(copy.binds[0], PLAN, run, of=copy)
    names = {one["source"].rpartition("\\")[2] for one in pairs}
    assert names == {"DB05.edb", "E0500000001.log", "E0500000002.log", "E05.log", "E05.chk"}
    assert all("-evidence\\" in one["destination"] for one in pairs)
    sources = value_of(again.binds[0], PLAN, run, of=again)
    assert sources == [one["source"] for one in pairs]
    with pytest.raises(Unbound):
        value_of(again.binds[0], PLAN, RunState(), of=again)


def evidence_state(check: Mapping[str, Any] | None) -> RunState:
    copied = {"files": [entry(f"E:\\set\\{name}") for name in ("DB05.edb", *LOGS)]}
    known: dict[Action, Any] = {Action.READ_HEADER: HEADER, Action.COPY_EVIDENCE: copied}
    if check is not None:
        known[Action.CHECK_EVIDENCE] = check
    return state_of(known)


@pytest.mark.parametrize(
    ("check", "verdict"),
    [
        (PAGES, FileVerdict.DAMAGED),
        ({**PAGES, "damage": 0}, FileVerdict.SOUND),
        (None, FileVerdict.NOT_CHECKED),
    ],
)
def test_the_manifest_says_that_it_is_evidence(check: Any, verdict: FileVerdict) -> None:
    body = parse_manifest(manifest_of(PLAN, LANE, evidence_state(check))).body
    assert body.method is SetMethod.EVIDENCE and body.restores.clean_point is None
    [file] = [one for one in body.files if one.role is FileRole.DATABASE]
    assert file.verdict is verdict
    assert sum(one.role is FileRole.LOG for one in body.files) == 3


def test_a_lane_keeps_evidence_or_a_set() -> None:
    assert sealing_of(LANE) is EVIDENCE
    rebuild = make_draft([spec()], inventory(), state(), now=NOW).lanes[0]
    assert sealing_of(rebuild) is SET


# -- the repair


def repair_run(*, changed: bool = True, exit_code: int = 0) -> JobEnd:
    last = "Operation completed successfully in 1.0 seconds."
    words = "Integrity check successful."
    if changed:
        last = (
            "Operation completed successfully with 595 (JET_wrnDatabaseRepaired, Database"
            " corruption has been repaired) after 1.0 seconds."
        )
        words = "Repair completed. Database corruption has been repaired!"
    text = f"Initiating REPAIR mode...\r\n\r\n{words}\r\n\r\n{last}\r\n"
    return job("eseutil", exit_code=exit_code, output=text.encode())


@pytest.mark.parametrize("changed", [True, False])
def test_a_repair_that_ended_well_says_whether_it_changed_the_file(changed: bool) -> None:
    found = judge_job(subject(Action.REPAIR), repair_run(changed=changed))
    assert (found.outcome, found.result["is_changed"]) == (DONE, changed)


def test_a_repair_whose_words_and_exit_code_differ_has_failed() -> None:
    assert "ended with -1206" in why(judge_job(subject(Action.REPAIR), repair_run(exit_code=-1206)))
    cut = evolve(repair_run(), output=b"Initiating REPAIR mode...\r\n")
    assert "eseutil /p" in why(judge_job(subject(Action.REPAIR), cut))
    silent = evolve(repair_run(), exit_code=None)
    assert "left no exit code" in why(judge_job(subject(Action.REPAIR), silent))


def header_answer(file: str) -> dict[str, Any]:
    from tests.driver.twin import Twin

    twin = Twin(is_mounted=False, files={"D:\\x.edb": file})
    return dict(twin._read_header({"path": "D:\\x.edb"}))


@pytest.mark.parametrize(
    ("changed", "count", "page_bytes", "said"),
    [
        (True, -1, None, ""),
        (False, 0, None, ""),
        (True, 0, None, "counts no repair"),
        (True, -1, 4096, "another page size"),
    ],
)
def test_a_repaired_copy_counts_its_repair(
    changed: bool, count: int, page_bytes: int | None, said: str
) -> None:
    facts = header_facts(slots_of("new"))
    before = {**facts, "repair_count": facts["repair_count"] + count}
    before["page_bytes"] = page_bytes or facts["page_bytes"]
    known = {Action.READ_HEADER: before, Action.REPAIR: {"is_changed": changed}}
    found = judge_answer(subject(Action.READ_REPAIRED_HEADER, known), header_answer("new"))
    assert why(found) if said else found.outcome is DONE
    assert said in str(found.result.get("why", ""))


def test_a_repaired_copy_that_is_not_clean_or_not_known_is_refused() -> None:
    known = {Action.READ_HEADER: HEADER, Action.REPAIR: {"is_changed": False}}
    found = judge_answer(subject(Action.READ_REPAIRED_HEADER, known), header_answer("dirty"))
    assert "the repaired copy was not shut down cleanly" in why(found)
    found = judge_answer(subject(Action.READ_REPAIRED_HEADER), header_answer("new"))
    assert "read-header has no result" in why(found)


# -- what is remembered, and what never stands in a journal


def test_the_look_that_found_damage_is_remembered_where_the_file_stays() -> None:
    known = {Action.FIND_DAMAGE: [PAGES, {"mode": "integrity", "damage": 0}]}
    looks = looks_of(LANE, state_of(known), is_rebuilt=False)
    assert {one.kind: one.errors for one in looks} == {
        actual.LookKind.PAGES: 2,
        actual.LookKind.STRUCTURE: 0,
    }
    assert looks_of(LANE, state_of(known), is_rebuilt=True) == ()


GOOD: Mapping[Action, Any] = {
    Action.DISMOUNT: {},
    Action.READ_HEADER: {**HEADER, "state": 3, "headers_alike": True, "size_bytes": 10},
    Action.FIND_DAMAGE: PAGES,
    Action.COPY_EVIDENCE: {"files": [entry("E:\\set\\DB05.edb")]},
    Action.REREAD_SOURCE: {"files": [entry("D:\\DB05\\DB05.edb")]},
    Action.CHECK_EVIDENCE: PAGES,
    Action.HASH_EVIDENCE: {"files": [entry("E:\\set\\DB05.edb")]},
    Action.SEAL_EVIDENCE: {"set_sha256": "5" * 64},
}


def broken_by(action: Action, known: Mapping[Action, Any]) -> list[str]:
    watch = Watch(PLAN)
    watch.state = state_of(known)
    step = steps_of(action)[0]
    found = watch.violations(RecordKind.INTENT, {"step": step.id, "attempt": 1})
    return [f"{one.invariant}: {one.why}" for one in found]


@pytest.mark.parametrize("action", [Action.REPAIR, Action.SWAP, Action.COPY_BACK])
def test_nothing_rests_on_evidence_that_is_not_whole(action: Action) -> None:
    assert broken_by(action, GOOD) == []
    for lacking in GOOD:
        if lacking is Action.DISMOUNT:
            continue
        known = {done: result for done, result in GOOD.items() if done is not lacking}
        assert broken_by(action, known) == [f"I2: {lacking.value} has not ended well"]
    other = {**GOOD, Action.HASH_EVIDENCE: {"files": [entry("E:\\set\\DB05.edb", "2")]}}
    assert broken_by(action, other) == ["I2: what was read back is not what was copied"]
