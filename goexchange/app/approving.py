"""The verb `approve`: a statement over a plan's digest, kept beside the plan."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from goexchange import codec
from goexchange.app.planning import who
from goexchange.errors import InvalidDocument, UsageError
from goexchange.model.approval import Approval, GivenConsent
from goexchange.model.plan import Plan

DEFAULT_LIFE = timedelta(hours=24)
ALL = "all"


def approval_path(plan_file: str) -> Path:
    """Where the approval of a plan file lies: `plan.approval.json` beside `plan.json`."""
    path = Path(plan_file)
    return path.with_name(f"{path.stem}.approval.json")


def approve(
    plan: Plan, *, consents: Sequence[str], life: timedelta | None, comment: str
) -> Approval:
    """State consent, by name, to needs of this plan; `all` gives every consent that it needs.

    Raises: UsageError for a consent that this plan does not need.
    """
    needed = {need.consent.value for need in plan.body.consents}
    unknown = sorted(set(consents) - needed - {ALL})
    if unknown:
        listed = ", ".join(sorted(needed)) or "none"
        raise UsageError(
            f"--consent: this plan does not need {', '.join(unknown)}; it needs: {listed}"
        )
    given = tuple(
        GivenConsent(consent=need.consent, address=need.address)
        for need in plan.body.consents
        if ALL in consents or need.consent.value in consents
    )
    now = datetime.now(UTC)
    return Approval(
        plan_sha256=plan.sha256,
        approved_by=who(),
        approved_at_utc=now,
        expires_at_utc=now + (life or DEFAULT_LIFE),
        comment=comment,
        consents=given,
    )


def save_approval(approval: Approval, path: Path) -> None:
    """Write it as JSON."""
    text = json.dumps(codec.to_plain(approval), indent=1, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", "utf-8")


def read_approval(path: Path) -> Approval | None:
    """The approval at a path, or None when there is none.

    Raises: InvalidDocument when it cannot be read: an unreadable approval is not a missing one.
    """
    if not path.exists():
        return None
    try:
        return codec.from_plain(Approval, json.loads(path.read_text("utf-8")))
    except OSError as error:
        raise InvalidDocument(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, ValueError) as error:
        raise InvalidDocument(f"{path} is not an approval: {error}") from error
