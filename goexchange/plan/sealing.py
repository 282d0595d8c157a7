"""The plan file: seal a body under its digest, write it as canonical JSON, read it back with the
digest checked.
"""

from __future__ import annotations

import json
from datetime import datetime

from goexchange.codec import (
    canonical_json,
    digest,
    from_plain,
    parse_time,
    time_text,
    to_plain,
)
from goexchange.errors import InvalidDocument
from goexchange.model.plan import Plan, PlanBody

FORMAT = "goexchange/plan/v1"
_MEMBERS = ("body", "sha256", "created_at_utc", "created_by")


def seal(body: PlanBody, created_at: datetime, created_by: str) -> Plan:
    """Return the plan: who made it when is outside the digest."""
    return Plan(
        body=body, sha256=digest(to_plain(body)), created_at_utc=created_at, created_by=created_by
    )


def dump(plan: Plan) -> bytes:
    """The plan file."""
    return canonical_json(
        {
            "body": to_plain(plan.body),
            "sha256": plan.sha256,
            "created_at_utc": time_text(plan.created_at_utc),
            "created_by": plan.created_by,
        }
    )


def load(content: bytes) -> Plan:
    """Read a plan file; the digest is over the members as written, those of newer minor versions
    included.

    Raises: InvalidDocument when it is no plan, of another major version, or not what was sealed.
    """
    try:
        plain = json.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, ValueError) as error:
        raise InvalidDocument(f"This is not a plan file: {error}") from error
    if not isinstance(plain, dict) or not all(each in plain for each in _MEMBERS):
        raise InvalidDocument(f"This is not a plan file: it needs {', '.join(_MEMBERS)}.")
    body = plain["body"]
    if not isinstance(body, dict) or "format" not in body or body["format"] != FORMAT:
        raise InvalidDocument(f"This plan is not of the format {FORMAT}: plan again.")
    if digest(body) != plain["sha256"]:
        raise InvalidDocument(
            "The plan was changed after it was made: its digest does not match. Plan again."
        )
    try:
        created_at = parse_time(plain["created_at_utc"])
    except (TypeError, ValueError) as error:
        raise InvalidDocument(f"The plan's creation time cannot be read: {error}") from error
    return Plan(
        body=from_plain(PlanBody, body),
        sha256=plain["sha256"],
        created_at_utc=created_at,
        created_by=str(plain["created_by"]),
    )
