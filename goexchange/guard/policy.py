"""Which approvals count under the policies in force, and what is missing. Fails closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import evolve, frozen

from goexchange.model.approval import Approval, GivenConsent
from goexchange.model.desired import Consent
from goexchange.model.plan import Plan
from goexchange.model.policy import GivenApproval, RuleInForce
from goexchange.model.unknown import Unknown


@frozen(kw_only=True)
class Evidence:
    """What is decided on.

    Shape: `authors` are the signers of the specifications' last commits, Unknown when one has no
    good signature; `forbidden` are consents that nobody may give.
    """

    given: tuple[GivenApproval, ...]
    authors: tuple[str, ...] | Unknown
    forbidden: tuple[Consent, ...] = ()


@frozen(kw_only=True)
class Decision:
    """The approval that the run rests on, and what is missing for one in words of an operator.

    Unknown: `approval` is None when nothing was given; with `missing` it does not suffice.
    """

    approval: Approval | None
    missing: tuple[str, ...]


def decide_approval(
    plan: Plan, rules: Sequence[RuleInForce], evidence: Evidence, now: datetime
) -> Decision:
    """Return which approval counts. Without a rule the newest one does, signed or not."""
    missing = [
        f"nobody may consent to {need.consent.value} ({need.address}): the policy forbids it"
        for need in plan.body.consents
        if need.consent in evidence.forbidden
    ]
    if not rules:
        given = sorted(evidence.given, key=lambda each: each.approval.approved_at_utc)
        own = [each for each in given if each.approval.plan_sha256 == plan.sha256] or given
        return Decision(approval=own[-1].approval if own else None, missing=tuple(missing))
    counted: list[tuple[GivenApproval, ...]] = []
    for each in rules:
        found, why_not = _counting(plan, each, evidence, now)
        counted.append(found)
        needed = each.rule.signatures
        if len(found) < needed:
            who = ", ".join(_name(one) for one in found) or "nobody"
            listed = "".join(f"; {one}" for one in why_not)
            missing.append(
                f"the policy '{each.policy}' ({each.rule.place}) needs {needed}"
                f" {'signature' if needed == 1 else 'signatures'}"
                f"{_by(each)}, and {who} has approved{listed}"
            )
    if missing:
        return Decision(approval=None, missing=tuple(missing))
    return Decision(approval=_together(plan, rules, counted), missing=())


def _counting(
    plan: Plan, in_force: RuleInForce, evidence: Evidence, now: datetime
) -> tuple[tuple[GivenApproval, ...], tuple[str, ...]]:
    """One approval per person that counts, the longest one; and why the others do not."""
    found: dict[str, GivenApproval] = {}
    why_not: list[str] = []
    for given in evidence.given:
        why = _why_not(plan, given, in_force, evidence=evidence, now=now)
        if why is not None:
            why_not.append(f"{given.source} does not count: {why}")
            continue
        other = found.get(_name(given))
        if other is None or other.approval.expires_at_utc < given.approval.expires_at_utc:
            found[_name(given)] = given
    return tuple(found.values()), tuple(why_not)


def _why_not(
    plan: Plan,
    given: GivenApproval,
    in_force: RuleInForce,
    *,
    evidence: Evidence,
    now: datetime,
) -> str | None:
    rule, approval = in_force.rule, given.approval
    life_s = (approval.expires_at_utc - approval.approved_at_utc).total_seconds()
    why: str | None = None
    if approval.plan_sha256 != plan.sha256:
        why = f"it is of plan {approval.plan_sha256[:8]}, this is {plan.id}"
    elif now >= approval.expires_at_utc:
        why = f"it expired at {approval.expires_at_utc:%Y-%m-%d %H:%M} UTC"
    elif now < approval.approved_at_utc:
        why = f"it is of {approval.approved_at_utc:%Y-%m-%d %H:%M} UTC, which is in the future"
    elif rule.expires_within_s is not None and life_s > rule.expires_within_s:
        why = f"it holds for {life_s / 3600:g} h, longer than the policy allows"
    elif given.signer is None and not rule.allows_unsigned:
        why = given.problem or "it has no signature"
    elif rule.by is not None and given.signer not in rule.by:
        why = f"{_name(given)} is not one of those who may sign"
    elif rule.is_not_author and isinstance(evidence.authors, Unknown):
        why = f"whether {_name(given)} is the author cannot be told: {evidence.authors.reason}"
    elif not isinstance(evidence.authors, Unknown) and rule.is_not_author:
        is_author = _name(given) in evidence.authors
        why = f"{_name(given)} is the author of the specification" if is_author else None
    if why is None:
        held = {(each.consent, each.address) for each in approval.consents}
        lacking = [
            f"{need.consent.value} for {need.address}"
            for need in plan.body.consents
            if (need.consent, need.address) not in held
        ]
        why = f"it lacks the consent {', '.join(lacking)}" if lacking else None
    return why


def _together(
    plan: Plan, rules: Sequence[RuleInForce], counted: Sequence[tuple[GivenApproval, ...]]
) -> Approval:
    """One approval out of all that count; it ends when the first rule would no longer be met."""
    ends: list[datetime] = []
    for in_force, found in zip(rules, counted, strict=True):
        by_end = sorted((each.approval.expires_at_utc for each in found), reverse=True)
        ends.append(by_end[in_force.rule.signatures - 1])
    people = {_name(each): each.approval for found in counted for each in found}
    newest = max(people.values(), key=lambda each: each.approved_at_utc)
    comments = dict.fromkeys(each.comment for each in people.values() if each.comment)
    return evolve(
        newest,
        approved_by=", ".join(sorted(people)),
        expires_at_utc=min(ends),
        comment="; ".join(comments),
        consents=tuple(
            GivenConsent(consent=need.consent, address=need.address) for need in plan.body.consents
        ),
    )


def _by(in_force: RuleInForce) -> str:
    rule = in_force.rule
    by = f" of {', '.join(rule.by)}" if rule.by is not None else ""
    return f"{by}, the author not counted" if rule.is_not_author else by


def _name(given: GivenApproval) -> str:
    return given.signer or given.approval.approved_by
