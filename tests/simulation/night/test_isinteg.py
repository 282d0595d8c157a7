"""The whole treatment on Exchange 2007 and 2003: isinteg around a rebuild, and what brings mail
back.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from attrs import evolve

from goexchange.errors import ExitCode
from goexchange.model.actual import Generation, LookKind
from goexchange.model.plan import Action, Need
from goexchange.simulation.night import Night, make_night
from goexchange.world import isinteg, job_kinds
from goexchange.world.truth import true_database
from tests.reliability.scenarios import Scenario, documents_of, site_of
from tests.simulation.crash_points import crash_everywhere
from tests.simulation.night.test_scripts import again, done, record_of, scenario_for, summary_of

SCENARIO = scenario_for("rebuild", Generation.EXCHANGE_2007)
OF_2003 = scenario_for("rebuild", Generation.EXCHANGE_2003)
BOTH = pytest.mark.parametrize("of", [SCENARIO, OF_2003], ids=["2007", "2003"])


def whole(of: Scenario, found: list[int], *, before: int = 3, after: int = 3) -> Night:
    """`found` is what each run of isinteg finds, those of both phases one after the other."""
    inventory, (spec,) = documents_of(of)
    correction = evolve(
        spec.script.error_correction, primary_passes_max=before, defragmented_passes_max=after
    )
    spec = evolve(spec, script=evolve(spec.script, error_correction=correction))

    def prepare(world: Any) -> None:
        world.database_named("DB11").corruptions["folderview"] = list(found)

    return make_night(
        site_of(of), [spec], inventory, at=of.at, seed=of.seed, prepare=prepare
    )


def signature(night: Night) -> object:
    world = night.performer.world
    present = true_database(world, world.database_named("DB11")).present
    return None if present is None else present.signature


@BOTH
def test_passes_until_clean_then_the_rebuild_then_passes_over_the_new_file(of: Scenario) -> None:
    night = whole(of, [3, 1, 0, 2, 0])
    was = signature(night)
    assert night.run_to_end().exit_code == ExitCode.OK
    assert signature(night) != was
    kinds = [each.kind for each in night.performer.world.effects]
    wanted = ["set-sealed", *["store-integrity"] * 3, "swap", *["store-integrity"] * 2, "mount"]
    assert [kind for kind in kinds if kind in wanted] == wanted
    found = {each.pass_name: each.passes for each in summary_of(night).passes if each.passes}
    assert found == {
        "primary": ((3, 0), (1, 0), (0, 0)), "defragmented": ((2, 0), (0, 0)),
    }  # fmt: skip
    actions = done(night)
    seconds = {Action.READ_CORRECTED_STREAMING, Action.READ_NEW_STREAMING}
    assert (actions & seconds == seconds) is (of is OF_2003)
    looks = {each.kind: each.errors for each in record_of(night).looks}
    assert looks[LookKind.LOGICAL] == looks[LookKind.CORRECTED] == 0
    assert again(night, of) == [Need.NOTHING]


@BOTH
def test_errors_that_stay_in_the_original_end_it_before_the_rebuild(of: Scenario) -> None:
    night = whole(of, [2] * 9)
    was = signature(night)
    result = night.run_to_end()
    assert "after 3 passes" in result.databases[0].why
    performed = done(night)
    assert Action.REBUILD not in performed and Action.MOUNT_ORIGINAL in performed
    assert signature(night) == was


@BOTH
def test_errors_that_stay_in_the_new_file_bring_the_original_back(of: Scenario) -> None:
    night = whole(of, [0, *[2] * 9])
    was = signature(night)
    result = night.run_to_end()
    assert "after 3 passes" in result.databases[0].why
    performed = done(night)
    assert Action.SWAP_BACK in performed and Action.MOVE_LOGS_ASIDE in performed
    assert Action.MOUNT not in performed and Action.MOUNT_ORIGINAL in performed
    assert signature(night) == was
    world = night.performer.world
    assert true_database(world, world.database_named("DB11")).is_mounted


@BOTH
@pytest.mark.parametrize("runs", [0, 1])
def test_words_that_are_not_known_in_either_phase_bring_the_original_back(
    monkeypatch: pytest.MonkeyPatch, runs: int, of: Scenario
) -> None:
    night, known, seen = whole(of, []), isinteg._tested, Counter[str]()
    was = signature(night)

    def tested(database: Any, *, is_fixing: bool) -> list[str]:
        seen["runs"] += 1
        good = known(database, is_fixing=is_fixing)
        return good if seen["runs"] <= runs else ["Prüfung beendet."]

    monkeypatch.setattr(isinteg, "_tested", tested)
    assert "last test" in night.run_to_end().databases[0].why
    assert signature(night) == was
    world = night.performer.world
    assert true_database(world, world.database_named("DB11")).is_mounted
    assert (Action.SWAP in done(night)) is bool(runs)


@pytest.mark.parametrize(("run", "look"), [
    (1, Action.READ_CORRECTED_STREAMING), (2, Action.READ_NEW_STREAMING),
])  # fmt: skip
def test_a_pair_that_no_longer_is_one_after_isinteg_is_never_mounted(
    monkeypatch: pytest.MonkeyPatch, run: int, look: Action
) -> None:
    """The first would leave nothing to mount: a person has the set; the second is swapped back."""
    night, runs = whole(OF_2003, [0, 0]), Counter[str]()
    was, known = signature(night), job_kinds.isinteg

    def spoilt(world: Any, host: Any, request: Any) -> Any:
        runs["of isinteg"] += 1
        if runs["of isinteg"] == run:
            host.files.write_at("D:\\DB11\\DB11.stm", 24, b"\x01\x02\x03\x04")
        return known(world, host, request)

    monkeypatch.setattr(job_kinds, "isinteg", spoilt)
    result = night.run_to_end()
    (database,) = result.databases
    assert f"{look.value}: the streaming file" in database.why
    assert Action.MOUNT not in done(night)
    if look is Action.READ_NEW_STREAMING:
        assert Action.SWAP_BACK in done(night) and signature(night) == was
    assert (Action.REBUILD in done(night)) is (look is Action.READ_NEW_STREAMING)


@pytest.mark.long
@BOTH
def test_a_kill_at_every_boundary_of_the_whole_treatment_ends_with_the_new_file_mounted(
    of: Scenario,
) -> None:
    def judge(ended: Night, _result: object) -> None:
        world = ended.performer.world
        database = true_database(world, world.database_named("DB11"))
        assert database.is_mounted and database.is_mount_at_startup
        kinds = Counter(each.kind for each in world.effects)
        assert kinds["dismount"] == kinds["mount"] == kinds["swap"] == kinds["set-sealed"] == 1
        assert kinds["store-integrity"] == 3

    report = crash_everywhere(whole(of, [1, 0, 0]), judge=judge)
    assert report.points > 100
    assert report.ends == {int(ExitCode.OK): report.points}
