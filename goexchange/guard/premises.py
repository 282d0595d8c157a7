"""Do the plan's premises still hold? A predicate that fails is named with the value then and the
value now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from goexchange.codec import to_plain
from goexchange.errors import Diagnostic
from goexchange.facts.catalogue import value_of
from goexchange.model.actual import ActualState
from goexchange.model.plan import FactClass, Operator, PlanBody, Premise, Verdict, VerdictKind
from goexchange.model.unknown import Unknown

GUARD_ID = "premises"


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


def verdicts(body: PlanBody, actual: ActualState) -> tuple[Verdict, ...]:
    """The same as verdicts: one for each premise that fails, else one that passes for all."""
    failed = failures(body, actual)
    if not failed and body.premises:
        return (_verdict("plan", VerdictKind.PASS, f"{len(body.premises)} premises hold", {}),)
    return tuple(
        _verdict(
            each.premise.address,
            VerdictKind.UNKNOWN if isinstance(each.now, Unknown) else VerdictKind.BLOCK,
            str(each),
            {each.premise.fact: to_plain(each.now)},
        )
        for each in failed
    )


def _verdict(
    address: str, kind: VerdictKind, evidence: str, observed: Mapping[str, Any]
) -> Verdict:
    return Verdict(
        guard=GUARD_ID,
        address=address,
        kind=kind,
        rule="what the plan was made for still holds",
        evidence=evidence,
        observed=observed,
        remedy=None if kind is VerdictKind.PASS else "plan again: goexchange plan",
    )


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
        return f"{value:.4g}"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
