"""On Exchange 2003 an earlier pair of files is put back, both or none, and the later pair kept;
what stands in the way is refused by name.
"""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.backup.manifest import parse_manifest
from goexchange.backup.replay import Replay
from goexchange.driver.undoing import kept_original
from goexchange.errors import Damaged, ExitCode, NotNow
from goexchange.ese.jet_errors import JetError
from goexchange.guard import evaluate
from goexchange.model.actual import ActualDatabase, ActualState, Cluster, Generation, PublicStore
from goexchange.model.backup_set import MANIFEST_NAME, FileRole
from goexchange.model.plan import Action, Consent, PlanBody
from goexchange.model.run import LaneState
from goexchange.model.unknown import Unknown
from goexchange.plan.context import Pace
from goexchange.plan.restoring import Setting, Wanted, original_draft, recovery_draft
from goexchange.plan.rolling_back import rollback_draft
from goexchange.plan.sealing import seal
from goexchange.simulation.night import Night, night_of
from goexchange.world.files import HostFiles
from goexchange.world.streaming import are_a_pair
from tests.reliability.scenarios import documents_of
from tests.reliability.scenarios import night_of as night_of_scenario
from tests.simulation.crash_points import crash_everywhere
from tests.simulation.night.test_exchange_2003 import EDB, STM, assert_whole
from tests.simulation.night.test_scripts import done, scenario_for

SCENARIO = scenario_for("rebuild", Generation.EXCHANGE_2003)
WAYS = ("rollback", "original")


def rebuilt() -> Night:
    """A rebuild of a pair that has ended well; mail has come in since."""
    made = night_of_scenario(SCENARIO)
    assert made.run_to_end().exit_code == ExitCode.OK
    made.performer.clock.move(seconds=3600)
    made.performer.world.mail("DB11", pages=1)
    return made


def files(of: Night) -> HostFiles:
    return of.performer.world.hosts["EX01"].files


def actual(of: Night) -> ActualState:
    now = of.performer.now()
    return ActualState(observed_at_utc=now, servers=(of.performer.observe("EX01", ()),))


def setting(of: Night, **server: Any) -> Setting:
    seen = actual(of)
    seen = evolve(seen, servers=(evolve(seen.servers[0], **server),))
    inventory, _ = documents_of(SCENARIO)
    now = of.performer.now()
    return Setting(inventory=inventory, actual=seen, server="EX01", now=now, pace=Pace())


def wanted(of: Night) -> Wanted:
    """The set that the night made."""
    manifest = next(path for path in files(of).below("E:\\sets") if path.endswith(MANIFEST_NAME))
    sealed = parse_manifest(files(of).read(manifest))
    return Wanted(sealed=sealed, folder=manifest.rpartition("\\")[0], replay=None)


def body_of(of: Night, way: str, **server: Any) -> PlanBody:
    if way == "original":
        return original_draft(wanted(of), setting(of, **server))
    kept = kept_original(of.plan, of.plan.body.lanes[0], of.checks.watch.state)
    assert kept is not None
    return rollback_draft(kept, setting(of, **server))


def next_night(of: Night, body: PlanBody) -> Night:
    """The next night on the same site, of that plan."""
    guards = evaluate.at_plan(body, actual(of), of.performer.now())
    plan = seal(evolve(body, guards=guards), of.performer.now(), "simulation")
    of.performer.records.clear()
    made = night_of(plan, of.performer, run="20261128T230000-0002")
    made.checks.seen_effects = len(of.performer.world.effects)
    return made


def signature(of: Night) -> object:
    return of.performer.world.database_named("DB11").attached_signature


@pytest.mark.parametrize("way", WAYS)
def test_both_earlier_files_are_put_back_and_both_later_ones_kept(way: str) -> None:
    before = rebuilt()
    newer, body = signature(before), body_of(before, way)
    asked = {(need.consent, need.address) for need in body.consents}
    assert {(Consent.DISCARD_MAIL, "EX01/DB11"), (Consent.UNCONFIRMED_GENERATION, "EX01")} <= asked
    assert not body.diagnostics  # there is no safety net
    night = next_night(before, body)
    result = night.run_to_end()
    assert result.exit_code == (ExitCode.OK if way == "rollback" else ExitCode.UNPROTECTED), result
    assert Action.READ_RETURNED_STREAMING in done(night)
    assert signature(night) != newer
    assert_whole(night)
    beside = files(night).names_in("D:\\DB11")
    later = [path for path in beside if ".rebuilt-" in path or ".replaced-" in path]
    edb, stm = sorted(later)
    assert are_a_pair(files(night), edb, stm)
    assert edb.startswith(f"{EDB}.") and stm.startswith(f"{STM}.")


@pytest.mark.parametrize("way", WAYS)
def test_an_earlier_pair_that_does_not_mount_gives_both_later_files_back(way: str) -> None:
    before = rebuilt()
    newer, names = signature(before), files(before).names_in("D:\\DB11")
    night = next_night(before, body_of(before, way))
    error = int(JetError.DatabaseStreamingFileMismatch)
    night.performer.world.faults.fail_next_mount("DB11", error=error)
    result = night.run_to_end()
    assert result.exit_code != ExitCode.OK and Action.RETURN_PRESENT in done(night), result
    assert signature(night) == newer
    assert_whole(night)
    kept = set(files(night).names_in("D:\\DB11"))
    assert set(names) <= kept


@pytest.mark.parametrize("way", WAYS)
def test_the_second_file_of_another_database_is_seen_before_anything_is_taken_down(
    way: str,
) -> None:
    before = rebuilt()
    body = body_of(before, way)
    if way == "original":
        place = f"{wanted(before).folder}\\DB11.stm"
    else:
        place = next(p for p in files(before).names_in("D:\\DB11") if ".stm.before-" in p)
    content = bytearray(files(before).read(place))
    content[24:28] = b"\x01\x02\x03\x04"  # the signature of another one
    files(before).write_at(place, 0, bytes(content))
    night = next_night(before, body)
    result = night.run_to_end()
    assert result.databases[0].state is LaneState.FAILED
    kinds = [each.kind for each in night.performer.world.effects[night.checks.seen_effects :]]
    assert "dismount" not in kinds
    assert_whole(night)


def store(name: str) -> PublicStore:
    return PublicStore(
        name=name, storage_group="SG", edb_path="D:\\p\\p.edb", log_folder="L:\\DB11",
        log_prefix="E00", is_mounted=True,
    )  # fmt: skip


def differing(of: Night, **values: Any) -> tuple[ActualDatabase, ...]:
    databases = actual(of).servers[0].databases
    assert isinstance(databases, tuple)
    return tuple(evolve(each, **values) for each in databases)


def test_what_stands_in_the_way_is_refused_by_name() -> None:
    before = rebuilt()
    for way in WAYS:
        for server, why in (
            ({"cluster": Cluster(kind="Shared", nodes=())}, "EX01 is one of a cluster, of which"),
            ({"cluster": Unknown("other name")}, "EX01 may be one of a cluster .unknown"),
            ({"public_stores": (store("PUB"),)}, "are those of PUB too"),
            ({"public_stores": Unknown("cut")}, "the logs of DB11 is not known: unknown .cut"),
            ({"databases": differing(before, is_mount_at_startup=False)}, "not mounted at startup"),
            ({"databases": differing(before, streaming_path="E:\\s.stm")}, "DB11 is E:"),
            ({"databases": differing(before, streaming_path=None)}, "DB11 is not known"),
        ):
            with pytest.raises(NotNow, match=why.replace("\\", "\\\\")):
                body_of(before, way, **server)


def test_a_set_of_one_file_alone_is_no_way_back_and_no_logs_are_replayed() -> None:
    before = rebuilt()
    whole = wanted(before)
    body = whole.sealed.body
    one = tuple(each for each in body.files if each.role is not FileRole.STREAMING)
    lacking = evolve(whole, sealed=evolve(whole.sealed, body=evolve(body, files=one)))
    with pytest.raises(Damaged, match="holds 0 streaming files, and DB11 has 1"):
        original_draft(lacking, setting(before))
    replay = Replay(base="E00", files=(), last="logs/E00.log")
    with pytest.raises(NotNow, match="not replayed into a pair"):
        original_draft(evolve(whole, replay=replay), setting(before))
    with pytest.raises(NotNow, match="by hand alone"):
        recovery_draft(whole, setting(before))


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fails", [False, True])
def test_a_kill_at_every_boundary_leaves_a_sound_pair(way: str, fails: bool) -> None:
    before = rebuilt()
    night = next_night(before, body_of(before, way))
    if fails:
        night.performer.world.faults.fail_next_mount("DB11", error=-540)

    def judge(ended: Night, _result: object) -> None:
        assert_whole(ended)

    assert crash_everywhere(night, judge=judge).points > 50
