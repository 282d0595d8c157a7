"""The approval of a plan: given to this digest, not expired, with every consent that the plan
needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from goexchange.model.approval import Approval
from goexchange.model.plan import ConsentNeed, Plan, Verdict, VerdictKind

GUARD_ID = "approval"
RULE = (
    "the approval is of this very plan, has not expired, and holds every consent that"
    " the plan needs"
)


def check_approval(plan: Plan, approval: Approval | None, now: datetime) -> Verdict:
    """Return the verdict; `plan.body.consents` decides whether an approval is needed at all."""
    needs = plan.body.consents
    if approval is None:
        if not needs:
            return _verdict(plan, VerdictKind.PASS, "the plan needs no consent")
        return _blocked(plan, f"no approval; the plan needs {_listed(needs)}")
    if approval.plan_sha256 != plan.sha256:
        return _blocked(
            plan, f"the approval is of plan {approval.plan_sha256[:8]}, this is {plan.id}"
        )
    if now >= approval.expires_at_utc:
        return _blocked(
            plan, f"the approval expired at {approval.expires_at_utc:%Y-%m-%d %H:%M} UTC"
        )
    given = {(each.consent, each.address) for each in approval.consents}
    missing = [each for each in needs if (each.consent, each.address) not in given]
    if missing:
        return _blocked(plan, f"the approval lacks {_listed(missing)}")
    return _verdict(
        plan,
        VerdictKind.PASS,
        f"approved by {approval.approved_by} until {approval.expires_at_utc:%Y-%m-%d %H:%M} UTC",
    )


def _listed(needs: Iterable[ConsentNeed]) -> str:
    return "; ".join(f"{each.consent.value} for {each.address} ({each.finding})" for each in needs)


def _blocked(plan: Plan, evidence: str) -> Verdict:
    return _verdict(plan, VerdictKind.BLOCK, evidence, "goexchange approve with the plan's file")


def _verdict(plan: Plan, kind: VerdictKind, evidence: str, remedy: str | None = None) -> Verdict:
    return Verdict(
        guard=GUARD_ID,
        address=plan.id,
        kind=kind,
        rule=RULE,
        evidence=evidence,
        observed={"plan_sha256": plan.sha256},
        remedy=remedy,
    )
