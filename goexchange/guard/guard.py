"""The common shape of guards: what one is asked, what it answers, and how an unknown fact becomes
its verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from attrs import field, frozen

from goexchange.model.actual import ActualDatabase, ActualHost, ActualServer, ActualState
from goexchange.model.machines import is_machine
from goexchange.model.plan import Action, Lane, PlanBody, Step, VerdictKind
from goexchange.model.run import OutcomeKind, StepRecord
from goexchange.model.same import Same
from goexchange.model.unknown import Unknown

T = TypeVar("T")


class RunFacts(Protocol):
    """What guards read of a run: the folded state of its steps."""

    @property
    def run(self) -> str | None:
        """The run's id."""

    def step(self, step: str) -> StepRecord:
        """The folded state of a step."""


class Moment(Enum):
    """When a guard is decided."""

    PLAN = "plan"
    START = "start"
    STEP = "step"


class FactUnknown(Exception):
    """A fact that a guard needs is unknown; caught where guards are run, and nowhere else."""

    def __init__(self, fact: str, reason: str) -> None:
        super().__init__(f"{fact} is unknown: {reason}")
        self.fact = fact
        self.reason = reason


@frozen(kw_only=True)
class Answer:
    """What a guard says, before it becomes a verdict."""

    kind: VerdictKind
    evidence: str
    observed: Mapping[str, Any] = field(factory=dict)
    remedy: str | None = None
    is_time_only: bool = False


@frozen(kw_only=True)
class Question:
    """What a guard is asked: one lane, at one moment, with everything that is known.

    Shape: `step` is None at plan and at start; `run` is None before a run has begun.
    """

    body: PlanBody
    lane: Lane
    actual: ActualState
    now: datetime
    moment: Moment
    step: Step | None = None
    run: RunFacts | None = None

    @property
    def server(self) -> ActualServer:
        """The server as observed. Raises: FactUnknown."""
        found = _servers(Same(self.actual)).get(self.lane.server.lower())
        if found is None:
            raise FactUnknown(f"the state of {self.lane.server}", "it was not observed")
        return found

    @property
    def host(self) -> ActualHost:
        """Its host. Raises: FactUnknown."""
        return need(self.server.host, f"the state of the host of {self.lane.server}")

    @property
    def machines(self) -> Iterator[tuple[str, ActualHost]]:
        """The machines without Exchange that steps of the lane run on, by name, with their hosts.
        Raises: FactUnknown.
        """
        seen = _servers(Same(self.actual))
        planned = {each.name for each in self.body.facts.servers if is_machine(each)}
        for name in sorted({step.server for step in self.lane.steps} & planned):
            found = seen.get(name.lower())
            host = Unknown("it was not observed") if found is None else found.host
            yield name, need(host, f"the state of {name}")

    @property
    def databases(self) -> tuple[ActualDatabase, ...]:
        """Its databases. Raises: FactUnknown."""
        return need(self.server.databases, f"the databases of {self.lane.server}")

    @property
    def database(self) -> ActualDatabase:
        """The lane's database, by its GUID. Raises: FactUnknown."""
        found = [each for each in self.databases if each.guid == self.lane.database_guid]
        if len(found) != 1:
            raise FactUnknown(
                f"the database {self.lane.database}", f"{len(found)} databases have its GUID"
            )
        return found[0]

    @property
    def limits(self) -> Mapping[str, Any]:
        """Limits of inventory and specification, as the plan carries them in the lane's last
        look.
        """
        look = self.lane.last_look
        if look is None:
            raise FactUnknown("the limits of the lane", "the plan has no last look for it")
        return look

    def steps(self, *actions: Action) -> Iterator[Step]:
        """The lane's steps of these actions, in order."""
        return (each for each in self.lane.steps if each.action in actions)

    def has(self, action: Action) -> bool:
        """Whether the lane has such a step."""
        return any(self.steps(action))

    def result(self, step: Step) -> Mapping[str, Any]:
        """The judged result of an earlier step that took effect. Raises: FactUnknown."""
        record = None if self.run is None else self.run.step(step.id)
        done = (OutcomeKind.DONE, OutcomeKind.ALREADY)
        if record is None or record.outcome not in done or record.result is None:
            raise FactUnknown(f"the result of {step.id}", "the step has not taken effect")
        return record.result

    def result_of(self, action: Action) -> Mapping[str, Any]:
        """The result of the lane's last step of this action. Raises: FactUnknown."""
        found = tuple(self.steps(action))
        if not found:
            raise FactUnknown(f"the result of {action.value}", "the lane has no such step")
        return self.result(found[-1])


@frozen(kw_only=True)
class Guard:
    """A rule that may block.

    Shape: `moments` say when it is decided; before the first of them it is *due*; `reads` are the
    facts it rests on, as `host.volumes`, `database.copies`, `server.databases`.
    """

    id: str
    rule: str
    moments: tuple[Moment, ...]
    reads: tuple[str, ...]
    judge: Callable[[Question], Answer]


@lru_cache(maxsize=4)
def _servers(same: Same[ActualState]) -> Mapping[str, ActualServer]:
    """The servers by name: every guard of every lane asks for its own."""
    return {each.name.lower(): each for each in reversed(same.value.servers)}


AT_ALL_TIMES = (Moment.PLAN, Moment.START, Moment.STEP)
BEFORE_ITS_STEP = (Moment.STEP,)


def need(value: T | Unknown, fact: str) -> T:
    """The value. Raises: FactUnknown, which makes the guard's verdict *unknown*."""
    if isinstance(value, Unknown):
        raise FactUnknown(fact, value.reason)
    return value


def member(result: Mapping[str, Any], name: str, *, of: str) -> Any:
    """A member of a judged result. Raises: FactUnknown when it is not there, or null."""
    if name not in result or result[name] is None:
        raise FactUnknown(f"{name} of {of}", "the step's result does not say it")
    return result[name]


def passes(evidence: str, **observed: Any) -> Answer:
    """It holds."""
    return Answer(kind=VerdictKind.PASS, evidence=evidence, observed=observed)


def blocks(evidence: str, remedy: str, *, is_time_only: bool = False, **observed: Any) -> Answer:
    """It does not hold; the remedy says what would change that."""
    return Answer(
        kind=VerdictKind.BLOCK,
        evidence=evidence,
        observed=observed,
        remedy=remedy,
        is_time_only=is_time_only,
    )


def is_due(evidence: str) -> Answer:
    """It can only be decided later."""
    return Answer(kind=VerdictKind.DUE, evidence=evidence)
