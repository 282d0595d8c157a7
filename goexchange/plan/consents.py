"""What a person has to consent to before this plan may run (`procedure.md` 6)."""

from __future__ import annotations

from collections.abc import Collection

from goexchange.model.desired import DesiredState
from goexchange.model.plan import Consent, ConsentNeed
from goexchange.model.unknown import Unknown
from goexchange.plan import words
from goexchange.plan.context import LaneContext


def consents_of(context: LaneContext, *, in_scope: Collection[str]) -> tuple[ConsentNeed, ...]:
    """Consents that the lane needs; `in_scope` are the addresses that the plan is about."""
    found: list[ConsentNeed] = []
    if context.estimate is not None:
        found += _for_outage(context)
    if context.coverage is not None:
        others = [
            each.name
            for each in context.coverage.databases
            if f"{context.server.name}/{each.name}" not in in_scope
        ]
        if others:
            found.append(
                ConsentNeed(
                    consent=Consent.BACKUP_COVERS_OTHERS,
                    address=context.lane_id,
                    finding=f"the online backup of {words.listed(context.coverage.volumes)} covers"
                    f" {words.listed(others)} too and truncates their logs; it breaks the chain of"
                    " another product's backups of them",
                )
            )
    return tuple(found)


def forbidden(needed: tuple[ConsentNeed, ...], spec: DesiredState) -> ConsentNeed | None:
    """The first consent that the specification forbids to give, if any."""
    closed = set(spec.script.forbid)
    return next((each for each in needed if each.consent in closed), None)


def _for_outage(context: LaneContext) -> list[ConsentNeed]:
    found = []
    estimate = context.estimate
    if estimate is not None and not estimate.is_measured:
        found.append(
            ConsentNeed(
                consent=Consent.OUTAGE_WITHOUT_HISTORY,
                address=context.lane_id,
                finding=f"the outage is estimated from"
                f" {words.counted(estimate.earlier_runs, 'earlier run')}"
                f" on {context.server.name}; it is planned as twice what the stated default"
                " rates give",
            )
        )
    build = context.host.exsetup_version
    named = "its build is unknown" if isinstance(build, Unknown) else f"build {build}"
    found.append(
        ConsentNeed(
            consent=Consent.UNPROVEN_BUILD,
            address=context.server.name,
            finding=f"no pilot of this Exchange build on {context.server.name} is on record"
            f" ({named})",
        )
    )
    return found
