"""Do the plan's premises still hold? A predicate that fails is named with the value then and the value now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from goexchange.errors import Diagnostic
from goexchange.facts.catalogue import value_of
from goexchange.model.actual import ActualState
from goexchange.model.plan import FactClass, Operator, PlanBody, Premise
from goexchange.model.unknown import Unknown


@frozen(kw_only=True)
class FailedPremise:
    """A premise that no longer holds; `now` is Unknown when the fact could not be read."""

    premise: Premise
    now: Any

    def __str__(self) -> str:
        premise = self.premise
        return (
            f"{premise.address}: {premise.fact} {premise.operator.value} {_shown(premise.value)}"
            f" no longer holds; then {_shown(premise.seen)}, now {_shown(self.now)}"
        )


def failures(body: PlanBody, actual: ActualState) -> tuple[FailedPremise, ...]:
    """Return the premises of the plan that do not hold in a fresh observation, in the plan's order.

    Unknown: an unknown fact fails its premise.
    """
    found = []
    for premise in body.premises:
        if premise.fact_class is FactClass.INFORMATIONAL:
            continue
        now = value_of(actual, premise.address, premise.fact)
        if isinstance(now, Unknown) or not _holds(premise, now):
            found.append(FailedPremise(premise=premise, now=now))
    return tuple(found)


def diagnostics(failed: tuple[FailedPremise, ...]) -> tuple[Diagnostic, ...]:
    """One message for each, for the refusal of a stale plan."""
    return tuple(
        Diagnostic(
            id="premise-failed",
            summary="a premise of the plan no longer holds",
            detail=f"{each}. Plan again: goexchange plan.",
            address=each.premise.address,
        )
        for each in failed
    )


def _holds(premise: Premise, now: Any) -> bool:
    try:
        return _OPERATORS[premise.operator](_comparable(now), _comparable(premise.value))
    except (
        TypeError
    ):  # values of kinds that have no order: the fact is not what the plan was made for
        return False


_OPERATORS: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUAL: lambda now, wanted: bool(type(now) is type(wanted) and now == wanted),
    Operator.NOT_EQUAL: lambda now, wanted: bool(now != wanted),
    Operator.GREATER: lambda now, wanted: bool(now > wanted),
    Operator.GREATER_OR_EQUAL: lambda now, wanted: bool(now >= wanted),
    Operator.LESS: lambda now, wanted: bool(now < wanted),
    Operator.LESS_OR_EQUAL: lambda now, wanted: bool(now <= wanted),
    Operator.ONE_OF: lambda now, wanted: now in wanted,
}


def _comparable(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _shown(value: Any) -> str:
    if isinstance(value, Unknown):
        return str(value)
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
