"""A database with public folders in a night: done like others, and left alone when behind."""

from __future__ import annotations

import pytest
from attrs import evolve

from goexchange.errors import ExitCode
from goexchange.model.actual import ActualState, Generation
from goexchange.model.plan import Action, Need
from goexchange.plan.planner import make_draft
from goexchange.simulation.night import Night, make_night
from goexchange.world.truth import true_database
from tests.reliability.scenarios import documents_of, site_of
from tests.simulation.night.test_scripts import done, scenario_for

OLD = (Generation.EXCHANGE_2010, Generation.EXCHANGE_2007)


def night_with(need: str, generation: Generation) -> Night:
    scenario = scenario_for(need, generation)
    site = site_of(scenario)
    site = evolve(
        site, databases=tuple(evolve(each, is_public_folder=True) for each in site.databases)
    )
    inventory, specifications = documents_of(scenario)
    return make_night(site, specifications, inventory, at=scenario.at, seed=scenario.seed)


@pytest.mark.parametrize("generation", OLD)
@pytest.mark.parametrize("need", ["defragment", "measure"])
def test_one_that_is_well_is_done_and_leaves_nothing_to_do(
    need: str, generation: Generation
) -> None:
    night = night_with(need, generation)
    assert night.run_to_end().exit_code == ExitCode.OK
    assert (Action.SWAP in done(night)) == (need == "defragment")
    world = night.performer.world
    database = true_database(world, world.database_named("DB11"))
    assert database.is_mounted and database.is_mount_at_startup
    inventory, specifications = documents_of(scenario_for(need, generation))
    seen = ActualState(
        observed_at_utc=night.performer.now(), servers=(night.performer.observe("EX01", ()),)
    )
    again = make_draft(specifications, inventory, seen, now=night.performer.now())
    assert [each.need for each in again.decisions] == [Need.NOTHING]


@pytest.mark.parametrize("waiting", [17, None])
def test_one_that_falls_behind_after_the_plan_is_not_taken_down(waiting: int | None) -> None:
    night = night_with("defragment", Generation.EXCHANGE_2010)
    world = night.performer.world
    world.database_named("DB11").replication_waiting = waiting
    result = night.run_to_end()
    assert result.exit_code != ExitCode.OK and Action.DISMOUNT not in done(night)
    said = str(result)
    assert ("17 replication messages" in said) if waiting else ("backlog" in said), said
    assert true_database(world, world.database_named("DB11")).is_mounted
