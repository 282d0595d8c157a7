"""Nights in a group of Exchange 2010: a passive copy is looked at as on later versions, and nothing
is rebuilt, because no seed outlives the session that asked for it there.
"""

from __future__ import annotations

import pytest
from attrs import evolve

from goexchange.errors import ExitCode
from goexchange.guard.approval import check_approval
from goexchange.model.actual import Generation
from goexchange.model.plan import Action, Consent, ExchangeCall, Need, VerdictKind
from goexchange.model.run import LaneState, RunResult
from goexchange.simulation.night import Night
from goexchange.world.site import PAGE_BYTES
from tests.reliability.scenarios import night_of
from tests.simulation.crash_points import crash_everywhere
from tests.simulation.night.test_activations import is_as_it_was, night_with
from tests.simulation.night.test_copies import LOOK, performed, statuses, until
from tests.simulation.night.test_release import LEASE, prepare, release

OLD = (Generation.EXCHANGE_2010,)
LOOK_2010 = evolve(LOOK, generations=OLD)
RESEED_2010 = evolve(LOOK_2010, needs=(("reseed",), ("outside",)))
WELL = {"EX01": "Mounted", "EX02": "Healthy"}


def test_a_copy_is_suspended_looked_at_and_healthy_again() -> None:
    night = night_of(LOOK_2010)
    (need,) = night.plan.body.consents
    assert need.consent is Consent.UNCONFIRMED_GENERATION
    verdict = check_approval(night.plan, None, night.plan.body.evaluated_at_utc)
    assert verdict.kind is VerdictKind.BLOCK
    assert night.run_to_end().exit_code == ExitCode.OK
    world = night.performer.world
    kinds = [each.kind for each in world.effects if each.database == "DB11"]
    assert kinds == ["copy-suspended", "copy-resumed"] and statuses(world) == WELL
    assert (Action.DETECT_ERRORS, "EX02") in performed(night)


def test_a_copy_that_nobody_may_activate_stays_so() -> None:
    night = night_with(LOOK_2010)
    assert night.run_to_end().exit_code == ExitCode.OK
    assert statuses(night.performer.world) == WELL and is_as_it_was(night.performer.world)


def test_no_copy_is_suspended_while_a_member_is_away() -> None:
    night = night_of(LOOK_2010)
    night.performer.world.hosts["EX02"].mode.node = "Paused"
    result = night.run_to_end()
    assert result.exit_code == ExitCode.NOT_NOW and not performed(night)
    assert "EX02 of DAG1 is in maintenance" in result.verdict


def test_bad_pages_of_a_copy_are_said_with_commands_that_the_version_knows() -> None:
    night = night_of(LOOK_2010)
    world = night.performer.world
    files, path = world.hosts["EX02"].files, world.database_named("DB11").edb_path
    files.write_at(path, 20 * PAGE_BYTES, bytes([0x5A]) * PAGE_BYTES)
    (found,) = night.run_to_end().databases
    assert found.state is LaneState.FAILED and statuses(world) == WELL
    seeds = [each for each in found.commands if each.startswith("Update-MailboxDatabaseCopy")]
    assert seeds == [
        "Update-MailboxDatabaseCopy -Identity 'DB11\\EX02' -DeleteExistingFiles"
    ]
    (opened,) = [
        step for lane in night.plan.body.lanes for step in lane.steps
        if step.action is Action.OPEN_RECOVERY_RECORD
    ]  # fmt: skip
    assert "BeginSeed" not in str(opened.call)


def test_a_rebuild_is_refused_for_no_seed_outlives_its_session() -> None:
    night = night_of(RESEED_2010)
    (found,) = night.plan.body.decisions
    assert found.need is Need.NOT_POSSIBLE and not night.plan.body.lanes
    assert "a seed ends with the session" in found.explanation
    assert "New-MoveRequest" in (found.instead or "")


def test_the_version_refuses_the_seed_that_later_ones_are_sent() -> None:
    world = night_of(LOOK_2010).performer.world
    given = {"BeginSeed": True, "DeleteExistingFiles": True, "Confirm": False}
    call = ExchangeCall(
        cmdlet="Update-MailboxDatabaseCopy", parameters={"Identity": "DB11\\EX02", **given}
    )
    answer = world.cmdlet("EX01", "gxadmin", call.cmdlet, call.parameters)
    assert answer.terminating is not None and "BeginSeed" in str(answer.terminating)


def test_a_release_resumes_the_copy_of_a_dead_run() -> None:
    night = night_of(LOOK_2010)
    until(night, Action.DETECT_ERRORS)
    night.kill()
    night.performer.clock.move(seconds=LEASE.total_seconds())
    night.performer.world.advance()
    result = release(night, prepare(night))
    assert result.exit_code == ExitCode.OK, result
    assert statuses(night.performer.world) == WELL


@pytest.mark.long
def test_a_controller_killed_at_every_boundary_leaves_the_copy_healthy() -> None:
    def judge(night: Night, result: RunResult) -> None:
        assert result.exit_code == ExitCode.OK, result
        assert statuses(night.performer.world) == WELL

    assert crash_everywhere(night_of(LOOK_2010), judge=judge).points > 100
