"""Nights in which a server is taken down: a group of members, and how each stands."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from goexchange.model.actual import Generation
from goexchange.model.configuration import Inventory
from goexchange.model.plan import Action
from goexchange.model.run import RecordKind
from goexchange.simulation.night import Night, make_night
from goexchange.world.copies import status_of
from goexchange.world.site import (
    DatabaseDescription,
    GroupDescription,
    ServerDescription,
    SiteDescription,
    default_site,
)
from goexchange.world.world import World
from tests.simulation.night.documents import AT, inventory, specification

INVENTORY = r"""apiVersion: goexchange/v1
kind: Inventory
metadata: {name: simulated}
sites: {berlin: {zone: Europe/Berlin}}
servers:
  EX01: {address: ex01.lab.example, site: berlin, generation: "2019"}
  EX02: {address: ex02.lab.example, site: berlin, generation: "2019"}
  EX03: {address: ex03.lab.example, site: berlin, generation: "2019"}
availability_groups:
  DAG1: {servers: [EX01, EX02, EX03]}
windows:
  night: {zone: Europe/Berlin, days: [SAT], from: "22:00", to: "06:00"}
connection_profiles: {default: {}}
host_root: 'C:\ProgramData\goexchange'
"""
SPECIFICATION = r"""apiVersion: goexchange/v1
kind: Specification
metadata: {name: updates}
targets: {servers: [EX01]}
desired: {maintained_within: 30d}
script: {name: server-maintenance}
custom_processes:
  takes_server_down:
    - {name: updates, run: ['C:\ops\updates.cmd', install], restarts: true,
       limit: {timeout: 30m}, back_within: 20m}
schedule: {window: night}
"""


def group_site(**of_first: Any) -> SiteDescription:
    """Three members: DB11 is active on EX01, DB22 on EX02, each with a copy on two others."""
    whole = default_site(scale=0.01)
    template = whole.servers[0]
    servers = tuple(
        evolve(
            template,
            name=name,
            address=f"192.0.2.{number}",
            availability_group="DAG1",
        )
        for number, name in enumerate(("EX01", "EX02", "EX03"), start=1)
    )
    first = evolve(servers[0], **of_first)
    databases = tuple(
        _database(whole, name, copies)
        for name, copies in (
            ("DB11", ("EX01", "EX02", "EX03")),
            ("DB22", ("EX02", "EX01", "EX03")),
        )
    )
    group = GroupDescription(
        name="DAG1", servers=("EX01", "EX02", "EX03"), witness_server="witness"
    )
    every: tuple[ServerDescription, ...] = (first, *servers[1:])
    return evolve(whole, servers=every, databases=databases, groups=(group,))


INVENTORY_2010 = INVENTORY.replace('"2019"', '"2010"')


def old_group_site(**of_first: Any) -> SiteDescription:
    """The same members with Exchange 2010, and Windows PowerShell 2.0."""
    site = group_site(**of_first)
    servers = tuple(
        evolve(
            each, generation=Generation.EXCHANGE_2010, version=(14, 3, 513, 0), powershell="2.0"
        )
        for each in site.servers
    )
    return evolve(site, servers=servers)


def old_server_night(text: str = SPECIFICATION, **of_first: Any) -> Night:
    """A night with members of Exchange 2010."""
    return server_night(text, site=old_group_site(**of_first), by=inventory(INVENTORY_2010))


def _database(
    whole: SiteDescription, name: str, copies: tuple[str, ...]
) -> DatabaseDescription:
    template = whole.databases[0]
    return evolve(
        template,
        name=name,
        copies=copies,
        edb_path=f"D:\\DB\\{name}\\{name}.edb",
        log_folder=f"D:\\Logs\\{name}",
        pages=24,
        free_pages=4,
    )


def server_night(
    text: str = SPECIFICATION,
    *,
    site: SiteDescription | None = None,
    by: Inventory | None = None,
) -> Night:
    """A night with that specification."""
    wanted = [specification(text)]
    return make_night(site or group_site(), wanted, by or inventory(INVENTORY), at=AT)


def standing(world: World, server: str = "EX01") -> dict[str, Any]:
    """Everything that maintenance mode moves, as it truly is."""
    world.advance()
    mode = world.hosts[server].mode
    return {
        "components": {name: dict(said) for name, said in sorted(mode.by.items())},
        "policy": mode.policy,
        "node": mode.node,
        "services": {
            each.name: each.state for each in world.hosts[server].services.values()
        },
        "active": {each.name: each.active_server for each in world.databases.values()},
        "copies": {
            f"{each.name}\\{on}": status_of(world, each, on)
            for each in world.databases.values()
            for on in each.description.copies
        },
    }


def sent(night: Night) -> list[Action]:
    """The actions of the steps that were announced, in order."""
    steps = {step.id: step.action for lane in night.plan.body.lanes for step in lane.steps}
    intents = [each for each in night.performer.records if each.kind is RecordKind.INTENT]
    return [steps[each.data["step"]] for each in intents]


def until(night: Night, action: Action) -> None:
    """Run until a step of this action is announced, and about to be sent."""
    while action not in sent(night):
        night.take(night.performer.perform(night.next()))
