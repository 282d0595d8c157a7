"""The verb `drift`: a plan that is only reported, and what the last runs left behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from goexchange.app.planning import PlanRequest, make_plan, read_plan
from goexchange.driver.lanes import happened
from goexchange.errors import GoexchangeError
from goexchange.journal.replay import RunState, replay
from goexchange.model.drift import Baseline, DriftReport
from goexchange.model.plan import Action, Plan
from goexchange.plan.drift import drift_of
from goexchange.store.journal_file import read_journal
from goexchange.store.runs import Runs


def look_for_drift(request: PlanRequest, *, tolerance: float) -> DriftReport:
    """Observe, plan, compare.

    Raises: Unreachable, AuthenticationRefused, InvalidDocument; nothing is changed or saved.
    """
    plan = make_plan(request)
    baselines = baselines_of(Path(request.settings.store))
    return drift_of(plan.body, baselines, tolerance=tolerance)


def baselines_of(store: Path) -> dict[str, Baseline]:
    """What the last run that began knew of each server, and which run left which record."""
    found: dict[str, Baseline] = {}
    records: dict[str, str] = {}
    for plan, state, last in _runs(store):
        for guid, run in _records(plan, state):
            records.setdefault(guid, run)
        touched = {lane.server for lane in plan.body.lanes}
        for server in plan.body.facts.servers:
            if server.name in touched and server.name not in found:
                found[server.name] = Baseline(
                    run=state.run or "", ended_at_utc=last, server=server, records=records
                )
    return found


def _runs(store: Path) -> Iterator[tuple[Plan, RunState, datetime]]:
    """The runs that began, newest first; one that cannot be read is no baseline."""
    for folder in reversed(Runs(store).list()):
        try:
            plan = read_plan(str(folder.plan_path))
            state = replay(read_journal(folder.journal_path).records)
        except (GoexchangeError, KeyError, ValueError):  # damaged, or of a version not ours
            continue
        if state.run is not None and state.last is not None:
            yield plan, state, state.last.at_utc


def _records(plan: Plan, state: RunState) -> Iterator[tuple[str, str]]:
    for lane in plan.body.lanes:
        written = any(
            step.action is Action.WRITE_DATABASE_RECORD and happened(state.step(step.id))
            for step in lane.steps
        )
        if written and lane.database_guid is not None:
            yield lane.database_guid, state.run or ""
