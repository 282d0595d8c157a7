"""A database of two files: the second is judged with the first, is in its set, and comes back with
it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve

from goexchange.backup.selection import ListedFile, Selection, select_files
from goexchange.driver.binding import Unbound, value_of
from goexchange.driver.by_hand import by_hand_after_swap
from goexchange.driver.ending import commands_for
from goexchange.driver.headers import header_facts, header_of
from goexchange.driver.judge import judge_answer, judge_job
from goexchange.driver.judgement import JobEnd
from goexchange.driver.pairs import with_streaming
from goexchange.driver.proof import backup_proof
from goexchange.ese.header import (
    DatabaseHeader,
    DatabaseState,
    read_database_header,
    write_database_header,
)
from goexchange.ese.rendering import header_dump, success_line
from goexchange.ese.structures import FileType, LogPosition, LogTime, Signature
from goexchange.guard.evaluate import before_step
from goexchange.guard.guard import VerdictKind
from goexchange.journal.replay import RunState
from goexchange.model.actual import Generation
from goexchange.model.backup_set import FileRole
from goexchange.model.plan import Action, BindingKind, Lane, Step
from goexchange.model.run import OutcomeKind, StepRecord
from goexchange.plan.sealing import seal
from tests.driver.test_odd_answers import ended, subject, why_failed
from tests.driver.test_proof import MADE, NOW, seen
from tests.unit.guard.test_guards import GIB, run_of, verdict
from tests.unit.plan.builders import IN_WINDOW, state
from tests.unit.plan.test_exchange_2003 import DEFRAG, database, draft, old

LANE = draft(DEFRAG, old()).lanes[0]
STM = "D:\\DB05\\DB05.stm"
HEADER = DatabaseHeader(
    signature=Signature(random=7, created=LogTime.at(NOW)),
    last_consistent=LogPosition(generation=0x11, sector=3, byte=9),
    page_size=4096,
    format_update_major=9,
    file_type=FileType.STREAMING,
)


def slots(**differs: Any) -> bytes:
    return write_database_header(evolve(HEADER, **differs)) * 2


def printed(content: bytes) -> str:
    lines = ["Initiating FILE DUMP mode...", *header_dump(read_database_header(content), STM)]
    return base64.b64encode("\r\n".join([*lines, "", success_line(16), ""]).encode()).decode()


def answer(content: bytes, **differs: Any) -> dict[str, Any]:
    tool = {"exit_code": 0, "output": printed(content), "error_output": ""}
    plain = {"slots": base64.b64encode(content).decode(), "size_bytes": 4096, "eseutil": tool}
    return {**plain, "log_files": [], "jfm": None, **differs}


FIRST = {**header_facts(slots(file_type=FileType.DATABASE)), "size_bytes": 8192, "log_files": []}


def judged(said: Mapping[str, Any], *, first: Mapping[str, Any] | None = FIRST) -> Any:
    known = {} if first is None else {Action.READ_HEADER: first}
    return judge_answer(subject(Action.READ_STREAMING_HEADER, known, lane=LANE), said)


def test_a_second_file_that_belongs_to_the_first_is_good() -> None:
    found = judged(answer(slots()))
    assert found.outcome is OutcomeKind.DONE and found.result["size_bytes"] == 4096
    old_tool = judged(answer(slots(file_type=FileType.UNKNOWN)))
    assert old_tool.outcome is OutcomeKind.DONE


GOOD = answer(slots())


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (answer(slots(signature=Signature(random=8, created=LogTime.at(NOW)))), "not the one"),
        (answer(slots(last_consistent=LogPosition(generation=0x12))), "not the one of this"),
        (answer(slots(state=DatabaseState.DIRTY_SHUTDOWN)), "not shut down cleanly"),
        (answer(slots()[:4096] + bytes(4096)), "not shut down cleanly"),
        (answer(slots(file_type=FileType.LOG)), "a file of another kind"),
        ({**GOOD, "eseutil": {**GOOD["eseutil"], "output": ""}}, "cannot be read"),
        ({**GOOD, "eseutil": {**GOOD["eseutil"], "exit_code": -540}}, "disagree"),
        ({**GOOD, "eseutil": {**GOOD["eseutil"],
          "output": printed(slots(state=DatabaseState.DIRTY_SHUTDOWN))}}, "disagree"),
    ],
)  # fmt: skip
def test_one_that_does_not_is_no_pair(said: Mapping[str, Any], why: str) -> None:
    assert why in why_failed(judged(said))


def test_without_the_header_of_the_first_nothing_can_be_said() -> None:
    assert "was not read" in why_failed(judged(GOOD, first=None))


# -- the set


def selected() -> Selection:
    file = ListedFile(path="D:\\DB05\\DB05.edb", size_bytes=8192)
    return select_files(header_of(FIRST), file, log_folder=(), log_prefix="E05")


def run_with(results: Mapping[Action, Mapping[str, Any]], lane: Lane = LANE) -> RunState:
    return RunState(
        steps={
            step.id: StepRecord(
                step=step.id, attempts=1, outcome=OutcomeKind.DONE, result=results[step.action]
            )
            for step in lane.steps
            if step.action in results
        }
    )


READ = {**header_facts(slots()), "size_bytes": 4096}


def test_the_set_has_the_second_file_right_after_the_first() -> None:
    known = run_with({Action.READ_STREAMING_HEADER: READ})
    found = with_streaming(selected(), LANE, known)
    assert [(each.role, each.path) for each in found.files[:2]] == [
        (FileRole.DATABASE, "D:\\DB05\\DB05.edb"), (FileRole.STREAMING, STM),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="was not read"):
        with_streaming(selected(), LANE, RunState())


def test_the_copy_is_bound_to_both_files_or_to_none() -> None:
    plan = seal(draft(DEFRAG, old()), NOW, "me")
    step = step_of(Action.COPY_SET)
    (binding,) = [each for each in step.binds if each.kind is BindingKind.FILES_BY_RULE]
    results = {Action.READ_HEADER: FIRST, Action.READ_STREAMING_HEADER: READ}
    pairs = value_of(binding, plan, run_with(results), of=step)
    assert [each["source"] for each in pairs] == ["D:\\DB05\\DB05.edb", STM]
    with pytest.raises(Unbound):
        value_of(binding, plan, run_with({Action.READ_HEADER: FIRST}), of=step)


def step_of(action: Action) -> Step:
    return next(step for step in LANE.steps if step.action is action)


HEAD = {
    "state": 3, "headers_alike": True, "log_required": [0, 0], "page_bytes": 4096,
    "signature": "ab" * 28, "dbtime": 4711, "size_bytes": GIB,
}  # fmt: skip
FILES = [
    {"path": "E:\\sets\\DB05.edb", "size_bytes": GIB, "sha256": "1" * 64},
    {"path": "E:\\sets\\DB05.stm", "size_bytes": 4096, "sha256": "2" * 64},
]
DONE: Mapping[Action, Mapping[str, Any]] = {
    Action.READ_HEADER: HEAD,
    Action.READ_STREAMING_HEADER: READ,
    Action.COPY_SET: {"files": FILES},
    Action.HASH_SET: {"files": FILES},
    Action.VERIFY_SET_ON_HOST: {"ok": True, "bad_checksums": 0, "wrong_page_numbers": 0},
    Action.SEAL_SET: {"path": "manifest.json", "set_sha256": "5" * 64},
    Action.READ_TEMPORARY_HEADER: {"size_bytes": GIB // 2},
}


def of_set(want: Any = None, **differs: Any) -> Any:
    body = want or draft(DEFRAG, old())
    plan = seal(body, NOW, "me")
    results = {**DONE, **{Action(name.replace("_", "-")): each for name, each in differs.items()}}
    swap = next(step for step in body.lanes[0].steps if step.action is Action.SWAP)
    found = before_step(plan, swap, run_of(plan, results), state(old()), IN_WINDOW)
    return verdict(found, "verified-set")


def test_a_set_of_both_files_whose_checksums_were_read_passes() -> None:
    assert of_set().kind is VerdictKind.PASS


@pytest.mark.parametrize(
    "differs",
    [
        {"copy_set": {"files": FILES[:1]}, "hash_set": {"files": FILES[:1]}},
        {"read_streaming_header": {**READ, "size_bytes": 8192}},
    ],
)
def test_a_set_without_the_second_file_as_it_was_blocks_the_swap(differs: dict[str, Any]) -> None:
    found = of_set(**differs)
    assert found.kind is VerdictKind.BLOCK and "streaming file" in found.evidence


def test_a_check_of_the_first_file_alone_blocks_the_swap() -> None:
    body = draft(DEFRAG, old())
    lane = body.lanes[0]
    steps = []
    for step in lane.steps:
        call: Any = step.call
        if step.action is Action.VERIFY_SET_ON_HOST:
            less = {**call.request, "arguments": call.request["arguments"][:2]}
            step = evolve(step, call=evolve(call, request=less))
        steps.append(step)
    found = of_set(evolve(body, lanes=(evolve(lane, steps=tuple(steps)),)))
    assert found.kind is VerdictKind.BLOCK and "first file alone" in found.evidence


# -- the tool


def checksum(*lines: str) -> JobEnd:
    text = ["Initiating CHECKSUM mode...", *lines, "", success_line(16), ""]
    return ended("eseutil", output="\r\n".join(text).encode(), result={"error_output": ""})


COUNTS = ("100 pages seen", "0 bad checksums", "3 uninitialized pages", "0 wrong page numbers")


def test_a_checksum_run_counts_for_both_files_only_when_it_names_the_second() -> None:
    where = subject(Action.DETECT_ERRORS, lane=LANE)
    named = f"  Streaming File: {STM.replace('.stm', '.STM')}"
    good = judge_job(where, checksum(named, *COUNTS))
    assert good.outcome is OutcomeKind.DONE and good.result["pages_seen"] == 100
    both = judge_job(where, checksum(named, *COUNTS, *COUNTS))
    assert both.result["pages_seen"] == 200
    unnamed = judge_job(where, checksum(*COUNTS))
    assert "does not name the streaming file" in why_failed(unnamed)
    cut = judge_job(where, checksum(named, *COUNTS[:3]))
    assert "did not count" in why_failed(cut) and "wrong page numbers" in why_failed(cut)
    bad = judge_job(where, checksum(named, *COUNTS, "1 bad checksums", *COUNTS[2:]))
    assert bad.outcome is OutcomeKind.FAILED


# -- by hand


def records(*done: Action, failed: Mapping[Action, Mapping[str, Any]] | None = None) -> RunState:
    steps: dict[str, StepRecord] = {}
    for step in LANE.steps:
        if step.action in done:
            steps[step.id] = StepRecord(
                step=step.id, attempts=1, outcome=OutcomeKind.DONE, result={}
            )
        if failed and step.action in failed:
            steps[step.id] = StepRecord(
                step=step.id, attempts=9, outcome=OutcomeKind.FAILED, result=failed[step.action]
            )
    return RunState(steps=steps)


def test_what_a_person_types_moves_both_files() -> None:
    said = by_hand_after_swap(LANE, records(Action.DISMOUNT, Action.SWAP))
    assert any("DB05.stm.before-" in each and "DB05.stm.rebuilt-" in each for each in said)
    lost = {Action.SWAP_BACK: {"code": "file-not-found"}}
    copied = by_hand_after_swap(LANE, records(Action.DISMOUNT, Action.SWAP, failed=lost))
    assert sum(each.startswith("Copy-Item") for each in copied) == 2
    one = [s for s in LANE.steps if s.action is Action.SET_ASIDE][0]
    state_of = records(Action.DISMOUNT, Action.SWAP, failed=lost)
    done = StepRecord(step=one.id, attempts=1, outcome=OutcomeKind.DONE, result={})
    less = by_hand_after_swap(LANE, RunState(steps={**state_of.steps, one.id: done}))
    assert len(less) < len(copied)


def test_commands_are_not_cmdlets_where_there_are_none() -> None:
    done = records(Action.DISMOUNT, Action.SET_MOUNT_AT_STARTUP, failed={Action.MOUNT: {"why": ""}})
    said = commands_for(LANE, done)
    assert any("Exchange System Manager: Mount Store" in each for each in said)
    assert not any("Mount-Database" in each or "Get-MailboxDatabase" in each for each in said)


def test_a_doubt_is_resumed_where_no_cmdlet_could_look() -> None:
    mount = step_of(Action.MOUNT)
    doubt = StepRecord(step=mount.id, attempts=1, is_in_doubt=True)
    steps = {**records(Action.DISMOUNT).steps, mount.id: doubt}
    said = commands_for(LANE, RunState(run="r-1", steps=steps))
    assert said[0] == "goexchange resume r-1"
    assert not any("Get-MailboxDatabase" in each for each in said)


# -- the proof of a backup


def test_a_backup_there_is_proved_by_the_time_that_its_own_events_tell() -> None:
    plain = seen(backup_events=())
    assert backup_proof(subject(Action.PROVE_BACKUP, MADE), plain)["event_completed"] is False
    told = evolve(plain, generation=Generation.EXCHANGE_2003)
    assert backup_proof(subject(Action.PROVE_BACKUP, MADE), told)["event_completed"] is True
    assert backup_proof(subject(Action.PROVE_BACKUP), told)["event_completed"] is False
    assert database().streaming_path == STM
