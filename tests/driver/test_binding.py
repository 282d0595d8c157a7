"""What a step takes from earlier ones: a value that is known, or no step at all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from goexchange.driver.binding import Unbound, value_of
from goexchange.driver.calls import bound, bound_probe
from goexchange.errors import ExitCode
from goexchange.journal.replay import RunState
from goexchange.model.plan import Action, Binding, BindingKind, RunsWhen, ScriptCall
from goexchange.model.run import LaneState, OutcomeKind, RecordKind, StepRecord
from goexchange.plan.calls import controller
from tests.driver.alone import step_in
from tests.driver.plans import NOW, plan_of, rebuild_lane, with_step
from tests.driver.twin import Twin, drive, machine_of

LANE = rebuild_lane()
PLAN = plan_of(LANE)
HEADER, BACKUP = step_in(LANE, Action.READ_HEADER).id, step_in(LANE, Action.ONLINE_BACKUP).id


def value(kind: BindingKind, *, of: str, record: StepRecord | None, plan: Any = PLAN) -> Any:
    state = RunState(steps={} if record is None else {record.step: record})
    binding = Binding(argument="it", kind=kind, step=of)
    return value_of(binding, plan, state, of=step_in(plan.body.lanes[0], Action.COPY_SET))


def done(step: str, result: dict[str, Any] | None, **differs: Any) -> StepRecord:
    return StepRecord(
        step=step, attempts=1, outcome=OutcomeKind.DONE, result=result, **differs
    )


@pytest.mark.parametrize(
    "record",
    [
        None,
        StepRecord(step=HEADER, attempts=1, outcome=OutcomeKind.FAILED, result={"signature": "s"}),
        done(HEADER, None),
    ],
)
def test_only_what_took_effect_has_a_value(record: StepRecord | None) -> None:
    with pytest.raises(Unbound, match="has no result"):
        value(BindingKind.SIGNATURE, of=HEADER, record=record)


def test_a_result_of_another_form_is_not_guessed() -> None:
    with pytest.raises(Unbound, match="it of .* is not known: KeyError"):
        value(BindingKind.SIGNATURE, of=HEADER, record=done(HEADER, {"state": "clean"}))


def test_a_beginning_is_of_the_hosts_clock_or_of_ours_or_unknown() -> None:
    host = done(BACKUP, {"started_at_utc": "2026-11-22T21:00:00Z"}, first_sent_at_utc=NOW)
    ours = done(BACKUP, {}, first_sent_at_utc=NOW + timedelta(seconds=1))
    failed = StepRecord(step=BACKUP, attempts=1, first_sent_at_utc=NOW)
    kind = BindingKind.STARTED_AT
    assert value(kind, of=BACKUP, record=host) == "2026-11-22T21:00:00Z"
    assert value(kind, of=BACKUP, record=ours) == "2026-11-22T20:00:01Z"
    assert value(kind, of=BACKUP, record=failed) == "2026-11-22T20:00:00Z"
    with pytest.raises(Unbound, match="was not sent"):
        value(kind, of=BACKUP, record=None)


def test_the_files_of_a_set_need_the_header_and_the_sets_place() -> None:
    with pytest.raises(Unbound, match="no step nowhere"):
        value(BindingKind.FILES_BY_RULE, of="nowhere", record=None)
    night = Twin()
    drive(machine_of(PLAN, night), night)
    result = next(
        one.data["result"]
        for one in night.journal
        if one.kind is RecordKind.OUTCOME and one.data["step"] == HEADER
    )
    record = done(HEADER, dict(result))
    assert value(BindingKind.FILES_BY_RULE, of=HEADER, record=record)
    no_set = evolve(
        LANE, steps=tuple(each for each in LANE.steps if each.action is not Action.SEAL_SET)
    )
    with pytest.raises(Unbound, match="seals no set"):
        value(BindingKind.FILES_BY_RULE, of=HEADER, record=record, plan=plan_of(no_set))


def test_a_step_that_misses_its_value_is_left_out_and_mail_comes_back() -> None:
    lost = Binding(argument="files", kind=BindingKind.FILES_BY_RULE, step="EX01/DB05/99-gone")
    lane, twin = with_step(LANE, Action.COPY_SET, binds=(lost,)), Twin()
    result = drive(machine_of(plan_of(lane), twin), twin)
    assert (result.exit_code, result.databases[0].state) == (ExitCode.STOPPED, LaneState.FAILED)
    assert "unbound" in result.databases[0].why and twin.is_mounted
    assert not twin.effects["job copy-files"] and not twin.effects["swap"]


def test_what_only_the_probe_takes_is_not_sent_and_the_other_way_round() -> None:
    swap = step_in(LANE, Action.SWAP)
    header = done(HEADER, {"slots_sha256": "a" * 64})
    state = RunState(steps={HEADER: header})
    only_probe = Binding(argument="original_sha256", kind=BindingKind.HEADER_DIGEST, step=HEADER)
    only_call = Binding(argument="fence", kind=BindingKind.HEADER_DIGEST, step=HEADER)
    probe = bound_probe(evolve(swap, binds=(only_probe, only_call)), PLAN, state)
    assert probe is not None and isinstance(probe.call, ScriptCall)
    assert probe.call.arguments["original_sha256"] == "a" * 64
    assert "fence" not in probe.call.arguments


def test_a_controllers_own_work_takes_values_too() -> None:
    proof = step_in(LANE, Action.PROVE_BACKUP)
    record = done(BACKUP, {"started_at_utc": "2026-11-22T21:00:00Z"})
    call = bound(proof, PLAN, RunState(steps={BACKUP: record}))
    assert getattr(call, "arguments", {})["started_at"] == "2026-11-22T21:00:00Z"


def test_work_that_the_controller_does_not_know_fails_its_lane() -> None:
    lane = with_step(LANE, Action.VERIFY_SET, call=controller("divine", {}), binds=())
    twin = Twin()
    result = drive(machine_of(plan_of(lane), twin), twin)
    assert result.exit_code == ExitCode.STOPPED
    assert "'divine' is no work of the controller" in result.databases[0].why
    assert twin.is_mounted and twin.files == {**twin.files, "D:\\DB05\\DB05.edb": "old"}


def test_a_lane_of_nothing_but_cmdlets_touches_no_host() -> None:
    """It is not claimed, and keeps no copy of the run: no call names a folder on it."""
    mount = evolve(step_in(LANE, Action.MOUNT), runs_when=RunsWhen.ALL_WELL, guards=())
    twin = Twin(is_mounted=False)
    result = drive(machine_of(plan_of(evolve(LANE, steps=(mount,))), twin), twin)
    assert twin.is_mounted and not twin.kept and not twin.claimed
    assert result.exit_code in (ExitCode.OK, ExitCode.UNPROTECTED)
