"""Policies: who has to approve, who may act, and what specifications may not exceed."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from goexchange.errors import Place
from goexchange.model.approval import Approval
from goexchange.model.desired import Consent, Script


class Role(Enum):
    """What a person may do."""

    RUN = "run"
    SUSPEND = "suspend"
    ADMINISTER = "administer"


@frozen(kw_only=True)
class ApprovalRule:
    """What an approval of plans for some servers needs.

    Shape: `selectors` is empty for all servers; `by` is None for everybody in the signers file;
    `expires_within_s` is None for no limit.
    """

    selectors: tuple[str, ...]
    signatures: int
    by: tuple[str, ...] | None
    is_not_author: bool
    expires_within_s: int | None
    allows_unsigned: bool
    place: Place


@frozen(kw_only=True)
class RehearsalLimits:
    """What a rehearsal may show at most; counts are of scenarios. Unknown: None for no limit."""

    outage_p90_s: int | None = None
    left_down: int | None = None
    unprotected: int | None = None
    window_missed: int | None = None
    person_needed: int | None = None


@frozen(kw_only=True)
class Limits:
    """What specifications may not exceed. Unknown: None where there is no limit."""

    scripts: tuple[Script, ...] | None
    servers_at_once: int | None
    failures: int | None
    keep_last: int | None
    run_time_max_s: int | None
    needs_window: bool
    forbid: tuple[Consent, ...]
    rehearsal: RehearsalLimits = RehearsalLimits()


@frozen(kw_only=True)
class Policy:
    """A policy document.

    Shape: `signers` is the allowed signers file, relative to the document; a role that `roles`
    does not hold is everybody's.
    """

    name: str
    file: str
    signers: str
    signers_place: Place
    rules: tuple[ApprovalRule, ...]
    roles: tuple[tuple[Role, tuple[str, ...]], ...]
    limits: Limits
    place: Place


@frozen(kw_only=True)
class GivenApproval:
    """An approval as it was found.

    Shape: `signer` is whose signature is on it, None when there is none or it is not good, and
    then `problem` says why; `source` is the file.
    """

    approval: Approval
    signer: str | None
    problem: str | None
    source: str


@frozen(kw_only=True)
class RuleInForce:
    """A rule that names servers of the plan, with the policy that it is from."""

    rule: ApprovalRule
    policy: str
