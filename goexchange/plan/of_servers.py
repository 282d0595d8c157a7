"""What deciding about a server itself, and not about a database of it, has in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from goexchange.model.actual import ActualHost, ActualServer
from goexchange.model.configuration import Inventory
from goexchange.model.desired import DesiredState, Script
from goexchange.model.plan import Need, Reason
from goexchange.model.unknown import Unknown
from goexchange.plan.candidates import Scope
from goexchange.plan.finding import Needed, fact_unknown, not_possible
from goexchange.plan.refusals import refuse_version
from goexchange.spec.selection import select_servers


def meant_servers(
    specifications: Sequence[DesiredState],
    inventory: Inventory,
    *,
    script: tuple[Script, str],
    scope: Scope,
) -> tuple[tuple[str, tuple[DesiredState, ...]], ...]:
    """The servers that specifications with the script mean, in the order of their names, each with
    those specifications; `script` is with what its work is called in addresses.
    """
    wanted, part = script
    meant: dict[str, list[DesiredState]] = {}
    for spec in specifications:
        if spec.script.script is wanted:
            for name in select_servers(spec.targets, inventory):
                if scope.has(name, part):
                    meant.setdefault(name, []).append(spec)
    return tuple((name, tuple(meant[name])) for name in sorted(meant))


def refuse(spec: DesiredState, why: str, instead: str) -> Needed:
    """A refusal of what the script asks for."""
    return not_possible(
        Reason.BLOCKED_BY_GUARD, why, origin=spec.script.place, instead=instead
    )


def nothing_due(spec: DesiredState, what: str) -> Needed:
    """`what` (`the server`) is as the specification wants it."""
    return Needed(
        need=Need.NOTHING,
        reasons=(Reason.MEETS_SPECIFICATION,),
        explanation=f"{what} meets the specification",
        origin=spec.conditions.place,
    )


def refuse_version_of(server: ActualServer, spec: DesiredState) -> Needed | None:
    """The script has to apply to the server's version, which has to be known."""
    generation, place = server.generation, spec.script.place
    if isinstance(generation, Unknown):
        return fact_unknown("the Exchange version of the server", generation, origin=place)
    return refuse_version(spec, generation)


def open_runs(
    host: ActualHost, spec: DesiredState, *, identity: str | None = None
) -> Iterator[Needed]:
    """A run that has not ended on the host refuses; with an `identity` only one of that record, or
    of nobody knows what.
    """
    recoveries = host.open_recoveries
    if isinstance(recoveries, Unknown):
        fact = "whether a run has not ended on it"
        yield fact_unknown(fact, recoveries, origin=spec.script.place)
        return
    for each in recoveries:
        if identity is None or each.database_guid in (None, identity):
            yield refuse(
                spec,
                f"run {each.run} has not ended on it (phase {each.phase})",
                f"goexchange resume {each.run}",
            )
