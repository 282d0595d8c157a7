"""A pilot on Exchange 2007 and 2003, whose databases lie in storage groups: one of its own comes
and goes with it, whatever dies in between.
"""

from __future__ import annotations

import pytest
from attrs import evolve

from goexchange.errors import ExitCode, NotNow
from goexchange.model.plan import Action, Need
from goexchange.model.run import RunResult
from goexchange.plan.pilot import creation_draft, removal_draft
from goexchange.simulation.night import Night
from goexchange.world.truth import true_database
from tests.reliability.pilots import (
    INPUTS,
    ON_2003,
    ON_2007,
    SCRATCH,
    Place,
    created,
    next_night,
    night_body,
    setting,
    site,
)
from tests.simulation.crash_points import crash_everywhere
from tests.simulation.night.test_pilot import folder, is_untouched, killed, kinds
from tests.simulation.night.test_scripts import done

both = pytest.mark.parametrize("place", [ON_2007, ON_2003], ids=["2007", "2003"])


def night(of: Night, number: int, place: Place, *, forces_way_back: bool = False) -> Night:
    body = night_body(of, forces_way_back=forces_way_back, place=place)
    return next_night(of, body, number)


def removal(of: Night, number: int, place: Place) -> Night:
    return next_night(of, removal_draft(SCRATCH, setting(of, place), INPUTS), number)


def creation(of: Night, place: Place) -> Night:
    return next_night(of, creation_draft(SCRATCH, setting(of, place), INPUTS), 1)


def groups(of: Night) -> list[str]:
    return [name for _, name in of.performer.world.groups]


@both
def test_the_whole_pilot_leaves_nothing_and_touches_nobody(place: Place) -> None:
    made = created(place)
    assert kinds(made) == ["storage-group-made", "database-made", "mount"]
    assert groups(made) == [SCRATCH.name]
    back = night(made, 2, place, forces_way_back=True)
    (decision,) = back.plan.body.decisions
    assert decision.need is Need.REBUILD and decision.white_space_bytes is None
    assert "its whole size" in decision.explanation
    assert back.run_to_end().exit_code == ExitCode.STOPPED
    world = back.performer.world
    assert "swap-back" in {each.kind for each in world.effects}
    assert true_database(world, world.database_named(SCRATCH.name)).is_mounted
    whole = night(back, 3, place)
    assert whole.run_to_end().exit_code == ExitCode.OK
    assert {Action.STORE_INTEGRITY, Action.REBUILD, Action.PROVE_BACKUP} <= done(whole)
    gone = removal(whole, 4, place)
    assert gone.run_to_end().exit_code == ExitCode.OK
    assert kinds(gone)[-3:] == ["dismount", "database-removed", "storage-group-removed"]
    assert folder(gone) == [] and groups(gone) == []
    assert [each.name for each in world.databases.values()] == ["DB05", "DB06"]
    assert is_untouched(gone)


@both
def test_a_kill_at_every_boundary_of_making_it_makes_it_once(place: Place) -> None:
    def judge(ended: Night, result: RunResult) -> None:
        assert result.exit_code == ExitCode.OK, result
        assert kinds(ended) == ["storage-group-made", "database-made", "mount"]
        assert is_untouched(ended)

    report = crash_everywhere(creation(site(place), place), judge=judge)
    assert {"new-scratch-group", "new-scratch-database", "mount-scratch"} <= killed(report.kills)


@both
def test_a_kill_at_every_boundary_of_removing_it_removes_it_once(place: Place) -> None:
    def judge(ended: Night, result: RunResult) -> None:
        assert result.exit_code == ExitCode.OK, result
        assert kinds(ended)[3:] == ["dismount", "database-removed", "storage-group-removed"]
        assert folder(ended) == [] and groups(ended) == [] and is_untouched(ended)

    report = crash_everywhere(removal(created(place), 2, place), judge=judge)
    assert {"remove-scratch-database", "remove-scratch-group"} <= killed(report.kills)


@pytest.mark.parametrize("forces_way_back", [True, False])
@both
def test_a_kill_at_boundaries_of_its_nights_ends_with_a_file_that_is_mounted(
    forces_way_back: bool, place: Place
) -> None:
    made = created(place)
    world = made.performer.world
    original = true_database(world, world.database_named(SCRATCH.name)).present

    def judge(ended: Night, result: RunResult) -> None:
        world = ended.performer.world
        truth = true_database(world, world.database_named(SCRATCH.name))
        assert truth.is_mounted and truth.present is not None and original is not None
        is_original = truth.present.signature == original.signature
        assert is_original is forces_way_back, result
        assert is_untouched(ended)

    begun = night(made, 2, place, forces_way_back=forces_way_back)
    report = crash_everywhere(begun, judge=judge, every=9)
    assert report.kills


@both
def test_what_a_pilot_that_died_while_making_it_left_is_removed(place: Place) -> None:
    """Its group is there, and its database is not."""
    first = site(place)
    half = creation(first, place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "goexchange.world.cmdlets_scratch.groups_of", lambda _world, _host: {}
        )
        assert half.run_to_end().exit_code != ExitCode.OK
    assert kinds(half) == ["storage-group-made"] and groups(half) == [SCRATCH.name]
    with pytest.raises(NotNow, match="has a storage group"):
        creation_draft(SCRATCH, setting(half, place), INPUTS)
    gone = removal(half, 2, place)
    assert gone.run_to_end().exit_code == ExitCode.OK
    assert groups(gone) == [] and folder(gone) == [] and is_untouched(gone)


@both
def test_a_group_whose_folder_lost_its_mark_is_not_removed(place: Place) -> None:
    made = created(place)
    made.performer.world.hosts["EX01"].files.delete(f"{SCRATCH.folder}\\goexchange-pilot.json")
    kept = removal(made, 2, place)
    assert kept.run_to_end().exit_code != ExitCode.OK
    assert kinds(kept) == ["storage-group-made", "database-made", "mount"]


@both
def test_a_database_with_a_mailbox_stays_mounted_where_it_is(place: Place) -> None:
    made = created(place)
    database = made.performer.world.database_named(SCRATCH.name)
    database.description = evolve(database.description, mailboxes=1)
    kept = removal(made, 2, place)
    assert kept.run_to_end().exit_code != ExitCode.OK
    assert database.mounted_on == "EX01" and groups(kept) == [SCRATCH.name]
