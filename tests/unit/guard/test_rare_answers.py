"""Questions that a plan of ours would not put, and facts that are hardly ever so: never a pass by
accident.
"""

from __future__ import annotations

import pytest
from attrs import evolve

from goexchange.guard.approval import check_approval
from goexchange.guard.evaluate import NoSuchGuard, at_plan, before_step
from goexchange.guard.guard import FactUnknown, Moment, Question
from goexchange.guard.premises import failures
from goexchange.guard.resources import resource_check
from goexchange.guard.waiting import in_the_way
from goexchange.model import actual, desired
from goexchange.model.plan import Action, FactClass, JobCall, Operator, Plan, VerdictKind
from goexchange.model.run import StepRecord
from goexchange.model.unknown import Unknown
from goexchange.plan.planner import make_draft
from goexchange.plan.sealing import seal
from tests.unit.plan.builders import (
    GIB,
    IN_WINDOW,
    NOW,
    at,
    database,
    host,
    inventory,
    server,
    spec,
    state,
    volume,
)

SILENT = Unknown("nobody answered")
BLOCK, UNKNOWN, DUE = VerdictKind.BLOCK, VerdictKind.UNKNOWN, VerdictKind.DUE


class NothingDone:
    """A run whose steps have not been sent."""

    run = "r-1"

    def step(self, step: str) -> StepRecord:
        return StepRecord(step=step)


def plan_of(**differs: object) -> Plan:
    return seal(make_draft([spec(**differs)], inventory(), state(), now=NOW), NOW, "me")


def without(plan: Plan, *actions: Action) -> Plan:
    (lane,) = plan.body.lanes
    steps = tuple(step for step in lane.steps if step.action not in actions)
    return evolve(plan, body=evolve(plan.body, lanes=(evolve(lane, steps=steps),)))


def asked(plan: Plan, guard: str, seen: actual.ActualState | None = None) -> tuple[object, str]:
    """The verdict of a guard when the plan is made."""
    verdicts = at_plan(plan.body, seen or state(), NOW)
    found = next(each for each in verdicts if each.guard == guard)
    return found.kind, found.evidence


def question(plan: Plan, seen: actual.ActualState) -> Question:
    return Question(
        body=plan.body, lane=plan.body.lanes[0], actual=seen, now=NOW, moment=Moment.STEP
    )


def test_a_plan_that_needs_no_consent_needs_no_approval() -> None:
    plan = plan_of()
    free = evolve(plan, body=evolve(plan.body, consents=()))
    assert check_approval(free, None, NOW).kind is VerdictKind.PASS
    needs = evolve(plan, body=evolve(plan.body, consents=plan.body.consents[:1]))
    if plan.body.consents:
        assert check_approval(needs, None, NOW).kind is BLOCK


def test_a_guard_that_does_not_exist_is_no_pass() -> None:
    plan = plan_of()
    (lane,) = plan.body.lanes
    step = evolve(lane.steps[0], guards=("luck",))
    body = evolve(plan.body, lanes=(evolve(lane, steps=(step, *lane.steps[1:])),))
    changed = evolve(plan, body=body)
    with pytest.raises(NoSuchGuard, match="no guard 'luck'"):
        before_step(changed, step, NothingDone(), state(), IN_WINDOW)


def test_a_running_windows_backup_is_in_the_way() -> None:
    idle = host().windows_backup
    assert isinstance(idle, actual.WindowsBackup)
    busy = state(server(host=host(windows_backup=evolve(idle, is_running=True))))
    kind, evidence = asked(plan_of(), "no-backup-running", busy)
    assert kind is BLOCK and "Windows Server Backup is running a job" in evidence
    assert "Windows Server Backup is running a job" in in_the_way(question(plan_of(), busy))


def test_what_cannot_be_seen_is_in_the_way() -> None:
    unseen = state(server(host=SILENT))
    assert any("nobody answered" in each for each in in_the_way(question(plan_of(), unseen)))


@pytest.mark.parametrize("policy", [desired.ConflictPolicy.WAIT])
def test_a_lane_that_waits_for_a_running_backup_is_not_refused(
    policy: desired.ConflictPolicy,
) -> None:
    waits = evolve(spec().conflicts, running=policy, place=at(27))
    idle = host().windows_backup
    assert isinstance(idle, actual.WindowsBackup)
    busy = state(server(host=host(windows_backup=evolve(idle, is_running=True))))
    made = make_draft([spec(conflicts=waits)], inventory(), busy, now=NOW)
    kind, evidence = asked(seal(made, NOW, "me"), "no-backup-running", busy)
    assert kind is DUE and "the lane waits for it" in evidence


def test_a_lane_that_waits_for_what_runs_is_refused_for_what_comes() -> None:
    """Its wait is for running backups alone; one that is scheduled is as it was said: refused."""
    waits = evolve(spec().conflicts, running=desired.ConflictPolicy.WAIT, place=at(27))
    idle = host().windows_backup
    assert isinstance(idle, actual.WindowsBackup)
    due = evolve(idle, next_scheduled_utc=IN_WINDOW)
    seen = state(server(host=host(windows_backup=due)))
    made = make_draft([spec(conflicts=waits)], inventory(), seen, now=NOW)
    kind, evidence = asked(seal(made, NOW, "me"), "no-backup-running", seen)
    assert kind is BLOCK and "Windows Server Backup is scheduled" in evidence


def test_a_lane_without_its_last_look_has_no_limits() -> None:
    with pytest.raises(FactUnknown, match="the plan has no last look for it"):
        _ = question(without(plan_of(), Action.LAST_LOOK), state()).limits
    with pytest.raises(FactUnknown, match="the lane has no such step"):
        question(without(plan_of(), Action.REBUILD), state()).result_of(Action.REBUILD)


def test_a_database_that_the_plan_never_saw_is_not_the_planned_one() -> None:
    plan = plan_of()
    planned = plan.body.facts.servers[0]
    other = server(databases=(database("DB09"),))
    for servers in ((), (evolve(planned, databases=SILENT),), (server("EX09"),), (other,)):
        facts = evolve(plan.body.facts, servers=servers)
        blind = evolve(plan, body=evolve(plan.body, facts=facts))
        kind, evidence = asked(blind, "identity")
        assert kind is BLOCK and "the plan's facts do not hold the database" in evidence


def test_premises_of_no_weight_and_of_another_kind() -> None:
    plan = plan_of()
    premise = next(each for each in plan.body.premises if isinstance(each.value, bool))
    idle = evolve(premise, value=not premise.value, fact_class=FactClass.INFORMATIONAL)
    assert not failures(evolve(plan.body, premises=(idle,)), state())
    other = evolve(premise, operator=Operator.GREATER, value="much")
    (failed,) = failures(evolve(plan.body, premises=(other,)), state())
    assert failed.premise is other


def test_a_swap_without_the_steps_of_a_set_is_blocked() -> None:
    plan = without(plan_of(), Action.HASH_SET)
    swap = next(step for step in plan.body.lanes[0].steps if step.action is Action.SWAP)
    verdicts = before_step(plan, swap, NothingDone(), state(), IN_WINDOW)
    found = next(each for each in verdicts if each.guard == "verified-set")
    assert found.kind is BLOCK and "the plan has no step hash-set" in found.evidence


def test_a_lane_without_a_rebuild_gains_nothing_and_needs_not() -> None:
    kind, evidence = asked(without(plan_of(), Action.REBUILD), "gain")
    assert (kind, evidence) == (VerdictKind.PASS, "no rebuild")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("\\\\backup01\\share\\t.edb", "is not an absolute local path"),
        ("t.edb", "is not an absolute local path"),
        ("E:\\t.edb", "the swap would not be a rename"),
    ],
)
def test_a_temporary_file_elsewhere_is_blocked(path: str, words: str) -> None:
    plan = plan_of()
    (lane,) = plan.body.lanes
    steps = []
    for step in lane.steps:
        if step.action is Action.REBUILD:
            assert isinstance(step.call, JobCall)
            request = {**step.call.request, "must_not_exist": [path]}
            step = evolve(step, call=evolve(step.call, request=request))
        steps.append(step)
    body = evolve(plan.body, lanes=(evolve(lane, steps=tuple(steps)),))
    kind, evidence = asked(evolve(plan, body=body), "temporary-path")
    assert kind is BLOCK and words in evidence


def checked(seen: actual.ActualServer) -> list[str]:
    body = make_draft([spec()], inventory(), state(seen), now=NOW)
    found = resource_check(body, spec(), low_space_threshold_bytes=180 * GIB)
    return [f"{each.address}: {each.text}" for each in found.findings]


def test_a_resource_that_cannot_be_read_is_a_finding() -> None:
    assert any("its host" in each for each in checked(server(host=SILENT)))
    unsized = server(databases=(database(size_bytes=SILENT),))
    assert any("EX01/DB05" in each and "its size" in each for each in checked(unsized))
    assert not any("GiB free" in each for each in checked(server(databases=SILENT)))  # type: ignore[arg-type]


def test_small_figures_are_shown_in_small_units() -> None:
    tiny = database(size_bytes=40 * 1024**2, white_space_bytes=30 * 1024**2)
    roomy = server(databases=(tiny,), host=host(volumes=(volume("D:\\"), volume("L:\\"))))
    assert any("MiB" in each for each in checked(roomy))
