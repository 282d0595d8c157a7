"""A set restored to a recovery database or to its own place, and a run rolled back: by plans that
the production driver carries out on a simulated site.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from attrs import evolve

from goexchange.backup.manifest import SealedSet, database_facts, parse_manifest, set_digest
from goexchange.backup.replay import SeenLog, choose_logs
from goexchange.driver import effects
from goexchange.driver.undoing import kept_original
from goexchange.errors import ExitCode, NotNow, UsageError
from goexchange.ese.logs import read_log_header
from goexchange.guard import evaluate
from goexchange.model.actual import ActualState, Generation
from goexchange.model.backup_set import MANIFEST_NAME, FileRole, SetFile
from goexchange.model.plan import Action, Consent, PlanBody
from goexchange.model.remembered import Standing
from goexchange.model.run import LaneState, RunResult
from goexchange.plan.context import Pace
from goexchange.plan.restoring import (
    Setting,
    Wanted,
    original_draft,
    recovery_draft,
    resubmission,
)
from goexchange.plan.rolling_back import rollback_draft
from goexchange.plan.sealing import seal
from goexchange.simulation.night import Night, make_night, night_of
from goexchange.simulation.site import one_database
from goexchange.spec.scripts import OLD
from goexchange.world.databases import read_header
from goexchange.world.files import HostFiles
from goexchange.world.truth import TrueDatabase, true_database
from tests.simulation.crash_points import crash_everywhere
from tests.simulation.night import test_release
from tests.simulation.night.documents import AT, inventory, specification

INVENTORY = inventory()


def rebuilt() -> Night:
    """A night of one database that has ended well; mail has come in since."""
    made = make_night(one_database(), [specification()], INVENTORY, at=AT)
    assert made.run_to_end().exit_code == ExitCode.OK
    made.performer.clock.move(seconds=3600)
    made.performer.world.mail("DB05", pages=1)
    return made


def files(of: Night) -> HostFiles:
    return of.performer.world.hosts["EX01"].files


def truth(of: Night, name: str = "DB05") -> TrueDatabase:
    world = of.performer.world
    return true_database(world, world.database_named(name))


def setting(of: Night) -> Setting:
    now = of.performer.now()
    actual = ActualState(observed_at_utc=now, servers=(of.performer.observe("EX01", ()),))
    return Setting(inventory=INVENTORY, actual=actual, server="EX01", now=now, pace=Pace())


def wanted(of: Night) -> Wanted:
    """The set that the night made."""
    manifest = next(path for path in files(of).below("E:\\sets") if path.endswith(MANIFEST_NAME))
    sealed = parse_manifest(files(of).read(manifest))
    return Wanted(sealed=sealed, folder=manifest.rpartition("\\")[0], replay=None)


def next_night(of: Night, body: PlanBody) -> Night:
    """The next night on the same site, of that plan."""
    now = of.performer.now()
    actual = ActualState(observed_at_utc=now, servers=(of.performer.observe("EX01", ()),))
    plan = seal(evolve(body, guards=evaluate.at_plan(body, actual, now)), now, "simulation")
    of.performer.records.clear()
    made = night_of(plan, of.performer, run="20261128T230000-0002")
    made.checks.seen_effects = len(of.performer.world.effects)
    return made


def rollback_of(of: Night) -> PlanBody:
    lane = next(each for each in of.plan.body.lanes if each.database == "DB05")
    kept = kept_original(of.plan, lane, of.checks.watch.state)
    assert kept is not None
    return rollback_draft(kept, setting(of))


def logs_of(of: Night) -> set[str]:
    stream = of.performer.world.database_named("DB05").stream
    return {path.rpartition("\\")[2] for path in files(of).names_in(stream.folder)}


def killed_before(ending: str) -> Night:
    """A rollback whose controller died before a call of it, and a whole lease of silence."""
    before = rebuilt()
    night = next_night(before, rollback_of(before))
    while not (
        isinstance(effect := night.next(), effects.Send) and effect.purpose.endswith(ending)
    ):
        night.take(night.performer.perform(effect))
    night.kill()
    night.performer.clock.move(seconds=2 * 3600)
    night.performer.world.advance()
    return night


def test_a_dead_rollback_is_released_with_the_file_that_was_in_place() -> None:
    night = killed_before("-return-file")
    original = night.checks.first["DB05"]
    prepared = test_release.prepare(night)
    assert [each.standing for each in prepared.left] == [Standing.BACK]
    assert test_release.release(night, prepared).exit_code == ExitCode.OK
    after = truth(night)
    assert after.is_mounted and after.present is not None
    assert after.present.signature == original


def test_which_file_a_dead_rollback_leaves_in_place_is_not_guessed() -> None:
    night = killed_before("-take-logs-aside")
    prepared = test_release.prepare(night)
    assert prepared.plan is None
    assert [each.standing for each in prepared.undecided] == [Standing.UNDECIDED]
    assert not truth(night).is_mounted and truth(night).originals == ()


def test_a_set_becomes_a_recovery_database_and_nothing_else_is_touched() -> None:
    before = rebuilt()
    served = truth(before).present
    night = next_night(before, recovery_draft(wanted(before), setting(before)))
    assert not night.plan.body.consents
    result = night.run_to_end()
    assert result.exit_code == ExitCode.OK, result
    name = result.databases[0].database
    made = night.performer.world.database_named(name)
    assert made.description.is_recovery and made.mounted_on == "EX01"
    restored = truth(night, name).present
    assert restored is not None and served is not None
    assert restored.signature != served.signature
    after = truth(night).present
    assert after is not None and (after.signature, truth(night).is_mounted) == (
        served.signature,
        True,
    )


def test_a_damaged_set_is_never_mounted() -> None:
    before = rebuilt()
    ask = wanted(before)
    files(before).write_at(f"{ask.folder}\\DB05.edb", 400_000, b"\xff" * 8)
    result = next_night(before, recovery_draft(ask, setting(before))).run_to_end()
    assert result.exit_code == ExitCode.STOPPED
    assert result.databases[0].state is LaneState.FAILED
    assert len(before.performer.world.databases) == 1


def test_a_kill_at_every_boundary_of_a_restore_makes_one_recovery_database() -> None:
    before = rebuilt()
    night = next_night(before, recovery_draft(wanted(before), setting(before)))

    def judge(ended: Night, result: RunResult) -> None:
        assert result.exit_code == ExitCode.OK, result
        kinds = [effect.kind for effect in ended.performer.world.effects]
        assert kinds.count("database-made") == 1
        assert truth(ended, result.databases[0].database).is_mounted

    report = crash_everywhere(night, judge=judge)
    assert report.points > 50


def test_what_cannot_be_restored_is_refused_by_name() -> None:
    before = rebuilt()
    full = evolve(INVENTORY, low_space_threshold_bytes=2**60)
    with pytest.raises(NotNow, match="are needed"):
        recovery_draft(wanted(before), evolve(setting(before), inventory=full))
    with pytest.raises(UsageError, match="DB05 already"):
        recovery_draft(evolve(wanted(before), name="DB05"), setting(before))
    guid = "00000000-1111-2222-3333-444444444444"
    other = evolve(wanted(before).sealed.body, database_guid=guid)
    stranger = evolve(wanted(before), sealed=evolve(wanted(before).sealed, body=other))
    with pytest.raises(NotNow, match="put back only into the database"):
        original_draft(stranger, setting(before))


@pytest.mark.parametrize("way", ["rollback", "original"])
def test_an_earlier_file_is_put_back_and_the_later_one_kept(way: str) -> None:
    before = rebuilt()
    newer, logs = truth(before).present, logs_of(before)
    body = (
        rollback_of(before)
        if way == "rollback"
        else original_draft(wanted(before), setting(before))
    )
    needed = [(need.consent, need.address) for need in body.consents]
    assert (Consent.DISCARD_MAIL, "EX01/DB05") in needed
    hints = [one.detail for one in body.diagnostics]
    assert any("Add-ResubmitRequest -Destination" in one for one in hints)
    night = next_night(before, body)
    result = night.run_to_end()
    after = truth(night)
    # A rollback makes the run's own backup again; a set put back has none declared.
    assert result.exit_code == (ExitCode.OK if way == "rollback" else ExitCode.UNPROTECTED), result
    assert after.is_mounted and after.is_mount_at_startup
    assert newer is not None and after.present is not None
    assert after.present.signature != newer.signature and after.present.is_sound
    assert not night.performer.world.hosts["EX01"].sentinels
    beside = [path for path in files(night).names_in("D:\\DB05") if ".rebuilt-" in path]
    replaced = [path for path in files(night).names_in("D:\\DB05") if ".replaced-" in path]
    assert [path for path in (*beside, *replaced) if ".edb." in path], "the later file is kept"
    stream = night.performer.world.database_named("DB05").stream
    kept = {path.rpartition("\\")[2] for path in files(night).below(stream.folder)}
    assert logs <= kept, "no log was deleted"


@pytest.mark.parametrize("way", ["rollback", "original"])
def test_an_earlier_file_that_does_not_mount_gives_everything_back(way: str) -> None:
    before = rebuilt()
    newer, logs = truth(before).present, logs_of(before)
    body = (
        rollback_of(before)
        if way == "rollback"
        else original_draft(wanted(before), setting(before))
    )
    night = next_night(before, body)
    night.performer.world.faults.fail_next_mount("DB05", error=-550, leaves_logs=True)
    result = night.run_to_end()
    after = truth(night)
    assert result.exit_code == ExitCode.STOPPED, result
    assert after.is_mounted and after.is_mount_at_startup
    assert newer is not None and after.present is not None
    assert after.present.signature == newer.signature
    assert logs <= logs_of(night), "its logs are back in their place"


def test_an_original_that_is_another_one_is_not_put_back() -> None:
    before = rebuilt()
    body = rollback_of(before)
    kept = next(path for path in files(before).names_in("D:\\DB05") if ".edb.before-" in path)
    files(before).write_at(kept, 16, b"\xff" * 64)
    night = next_night(before, body)
    result = night.run_to_end()
    assert result.exit_code == ExitCode.STOPPED
    kinds = [effect.kind for effect in night.performer.world.effects]
    assert kinds.count("dismount") == 1, "only the night before took it down"
    assert truth(night).is_mounted


@pytest.mark.parametrize("fails", [False, True])
def test_a_kill_at_every_boundary_of_a_rollback_ends_in_service(fails: bool) -> None:
    before = rebuilt()
    newer = truth(before).present
    night = next_night(before, rollback_of(before))
    if fails:
        night.performer.world.faults.fail_next_mount("DB05", error=-550, leaves_logs=True)
    while not (
        isinstance(effect := night.next(), effects.Send) and effect.purpose.endswith("-dismount")
    ):
        night.take(night.performer.perform(effect))

    def judge(ended: Night, result: RunResult) -> None:
        after = truth(ended)
        assert after.is_mounted and after.is_mount_at_startup, result
        assert after.present is not None and newer is not None
        is_newer = after.present.signature == newer.signature
        assert is_newer <= fails, result
        assert result.exit_code == (ExitCode.STOPPED if is_newer else ExitCode.OK), result

    report = crash_everywhere(night, judge=judge, every=2)
    assert {"take-aside", "return-file", "take-logs-aside"} <= {
        kill.step.rpartition("/")[2].partition("-")[2] for kill in report.kills
    }


def test_a_run_whose_original_is_back_has_nothing_to_roll_back() -> None:
    made = make_night(one_database(), [specification()], INVENTORY, at=AT)
    made.performer.world.faults.fail_next_mount("DB05", error=-550)
    assert made.run_to_end().exit_code == ExitCode.STOPPED
    lane = next(each for each in made.plan.body.lanes if each.database == "DB05")
    assert kept_original(made.plan, lane, made.checks.watch.state) is None


def test_the_plan_says_what_is_lost_and_for_how_long_it_is_good() -> None:
    before = rebuilt()
    body = rollback_of(before)
    need = next(one for one in body.consents if one.consent is Consent.DISCARD_MAIL)
    assert "is not in the file that is put in place" in need.finding
    assert body.valid_until_utc == body.evaluated_at_utc + timedelta(hours=24)
    assert {step.action for step in body.lanes[0].steps} >= {
        Action.READ_RETURNED_HEADER,
        Action.PUT_AWAY,
        Action.RETURN_PRESENT,
        Action.RETURN_LOGS,
        Action.ONLINE_BACKUP,
        Action.PROVE_BACKUP,
    }


@pytest.mark.parametrize("missing", [False, True])
def test_a_set_that_wants_its_logs_is_replayed_on_the_copy(missing: bool) -> None:
    """The night's set with the database as it was while mounted, and the logs up to then."""
    before = rebuilt()
    world = before.performer.world
    database, host = world.database_named("DB05"), files(before)
    folder = "E:\\sets\\EX01\\DB05\\crash"
    header = read_header(host, database.edb_path)
    stream = database.stream
    assert header.header is not None and not header.header.is_clean
    low, high = header.header.log_required_low, header.header.log_required_high
    listed = [
        (FileRole.DATABASE, database.edb_path),
        *((FileRole.LOG, stream.path_of(each)) for each in range(low, high)),
        (FileRole.LOG, stream.current_path),
    ]
    made = []
    for role, path in listed:
        content = host.read(path)
        name = path.rpartition("\\")[2]
        host.write(f"{folder}\\{name}", content)
        made.append(
            SetFile(
                role=role,
                path=name,
                source_path=path,
                size_bytes=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
                reason="needed",
                database=database_facts(header) if role is FileRole.DATABASE else None,
            )
        )
    body = evolve(wanted(before).sealed.body, files=tuple(made), set_id="EX01/DB05/crash")
    logs = []
    for each in made[1:]:
        log = read_log_header(host.read(each.source_path, 0, 4096)).header
        assert log is not None
        logs.append(SeenLog(file=each, header=log))
    facts = made[0].database
    assert facts is not None and len(logs) > 1
    replay = choose_logs(facts, tuple(logs), until=None)
    ask = Wanted(sealed=SealedSet(body, set_digest(body)), folder=folder, replay=replay)
    if missing:
        world.faults.fail_next_eseutil("/r", error=-543)
    result = next_night(before, recovery_draft(ask, setting(before))).run_to_end()
    name = result.databases[0].database
    if missing:
        assert result.exit_code == ExitCode.STOPPED
        assert "replay-logs" in result.databases[0].why
        return
    assert result.exit_code == ExitCode.OK, result
    assert truth(before, name).is_mounted


@pytest.mark.parametrize("generation", Generation)
def test_the_mail_of_the_missing_hours_is_asked_back_only_where_there_is_a_safety_net(
    generation: Generation,
) -> None:
    (server,) = setting(rebuilt()).actual.servers
    assert isinstance(server.databases, tuple)
    hints = resubmission(evolve(server, generation=generation), server.databases[0], AT)
    assert bool(hints) is (generation not in OLD)
