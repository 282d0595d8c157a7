"""The nights of a pilot: the plans of its stages, each on the site that the one before has left."""

from __future__ import annotations

from attrs import evolve

from goexchange.errors import ExitCode
from goexchange.guard import evaluate
from goexchange.model.actual import ActualState
from goexchange.model.plan import PlanBody
from goexchange.plan.context import Pace, Pilots
from goexchange.plan.pilot import creation_draft, removal_draft, scratch_at, specification_for
from goexchange.plan.planner import make_draft
from goexchange.plan.restoring import Setting
from goexchange.plan.sealing import seal
from goexchange.simulation.night import Night, make_night, night_of
from goexchange.simulation.site import one_database
from tests.simulation.night.documents import AT, inventory, specification

INVENTORY = inventory()
SCRATCH = scratch_at(AT, "E:\\")


def site() -> Night:
    """A site on which nothing has happened yet."""
    return make_night(one_database(), [specification()], INVENTORY, at=AT)


def setting(of: Night) -> Setting:
    now = of.performer.now()
    actual = ActualState(observed_at_utc=now, servers=(of.performer.observe("EX01", ()),))
    return Setting(inventory=INVENTORY, actual=actual, server="EX01", now=now, pace=Pace())


def next_night(of: Night, body: PlanBody, number: int) -> Night:
    now = of.performer.now()
    actual = ActualState(observed_at_utc=now, servers=(of.performer.observe("EX01", ()),))
    plan = seal(evolve(body, guards=evaluate.at_plan(body, actual, now)), now, "simulation")
    of.performer.records.clear()
    made = night_of(plan, of.performer, run=f"20261128T230000-{number:04}")
    made.checks.seen_effects = len(of.performer.world.effects)
    return made


def night_body(of: Night, *, forces_way_back: bool) -> PlanBody:
    asked = setting(of)
    wanted = specification_for(SCRATCH, specification(), "EX01")
    pilots = Pilots(is_own=True, forces_way_back=forces_way_back)
    return make_draft([wanted], INVENTORY, asked.actual, now=asked.now, pilots=pilots)


def created() -> Night:
    made = next_night(site(), creation_draft(SCRATCH, setting(site()), ()), 1)
    assert made.run_to_end().exit_code == ExitCode.OK
    return made


def stage_of(number: int) -> Night:
    """A stage that has not begun, by its number: making the scratch database, its rebuild, the
    rebuild that turns back after the swap, and removing it.
    """
    match number % 4:
        case 0:
            first = site()
            return next_night(first, creation_draft(SCRATCH, setting(first), ()), 1)
        case 3:
            made = created()
            return next_night(made, removal_draft(SCRATCH, setting(made), ()), 2)
        case stage:
            made = created()
            return next_night(made, night_body(made, forces_way_back=stage == 2), 2)
