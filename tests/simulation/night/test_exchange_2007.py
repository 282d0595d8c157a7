"""Exchange 2007: its cmdlets by host script, its logs shared, its corrections by isinteg."""

from __future__ import annotations

from collections import Counter

import pytest
from attrs import evolve

from goexchange.driver import effects
from goexchange.errors import ExitCode
from goexchange.ese.header import read_database_header
from goexchange.model.actual import Generation
from goexchange.model.plan import Action, ExchangeCall, Need, ScriptCall
from goexchange.powershell.header_dump import HeaderDump, parse_header_dump
from goexchange.simulation.faults import Fault, FaultKind, Place
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.stories import tell, troubled
from goexchange.world import isinteg
from goexchange.world.eseutil import run_eseutil
from goexchange.world.job_kinds import bench_for
from goexchange.world.truth import true_database
from tests.reliability.scenarios import documents_of, night_of, site_of
from tests.simulation.crash_points import crash_everywhere
from tests.simulation.night.test_exchange_2010 import sent
from tests.simulation.night.test_scripts import again, done, scenario_for, summary_of

OLD = Generation.EXCHANGE_2007


def test_no_cmdlet_goes_to_an_endpoint_and_what_changes_something_is_fenced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = sent(monkeypatch)
    assert night_of(scenario_for("rebuild", OLD)).run_to_end().exit_code == ExitCode.OK
    calls: list[object] = [each.call for each in seen if isinstance(each, effects.Send)]
    assert not [each for each in calls if isinstance(each, ExchangeCall)]
    told = [each for each in calls if isinstance(each, ScriptCall) and each.script == "tell-snapin"]
    assert {each.arguments["cmdlet"] for each in told} == {
        "Set-MailboxDatabase", "Dismount-Database", "Mount-Database",
    }  # fmt: skip
    assert all(each.arguments["fence"] >= 1 for each in told)


def test_the_rebuilt_file_has_pages_of_8_kib_and_the_revision_of_its_time() -> None:
    night = night_of(scenario_for("rebuild", OLD))
    assert night.run_to_end().exit_code == ExitCode.OK
    world = night.performer.world
    host, path = world.hosts["EX01"], "D:\\DB11\\DB11.edb"
    host.files.release_all()
    header = read_database_header(host.files.read(path, 0, 65536)).header
    assert header is not None and (header.format_update_major, header.page_size) == (12, 8192)
    printed = run_eseutil(("/mh", path), bench_for(world, host)).ending.output.decode()
    dump = parse_header_dump(printed)
    assert "Version 08.03" in printed and isinstance(dump, HeaderDump) and dump.page_bytes == 8192


def test_isinteg_goes_on_until_a_pass_finds_nothing_after_the_set_is_sealed() -> None:
    night = night_of(scenario_for("store-correct", OLD))
    assert night.run_to_end().exit_code == ExitCode.OK
    kinds = [each.kind for each in night.performer.world.effects]
    assert kinds.index("set-sealed") < kinds.index("store-integrity") < kinds.index("mount")
    (phase,) = [each for each in summary_of(night).passes if each.passes]
    assert [errors for errors, _ in phase.passes] == [4, 1, 0]


def test_words_that_are_not_known_end_the_passes_and_the_database_is_mounted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scenario = scenario_for("store-correct", OLD)
    night = night_of(scenario)
    monkeypatch.setattr(isinteg, "_tested", lambda *_given, **_named: ["Prüfung beendet."])
    result = night.run_to_end()
    assert result.exit_code in (ExitCode.PARTIAL, ExitCode.STOPPED)
    assert "last test" in result.databases[0].why
    world = night.performer.world
    assert true_database(world, world.database_named("DB11")).is_mounted
    assert again(night, scenario) == [Need.CORRECT]


def test_what_passes_leave_is_a_failure_and_asked_for_again() -> None:
    scenario = scenario_for("store-correct", OLD)
    night = night_of(scenario)
    night.performer.world.database_named("DB11").corruptions["folderview"] = [2, 2, 2, 2]
    assert "after 3 passes" in night.run_to_end().databases[0].why
    assert again(night, scenario) == [Need.CORRECT]


def shared(need: str) -> Night:
    """Two databases of one storage group: the first is wanted, the second stays mounted."""
    scenario = evolve(scenario_for(need, OLD), needs=((need, "outside"),))
    site = site_of(scenario)
    one, other = site.databases
    group = {"storage_group": "SG", "log_folder": "L:\\SG", "log_prefix": "E00"}
    site = evolve(site, databases=(evolve(one, **group), evolve(other, **group)))
    inventory, specifications = documents_of(scenario)
    return make_night(site, specifications, inventory, at=scenario.at, seed=scenario.seed)


def test_a_shared_stream_is_looked_past_while_the_other_stays_mounted() -> None:
    night = shared("inspect")
    assert night.run_to_end().exit_code == ExitCode.OK
    world = night.performer.world
    assert Action.MEASURE_SPACE in done(night)
    kinds = Counter((each.kind, each.database) for each in world.effects)
    assert kinds["dismount", "DB11"] == 1 and not kinds["dismount", "DB12"]
    assert all(true_database(world, world.database_named(n)).is_mounted for n in ("DB11", "DB12"))


@pytest.mark.parametrize("need", ["rebuild", "defragment", "store-correct", "copy"])
def test_what_needs_all_its_logs_is_refused_by_name(need: str) -> None:
    (decision,) = shared(need).plan.body.decisions
    assert decision.need is Need.NOT_POSSIBLE and "DB12" in decision.explanation


def test_a_move_that_nobody_can_ask_for_breaks_no_promise() -> None:
    """Seed 1742: the version has no move requests, and the consent says that nobody looks."""
    calm = night_of(scenario_for("defragment", OLD))
    begin = next(
        step.id
        for step in calm.plan.body.lanes[0].steps
        if step.action is Action.SET_MOUNT_AT_STARTUP
    )
    move = Fault(kind=FaultKind.FOREIGN_MOVE, step=begin, place=Place.OUTCOME)
    story = tell(troubled(calm.plan, calm.performer.world, calm.performer, (move,)))
    assert [one.kind for one in story.fired] == [FaultKind.FOREIGN_MOVE]
    assert story.is_good, story.text


@pytest.mark.long
def test_a_kill_at_every_boundary_of_a_correction_ends_with_the_database_mounted() -> None:
    def judge(ended: Night, _result: object) -> None:
        world = ended.performer.world
        database = true_database(world, world.database_named("DB11"))
        assert database.is_mounted and database.is_mount_at_startup
        kinds = Counter(each.kind for each in world.effects)
        assert kinds["dismount"] == kinds["mount"] == kinds["set-sealed"] == 1
        assert kinds["store-integrity"] == 3

    report = crash_everywhere(night_of(scenario_for("store-correct", OLD)), judge=judge)
    assert report.points > 100
    assert report.ends == {int(ExitCode.OK): report.points}
