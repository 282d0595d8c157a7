"""Backups by ntbackup on Exchange 2003: well, failed half-way, fake, running already, somebody
else's meanwhile, of a group with a database out of scope; and what the run then says.
"""

from __future__ import annotations

import pytest
from attrs import evolve

from goexchange.errors import ExitCode
from goexchange.model.actual import Generation
from goexchange.model.plan import Action, Consent, JobCall, Need, VerdictKind
from goexchange.model.run import LaneState
from goexchange.report.model import build_report
from goexchange.report.report_text import render_text
from goexchange.simulation.night import Night, make_night
from goexchange.world.faults import NtbackupTrouble
from tests.reliability.scenarios import Scenario, documents_of, night_of, simple, site_of
from tests.simulation.crash_points import crash_everywhere
from tests.simulation.night.test_backup_methods import ended, result_of
from tests.simulation.night.test_exchange_2003 import assert_whole

TARGET = "F:\\online"


def scenario(need: str = "rebuild", *more: str) -> Scenario:
    return evolve(
        simple(), needs=((need, *more),), generations=(Generation.EXCHANGE_2003,),
        has_ntbackup=True,
    )  # fmt: skip


def in_one_group(of: Scenario, *, is_public: bool = False) -> Night:
    """Both databases of the site share a storage group."""
    site = site_of(of)
    one, other = site.databases
    group = {"storage_group": "SG 1", "log_folder": "L:\\SG", "log_prefix": "E00"}
    site = evolve(
        site, databases=(evolve(one, **group), evolve(other, **group, is_public_folder=is_public))
    )
    inventory, specifications = documents_of(of)
    return make_night(site, specifications, inventory, at=of.at, seed=of.seed)


def files_below(night: Night) -> tuple[str, ...]:
    return tuple(night.performer.world.hosts["EX01"].files.below(TARGET))


def report_of(night: Night) -> str:
    return render_text(build_report(night.plan, night.performer.records), width=160)


def test_the_rebuilt_pair_is_backed_up_and_proved_by_the_engine() -> None:
    night = night_of(scenario())
    assert ended(night).exit_code == ExitCode.OK
    backup, proof = result_of(night, Action.ONLINE_BACKUP), result_of(night, Action.PROVE_BACKUP)
    assert (backup["end"], files_below(night)) == ("process", (backup["path"],))
    assert proof["proved"] is True
    assert proof["logs"] in ("truncated", "nothing to truncate")
    assert "Operation: Backup" in report_of(night) or "ntbackup" in report_of(night)
    assert_whole(night)


TROUBLES = {
    NtbackupTrouble.RUNNING: "an ntbackup of somebody else was running already: none was started",
    NtbackupTrouble.FAILS: "it is not whole",
    NtbackupTrouble.FAKE_FILE: "the engine has logged no completion of a backup",
    NtbackupTrouble.NO_FILE: "there is no file of it below F:\\online",
    NtbackupTrouble.SHORT_FILE: "it is not whole",
    NtbackupTrouble.FOREIGN: "it is not whole",
    NtbackupTrouble.LEAVES_OUT: "the engine has logged no completion of a backup",
    NtbackupTrouble.NEVER_ENDS: "a backup is not ended from outside, it was left running",
}


@pytest.mark.parametrize("trouble", NtbackupTrouble)
def test_whatever_it_comes_to_instead_is_unprotected_and_said(trouble: NtbackupTrouble) -> None:
    night = night_of(scenario())
    night.performer.world.faults.trouble_next_ntbackup(trouble)
    result = ended(night)
    assert night.performer.world.faults.fired == [trouble.value]
    assert result.exit_code == ExitCode.UNPROTECTED
    (database,) = result.databases
    assert database.state is LaneState.UNPROTECTED and TROUBLES[trouble] in database.why
    assert any("with ntbackup: JET EX01\\" in each for each in database.commands)
    took = night.performer.world.now() - night.plan.body.evaluated_at_utc
    assert took.total_seconds() < 3600 or trouble is NtbackupTrouble.NEVER_ENDS
    assert "not proved" in report_of(night) or "proof not recorded" in report_of(night)
    assert_whole(night)


@pytest.mark.parametrize("is_public", [False, True])
def test_a_group_with_a_store_out_of_scope_is_covered_by_consent_and_reported(
    is_public: bool,
) -> None:
    night = in_one_group(scenario("backup", "outside"), is_public=is_public)
    [need] = [
        each for each in night.plan.body.consents if each.consent is Consent.BACKUP_COVERS_OTHERS
    ]
    assert "the storage group SG 1 covers DB12 too and truncates their logs" in need.finding
    [lane] = night.plan.body.lanes
    [job] = [each.call for each in lane.steps if each.action is Action.ONLINE_BACKUP]
    assert isinstance(job, JobCall)
    assert job.request["selection"] == ["JET EX01\\Microsoft Information Store\\SG 1\\"]
    assert ended(night).exit_code == ExitCode.OK
    assert result_of(night, Action.PROVE_BACKUP)["proved"] is True


def test_somebody_elses_backup_in_progress_is_refused_and_none_is_started() -> None:
    night = night_of(scenario("backup"))
    world = night.performer.world
    world.hosts["EX01"].start_process("ntbackup", world.now())
    result = ended(night)
    assert result.exit_code == ExitCode.NOT_NOW and "ntbackup is running" in result.verdict
    assert not [each for each in world.effects if each.kind == "backup-started"]


def test_one_that_fails_before_the_work_ends_it_with_nothing_taken_down() -> None:
    night = night_of(evolve(scenario(), has_backup_before=True))
    night.performer.world.faults.trouble_next_ntbackup(NtbackupTrouble.FAKE_FILE)
    assert ended(night).exit_code == ExitCode.STOPPED
    assert "dismount" not in [each.kind for each in night.performer.world.effects]


def test_a_target_without_room_for_the_whole_group_is_refused() -> None:
    of = scenario("backup")
    site = site_of(of)
    (server,) = site.servers[:1]
    volumes = tuple(
        evolve(each, size_bytes=65536, free_bytes=65536) if each.mount_point == "F:\\" else each
        for each in server.volumes
    )
    site = evolve(site, servers=(evolve(server, volumes=volumes), *site.servers[1:]))
    inventory, specifications = documents_of(of)
    night = make_night(site, specifications, inventory, at=of.at, seed=of.seed)
    [space] = [each for each in night.plan.body.guards if each.guard == "space"]
    assert space.kind is VerdictKind.BLOCK and "F:\\ 0.1 MiB free, 3." in space.evidence


def test_elsewhere_it_is_refused_by_name() -> None:
    of = evolve(scenario("backup"), generations=(Generation.EXCHANGE_2007,))
    (decision,) = night_of(of).plan.body.decisions
    assert decision.need is Need.NOT_POSSIBLE
    assert "Exchange 2007 is worked on from Windows Server 2008 on" in decision.explanation


@pytest.mark.long
def test_a_kill_at_every_boundary_starts_it_once_and_proves_it_once() -> None:
    night = night_of(scenario("backup"))

    def judge(played: Night, _result: object) -> None:
        starts = [each for each in played.performer.world.effects if each.kind == "backup-started"]
        assert len(starts) == 1 and len(files_below(played)) == 1

    report = crash_everywhere(night, judge=judge)
    assert report.ends == {int(ExitCode.OK): report.points}
