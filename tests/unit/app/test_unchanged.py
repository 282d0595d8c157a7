"""Which inputs of a plan are documents whose change makes it stale."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from goexchange.app.approving import require_unchanged
from goexchange.codec import sha256
from goexchange.errors import PlanStale
from goexchange.model.plan import Plan, PlanInput
from tests.driver.plans import plan_of, verify_lane


def plan_with(*inputs: PlanInput) -> Plan:
    made = plan_of(verify_lane())
    return evolve(made, body=evolve(made.body, inputs=inputs))


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("kind", ["History", "BackupSet", "Run"])
def test_what_is_no_document_cannot_change_as_one(kind: str) -> None:
    require_unchanged(plan_with(PlanInput(kind=kind, path="store", sha256="0" * 64)))


def test_a_specification_that_changed_or_went_makes_the_plan_stale(tmp_path: Path) -> None:
    file = tmp_path / "weekly.yaml"
    file.write_text("a", "utf-8")
    plan = plan_with(PlanInput(kind="Specification", path="weekly.yaml", sha256=sha256(b"a")))
    require_unchanged(plan)
    file.write_text("b", "utf-8")
    with pytest.raises(PlanStale):
        require_unchanged(plan)
    file.unlink()
    with pytest.raises(PlanStale):
        require_unchanged(plan)
