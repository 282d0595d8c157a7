"""The plan file: seal a body under its digest, write it as canonical JSON, read it back with the
digest checked.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import lru_cache

from goexchange.codec import (
    canonical_json,
    digest,
    from_plain,
    parse_json,
    parse_time,
    time_text,
    to_plain,
)
from goexchange.errors import InvalidDocument
from goexchange.model.plan import Plan, PlanBody
from goexchange.model.same import Same

FORMAT = "goexchange/plan/v1"
_MEMBERS = ("body", "sha256", "created_at_utc", "created_by")


def seal(body: PlanBody, created_at: datetime, created_by: str) -> Plan:
    """Return the plan: who made it when is outside the digest."""
    sha256 = hashlib.sha256(_body_json(Same(body))).hexdigest()
    return Plan(body=body, sha256=sha256, created_at_utc=created_at, created_by=created_by)


@lru_cache(maxsize=1)
def _body_json(same: Same[PlanBody]) -> bytes:
    """The canonical JSON of a body; remembered, because what is sealed is saved next."""
    return canonical_json(to_plain(same.value))


def dump(plan: Plan) -> bytes:
    """The plan file."""
    head = canonical_json(
        {
            "created_at_utc": time_text(plan.created_at_utc),
            "created_by": plan.created_by,
            "sha256": plan.sha256,
        }
    )
    return b'{"body":' + _body_json(Same(plan.body)) + b"," + head[1:]


def load(content: bytes) -> Plan:
    """Read a plan file; the digest is over the members as written, those of newer minor versions
    included.

    Raises: InvalidDocument when it is no plan, of another major version, or not what was sealed.
    """
    try:
        plain = parse_json(content)
    except ValueError as error:
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
