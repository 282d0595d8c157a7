"""The plans of a pilot, carried out by the production driver on a simulated site, with a controller
that dies at every boundary: nothing happens twice, and nobody's database is touched.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve

from goexchange.errors import ExitCode
from goexchange.model.run import RunResult
from goexchange.plan.pilot import (
    Scratch,
    creation_draft,
    removal_draft,
)
from goexchange.simulation.crashes import Kill
from goexchange.simulation.night import Night
from goexchange.world.truth import true_database
from tests.reliability.pilots import (
    SCRATCH,
    created,
    next_night,
    night_body,
    setting,
    site,
)
from tests.simulation.crash_points import crash_everywhere


def kinds(of: Night, database: str = SCRATCH.name) -> list[str]:
    return [each.kind for each in of.performer.world.effects if each.database == database]


def is_untouched(of: Night) -> bool:
    """Whether nobody's database saw anything."""
    world = of.performer.world
    others = {each.database for each in world.effects if each.database not in (SCRATCH.name, None)}
    return not others and true_database(world, world.database_named("DB05")).is_mounted


def folder(of: Night) -> list[str]:
    return list(of.performer.world.hosts["EX01"].files.below(SCRATCH.folder))


def test_the_whole_pilot_leaves_nothing_and_touches_nobody() -> None:
    made = created()
    assert kinds(made) == ["database-made", "mount"]
    back = next_night(made, night_body(made, forces_way_back=True), 2)
    assert back.run_to_end().exit_code == ExitCode.STOPPED
    assert kinds(back).count("swap-back") == 1 or "swap-back" in [
        each.kind for each in back.performer.world.effects
    ]
    database = back.performer.world.database_named(SCRATCH.name)
    assert true_database(back.performer.world, database).is_mounted
    whole = next_night(back, night_body(back, forces_way_back=False), 3)
    assert whole.run_to_end().exit_code == ExitCode.OK
    gone = next_night(whole, removal_draft(SCRATCH, setting(whole), ()), 4)
    assert gone.run_to_end().exit_code == ExitCode.OK
    assert kinds(gone)[-1] == "database-removed" and folder(gone) == []
    assert [each.name for each in gone.performer.world.databases.values()] == ["DB05"]
    assert is_untouched(gone)


def test_a_database_with_a_mailbox_stays_mounted_where_it_is() -> None:
    made = created()
    world = made.performer.world
    database = world.database_named(SCRATCH.name)
    database.description = evolve(database.description, mailboxes=1)
    kept = next_night(made, removal_draft(SCRATCH, setting(made), ()), 2)
    result = kept.run_to_end()
    assert result.exit_code != ExitCode.OK
    assert database.mounted_on == "EX01" and "database-removed" not in kinds(kept)
    assert len(folder(kept)) > 2


def test_a_folder_that_is_not_the_pilot_s_is_neither_used_nor_removed() -> None:
    made = site()
    files = made.performer.world.hosts["EX01"].files
    files.write(f"{SCRATCH.folder}\\somebody.txt", b"mine")
    refused = next_night(made, creation_draft(SCRATCH, setting(made), ()), 1)
    assert refused.run_to_end().exit_code != ExitCode.OK
    assert kinds(refused) == []
    files.write(SCRATCH.edb_path, b"a file of the same name")
    again = next_night(refused, removal_draft(SCRATCH, setting(refused), ()), 2)
    assert again.run_to_end().exit_code != ExitCode.OK
    assert files.read(f"{SCRATCH.folder}\\somebody.txt") == b"mine"


def test_a_database_whose_folder_lost_its_mark_is_not_removed() -> None:
    made = created()
    files = made.performer.world.hosts["EX01"].files
    files.delete(f"{SCRATCH.folder}\\goexchange-pilot.json")
    kept = next_night(made, removal_draft(SCRATCH, setting(made), ()), 2)
    assert kept.run_to_end().exit_code != ExitCode.OK
    assert kinds(kept) == ["database-made", "mount"]


def test_a_kill_at_every_boundary_of_making_it_makes_it_once() -> None:
    first = site()
    night = next_night(first, creation_draft(SCRATCH, setting(first), ()), 1)

    def judge(ended: Night, result: RunResult) -> None:
        assert result.exit_code == ExitCode.OK, result
        assert kinds(ended) == ["database-made", "mount"] and is_untouched(ended)

    report = crash_everywhere(night, judge=judge)
    assert {"new-scratch-database", "mount-scratch"} <= killed(report.kills)


def test_a_kill_at_every_boundary_of_removing_it_removes_it_once() -> None:
    made = created()
    night = next_night(made, removal_draft(SCRATCH, setting(made), ()), 2)

    def judge(ended: Night, result: RunResult) -> None:
        assert result.exit_code == ExitCode.OK, result
        assert kinds(ended)[2:] == ["dismount", "database-removed"]
        assert folder(ended) == [] and is_untouched(ended)

    report = crash_everywhere(night, judge=judge)
    assert {"dismount-scratch", "remove-scratch-database"} <= killed(report.kills)


def test_a_kill_at_every_boundary_of_the_forced_way_back_ends_with_the_original() -> None:
    made = created()
    world = made.performer.world
    original = true_database(world, world.database_named(SCRATCH.name)).present
    night = next_night(made, night_body(made, forces_way_back=True), 2)

    def judge(ended: Night, result: RunResult) -> None:
        world = ended.performer.world
        truth = true_database(world, world.database_named(SCRATCH.name))
        assert truth.is_mounted and truth.present is not None and original is not None
        assert truth.present.signature == original.signature, result
        assert is_untouched(ended)

    report = crash_everywhere(night, judge=judge, every=9)
    assert report.kills


def killed(kills: Iterable[Kill]) -> set[str]:
    return {kill.step.rpartition("/")[2].partition("-")[2] for kill in kills}


def test_everything_of_a_scratch_database_lies_below_its_folder() -> None:
    scratch = Scratch(name=SCRATCH.name, folder=SCRATCH.folder)
    for path in (scratch.edb_path, scratch.log_folder, scratch.set_target):
        assert path.startswith(f"{SCRATCH.folder}\\")
