"""Nights in an availability group: a replicated database is looked at on a suspended passive copy,
stays mounted all the time, and its copy is healthy again at the end, or it is said.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from goexchange.driver.events import Request, Requested
from goexchange.errors import ExitCode
from goexchange.model.actual import ActualState
from goexchange.model.plan import Action, Need, Reason
from goexchange.model.run import LaneState, RecordKind, RunResult
from goexchange.plan.planner import make_draft
from goexchange.report.model import build_report
from goexchange.report.report_text import render_text
from goexchange.simulation.night import Night, NightBroken, make_night
from goexchange.simulation.rehearsal import rehearse
from goexchange.world.copies import status_of
from goexchange.world.scripts_records import open_recoveries
from goexchange.world.site import PAGE_BYTES
from goexchange.world.world import SENTINEL_EVENT_ID, World
from tests.reliability.scenarios import Scenario, documents_of, night_of, simple, site_of
from tests.simulation.crash_points import crash_everywhere
from tests.simulation.night.test_release import LEASE, prepare, release

LOOK = evolve(simple(), servers=2, needs=(("look",), ("outside",)), has_group=True)
THREE = evolve(simple(), servers=3, needs=(("look",), ("outside",), ("outside",)), has_group=True)


def again(night: Night, scenario: Scenario = LOOK) -> tuple[Need, Reason, str]:
    inventory, specifications = documents_of(scenario)
    servers = tuple(night.performer.observe(each, ()) for each in night.performer.world.hosts)
    seen = ActualState(observed_at_utc=night.performer.now(), servers=servers)
    body = make_draft(specifications, inventory, seen, now=night.performer.now())
    (decision,) = body.decisions
    return decision.need, decision.reasons[0], f"{decision.explanation} {decision.instead}"


def statuses(world: World) -> dict[str, str]:
    world.advance()
    database = world.database_named("DB11")
    return {each: status_of(world, database, each) for each in database.description.copies}


def performed(night: Night) -> list[tuple[Action, str]]:
    steps = {step.id: step for lane in night.plan.body.lanes for step in lane.steps}
    sent = [
        steps[record.data["step"]]
        for record in night.performer.records
        if record.kind is RecordKind.INTENT
    ]
    return [(step.action, step.server) for step in sent]


def until(night: Night, action: Action) -> None:
    """Run until a step of this action is announced, and about to be sent."""
    while action not in {each for each, _ in performed(night)}:
        night.take(night.performer.perform(night.next()))


def test_a_copy_is_suspended_looked_at_and_healthy_again_and_nothing_is_left_to_do() -> None:
    night = night_of(LOOK)
    result = night.run_to_end()
    world = night.performer.world
    assert result.exit_code == ExitCode.OK, result
    assert statuses(world) == {"EX01": "Mounted", "EX02": "Healthy"}
    kinds = [each.kind for each in world.effects if each.database == "DB11"]
    assert kinds == ["copy-suspended", "copy-resumed"]  # never dismounted
    mine = [(Action.SUSPEND_COPY, "EX01"), (Action.READ_HEADER, "EX02"),
            (Action.DETECT_ERRORS, "EX02"), (Action.CANCEL_JOBS, "EX02"),
            (Action.RESUME_COPY, "EX01"), (Action.AWAIT_COPY, "EX01")]  # fmt: skip
    assert [each for each in performed(night) if each in mine] == mine
    assert again(night)[0] is Need.NOTHING
    assert "DB11" in render_text(build_report(night.plan, night.performer.records), width=100)


def test_of_several_copies_the_one_that_would_be_activated_last_is_looked_at() -> None:
    night = night_of(THREE)
    assert night.run_to_end().exit_code == ExitCode.OK
    hosts = {each.host for each in night.performer.world.effects if each.kind == "copy-suspended"}
    assert hosts == {"EX03"}


def test_bad_pages_of_a_copy_are_said_and_the_copy_replicates_again() -> None:
    night = night_of(LOOK)
    world = night.performer.world
    files, path = world.hosts["EX02"].files, world.database_named("DB11").edb_path
    files.write_at(path, 20 * PAGE_BYTES, bytes([0x5A]) * PAGE_BYTES)
    result = night.run_to_end()
    (found,) = result.databases
    assert result.exit_code == ExitCode.STOPPED and found.state is LaneState.FAILED
    assert statuses(world) == {"EX01": "Mounted", "EX02": "Healthy"}
    assert any("Update-MailboxDatabaseCopy -Identity 'DB11\\EX02'" in each for each in
               found.commands)  # fmt: skip
    need, reason, text = again(night)
    assert need is Need.VERIFY and reason is Reason.ERRORS_FOUND and "error" in text


def test_a_copy_that_fails_when_it_is_resumed_is_not_called_good() -> None:
    night = night_of(LOOK)
    night.performer.world.faults.fail_next_resume("EX02")
    result = night.run_to_end()
    (found,) = result.databases
    assert result.exit_code == ExitCode.ROLLBACK_FAILED
    assert found.state is LaneState.FAILED and found.why.startswith("not redundant")
    assert "FailedAndSuspended" in found.why
    assert any(each.startswith("Update-MailboxDatabaseCopy") for each in found.commands)


def test_an_abort_resumes_the_copy() -> None:
    night = night_of(LOOK)
    until(night, Action.DETECT_ERRORS)
    assert statuses(night.performer.world)["EX02"] == "Suspended"
    night.take(Requested(request=Request.ABORT, by="operator"))
    result = night.run_to_end()
    assert result.exit_code == ExitCode.STOPPED
    assert statuses(night.performer.world) == {"EX01": "Mounted", "EX02": "Healthy"}


def test_a_controller_killed_at_every_boundary_leaves_a_healthy_copy() -> None:
    def judge(night: Night, result: RunResult) -> None:
        assert result.exit_code == ExitCode.OK, result
        assert statuses(night.performer.world) == {"EX01": "Mounted", "EX02": "Healthy"}

    report = crash_everywhere(night_of(LOOK), judge=judge)
    assert report.points > 100


def spoken(night: Night) -> list[str]:
    """What the sentinel has written, an hour after the controller died."""
    night.kill()
    night.performer.clock.move(seconds=3600)
    night.performer.world.advance()
    host = night.performer.world.hosts["EX01"]
    return [each.text for each in host.events.all() if each.event_id == SENTINEL_EVENT_ID]


def test_a_sentinel_speaks_of_a_copy_that_a_dead_controller_left_suspended() -> None:
    night = night_of(LOOK)
    until(night, Action.DETECT_ERRORS)
    (text, *_) = spoken(night)
    assert "DB11" in text and "has suspended copies" in text


def test_no_sentinel_is_left_when_the_copy_is_back() -> None:
    night = night_of(LOOK)
    assert night.run_to_end().exit_code == ExitCode.OK
    assert not night.performer.world.hosts["EX01"].sentinels and not spoken(night)


def lag(world: World) -> None:
    world.database_named("DB11").description = evolve(
        world.database_named("DB11").description, replay_lags_s=(("EX02", 86400),)
    )


def block_activation(world: World) -> None:
    world.database_named("DB11").passive["EX02"].is_activation_suspended = True


def suspend(world: World) -> None:
    world.database_named("DB11").passive["EX02"].is_suspended = True


def fail(world: World) -> None:
    world.database_named("DB11").passive["EX02"].has_failed = True


def fall_behind(world: World) -> None:
    world.database_named("DB11").passive["EX02"].replay_queue = 500


def reboot(world: World) -> None:
    world.reboot("EX02")


@pytest.mark.parametrize(
    ("change", "reason", "words"),
    [
        (lag, Reason.NO_COPY_TO_LOOK_AT, "lagged copy (24 h)"),
        (suspend, Reason.COPY_NOT_WELL, "the copy on EX02: it is Suspended"),
        (fail, Reason.COPY_NOT_WELL, "FailedAndSuspended"),
        (fall_behind, Reason.COPY_NOT_WELL, "replay queue is 500 logs"),
    ],
)
def test_what_is_not_well_is_refused_by_name(
    change: Callable[[World], None], reason: Reason, words: str
) -> None:
    night = night_of(LOOK)
    change(night.performer.world)
    need, seen, text = again(night)
    assert need is Need.NOT_POSSIBLE and seen is reason and words in text


def test_a_member_that_was_not_observed_is_refused() -> None:
    night = night_of(LOOK)
    inventory, specifications = documents_of(LOOK)
    seen = ActualState(
        observed_at_utc=night.performer.now(), servers=(night.performer.observe("EX01", ()),)
    )
    body = make_draft(specifications, inventory, seen, now=night.performer.now())
    (decision,) = body.decisions
    assert decision.need is Need.NOT_POSSIBLE and decision.reasons == (Reason.COPIES_UNKNOWN,)
    assert "the copy on EX02" in decision.explanation


@pytest.mark.parametrize("change", [suspend, fail, fall_behind, reboot, block_activation])
def test_what_is_not_well_any_more_is_seen_before_the_copy_is_suspended(
    change: Callable[[World], None],
) -> None:
    night = night_of(LOOK)
    until(night, Action.OPEN_RECOVERY_RECORD)
    change(night.performer.world)
    result = night.run_to_end()
    assert result.exit_code != ExitCode.OK
    assert Action.SUSPEND_COPY not in {action for action, _ in performed(night)}
    assert not [each for each in night.performer.world.effects if each.kind == "copy-suspended"]


def test_the_checks_notice_a_copy_that_is_left_suspended() -> None:
    night = night_of(LOOK)
    lanes = tuple(
        evolve(lane, steps=tuple(step for step in lane.steps if step.action not in
               (Action.RESUME_COPY, Action.AWAIT_COPY)))
        for lane in night.plan.body.lanes
    )  # fmt: skip
    plan = evolve(night.plan, body=evolve(night.plan.body, lanes=lanes))
    inventory, specifications = documents_of(LOOK)
    broken = make_night(site_of(LOOK), specifications, inventory, at=LOOK.at)
    broken.plan = plan
    broken.checks = evolve(broken.checks, plan=plan)
    with pytest.raises(NightBroken, match="I9"):
        broken.run_to_end()


def test_the_plan_can_be_rehearsed_on_a_twin_of_the_group() -> None:
    found = rehearse(night_of(THREE).plan, range(1, 13))
    assert found.ends.total() == 12 and found.ends[0] and not found.broken


def test_a_release_resumes_what_a_dead_run_left_suspended() -> None:
    night = night_of(LOOK)
    until(night, Action.CANCEL_JOBS)  # the tool has ended, the copy is still suspended
    night.kill()
    world = night.performer.world
    assert statuses(world)["EX02"] == "Suspended"
    night.performer.clock.move(seconds=LEASE.total_seconds())
    prepared = prepare(night)
    assert prepared.plan is not None
    assert release(night, prepared).exit_code == ExitCode.OK
    night.performer.clock.move(seconds=60)
    assert statuses(world) == {"EX01": "Mounted", "EX02": "Healthy"}
    assert not open_recoveries(world.hosts["EX01"], world.site.root)
