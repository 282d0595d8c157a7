"""The guard of a repair: damage that was seen, and the damaged file kept as it was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from goexchange.guard.evaluate import at_plan, before_step
from goexchange.model import actual
from goexchange.model.plan import Action, Plan, Step, Verdict, VerdictKind
from goexchange.model.run import OutcomeKind, StepRecord
from goexchange.plan.planner import make_draft
from goexchange.plan.sealing import seal
from tests.unit.plan.builders import (
    GIB,
    IN_WINDOW,
    NOW,
    database,
    host,
    inventory,
    record,
    server,
    spec,
    state,
)

FOLDER = "\\\\backup01\\exchange$\\EX01\\DB05\\20261125T120000Z-evidence"
DB = {"size_bytes": 98 * GIB, "sha256": "1" * 64}
FILES = [
    {"path": f"{FOLDER}\\DB05.edb", **DB},
    {"path": f"{FOLDER}\\E0500000001.log", "size_bytes": 1048576, "sha256": "2" * 64},
    {"path": f"{FOLDER}\\E05.log", "size_bytes": 1048576, "sha256": "3" * 64},
]
SOURCES = [
    {**one, "path": one["path"].replace(FOLDER, "L:\\DB05")} for one in FILES
]
LOGS = ("E0500000001.log", "E05.log", "E05tmp.log", "E05res00001.jrs", "E05.chk")
HEADER = {
    "state": 3,
    "headers_alike": True,
    "log_required": [0, 0],
    "page_bytes": 32768,
    "signature": "ab" * 28,
    "size_bytes": 98 * GIB,
    "log_files": [{"path": f"L:\\DB05\\{name}", "size_bytes": 1048576} for name in LOGS],
}
PAGES = {"mode": "checksum", "damage": 2, "pages_seen": 100, "bad_pages": [9, 20]}
GOOD: Mapping[str, Mapping[str, Any]] = {
    "read-header": HEADER,
    "find-damage": PAGES,
    "copy-evidence": {"files": FILES},
    "reread-source": {"files": SOURCES},
    "check-evidence": PAGES,
    "hash-evidence": {"files": list(reversed(FILES))},
    "seal-evidence": {"set_sha256": "5" * 64},
    "hash-for-repair": {"files": [{"path": "D:\\DB05\\gx\\repair-DB05.edb", **DB}]},
}


class Run:
    """What a run has done so far."""

    run = "r-1"

    def __init__(self, plan: Plan, results: Mapping[str, Mapping[str, Any]]) -> None:
        looks = iter((results["find-damage"], {"mode": "integrity", "damage": 0}))
        self.records = {}
        for step in plan.body.lanes[0].steps:
            if step.action.value not in results:
                continue
            result = next(looks) if step.action is Action.FIND_DAMAGE else None
            self.records[step.id] = StepRecord(
                step=step.id,
                outcome=OutcomeKind.DONE,
                result=result or results[step.action.value],
                attempts=1,
            )

    def step(self, step: str) -> StepRecord:
        return self.records.get(step, StepRecord(step=step))


def seen() -> actual.ActualState:
    of = database()
    look = actual.Look(
        kind=actual.LookKind.PAGES, at_utc=NOW - timedelta(days=1), errors=2, warnings=0
    )
    return state(server(databases=(of,), host=host(records=(record(of, looks=(look,)),))))


def plan_of() -> Plan:
    body = make_draft([spec()], inventory(), seen(), now=NOW, repairs=("EX01/DB05",))
    return seal(body, NOW, "me")


def before(action: Action, **differs: Any) -> Verdict:
    plan = plan_of()
    changed = {name.replace("_", "-"): value for name, value in differs.items()}
    results = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}
    step: Step = next(one for one in plan.body.lanes[0].steps if one.action is action)
    verdicts = before_step(plan, step, Run(plan, results), seen(), IN_WINDOW)
    return next(one for one in verdicts if one.guard == "evidence")


@pytest.mark.parametrize("action", [Action.REPAIR, Action.SWAP])
def test_whole_evidence_passes_and_is_called_no_way_back(action: Action) -> None:
    verdict = before(action)
    assert verdict.kind is VerdictKind.PASS
    assert "not a sound way back" in verdict.evidence


def test_it_can_only_be_known_then() -> None:
    verdicts = at_plan(plan_of().body, seen(), NOW)
    found = {one.guard: one for one in verdicts}
    assert found["evidence"].kind is VerdictKind.DUE and "gain" not in found


def with_file(at: int, **differs: Any) -> dict[str, Any]:
    files = [dict(one) for one in FILES]
    files[at] = {**files[at], **differs}
    return {"files": files}


BLOCKED: Mapping[str, tuple[dict[str, Any], str]] = {
    "no damage": ({"find_damage": {**PAGES, "damage": 0, "bad_pages": []},
                   "check_evidence": {**PAGES, "damage": 0, "bad_pages": []}},
                  "nothing to repair"),
    "another second reading": ({"reread_source": {"files": [
        {**SOURCES[0], "sha256": "9" * 64}, *SOURCES[1:]]}}, "second reading of the source"),
    "a source that is gone": ({"reread_source": {"files": SOURCES[:2]}}, "e05.log"),
    "another copy": ({"hash_evidence": with_file(0, sha256="9" * 64)}, "read back differs"),
    "a log that is lacking": (
        {name: {"files": [one for one in files if "E05.log" not in one["path"]]} for name, files in
         (("copy_evidence", FILES), ("reread_source", SOURCES), ("hash_evidence", FILES))},
        "the evidence lacks e05.log"),
    "another size": ({"read_header": {**HEADER, "size_bytes": 97 * GIB}}, "at the size"),
    "other bad pages": ({"check_evidence": {**PAGES, "bad_pages": [9, 21]}}, "other bad pages"),
    "a page less": ({"check_evidence": {**PAGES, "pages_seen": 99}}, "other bad pages"),
    "pages not looked at": ({"find_damage": {"mode": "integrity", "damage": 1}},
                            "were not looked at"),
    "another working copy": ({"hash_for_repair": {"files": [
        {"path": "D:\\x.edb", **DB, "sha256": "9" * 64}]}}, "the working copy is not"),
    "no working copy": ({"hash_for_repair": {"files": []}}, "the working copy is not"),
}  # fmt: skip


@pytest.mark.parametrize("case", BLOCKED)
def test_anything_else_blocks(case: str) -> None:
    differs, text = BLOCKED[case]
    verdict = before(Action.REPAIR, **differs)
    assert verdict.kind is VerdictKind.BLOCK, verdict
    assert text in verdict.evidence and verdict.remedy


@pytest.mark.parametrize("name", [one for one in GOOD if one != "find-damage"])
def test_a_step_that_has_not_ended_well_is_unknown(name: str) -> None:
    verdict = before(Action.REPAIR, **{name.replace("-", "_"): None})
    assert verdict.kind is VerdictKind.UNKNOWN


def test_a_lane_without_its_steps_is_refused() -> None:
    plan = plan_of()
    lane = plan.body.lanes[0]
    fewer = evolve(
        lane, steps=tuple(one for one in lane.steps if one.action is not Action.REREAD_SOURCE)
    )
    changed = evolve(plan, body=evolve(plan.body, lanes=(fewer,)))
    step = next(one for one in fewer.steps if one.action is Action.REPAIR)
    verdicts = before_step(changed, step, Run(changed, GOOD), seen(), IN_WINDOW)
    verdict = next(one for one in verdicts if one.guard == "evidence")
    assert verdict.kind is VerdictKind.BLOCK and "reread-source" in verdict.evidence
