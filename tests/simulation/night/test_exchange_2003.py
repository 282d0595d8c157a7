"""Exchange 2003: a database is a pair of files, whatever becomes of the night."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from attrs import evolve

from goexchange.driver import effects
from goexchange.errors import ExitCode
from goexchange.ese.header import read_database_header
from goexchange.ese.jet_errors import JetError
from goexchange.model.actual import Generation
from goexchange.model.plan import Action, ExchangeCall, Need, ScriptCall
from goexchange.simulation.night import Night, make_night
from goexchange.world.hosts import Host
from goexchange.world.streaming import are_a_pair, is_sound_streaming
from goexchange.world.truth import true_database
from tests.reliability.scenarios import documents_of, night_of, site_of
from tests.simulation.crash_points import crash_everywhere
from tests.simulation.night.test_exchange_2010 import sent
from tests.simulation.night.test_scripts import done, scenario_for

OLD = Generation.EXCHANGE_2003
EDB, STM = "D:\\DB11\\DB11.edb", "D:\\DB11\\DB11.stm"


def host_of(night: Night) -> Host:
    return night.performer.world.hosts["EX01"]


def assert_whole(night: Night) -> None:
    """The files in service are a sound pair, mounted, at startup too."""
    world = night.performer.world
    truth = true_database(world, world.database_named("DB11"))
    assert truth.is_mounted and truth.is_mount_at_startup
    files = host_of(night).files
    assert is_sound_streaming(files, STM)
    one, other = (read_database_header(files.read(each, 0, 8192)).header for each in (EDB, STM))
    assert one is not None and other is not None and one.signature == other.signature


def test_no_cmdlet_goes_to_an_endpoint_and_what_changes_something_is_fenced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = sent(monkeypatch)
    night = night_of(scenario_for("rebuild", OLD))
    assert night.run_to_end().exit_code == ExitCode.OK
    calls: list[object] = [each.call for each in seen if isinstance(each, effects.Send)]
    assert not [each for each in calls if isinstance(each, ExchangeCall)]
    told = [
        each for each in calls if isinstance(each, ScriptCall) and each.script == "tell-objects"
    ]
    assert {each.arguments["cmdlet"] for each in told} >= {"Dismount-Database", "Mount-Database"}
    assert all(each.arguments["fence"] >= 1 for each in told)
    assert_whole(night)
    files = host_of(night).files
    kept = [path for path in files.names_in("D:\\DB11") if ".before-" in path]
    edb, stm = sorted(kept)
    assert are_a_pair(files, edb, stm)  # the original, both files of it
    sets = {path.rpartition("\\")[2] for path in files.below("E:\\sets")}
    assert {"DB11.edb", "DB11.stm", "E00.log", "backup-set.json"} <= sets
    header = read_database_header(files.read(EDB, 0, 8192)).header
    assert header is not None and (header.format_update_major, header.page_size) == (9, 4096)


def test_a_rebuilt_pair_that_does_not_mount_is_put_back_as_a_pair() -> None:
    night = night_of(scenario_for("rebuild", OLD))
    world = night.performer.world
    world.faults.fail_next_mount("DB11", error=int(JetError.DatabaseStreamingFileMismatch))
    before = world.database_named("DB11").attached_signature
    result = night.run_to_end()
    assert result.exit_code != ExitCode.OK and Action.SWAP_BACK in done(night)
    assert world.database_named("DB11").attached_signature == before
    assert_whole(night)
    names = {path.rpartition(".")[2] for path in host_of(night).files.names_in("D:\\DB11")}
    assert any(each.startswith("rebuilt-") for each in names)


@pytest.mark.parametrize("lost", [".edb", ".stm"])
def test_where_a_file_of_the_original_is_lost_the_set_brings_both_back(
    lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = night_of(scenario_for("rebuild", OLD))
    world = night.performer.world
    world.faults.fail_next_mount("DB11", error=int(JetError.DatabaseStreamingFileMismatch))
    files, script = host_of(night).files, world.script

    def spied(host: str, user: str, name: str, arguments: Any, **more: Any) -> Any:
        if name == "swap-back":
            for path in files.names_in("D:\\DB11"):
                if f"{lost}.before-" in path:
                    files.delete(path)
        return script(host, user, name, arguments, **more)

    monkeypatch.setattr(world, "script", spied)
    before = world.database_named("DB11").attached_signature
    night.run_to_end()
    assert Action.COPY_BACK in done(night)
    assert world.database_named("DB11").attached_signature == before
    assert_whole(night)


def test_a_second_file_of_another_database_ends_the_work_and_is_mounted_as_it_was() -> None:
    night = night_of(scenario_for("inspect", OLD))
    files = host_of(night).files
    content = bytearray(files.read(STM))
    content[-40] ^= 1  # its content is no longer what its checksum says
    files.write_at(STM, 0, bytes(content))
    result = night.run_to_end()
    assert result.exit_code == ExitCode.PARTIAL or result.exit_code == ExitCode.STOPPED
    assert "eseutil /k ended with -1206" in result.databases[0].why
    assert night.performer.world.database_named("DB11").mounted_on is not None


def test_a_shared_stream_with_a_public_store_is_refused_by_name() -> None:
    scenario = evolve(scenario_for("rebuild", OLD), needs=(("rebuild", "outside"),))
    site = site_of(scenario)
    one, other = site.databases
    group = {"storage_group": "SG", "log_folder": "L:\\SG", "log_prefix": "E00"}
    site = evolve(
        site, databases=(evolve(one, **group), evolve(other, **group, is_public_folder=True))
    )
    inventory, specifications = documents_of(scenario)
    night = make_night(site, specifications, inventory, at=scenario.at, seed=scenario.seed)
    (decision,) = night.plan.body.decisions
    assert decision.need is Need.NOT_POSSIBLE and "DB12" in decision.explanation


@pytest.mark.long
@pytest.mark.parametrize("fails", [False, True])
def test_a_kill_at_every_boundary_of_a_rebuild_leaves_a_sound_pair(fails: bool) -> None:
    night = night_of(scenario_for("rebuild", OLD))
    if fails:
        night.performer.world.faults.fail_next_mount("DB11", error=-540)

    def judge(ended: Night, _result: object) -> None:
        assert_whole(ended)
        kinds = Counter(each.kind for each in ended.performer.world.effects)
        assert kinds["dismount"] == kinds["swap"] == kinds["set-sealed"] == kinds["mount"] == 1

    report = crash_everywhere(night, judge=judge)
    assert report.points > 100
    if not fails:
        assert report.ends == {int(ExitCode.OK): report.points}
