"""Online backups by every method: well, failed half-way, fake, running already, begun by somebody
else meanwhile, covering what is out of scope; and what the run then says.
"""

from __future__ import annotations

import pytest
from attrs import evolve

from goexchange.backup.manifest import parse_manifest
from goexchange.driver import effects
from goexchange.errors import ExitCode
from goexchange.model.backup_set import MANIFEST_NAME, BackupSet, FileVerdict
from goexchange.model.plan import Action, Need, Plan, Verdict, VerdictKind
from goexchange.model.run import LaneState, RunResult
from goexchange.report.model import build_report
from goexchange.report.report_text import render_text
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.site import one_database
from goexchange.world.faults import AgentTrouble, ShadowTrouble
from goexchange.world.site import SiteDescription
from goexchange.world.truth import true_database
from tests.simulation.night.documents import AT, SPECIFICATION, inventory, specification

AGENT = (
    r"{start: ['C:\agent\backup.cmd', start], state: ['C:\agent\backup.cmd', state],"
    r" stop: ['C:\agent\backup.cmd', stop], copies: ['C:\agent\backup.cmd', copies],"
    " poll_every: 1m, states: {Idle: failed, Running: running, Success: succeeded, Failed: failed}}"
)
WBADMIN = "{method: windows-server-backup, target: {path: 'F:'}}"
SHADOW = r"{method: diskshadow, target: {path: 'F:\online'}}"
BY_AGENT = f"{{method: agent, timeout: 4h, agent: {AGENT}}}"


def text_with(*, after: str = WBADMIN, before: str | None = None, more: str = "") -> str:
    text = SPECIFICATION.replace(WBADMIN, after)
    if before is not None:
        text = text.replace("before: {", f"before: {{online: {before}, ")
    return text.replace("schedule:", f"{more}schedule:")


def night(text: str, site: SiteDescription | None = None) -> Night:
    return make_night(site or one_database(), [specification(text)], inventory(), at=AT)


def two_databases() -> SiteDescription:
    """A second database, of which the specification says nothing."""
    site = one_database()
    other = evolve(
        site.databases[0],
        name="DB09",
        edb_path="D:\\DB09\\DB09.edb",
        log_folder="L:\\DB09",
        free_pages=2,
    )
    return evolve(site, databases=(*site.databases, other))


def result_of(of: Night, action: Action) -> dict[str, object]:
    """What the last step of an action came to, as the journal has it."""
    ids = {step.id for lane in of.plan.body.lanes for step in lane.steps if step.action is action}
    found = [
        one.data["result"]
        for one in of.performer.records
        if one.kind.value == "outcome" and one.data["step"] in ids
    ]
    return dict(found[-1])


def lane_actions(plan: Plan) -> list[Action]:
    return [step.action for lane in plan.body.lanes for step in lane.steps]


def text_report(of: Night) -> str:
    return render_text(build_report(of.plan, of.performer.records), width=160)


def ended(of: Night) -> RunResult:
    result = of.run_to_end()
    world = of.performer.world
    for database in result.databases:  # whatever becomes of a backup, mail comes
        assert true_database(world, world.database_named(database.database)).is_mounted
    return result


def test_an_agent_is_started_watched_and_proved() -> None:
    well = night(text_with(after=BY_AGENT))
    result = ended(well)
    assert result.exit_code == ExitCode.OK, result
    proof = result_of(well, Action.PROVE_BACKUP)
    assert proof["proved"] is True
    assert proof["logs"] in ("truncated", "nothing to truncate")
    assert result_of(well, Action.ONLINE_BACKUP)["words"] == ["Idle", "Running", "Success"]


TROUBLES = {
    AgentTrouble.RUNNING: "was running already: none was started",
    AgentTrouble.REFUSES: "start command ended with 5; whether a backup began is not known",
    AgentTrouble.FAILS: "the agent says that its backup has failed",
    AgentTrouble.STRANGE_WORD: "'Waiting for tape', which no mapping names; its stop command ended",
    AgentTrouble.NEVER_ENDS: "did not end within its time limit; its stop command ended with 0",
    AgentTrouble.FAKE_STAMP: "the time stamp alone has moved",
    AgentTrouble.FAKE_COPY: "no copy of it is known that can be fetched",
    AgentTrouble.LEAVES_OUT: "the last full backup is not newer than the job's start",
}


@pytest.mark.parametrize("trouble", AgentTrouble)
def test_whatever_the_agent_does_instead_is_unprotected_and_said(trouble: AgentTrouble) -> None:
    broken = night(text_with(after=BY_AGENT))
    broken.performer.world.faults.trouble_next_agent(trouble)
    result = ended(broken)
    assert broken.performer.world.faults.fired == [trouble.value]
    assert result.exit_code == ExitCode.UNPROTECTED
    assert result.databases[0].state is LaneState.UNPROTECTED
    assert TROUBLES[trouble] in result.databases[0].why
    assert any("C:\\agent\\backup.cmd start" in each for each in result.databases[0].commands)
    assert "not proved" in text_report(broken) or "proof not recorded" in text_report(broken)


def test_an_agent_that_cannot_show_copies_never_proves_one_and_the_plan_says_so() -> None:
    without = BY_AGENT.replace(r" copies: ['C:\agent\backup.cmd', copies],", "")
    broken = night(text_with(after=without))
    assert any("without `agent.copies` no copy" in each for each in broken.plan.body.backups)
    result = ended(broken)
    assert result.exit_code == ExitCode.UNPROTECTED
    proof = result_of(broken, Action.PROVE_BACKUP)
    assert (proof["event_completed"], proof["is_newer"]) == (True, True)
    assert proof["retrievable"] is False and proof["is_final"] is True
    before = night(text_with(before=without))
    assert [each.need for each in before.plan.body.decisions] == [Need.NOT_POSSIBLE]
    assert "declare `agent.copies`" in str(before.plan.body.decisions[0].instead)


def test_what_an_agent_may_cover_needs_consent_and_what_it_covered_is_reported() -> None:
    both = night(text_with(after=BY_AGENT).replace(
        "targets: {servers: [EX01]}",
        "targets: {servers: [EX01], databases: {include: [DB05]}}",
    ), two_databases())  # fmt: skip
    [need] = [each for each in both.plan.body.consents if "agent" in each.finding]
    assert "it may cover DB09 too" in need.finding
    assert ended(both).exit_code == ExitCode.OK
    assert result_of(both, Action.PROVE_BACKUP)["also_covered"] == ["DB09"]
    assert "covered too" in text_report(both) and "DB09" in text_report(both)


@pytest.mark.parametrize("before", [WBADMIN, BY_AGENT, SHADOW])
def test_a_backup_before_is_proved_before_anything_is_taken_down(before: str) -> None:
    well = night(text_with(before=before))
    order = lane_actions(well.plan)
    assert order.index(Action.PROVE_BACKUP_BEFORE) < order.index(Action.DISMOUNT)
    assert ended(well).exit_code == ExitCode.OK
    kinds = [each.kind for each in well.performer.world.effects]
    assert kinds.index("full-backup") < kinds.index("dismount")
    assert kinds.count("full-backup") == 2


@pytest.mark.parametrize("before", [WBADMIN, BY_AGENT, SHADOW])
def test_a_backup_before_that_fails_ends_the_run_with_nothing_taken_down(before: str) -> None:
    broken = night(text_with(before=before))
    broken.performer.world.faults.fail_next_backup()
    result = ended(broken)
    assert result.exit_code == ExitCode.STOPPED
    assert "dismount" not in [each.kind for each in broken.performer.world.effects]


def test_a_proved_backup_before_does_not_protect_the_rebuilt_file() -> None:
    broken = night(text_with(before=WBADMIN, after=BY_AGENT))
    broken.performer.world.faults.trouble_next_agent(AgentTrouble.FAILS)
    assert ended(broken).exit_code == ExitCode.UNPROTECTED


@pytest.mark.parametrize("after", [WBADMIN, BY_AGENT, SHADOW])
def test_a_backup_of_somebody_else_begun_meanwhile_is_not_taken_for_ours(after: str) -> None:
    """It begins between our last look and our start: ours is refused, and its stamp proves
    nothing.
    """
    broken = night(text_with(after=after))
    while not (
        isinstance(effect := broken.next(), effects.Send)
        and effect.purpose.endswith("-online-backup")
    ):
        broken.take(broken.performer.perform(effect))
    world = broken.performer.world
    world.faults.start_foreign_backup("EX01", at=world.now(), volumes=("D:", "L:"))
    result = ended(broken)
    assert result.exit_code == ExitCode.UNPROTECTED
    assert [run.job for run in world.backups if run.is_windows_backup][0] is None
    assert "-online-backup: " in result.databases[0].why


def test_a_copy_that_is_held_back_takes_its_time() -> None:
    path = "{target: {path: 'E:\\sets'}"
    held = night(SPECIFICATION.replace(path, f"{path}, rate_max: 8KiB/s"))
    assert ended(held).exit_code == ExitCode.OK
    copied = result_of(held, Action.COPY_SET)
    assert float(str(copied["seconds"])) >= int(str(copied["bytes"])) / 8192


SHADOW_TROUBLES = {
    ShadowTrouble.WRITER_FAILS: "ended with 1 before anything was copied",
    ShadowTrouble.COPY_FAILS: "not enough space on the disk.; the backup was not ended",
    ShadowTrouble.NOT_ENDED: "never came past the end of the backup",
    ShadowTrouble.FAKE_STAMP: "the time stamp alone has moved",
    ShadowTrouble.LEAVES_OUT: "the last full backup is not newer than the job's start",
}


def test_a_backup_by_diskshadow_is_copied_verified_ended_and_proved() -> None:
    well = night(text_with(after=SHADOW))
    [words] = [one for one in well.plan.body.backups if "diskshadow" in one]
    assert "verified copies of DB05" in words and "truncates their logs" in words
    assert ended(well).exit_code == ExitCode.OK
    proof, backup = result_of(well, Action.PROVE_BACKUP), result_of(well, Action.ONLINE_BACKUP)
    assert proof["proved"] is True and proof["logs"] in ("truncated", "nothing to truncate")
    assert (backup["end"], backup["exit_code"]) == ("ended", 0)
    assert str(backup["shadow_set"]).startswith("{")
    files = well.performer.world.hosts["EX01"].files.below("F:\\online")
    assert len(files) == backup["files"] and any(one.endswith("DB05.edb") for one in files)
    assert "proved" in text_report(well)


@pytest.mark.parametrize("trouble", SHADOW_TROUBLES)
def test_whatever_diskshadow_comes_to_instead_is_unprotected_and_said(
    trouble: ShadowTrouble,
) -> None:
    broken = night(text_with(after=SHADOW))
    broken.performer.world.faults.trouble_next_shadow(trouble)
    result = ended(broken)
    assert broken.performer.world.faults.fired == [trouble.value]
    assert result.exit_code == ExitCode.UNPROTECTED
    assert SHADOW_TROUBLES[trouble] in result.databases[0].why
    assert any("before `end backup`" in each for each in result.databases[0].commands)
    assert "not proved" in text_report(broken) or "proof not recorded" in text_report(broken)


def test_without_a_sound_copy_the_backup_is_not_ended_and_no_log_goes() -> None:
    broken = night(text_with(before=SHADOW))
    broken.performer.world.faults.flip_bit_in_next_copy()
    result = ended(broken)
    assert result.exit_code == ExitCode.STOPPED
    assert "the copy is not what was read" in result.databases[0].why
    kinds = [each.kind for each in broken.performer.world.effects]
    assert "full-backup" not in kinds and "dismount" not in kinds


def test_shadow_copies_that_stay_are_named_and_are_no_failure() -> None:
    well = night(text_with(after=SHADOW))
    well.performer.world.faults.trouble_next_shadow(ShadowTrouble.STAYS)
    assert ended(well).exit_code == ExitCode.OK
    assert "a shadow copy could not be deleted" in text_report(well)


def test_a_backup_by_diskshadow_copies_every_database_whose_logs_it_truncates() -> None:
    both = night(text_with(after=SHADOW).replace(
        "targets: {servers: [EX01]}",
        "targets: {servers: [EX01], databases: {include: [DB05]}}",
    ), two_databases())  # fmt: skip
    [need] = [each for each in both.plan.body.consents if "covers" in each.finding]
    assert "covers DB09 too and truncates their logs" in need.finding
    assert ended(both).exit_code == ExitCode.OK
    files = both.performer.world.hosts["EX01"].files.below("F:\\online")
    assert {one.rpartition("\\")[2] for one in files if one.endswith(".edb")} == {
        "DB05.edb",
        "DB09.edb",
    }


def test_the_target_of_diskshadow_is_on_another_volume_with_room() -> None:
    inside = night(text_with(after=SHADOW.replace("F:", "D:")))
    assert [each.need for each in inside.plan.body.decisions] == [Need.NOT_POSSIBLE]
    assert "is on one of the volumes it backs up" in inside.plan.body.decisions[0].explanation
    site = one_database()
    [server] = site.servers
    full = evolve(
        server,
        volumes=tuple(
            evolve(each, free_bytes=4096) if each.mount_point == "F:\\" else each
            for each in server.volumes
        ),
    )
    lacking = night(text_with(after=SHADOW), evolve(site, servers=(full,)))
    [space] = [each for each in lacking.plan.body.guards if each.guard == "space"]
    assert "F:\\ 0.0 MiB free" in space.evidence


def lost_in_the_copy() -> Night:
    """A night whose host loses power when most of the database's copy is on the disk."""
    target = "{target: {path: 'E:\\sets'}"
    text = SPECIFICATION.replace(target, f"{target}, rate_max: 8KiB/s")
    broken = night(text)
    world = broken.performer.world
    while not any("DB05.edb.partial" in one for one in copies(broken)):
        broken.take(broken.performer.perform(broken.next()))
    [partial] = [one for one in copies(broken) if one.endswith("DB05.edb.partial")]
    while world.hosts["EX01"].files.size(partial) < 400 * 1024:
        broken.take(broken.performer.perform(broken.next()))
    return broken


def copies(of: Night) -> tuple[str, ...]:
    return of.performer.world.hosts["EX01"].files.below("E:\\sets")


def test_a_copy_whose_host_restarted_goes_on_with_what_is_there() -> None:
    broken = lost_in_the_copy()
    broken.performer.world.reboot("EX01")
    assert ended(broken).exit_code == ExitCode.OK
    copied = result_of(broken, Action.COPY_SET)
    assert int(str(copied["kept_bytes"])) >= 400 * 1024
    assert float(str(copied["seconds"])) < int(str(copied["bytes"])) / 8192
    tried = [one for one in broken.performer.records if one.kind.value == "outcome"
             and one.data["step"].endswith("-copy-set")]  # fmt: skip
    assert [one.data["outcome"] for one in tried] == ["failed", "done"]


def test_a_copy_that_goes_on_trusts_nothing_that_is_not_what_the_source_has() -> None:
    broken = lost_in_the_copy()
    files = broken.performer.world.hosts["EX01"].files
    broken.performer.world.reboot("EX01")
    [partial] = [one for one in copies(broken) if one.endswith("DB05.edb.partial")]
    files.write_at(partial, 5000, b"not what the source has")
    assert ended(broken).exit_code == ExitCode.OK
    copied = result_of(broken, Action.COPY_SET)
    assert int(str(copied["kept_bytes"])) == 4096


def test_a_copy_that_fails_while_its_host_is_up_is_not_tried_again() -> None:
    broken = lost_in_the_copy()
    broken.performer.world.leave_free("EX01", "E:\\sets", free_bytes=0)
    result = ended(broken)
    assert result.exit_code == ExitCode.STOPPED
    tried = [one for one in broken.performer.records if one.kind.value == "outcome"
             and one.data["step"].endswith("-copy-set")]  # fmt: skip
    assert [one.data["outcome"] for one in tried] == ["failed"]


def test_a_second_backup_by_diskshadow_writes_beside_the_first() -> None:
    """A backup that was made and could not be proved is made again by a resume."""
    broken = night(text_with(after=SHADOW))
    broken.performer.world.faults.trouble_next_shadow(ShadowTrouble.FAKE_STAMP)
    assert ended(broken).exit_code == ExitCode.UNPROTECTED
    broken.kill()
    assert ended(broken).exit_code == ExitCode.OK
    files = broken.performer.world.hosts["EX01"].files.below("F:\\online")
    assert len([one for one in files if one.endswith("DB05.edb")]) == 2


REBUILT = "offline: {target: {path: 'F:\\sets'}}, "


def with_set_of_the_rebuilt_file(*, more: str = "") -> str:
    text = SPECIFICATION.replace("after: {", "after: {" + REBUILT)
    return text.replace("{path: 'F:\\sets'}}", "{path: 'F:\\sets'}" + more + "}")


def sealed_below(of: Night, folder: str) -> BackupSet:
    files = of.performer.world.hosts["EX01"].files
    [manifest] = [one for one in files.below(folder) if one.endswith(MANIFEST_NAME)]
    return parse_manifest(files.read(manifest)).body


def test_the_rebuilt_file_has_a_verified_set_of_its_own_before_it_takes_its_place() -> None:
    well = night(with_set_of_the_rebuilt_file())
    order = lane_actions(well.plan)
    assert order.index(Action.SEAL_REBUILT) < order.index(Action.SWAP)
    [words] = [one for one in well.plan.body.backups if "set of the rebuilt file" in one]
    assert "every page verified on the host alone" in words
    assert ended(well).exit_code == ExitCode.OK
    before, after = sealed_below(well, "E:\\sets"), sealed_below(well, "F:\\sets")
    [file] = after.files
    truth = true_database(well.performer.world, well.performer.world.database_named("DB05"))
    assert file.database is not None and file.source_path == "D:\\DB05\\DB05.edb"
    [original] = [one.database for one in before.files if one.database is not None]
    assert file.database.signature != original.signature and file.database.state == original.state
    assert file.verdict is FileVerdict.SOUND and truth.is_mounted
    assert {one.role.value for one in before.files} > {one.role.value for one in after.files}
    assert text_report(well).count("Offline set") == 2


def test_the_outage_of_a_set_of_the_rebuilt_file_is_planned() -> None:
    plain, longer = night(SPECIFICATION), night(with_set_of_the_rebuilt_file())
    held = night(with_set_of_the_rebuilt_file(more=", rate_max: 8KiB/s"))
    outages = [each.plan.body.decisions[0].outage_s for each in (plain, longer, held)]
    assert outages == sorted(set(outages))
    assert any("about" in each.summary and "at most 8 KiB a second" in each.summary
               for each in held.plan.body.lanes[0].steps)  # fmt: skip


@pytest.mark.parametrize("damage", ["flip_bit_in_next_copy", "tear_next_copy"])
def test_a_set_of_the_rebuilt_file_that_is_damaged_brings_the_original_back(damage: str) -> None:
    broken = night(with_set_of_the_rebuilt_file())
    ids = {one.action: one.id for one in broken.plan.body.lanes[0].steps}
    while not (
        isinstance(effect := broken.next(), effects.Send)
        and effect.purpose == ids[Action.COPY_REBUILT]
    ):
        broken.take(broken.performer.perform(effect))
    getattr(broken.performer.world.faults, damage)()
    result = ended(broken)
    assert result.exit_code == ExitCode.STOPPED
    kinds = [each.kind for each in broken.performer.world.effects]
    assert "swap" not in kinds and kinds.count("set-sealed") == 1


def test_a_lane_that_rebuilds_nothing_has_no_set_of_a_rebuilt_file() -> None:
    text = with_set_of_the_rebuilt_file().replace("white_space_max: 20%", "white_space_max: 99%")
    looked = night(text.replace("desired: {", "desired: {verified_within: 30d, "))
    assert Action.COPY_REBUILT not in lane_actions(looked.plan)


def test_there_is_room_for_a_set_of_the_rebuilt_file_or_the_plan_is_blocked() -> None:
    site = one_database()
    [server] = site.servers
    volumes = tuple(
        evolve(each, free_bytes=4096) if each.mount_point == "F:\\" else each
        for each in server.volumes
    )
    full = evolve(site, servers=(evolve(server, volumes=volumes),))
    assert guard_of(night(SPECIFICATION, full), "space").kind is VerdictKind.PASS
    lacking = guard_of(night(with_set_of_the_rebuilt_file(), full), "space")
    assert lacking.kind is VerdictKind.BLOCK and "F:\\ 0.0 MiB free" in lacking.evidence


def guard_of(of: Night, name: str) -> Verdict:
    [found] = [each for each in of.plan.body.guards if each.guard == name]
    return found
