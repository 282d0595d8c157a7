"""Nights in an availability group: a replicated database is rebuilt by consent, its other copies
suspended for it and seeded anew one at a time, or resumed as they were; never left so silently.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from goexchange.driver.events import Request, Requested
from goexchange.driver.measurements import measurements
from goexchange.errors import ExitCode
from goexchange.journal.replay import replay
from goexchange.model.actual import ActualState
from goexchange.model.history import Work
from goexchange.model.plan import Action, Consent, Need, Plan, PlanBody, Reason
from goexchange.model.run import LaneState, RunResult
from goexchange.plan.planner import make_draft
from goexchange.simulation.night import Night, NightBroken, make_night
from goexchange.simulation.rehearsal import rehearse
from goexchange.world.scripts_records import open_recoveries
from goexchange.world.world import World
from tests.reliability.scenarios import (
    Scenario,
    documents_of,
    night_of,
    simple,
    site_of,
    specification,
    specification_texts,
)
from tests.simulation.crash_points import crash_in_rounds
from tests.simulation.night.test_copies import (
    block_activation,
    fail,
    fall_behind,
    reboot,
    spoken,
    statuses,
    suspend,
    until,
)
from tests.simulation.night.test_release import LEASE, prepare, release

TWO = evolve(simple(), servers=2, needs=(("reseed",), ("outside",)), has_group=True)
THREE = evolve(simple(), servers=3, needs=(("reseed",), ("outside",), ("outside",)), has_group=True)
ALL_WELL = {"EX01": "Mounted", "EX02": "Healthy", "EX03": "Healthy"}


def kinds(world: World, *wanted: str) -> list[tuple[str, str]]:
    """The effects of these kinds, each with its host, in their order."""
    return [(each.kind, each.host) for each in world.effects if each.kind in wanted]


def planned(night: Night, scenario: Scenario = THREE) -> PlanBody:
    inventory, specifications = documents_of(scenario)
    servers = tuple(night.performer.observe(each, ()) for each in night.performer.world.hosts)
    seen = ActualState(observed_at_utc=night.performer.now(), servers=servers)
    return make_draft(specifications, inventory, seen, now=night.performer.now())


def refusal(night: Night) -> tuple[Need, Reason, str]:
    (decision,) = planned(night).decisions
    return decision.need, decision.reasons[0], f"{decision.explanation} {decision.instead}"


def is_rebuilt(world: World) -> bool:
    return bool(kinds(world, "swap")) and not kinds(world, "swap-back")


def test_every_copy_is_suspended_and_seeded_anew_one_at_a_time() -> None:
    night = night_of(THREE)
    result = night.run_to_end()
    world = night.performer.world
    assert result.exit_code == ExitCode.OK, result
    assert statuses(world) == ALL_WELL and is_rebuilt(world)
    assert kinds(
        world, "copy-suspended", "dismount", "mount", "full-backup", "seed-begun", "seed-ended"
    ) == [
        ("copy-suspended", "EX02"), ("copy-suspended", "EX03"),
        ("dismount", "EX01"), ("mount", "EX01"), ("full-backup", "EX01"),
        ("seed-begun", "EX02"), ("seed-ended", "EX02"),
        ("seed-begun", "EX03"), ("seed-ended", "EX03"),  # the lagged one comes last
    ]  # fmt: skip
    assert not kinds(world, "copy-resumed")
    assert not open_recoveries(world.hosts["EX01"], world.site.root)
    (decision,) = planned(night).decisions
    assert decision.need is Need.NOTHING
    found = measurements(night.plan, replay(night.performer.records))
    seeds = [each.timing for each in found if each.timing.work is Work.SEED]
    rebuilt = world.hosts["EX01"].files.size(world.database_named("DB11").edb_path)
    assert [each.size_bytes for each in seeds] == [rebuilt] * 2
    assert all(each.seconds > 0 for each in seeds)


@pytest.mark.parametrize(
    ("action", "words"),
    [(Action.REBUILD, "is taken down"), (Action.SEED_COPY, "has suspended copies")],
)
def test_the_sentinel_speaks_of_what_a_dead_controller_has_left(
    action: Action, words: str
) -> None:
    night = night_of(THREE)
    until(night, action)
    (text, *_) = spoken(night)
    assert words in text
    again = night_of(THREE)
    assert again.run_to_end().exit_code == ExitCode.OK
    assert not spoken(again)


def test_the_consent_names_the_copies_the_size_the_time_and_what_is_lost() -> None:
    night = night_of(THREE)
    (needed,) = (
        each
        for each in night.plan.body.consents
        if each.consent is Consent.REBUILD_REPLICATED_DATABASE
    )
    assert needed.address == "EX01/DB11"
    for words in ("EX02 and EX03", "640 KiB each", "p90", "lagged copy on EX03 (24 h) is lost",
                  "New-MoveRequest"):  # fmt: skip
        assert words in needed.finding
    (alone,) = (
        each
        for each in night_of(TWO).plan.body.consents
        if each.consent is Consent.REBUILD_REPLICATED_DATABASE
    )
    assert alone.finding.startswith("its copy (EX02) is suspended") and "lagged" not in (
        alone.finding
    )


def without(plan: Plan, consent: Consent) -> Plan:
    kept = tuple(each for each in plan.body.consents if each.consent is not consent)
    return evolve(plan, body=evolve(plan.body, consents=kept))


def test_the_checks_notice_a_rebuild_that_nobody_consented_to() -> None:
    night = night_of(THREE)
    night.plan = without(night.plan, Consent.REBUILD_REPLICATED_DATABASE)
    night.checks = evolve(night.checks, plan=night.plan)
    with pytest.raises(NightBroken, match="I12"):
        night.run_to_end()


def test_without_the_word_for_it_the_specification_is_refused_as_before() -> None:
    texts = [each.replace(", replicated: by-consent", "") for each in specification_texts(THREE)]
    assert all("by-consent" not in each for each in texts)
    night = night_of(THREE)
    inventory, _ = documents_of(THREE)
    servers = tuple(night.performer.observe(each, ()) for each in night.performer.world.hosts)
    seen = ActualState(observed_at_utc=night.performer.now(), servers=servers)
    body = make_draft(
        [specification(each) for each in texts], inventory, seen, now=night.performer.now()
    )
    (decision,) = body.decisions
    assert decision.need is Need.NOT_POSSIBLE
    assert decision.reasons == (Reason.MORE_THAN_ONE_COPY,)
    assert "New-MoveRequest" in (decision.instead or "")
    assert "script.rebuild.replicated: by-consent" in (decision.instead or "")
    assert not body.lanes


def crash(world: World) -> None:
    """What a rebuild does not survive before its swap."""
    world.faults.fail_next_eseutil("/d", error=-1808)


def test_what_fails_before_the_swap_lets_the_copies_go_on_as_they_were() -> None:
    night = night_of(THREE)
    crash(night.performer.world)
    result = night.run_to_end()
    world = night.performer.world
    assert result.exit_code != ExitCode.OK
    assert statuses(world) == ALL_WELL and not kinds(world, "swap", "seed-begun")
    assert kinds(world, "copy-resumed") == [("copy-resumed", "EX02"), ("copy-resumed", "EX03")]
    (found,) = result.databases
    assert found.state is LaneState.FAILED and not found.commands


def test_a_file_that_does_not_mount_goes_back_and_its_logs_begin_anew_so_copies_are_seeded() -> (
    None
):
    night = night_of(THREE)
    night.performer.world.faults.fail_next_mount("DB11", error=-550, leaves_logs=True)
    result = night.run_to_end()
    world = night.performer.world
    assert result.exit_code != ExitCode.OK
    assert kinds(world, "swap-back", "move-logs") and not kinds(world, "copy-resumed")
    assert kinds(world, "seed-ended") == [("seed-ended", "EX02"), ("seed-ended", "EX03")]
    assert statuses(world) == ALL_WELL


def test_an_abort_before_the_swap_resumes_every_copy() -> None:
    night = night_of(THREE)
    until(night, Action.REBUILD)
    night.take(Requested(request=Request.ABORT, by="operator"))
    result = night.run_to_end()
    assert result.exit_code == ExitCode.STOPPED
    assert statuses(night.performer.world) == ALL_WELL
    assert not kinds(night.performer.world, "swap")


def test_a_seed_that_fails_is_named_and_the_next_is_not_begun_until_a_resume_goes_on() -> None:
    night = night_of(THREE)
    night.performer.world.faults.fail_next_seed("EX02")
    result = night.run_to_end()
    world = night.performer.world
    (found,) = result.databases
    assert result.exit_code == ExitCode.ROLLBACK_FAILED
    assert found.state is LaneState.FAILED and found.why.startswith("not redundant")
    assert "DB11\\EX02" in found.why and "DB11\\EX03" in found.why
    for server in ("EX02", "EX03"):
        assert f"Update-MailboxDatabaseCopy -Identity 'DB11\\{server}' -DeleteExistingFiles" in (
            " ".join(found.commands)
        )
    assert statuses(world) == {
        "EX01": "Mounted", "EX02": "FailedAndSuspended", "EX03": "Suspended",
    }  # fmt: skip
    assert open_recoveries(world.hosts["EX01"], world.site.root)  # somebody is still owed
    night.kill()
    again = night.run_to_end()
    assert again.exit_code != ExitCode.ROLLBACK_FAILED, again
    assert statuses(world) == ALL_WELL
    assert not open_recoveries(world.hosts["EX01"], world.site.root)
    seeds = [("seed-begun", "EX02"), ("seed-begun", "EX02"), ("seed-begun", "EX03")]
    assert kinds(world, "seed-begun") == seeds


def test_a_seed_goes_on_without_its_controller_and_is_not_begun_twice() -> None:
    night = night_of(THREE)
    world = night.performer.world
    while not kinds(world, "seed-begun"):
        night.take(night.performer.perform(night.next()))
    assert statuses(world)["EX02"] == "Seeding"
    night.kill()
    night.performer.clock.move(seconds=3600)
    assert statuses(world)["EX02"] == "Healthy"
    assert night.run_to_end().exit_code == ExitCode.OK
    assert kinds(world, "seed-begun") == [("seed-begun", "EX02"), ("seed-begun", "EX03")]


@pytest.mark.parametrize("member", ["EX01", "EX02"])
def test_a_member_that_restarts_in_the_middle_of_a_seed_is_named(member: str) -> None:
    night = night_of(TWO)
    world = night.performer.world
    while not kinds(world, "seed-begun"):
        night.take(night.performer.perform(night.next()))
    world.reboot(member)
    result = night.run_to_end()
    assert result.exit_code == ExitCode.ROLLBACK_FAILED
    assert "DB11\\EX02" in result.databases[0].why
    night.kill()
    assert night.run_to_end().exit_code != ExitCode.ROLLBACK_FAILED
    assert statuses(world)["EX02"] == "Healthy"


def test_a_controller_killed_at_every_boundary_seeds_every_copy_once() -> None:
    def judge(night: Night, result: RunResult) -> None:
        world = night.performer.world
        assert result.exit_code == ExitCode.OK, result
        assert statuses(world) == {"EX01": "Mounted", "EX02": "Healthy"}
        assert kinds(world, "seed-begun") == [("seed-begun", "EX02")]

    report = crash_in_rounds(night_of(TWO), lives=15, judge=judge)
    assert report.points > 200


@pytest.mark.parametrize(
    ("change", "reason", "words"),
    [
        (suspend, Reason.COPY_NOT_WELL, "the copy on EX02: it is Suspended"),
        (fail, Reason.COPY_NOT_WELL, "FailedAndSuspended"),
        (fall_behind, Reason.COPY_NOT_WELL, "replay queue is 500 logs"),
    ],
)
def test_what_is_not_well_is_refused_by_name(
    change: Callable[[World], None], reason: Reason, words: str
) -> None:
    night = night_of(THREE)
    change(night.performer.world)
    need, seen, text = refusal(night)
    assert need is Need.NOT_POSSIBLE and seen is reason and words in text


@pytest.mark.parametrize("change", [suspend, fail, fall_behind, reboot, block_activation])
def test_what_is_not_well_any_more_is_seen_before_a_copy_is_suspended(
    change: Callable[[World], None],
) -> None:
    night = night_of(THREE)
    until(night, Action.OPEN_RECOVERY_RECORD)
    change(night.performer.world)
    assert night.run_to_end().exit_code != ExitCode.OK
    assert not kinds(night.performer.world, "copy-suspended", "dismount")


def loosen(world: World) -> None:
    """Somebody resumes a copy that the run has suspended."""
    answer = world.cmdlet(
        "EX01", "operator", "Resume-MailboxDatabaseCopy",
        {"Identity": "DB11\\EX02", "Confirm": False},
    )  # fmt: skip
    assert not answer.errors


def test_a_copy_that_somebody_resumes_keeps_the_database_in_service() -> None:
    night = night_of(THREE)
    until(night, Action.NOTIFY)
    loosen(night.performer.world)
    result = night.run_to_end()
    assert result.exit_code != ExitCode.OK
    assert "copies-held: the copy on EX02 is" in result.databases[0].why
    assert statuses(night.performer.world) == ALL_WELL
    assert not kinds(night.performer.world, "dismount")


def test_a_copy_that_somebody_resumes_after_the_dismount_is_seeded_anyway() -> None:
    night = night_of(THREE)
    until(night, Action.COPY_SET)
    loosen(night.performer.world)
    result = night.run_to_end()
    assert result.exit_code == ExitCode.OK, result
    assert statuses(night.performer.world) == ALL_WELL
    assert ("seed-ended", "EX02") in kinds(night.performer.world, "seed-ended")


def test_the_plan_can_be_rehearsed_on_a_twin_of_the_group() -> None:
    found = rehearse(night_of(THREE).plan, range(1, 13))
    assert found.ends.total() == 12 and found.ends[0] and not found.broken


@pytest.mark.parametrize(
    ("action", "wanted"),
    [(Action.DISMOUNT, "copy-resumed"), (Action.SWAP, "copy-resumed"),
     (Action.SEED_COPY, "seed-ended")],
)  # fmt: skip
def test_a_release_brings_the_copies_back_in_the_way_that_fits(
    action: Action, wanted: str
) -> None:
    night = night_of(THREE)
    until(night, action)
    night.kill()
    world = night.performer.world
    assert statuses(world)["EX02"] == statuses(world)["EX03"] == "Suspended"
    night.performer.clock.move(seconds=LEASE.total_seconds())
    prepared = prepare(night)
    assert prepared.plan is not None
    ended = release(night, prepared).exit_code
    assert ended in (ExitCode.OK, ExitCode.UNPROTECTED), ended
    night.performer.clock.move(seconds=60)
    assert statuses(world) == ALL_WELL
    assert kinds(world, wanted) == [(wanted, "EX02"), (wanted, "EX03")]
    assert not open_recoveries(world.hosts["EX01"], world.site.root)


def test_the_checks_notice_copies_that_are_left_suspended() -> None:
    inventory, specifications = documents_of(TWO)
    night = make_night(site_of(TWO), specifications, inventory, at=TWO.at)
    lanes = tuple(
        evolve(lane, steps=tuple(one for one in lane.steps if one.action is not Action.SEED_COPY))
        for lane in night.plan.body.lanes
    )
    night.plan = evolve(night.plan, body=evolve(night.plan.body, lanes=lanes))
    night.checks = evolve(night.checks, plan=night.plan)
    with pytest.raises(NightBroken, match="I9 DB11: its copy on EX02 is left suspended"):
        night.run_to_end()
