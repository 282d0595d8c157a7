"""The verdict that a verifier machine leaves beside a set: written, read, held to the set."""

from __future__ import annotations

from datetime import datetime

from goexchange.backup.findings import Judgement, Weight
from goexchange.backup.sealed import open_sealed, sealed_bytes
from goexchange.codec import from_plain, to_plain
from goexchange.errors import InvalidDocument
from goexchange.model.backup_set import SetVerdict

KIND = "SetVerdict"
FINDINGS_KEPT = 20
VERDICT_BYTES_MAX = 256 * 1024


def verdict_of(
    judgement: Judgement, *, is_good: bool, at: datetime, by: str, version: str
) -> SetVerdict:
    """What is left beside a set that was judged in full.

    Raises: InvalidDocument when no set was judged: a verdict is about one.
    """
    if judgement.set_id is None or judgement.set_sha256 is None:
        raise InvalidDocument(f"{judgement.path} has no manifest that a verdict could be bound to")
    against = [
        f"{each.path}: {each.detail}" if each.path else each.detail
        for each in judgement.findings
        if each.weight in (Weight.DAMAGE, Weight.UNKNOWN)
    ]
    return SetVerdict(
        set_id=judgement.set_id,
        set_sha256=judgement.set_sha256,
        verdict=judgement.verdict.value,
        is_good=is_good,
        findings=tuple(against[:FINDINGS_KEPT]),
        verified_at_utc=at,
        verified_by=by,
        tool_version=version,
    )


def verdict_bytes(verdict: SetVerdict) -> bytes:
    """The verdict as it is written."""
    return sealed_bytes(KIND, to_plain(verdict))


def parse_verdict(content: bytes) -> SetVerdict:
    """The verdict in these bytes.

    Raises: InvalidDocument when it is none, is damaged, or was changed after it was written.
    """
    body = open_sealed(content, KIND, noun="a verdict over a backup set").body
    return from_plain(SetVerdict, body)
