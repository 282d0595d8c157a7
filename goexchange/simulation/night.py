"""One night: plan, machine and world in virtual time, checked after every event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import datetime, timedelta

from attrs import define, evolve

from goexchange.driver import effects
from goexchange.driver.events import Event
from goexchange.driver.guards import Guards
from goexchange.driver.identity import RunIdentity
from goexchange.driver.invariants import BrokenInvariant, Violation
from goexchange.driver.machine import Machine
from goexchange.guard import evaluate
from goexchange.model.actual import ActualState
from goexchange.model.approval import Approval, GivenConsent
from goexchange.model.configuration import Inventory
from goexchange.model.desired import DesiredState
from goexchange.model.plan import Plan
from goexchange.model.run import RunResult
from goexchange.plan.planner import make_draft
from goexchange.plan.sealing import seal
from goexchange.simulation.checks import Checks
from goexchange.simulation.performer import Performer
from goexchange.world.clock import ManualClock
from goexchange.world.disk import MemoryDisk
from goexchange.world.site import SiteDescription
from goexchange.world.world import World

EVENTS_MAX = 20_000
RUN = "20261128T213000-0001"


class NightBroken(Exception):
    """An invariant is broken, or the night does not come to an end."""

    def __init__(self, violations: Sequence[Violation], text: str) -> None:
        super().__init__(text)
        self.violations = tuple(violations)


@define(kw_only=True)
class Night:
    """A plan being applied; `fork` makes a copy in which the controller has just died."""

    plan: Plan
    approval: Approval
    performer: Performer
    checks: Checks
    run: str = RUN
    torn_bytes: int = 0
    guards: Guards | None = None
    controllers: int = 0
    events: int = 0
    _machine: Machine | None = None

    def next(self) -> effects.Effect:
        """What the controller wants done; a controller is started where none lives."""
        if self._machine is None:
            self.controllers += 1
            self._machine = Machine(
                plan=self.plan,
                run=self._identity(),
                records=tuple(self.performer.records),
                guards=self.guards,
            )
        return self._machine.next(self.performer.now())

    def take(self, event: Event) -> None:
        """Give the controller an event.

        Raises: NightBroken when an invariant does not hold afterwards.
        """
        assert self._machine is not None
        self.events += 1
        try:
            self._machine.accept(event, self.performer.now())
        except BrokenInvariant as broken:
            name = str(broken).split()[0]
            violation = Violation(invariant=name, step="", why=str(broken))
            raise NightBroken((violation,), f"asserted by the driver: {broken}") from broken
        self.check()

    def check(self) -> None:
        """Look at journal and truth."""
        broken = self.checks.after_event(self.performer.world, self.performer.records)
        if broken:
            raise NightBroken(
                broken, "; ".join(f"{one.invariant} {one.step}: {one.why}" for one in broken)
            )

    def run_to_end(self) -> RunResult:
        """Perform until the run has ended."""
        while self.events < EVENTS_MAX:
            effect = self.next()
            if isinstance(effect, effects.Finish):
                self._end(effect.result)
                return effect.result
            self.take(self.performer.perform(effect))
        raise NightBroken((), "the night does not come to an end")

    @property
    def has_controller(self) -> bool:
        """Whether one lives."""
        return self._machine is not None

    def kill(self) -> None:
        """The controller dies: all that is left is what was flushed, and the hosts."""
        self._machine = None

    def fork(self) -> Night:
        """The same night in a world of its own, its controller dead."""
        shared = {
            id(one): one for one in (self.plan, *self.performer.records)
        }  # nothing changes these
        performer, checks = deepcopy((self.performer, self.checks), shared)
        return Night(
            plan=self.plan,
            approval=self.approval,
            performer=performer,
            checks=checks,
            run=self.run,
            guards=self.guards,
            controllers=self.controllers,
            events=self.events,
        )

    def _end(self, result: RunResult) -> None:
        broken = self.checks.at_end(self.performer.world, result)
        if broken:
            raise NightBroken(
                broken, "; ".join(f"{one.invariant} {one.step}: {one.why}" for one in broken)
            )

    def _identity(self) -> RunIdentity:
        holder = f"{self.performer.user}:{self.controllers}"
        return RunIdentity(
            run=self.run,
            holder=holder,
            controller="controller",
            started_by="simulation",
            tool=self.plan.body.tool,
            approval=self.approval,
            torn_bytes=self.torn_bytes,
        )


def make_night(
    site: SiteDescription,
    specifications: Sequence[DesiredState],
    inventory: Inventory,
    *,
    at: datetime,
    seed: int = 1,
    repairs: Sequence[str] = (),
    prepare: Callable[[World], None] | None = None,
) -> Night:
    """Observe a new world, plan, seal and approve; the night has not begun.

    Shape: `repairs` are addresses that a person wants repaired; `prepare` does to the world what
    happened before anybody looked.
    """
    clock = ManualClock(at)
    world = World(site, clock, MemoryDisk(), seed)
    if prepare is not None:
        prepare(world)
    performer = Performer(world=world, clock=clock, root=inventory.host_root)
    hosts = (*site.servers, *site.machines)
    servers = tuple(performer.observe(host.name, ()) for host in hosts)
    actual = ActualState(observed_at_utc=at, servers=servers)
    draft = make_draft(specifications, inventory, actual, now=at, repairs=repairs)
    body = evolve(draft, guards=evaluate.at_plan(draft, actual, at))
    plan = seal(body, at, "simulation")
    return night_of(plan, performer)


def night_of(plan: Plan, performer: Performer, *, run: str = RUN) -> Night:
    """A night of that plan, approved with every consent that it needs."""
    consents = tuple(
        GivenConsent(consent=need.consent, address=need.address) for need in plan.body.consents
    )
    at = performer.now()
    approval = Approval(
        plan_sha256=plan.sha256,
        approved_by="simulation",
        approved_at_utc=at,
        expires_at_utc=at + timedelta(days=1),
        comment="",
        consents=consents,
    )
    checks = Checks(plan=plan, run=run, user=performer.user)
    return Night(plan=plan, approval=approval, performer=performer, checks=checks, run=run)
