"""The approval of one plan: who consented to what, until when. It lies beside the plan, never
inside it.
"""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from goexchange.model.desired import Consent


@frozen(kw_only=True)
class GivenConsent:
    """A consent to one named finding of the plan."""

    consent: Consent
    address: str


@frozen(kw_only=True)
class Approval:
    """A statement over a plan's digest. It is void after `expires_at_utc` and for any other digest.
    """

    plan_sha256: str
    approved_by: str
    approved_at_utc: datetime
    expires_at_utc: datetime
    comment: str
    consents: tuple[GivenConsent, ...]
