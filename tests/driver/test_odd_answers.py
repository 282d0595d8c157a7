"""Answers of hosts and tools that are not what was asked for: none of them is ever a success."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from goexchange.backup.manifest import content_digest
from goexchange.driver.headers import header_facts, reading_of
from goexchange.driver.judge import judge_answer, judge_job
from goexchange.driver.judge_backups import LIMIT, NOT_STARTED, RUNNING_ALREADY
from goexchange.driver.judgement import JobEnd, Judgement, Subject
from goexchange.errors import UnexpectedOutput
from goexchange.journal.replay import RunState
from goexchange.model.plan import Action, Lane, Step
from goexchange.model.run import OutcomeKind, StepRecord
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import host_job, host_script
from tests.driver.plans import ORIGINAL, SERVER, TEMPORARY, plan_of, rebuild_lane
from tests.driver.twin import Twin, eseutil_output, slots_of

LANE = rebuild_lane(verify_set=True)


def step_of(lane: Lane, action: Action) -> Step:
    return next(step for step in lane.steps if step.action is action)


def subject(
    action: Action, known: Mapping[Action, Mapping[str, Any]] | None = None, *, lane: Lane = LANE
) -> Subject:
    """A step, and the results of others before it."""
    steps = {
        step.id: StepRecord(step=step.id, attempts=1, outcome=OutcomeKind.DONE, result=result)
        for done, result in (known or {}).items()
        for step in lane.steps
        if step.action is done
    }
    state = RunState(steps=steps)
    return Subject(plan=plan_of(lane), lane=lane, step=step_of(lane, action), state=state)


def ended(kind: str, **differs: Any) -> JobEnd:
    values = {"kind": kind, "exit_code": 0, "output": b"", "result": {}, "seconds": 1.0}
    return JobEnd(**{**values, **differs})


def why_failed(judgement: Judgement) -> str:
    assert judgement.outcome is OutcomeKind.FAILED
    return str(judgement.result["why"])


# -- headers


def header_answer(file: str, path: str = ORIGINAL, **differs: Any) -> dict[str, Any]:
    twin = Twin(is_mounted=False, files={path: file})
    return {**twin._read_header({"path": path}), **differs}


def test_a_header_dump_that_cannot_be_read_is_no_header() -> None:
    printed = base64.b64encode(b"JET_errSomethingNew").decode()
    answer = header_answer("old", eseutil={"exit_code": 0, "output": printed, "error_output": ""})
    found = judge_answer(subject(Action.READ_HEADER), answer)
    assert "header dump cannot be read" in why_failed(found)


def test_two_bad_copies_of_a_header_are_no_header() -> None:
    answer = header_answer("old", slots=base64.b64encode(b"\x01" * 65536).decode())
    assert "no copy of the header is good" in why_failed(
        judge_answer(subject(Action.READ_HEADER), answer)
    )


def test_eseutil_and_our_own_reading_must_agree() -> None:
    dirty = header_answer("dirty")["eseutil"]
    found = judge_answer(subject(Action.READ_HEADER), header_answer("old", eseutil=dirty))
    assert "disagree" in why_failed(found)
    found = judge_answer(
        subject(Action.READ_HEADER),
        header_answer("old", eseutil={**header_answer("old")["eseutil"], "exit_code": -1206}),
    )
    assert "disagree" in why_failed(found)


ORIGINAL_HEADER = header_facts(slots_of("old"))


@pytest.mark.parametrize(
    ("file", "original", "why"),
    [
        ("old", ORIGINAL_HEADER, "has the signature of the original"),
        ("new", {**ORIGINAL_HEADER, "page_bytes": 4096}, "has another page size"),
        ("dirty", ORIGINAL_HEADER, "the rebuilt file was not shut down cleanly"),
    ],
)
def test_a_rebuilt_file_that_is_not_one_is_refused(
    file: str, original: dict[str, Any], why: str
) -> None:
    judged = subject(Action.READ_TEMPORARY_HEADER, {Action.READ_HEADER: original})
    found = judge_answer(judged, header_answer(file, TEMPORARY))
    assert why in why_failed(found)


def test_a_rebuilt_file_without_an_original_to_compare_with_is_refused() -> None:
    found = judge_answer(subject(Action.READ_TEMPORARY_HEADER), header_answer("new", TEMPORARY))
    assert why_failed(found) == "read-header has no result to compare with"


def test_a_rebuilt_file_with_one_bad_header_copy_is_refused() -> None:
    good = slots_of("new")
    torn = good[: len(good) // 2] + bytes(100) + good[len(good) // 2 + 100 :]
    answer = header_answer("new", TEMPORARY, slots=base64.b64encode(torn).decode())
    judged = subject(Action.READ_TEMPORARY_HEADER, {Action.READ_HEADER: ORIGINAL_HEADER})
    assert "the header copies of the rebuilt file differ" in why_failed(
        judge_answer(judged, answer)
    )


def test_an_earlier_file_that_is_not_clean_does_not_return() -> None:
    lane = LaneBuilder("EX01/DB05", SERVER, database="DB05", database_guid="g")
    call = step_of(LANE, Action.READ_HEADER).call
    lane.add(Action.READ_RETURNED_HEADER, call, summary="header")
    judged = subject(Action.READ_RETURNED_HEADER, lane=lane.lane())
    assert judge_answer(judged, header_answer("old")).is_done
    assert "the earlier file was not shut down cleanly" in why_failed(
        judge_answer(judged, header_answer("dirty"))
    )


def test_the_header_of_unlike_copies_is_never_used() -> None:
    with pytest.raises(ValueError, match="not good and alike"):
        reading_of({**ORIGINAL_HEADER, "headers_alike": False})
    assert header_facts(b"\x01" * 65536)["signature"] is None


def test_an_answer_of_another_shape_is_a_failure_with_its_reason() -> None:
    found = judge_answer(subject(Action.READ_HEADER), {"slots": 7})
    assert "an answer of unexpected shape" in why_failed(found)


def test_output_that_a_parser_refuses_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Judgement:
        raise UnexpectedOutput("half a line")

    from goexchange.driver import judge

    answers = {**judge._ANSWERS, Action.READ_HEADER: refuse}
    monkeypatch.setattr(judge, "_ANSWERS", answers)
    found = judge_answer(subject(Action.READ_HEADER), header_answer("old"))
    assert why_failed(found) == "unknown output: half a line"


# -- copies


def test_a_job_without_a_list_of_files_has_copied_nothing() -> None:
    found = judge_job(subject(Action.COPY_SET), ended("copy-files", exit_code=3))
    assert "left no list of files" in why_failed(found)
    assert found.result["exit_code"] == 3


def test_what_was_restored_is_compared_and_gets_its_own_digest() -> None:
    lane = LaneBuilder("EX01/DB05", SERVER, database="DB05", database_guid="g")
    files = [{"path": "D:\\r\\DB05.edb", "size_bytes": 5, "sha256": "aa"}]
    lane.add(Action.COPY_FROM_SET, host_job("copy-files", {"files": []}), summary="copy")
    lane.add(Action.HASH_FROM_SET, host_job("hash-files", {"files": []}), summary="digest")
    judged = subject(
        Action.HASH_FROM_SET, {Action.COPY_FROM_SET: {"files": files}}, lane=lane.lane()
    )
    found = judge_job(judged, ended("hash-files", result={"files": files}))
    assert found.is_done
    assert found.result["content_sha256"] == content_digest([("D:\\r\\DB05.edb", 5, "aa")])
    other = [{**files[0], "sha256": "bb"}]
    found = judge_job(judged, ended("hash-files", result={"files": other}))
    assert "the copy differs from its source: db05.edb" in why_failed(found)


def test_an_export_with_a_part_missing_is_no_export() -> None:
    lane = LaneBuilder("EX01/DB05", SERVER, database="DB05", database_guid="g")
    lane.add(Action.EXPORT_CONFIGURATION, host_job("export-configuration", {}), summary="export")
    judged = subject(Action.EXPORT_CONFIGURATION, lane=lane.lane())
    good = ended("export-configuration", result={"files": [], "missing": []})
    assert judge_job(judged, good).is_done
    lacking = ended("export-configuration", result={"files": [], "missing": ["registry"]})
    assert why_failed(judge_job(judged, lacking)) == "not everything was exported: registry"
    bad = ended("export-configuration", exit_code=5, result={"files": [], "missing": []})
    assert why_failed(judge_job(judged, bad)) == "not everything was exported: 5"


# -- eseutil


def test_eseutil_without_an_exit_code_or_a_last_line_has_not_ended_well() -> None:
    judged = subject(Action.REBUILD)
    output = eseutil_output("/d", is_bad=False)
    no_code = judge_job(judged, ended("eseutil", output=output, exit_code=None))
    assert why_failed(no_code) == "eseutil /d: it left no exit code"
    assert no_code.output
    no_end = judge_job(judged, ended("eseutil", output=b"Initiating DEFRAGMENTATION mode...\r\n"))
    assert why_failed(no_end).startswith("eseutil /d: ")


# -- an agent's backup

STATES = [
    {"prints": "running", "means": "running"},
    {"prints": "done", "means": "succeeded"},
    {"prints": "bad", "means": "failed"},
]


def agent_subject() -> Subject:
    lane = LaneBuilder("EX01/DB05", SERVER, database="DB05", database_guid="g")
    request = {"start": ["agent", "go"], "states": STATES}
    lane.add(Action.ONLINE_BACKUP, host_job("agent", request), summary="backup")
    return subject(Action.ONLINE_BACKUP, lane=lane.lane())


def looks(*texts: str) -> list[dict[str, Any]]:
    return [
        {"exit_code": 0, "output": base64.b64encode(text.encode()).decode()} for text in texts
    ]


def judged_agent(end: str, *texts: str, **differs: Any) -> Judgement:
    seen = {
        "ended": end,
        "start_exit_code": 0,
        "stop_exit_code": None,
        "looks": looks(*texts),
        "copies_before": "",
        "copies_after": "",
        **differs,
    }
    return judge_job(agent_subject(), ended("agent", result=seen))


@pytest.mark.parametrize(
    ("end", "texts", "differs", "why"),
    [
        (RUNNING_ALREADY, ["running"], {}, "running already: none was started"),
        (NOT_STARTED, ["done"], {"start_exit_code": None}, "start command could not be started"),
        (NOT_STARTED, ["done"], {"start_exit_code": 9}, "start command ended with 9"),
        ("state", ["done"], {}, "was not asked for after the start"),
        ("state", ["done", "who knows"], {}, "the state of the agent's backup is unknown"),
        ("state", ["running", "bad"], {}, "the agent says that its backup has failed"),
        (LIMIT, ["done", "running"], {}, "within its time limit; it was left running"),
        (LIMIT, ["done", "running"], {"stop_exit_code": 0}, "its stop command ended with 0"),
        ("state", ["done", "running"], {}, "did not end within its time limit"),
    ],
)
def test_what_an_agent_says_is_a_success_only_in_the_operators_word_for_it(
    end: str, texts: list[str], differs: dict[str, Any], why: str
) -> None:
    assert why in why_failed(judged_agent(end, *texts, **differs))


def test_an_agent_that_could_not_be_watched_has_not_succeeded() -> None:
    found = judge_job(agent_subject(), ended("agent", output=b"access denied\r\n"))
    assert why_failed(found) == "the agent could not be watched: access denied"


def test_a_success_that_was_never_seen_running_is_told() -> None:
    found = judged_agent("state", "done", "done")
    assert found.is_done
    assert "never seen running" in found.findings[0].text
    assert not judged_agent("state", "done", "running", "done").findings


# -- the rest


def test_a_script_that_is_only_asked_has_its_answer_as_result() -> None:
    lane = LaneBuilder("EX01/DB05", SERVER, database="DB05", database_guid="g")
    call = host_script("delete-temporary", {"root": "r", "path": "p", "within": "w"})
    lane.add(Action.DELETE_TEMPORARY, call, summary="delete")
    judged = subject(Action.DELETE_TEMPORARY, lane=lane.lane())
    assert judge_answer(judged, {"was_present": True}).result == {"was_present": True}
