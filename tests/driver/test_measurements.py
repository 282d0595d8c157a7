"""What a run measured, and what the record of its database keeps of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import evolve

from goexchange.driver.measurements import measurements, timings
from goexchange.driver.records import kept_timings
from goexchange.journal.replay import RunState, replay
from goexchange.model.history import Timing, Work
from goexchange.model.plan import Action, Plan
from goexchange.model.run import OutcomeKind
from goexchange.schedule.history import KEPT_MAX
from tests.driver.plans import plan_of, rebuild_lane
from tests.driver.twin import Twin, drive, machine_of


def night() -> tuple[Plan, RunState, Twin]:
    plan, twin = plan_of(rebuild_lane(with_passes=True)), Twin()
    drive(machine_of(plan, twin), twin)
    return plan, replay(twin.journal), twin


def works(plan: Plan, state: RunState) -> list[Work]:
    return [each.work for each in timings(plan, plan.body.lanes[0], state)]


def test_every_kind_of_work_of_a_night_is_measured() -> None:
    plan, state, _ = night()
    found = measurements(plan, state)
    assert {each.timing.work for each in found} == set(Work) - {
        Work.SPACE, Work.SEED, Work.WAIT, Work.STORE_INTEGRITY
    }
    assert {(each.server, each.database) for each in found} == {("EX01", "DB05")}
    assert {each.timing.run for each in found} == {state.run}
    sized = [each.timing for each in found if each.timing.work is not Work.BACKUP_PROOF]
    assert all(each.size_bytes > 0 and each.seconds > 0 for each in sized)


def test_a_wait_is_measured_when_something_was_in_the_way() -> None:
    """One that was over at its first look says nothing of how long others take."""
    plan, state, _ = night()
    lane = plan.body.lanes[0]
    proof = next(each for each in lane.steps if each.action is Action.PROVE_BACKUP)
    assert proof.poll is not None
    sent = state.step(proof.id).last_sent_at_utc
    assert sent is not None
    wait = evolve(proof, action=Action.AWAIT_BACKUPS)
    for seconds in (proof.poll.interval_s - 1, proof.poll.interval_s):
        record = evolve(
            state.step(proof.id), ended_at_utc=sent + timedelta(seconds=seconds), result={}
        )
        steps = {**state.steps, proof.id: record}
        found = list(timings(plan, evolve(lane, steps=(wait,)), evolve(state, steps=steps)))
        if seconds < proof.poll.interval_s:
            assert not found
        else:
            assert [(each.work, each.size_bytes, each.seconds) for each in found] == [
                (Work.WAIT, 0, float(seconds))
            ]


def test_the_record_on_the_host_keeps_what_was_measured() -> None:
    plan, state, twin = night()
    record: Any = twin.record
    kept = {each["work"] for each in record["timings"]}
    assert {"copy", "rebuild", "page-checksums", "integrity", "mount"} <= kept


def test_what_was_not_done_by_us_is_no_measurement() -> None:
    plan, state, _ = night()
    mount = next(each for each in state.steps if each.endswith("-mount"))
    for outcome in (OutcomeKind.ALREADY, OutcomeKind.FAILED, None):
        steps = {**state.steps, mount: evolve(state.step(mount), outcome=outcome)}
        assert Work.MOUNT not in works(plan, evolve(state, steps=steps))


def test_a_run_that_was_resumed_keeps_only_what_the_host_timed() -> None:
    plan, state, _ = night()
    found = works(plan, evolve(state, resumes=1))
    assert Work.REBUILD in found and Work.COPY in found
    assert Work.MOUNT not in found and Work.REPAIR_REQUEST not in found


def test_the_record_keeps_the_last_ones_of_each_kind() -> None:
    every = [
        Timing(
            work=work,
            size_bytes=1,
            seconds=float(run),
            run=f"r-{run}",
            at_utc=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=run),
        )
        for run in range(KEPT_MAX + 3)
        for work in (Work.COPY, Work.REBUILD)
    ]
    kept = kept_timings(every[:-2], every[-2:])
    assert len(kept) == 2 * KEPT_MAX
    assert [each.seconds for each in kept if each.work is Work.COPY] == [
        float(run) for run in range(3, KEPT_MAX + 3)
    ]
