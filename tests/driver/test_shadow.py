"""A backup by diskshadow as its job tells it: copied and verified before its end, or not done."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from goexchange.driver.judge import judge_job
from goexchange.driver.judgement import JobEnd, Judgement, Subject
from goexchange.journal.replay import RunState
from goexchange.model.plan import Action, JobCall
from tests.driver.plans import plan_of, rebuild_lane

CASES = Path(__file__).parents[1] / "cases" / "facts"
PRINTED = (CASES / "diskshadow" / "exposed.txt").read_bytes()
SOUND = (CASES / "eseutil-checksum" / "clean.txt").read_bytes()
EDB = "F:\\online\\EX01\\online\\T\\D\\DB05\\DB05.edb"
REQUEST = {
    "target": "F:\\online\\EX01\\online\\T",
    "volumes": ["D:\\"],
    "eseutil": "C:\\bin\\eseutil.exe",
    "databases": [
        {"path": "D:\\DB05\\DB05.edb", "log_folder": "D:\\DB05", "log_prefix": "E00"}
    ],
}


def result(**changes: Any) -> dict[str, Any]:
    """What the job of a backup that went well writes down."""
    copied = {
        "at": "2026-11-28T22:10:00Z",
        "files": [{"path": EDB, "size_bytes": 5, "sha256": "a", "read_sha256": "a"}],
        "checks": [
            {"path": EDB, "exit_code": 0, "output": base64.b64encode(SOUND).decode()}
        ],
        "message": None,
    }
    plain: dict[str, Any] = {"ended": True, "left": [], "error_output": ""}
    return {**plain, "copied": {**copied, **changes.pop("copied", {})}, **changes}


def judged(
    seen: dict[str, Any] | None, *, exit_code: int = 0, output: bytes = PRINTED
) -> Judgement:
    lane = rebuild_lane()
    [step] = [each for each in lane.steps if each.action is Action.ONLINE_BACKUP]
    assert isinstance(step.call, JobCall)
    step = evolve(step, call=evolve(step.call, kind="diskshadow", request=REQUEST))
    plan = plan_of(lane)
    end = JobEnd(
        kind="diskshadow",
        exit_code=exit_code,
        output=output,
        result=seen or {},
        seconds=1.0,
        started_at_utc="2026-11-28T22:00:00Z",
        watched={},
    )
    return judge_job(Subject(plan=plan, lane=lane, step=step, state=RunState()), end)


def test_done_with_a_copy_that_was_verified_and_a_backup_that_was_ended() -> None:
    found = judged(result())
    assert found.is_done and found.findings == ()
    assert found.result["copy_at_utc"] == "2026-11-28T22:10:00Z"
    assert found.result["shadow_set"] == "{c0ffee00-2222-4d52-8f5a-4dd2f6b7a903}"
    german = judged(result(), output=(CASES / "diskshadow" / "german.txt").read_bytes())
    assert german.is_done and german.result["shadow_set"] is None


DIFFERS = {"files": [{"path": EDB, "size_bytes": 5, "sha256": "a", "read_sha256": "b"}]}
UNCHECKED: dict[str, Any] = {"checks": []}
CUT = {"checks": [{"path": EDB, "exit_code": 0, "output": base64.b64encode(SOUND[:90]).decode()}]}
SAID = base64.b64encode(SOUND).decode()
BAD = {"checks": [{"path": EDB, "exit_code": -1206, "output": SAID}]}
UNREAD = {"checks": [{"path": EDB, "exit_code": None, "output": ""}]}

_END_ALONE = b"Operation completed successfully in 1.0 seconds.\r\n"
UNCOUNTED = {  # it ended well, and does not say what it has seen
    "checks": [
        {"path": EDB, "exit_code": 0, "output": base64.b64encode(_END_ALONE).decode()}
    ]
}


@pytest.mark.parametrize(
    ("seen", "exit_code", "words"),
    [
        (None, -1, "could not be run"),
        (result(copied={}) | {"copied": None, "ended": False}, 1, "before anything was copied"),
        (result(copied={"message": "the disk is full"}, ended=False), 1, "no logs were truncated"),
        (result(copied={"message": "the disk is full"}), 0, "yet the backup was ended"),
        (result(copied=DIFFERS), 0, "the copy is not what was read"),
        (result(copied={"files": []}), 0, "there is no verified copy of D:\\DB05\\DB05.edb"),
        (result(copied=UNCHECKED), 0, "there is no verified copy of D:\\DB05\\DB05.edb"),
        (result(copied=CUT), 0, "is not verified"),
        (result(copied=BAD), 0, "eseutil /k ended with -1206"),
        (result(copied=UNREAD), 0, "is not verified"),
        (result(copied=UNCOUNTED), 0, "is not verified"),
        (result(ended=False), 1, "never came past the end"),
        (result(), 3, "diskshadow ended with 3"),
    ],
)
def test_anything_else_is_a_failure_with_its_reason(
    seen: dict[str, Any] | None, exit_code: int, words: str
) -> None:
    found = judged(seen, exit_code=exit_code)
    assert not found.is_done
    assert words in str(found.result["why"])
    assert found.result.get("copy_at_utc") is None


def test_shadow_copies_that_stay_are_a_warning() -> None:
    found = judged(result(left=["C:\\gx\\jobs\\x1\\shadow-1"]))
    assert found.is_done
    assert "exposed as C:\\gx\\jobs\\x1\\shadow-1" in found.findings[0].text
