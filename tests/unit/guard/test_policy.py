"""Which approvals count: every reason not to, how many, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from goexchange.errors import Place
from goexchange.guard.policy import Evidence, decide_approval
from goexchange.model.approval import Approval, GivenConsent
from goexchange.model.desired import Consent
from goexchange.model.plan import Plan
from goexchange.model.policy import ApprovalRule, GivenApproval, RuleInForce
from goexchange.model.unknown import Unknown
from tests.unit.report.conftest import body, sealed

PLAN: Plan = sealed(body())
NOW = datetime.fromisoformat("2026-11-28T12:00:00+00:00")
PLACE = Place(file="policies/p.yaml", line=7, column=5)


def rule(**changes: Any) -> RuleInForce:
    values: dict[str, Any] = {
        "selectors": (),
        "signatures": 1,
        "by": None,
        "is_not_author": False,
        "expires_within_s": None,
        "allows_unsigned": False,
        "place": PLACE,
    }
    return RuleInForce(rule=ApprovalRule(**{**values, **changes}), policy="production")


def given(signer: str | None = "anna", **changes: Any) -> GivenApproval:
    approval = Approval(
        plan_sha256=PLAN.sha256,
        approved_by=signer or "someone@host",
        approved_at_utc=NOW - timedelta(hours=1),
        expires_at_utc=NOW + timedelta(hours=23),
        comment="",
        consents=tuple(
            GivenConsent(consent=need.consent, address=need.address) for need in PLAN.body.consents
        ),
    )
    problem = None if signer else "its key is not in allowed_signers"
    return GivenApproval(
        approval=evolve(approval, **changes), signer=signer, problem=problem, source="a.json"
    )


def decided(*found: GivenApproval, rules: tuple[RuleInForce, ...], **changes: Any) -> Any:
    evidence = Evidence(**{"given": found, "authors": (), **changes})
    return decide_approval(PLAN, rules, evidence, NOW)


def test_the_plan_needs_a_consent() -> None:
    assert PLAN.body.consents, "or the tests below show nothing"


@pytest.mark.parametrize(
    ("found", "of", "why"),
    [
        (given(plan_sha256="f" * 64), rule(), "it is of plan ffffffff"),
        (given(expires_at_utc=NOW), rule(), "it expired at"),
        (given(approved_at_utc=NOW + timedelta(minutes=1)), rule(), "in the future"),
        (given(), rule(expires_within_s=3600), "holds for 24 h, longer"),
        (given(None), rule(), "its key is not in allowed_signers"),
        (given("bert"), rule(by=("anna",)), "bert is not one of those who may sign"),
        (given(consents=()), rule(), "it lacks the consent"),
        (given("carl"), rule(is_not_author=True), "carl is the author"),
    ],
)
def test_an_approval_that_does_not_count_says_why(
    found: GivenApproval, of: RuleInForce, why: str
) -> None:
    decision = decided(found, rules=(of,), authors=("carl",))
    assert decision.approval is None
    (missing,) = decision.missing
    assert "'production' (policies/p.yaml:7:5) needs 1 signature" in missing
    assert why in missing
    assert decided(given(), rules=(rule(),)).missing == ()


def test_an_unknown_author_fails_closed() -> None:
    unknown = Unknown("the commit 4be12d0 has no good signature")
    decision = decided(given(), rules=(rule(is_not_author=True),), authors=unknown)
    assert "no good signature" in decision.missing[0]
    assert decided(given(), rules=(rule(),), authors=unknown).missing == ()
    assert decided(given(), rules=(rule(is_not_author=True),), authors=("carl",)).missing == ()


def test_people_are_counted_and_not_signatures() -> None:
    two = rule(signatures=2)
    twice = decided(given(), given(), rules=(two,))
    assert "needs 2 signatures, and anna has approved" in twice.missing[0]
    both = decided(given(), given("bert", comment="ok"), rules=(two,))
    assert both.missing == ()
    assert (both.approval.approved_by, both.approval.comment) == ("anna, bert", "ok")


def test_every_rule_has_to_be_met() -> None:
    rules = (rule(by=("anna",)), rule(by=("bert",)))
    assert len(decided(given("carl"), rules=rules).missing) == 2
    assert len(decided(given("anna"), rules=rules).missing) == 1
    assert decided(given("anna"), given("bert"), rules=rules).missing == ()


def test_the_whole_ends_when_the_first_rule_is_no_longer_met() -> None:
    soon, late = NOW + timedelta(hours=1), NOW + timedelta(hours=9)
    found = (given("anna", expires_at_utc=soon), given("bert", expires_at_utc=late))
    assert decided(*found, rules=(rule(),)).approval.expires_at_utc == late
    assert decided(*found, rules=(rule(signatures=2),)).approval.expires_at_utc == soon


def test_unsigned_counts_only_where_the_policy_says_so() -> None:
    assert decided(given(None), rules=(rule(allows_unsigned=True),)).missing == ()
    assert decided(given(None), rules=(rule(),)).missing


def test_what_a_policy_forbids_nobody_can_give() -> None:
    consent = PLAN.body.consents[0].consent
    decision = decided(given(), rules=(), forbidden=(consent,))
    assert f"nobody may consent to {consent.value}" in decision.missing[0]
    other = next(each for each in Consent if each is not consent)
    assert decided(given(), rules=(), forbidden=(other,)).missing == ()


def test_without_a_rule_the_newest_approval_of_this_plan_is_taken() -> None:
    old = given(None, plan_sha256="f" * 64, approved_at_utc=NOW)
    assert decided(given(None), old, rules=()).approval.plan_sha256 == PLAN.sha256
    assert decided(old, rules=()).approval.plan_sha256 == "f" * 64, "the guard says what is wrong"
    assert decided(rules=()).approval is None
