"""The nights of a pilot: the plans of its stages, each on the site that the one before has left."""

from __future__ import annotations

from typing import Any

from attrs import evolve, frozen

from goexchange.errors import ExitCode
from goexchange.guard import evaluate
from goexchange.model.actual import ActualState, Generation
from goexchange.model.configuration import Inventory
from goexchange.model.desired import DesiredState
from goexchange.model.pilot import INPUT_KIND
from goexchange.model.plan import PlanBody, PlanInput
from goexchange.plan.context import Pace, Pilots
from goexchange.plan.pilot import creation_draft, removal_draft, scratch_at, specification_for
from goexchange.plan.planner import make_draft
from goexchange.plan.restoring import Setting
from goexchange.plan.sealing import seal
from goexchange.simulation.night import Night, make_night, night_of
from goexchange.simulation.site import one_database
from goexchange.world.site import SERVER_2003, SiteDescription
from tests.simulation.night import documents
from tests.simulation.night.documents import AT, inventory, specification

SCRATCH = scratch_at(AT, "E:\\")
INPUTS = (PlanInput(kind=INPUT_KIND, path=SCRATCH.name, sha256="0" * 64),)


@frozen(kw_only=True)
class Place:
    """A server that is piloted: what it is, and what an operator wrote about it."""

    site: SiteDescription
    inventory: Inventory
    like: DesiredState


def _old(generation: Generation, wanted: str, **differs: Any) -> Place:
    """The same server with an old version, and a second database in a group of its own: Exchange
    2003 shows by it that it is no Standard edition. The passes around a rebuild are played too.
    """
    there = one_database()
    first = there.databases[0]
    second = evolve(first, name="DB06", edb_path="D:\\DB06\\DB06.edb", log_folder="L:\\DB06")
    values = {"generation": generation, "powershell": "2.0", "edition": "Enterprise", **differs}
    known = documents.INVENTORY.replace('"2019"', f'"{generation.value}"')
    return Place(
        site=evolve(
            there, servers=(evolve(there.servers[0], **values),), databases=(first, second)
        ),
        inventory=inventory(known),
        like=specification(wanted.replace("passes_max: 0", "passes_max: 2")),
    )


MODERN = Place(site=one_database(), inventory=inventory(), like=specification())
ON_2007 = _old(Generation.EXCHANGE_2007, documents.SPECIFICATION, version=(8, 3, 83, 6))
ON_2003 = _old(
    Generation.EXCHANGE_2003,
    documents.SPECIFICATION.replace("windows-server-backup", "ntbackup").replace("F:", "F:\\nt"),
    version=SERVER_2003.version,
    installed_in=SERVER_2003.installed_in,
)
PLACES = (MODERN, ON_2007, ON_2003)


def site(place: Place = MODERN) -> Night:
    """A site on which nothing has happened yet."""
    return make_night(place.site, [place.like], place.inventory, at=AT)


def setting(of: Night, place: Place = MODERN) -> Setting:
    now = of.performer.now()
    actual = ActualState(observed_at_utc=now, servers=(of.performer.observe("EX01", ()),))
    return Setting(inventory=place.inventory, actual=actual, server="EX01", now=now, pace=Pace())


def next_night(of: Night, body: PlanBody, number: int) -> Night:
    now = of.performer.now()
    actual = ActualState(observed_at_utc=now, servers=(of.performer.observe("EX01", ()),))
    plan = seal(evolve(body, guards=evaluate.at_plan(body, actual, now)), now, "simulation")
    of.performer.records.clear()
    made = night_of(plan, of.performer, run=f"20261128T230000-{number:04}")
    made.checks.seen_effects = len(of.performer.world.effects)
    return made


def night_body(of: Night, *, forces_way_back: bool, place: Place = MODERN) -> PlanBody:
    asked = setting(of, place)
    wanted = specification_for(SCRATCH, place.like, "EX01")
    pilots = Pilots(is_own=True, forces_way_back=forces_way_back)
    return make_draft(
        [wanted], place.inventory, asked.actual, now=asked.now, inputs=INPUTS, pilots=pilots
    )


def created(place: Place = MODERN) -> Night:
    first = site(place)
    made = next_night(first, creation_draft(SCRATCH, setting(first, place), INPUTS), 1)
    assert made.run_to_end().exit_code == ExitCode.OK
    return made


def stage_of(number: int) -> Night:
    """A stage that has not begun, by its number: making the scratch database, its rebuild, the
    rebuild that turns back after the swap, and removing it; on one version after the other.
    """
    place = PLACES[number // 4 % len(PLACES)]
    match number % 4:
        case 0:
            first = site(place)
            return next_night(first, creation_draft(SCRATCH, setting(first, place), INPUTS), 1)
        case 3:
            made = created(place)
            return next_night(made, removal_draft(SCRATCH, setting(made, place), INPUTS), 2)
        case stage:
            made = created(place)
            body = night_body(made, forces_way_back=stage == 2, place=place)
            return next_night(made, body, 2)
