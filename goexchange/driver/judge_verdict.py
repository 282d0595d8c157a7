"""Judging the wait for the verdict of a verifier machine over the sealed set.

The machine reads the set by itself and leaves what it found beside it; a job on the server, which
has the rights on the target that a session has not, waits for that file. A verdict counts only when
it is whole and about the very set that was sealed.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from goexchange.backup.verdict import parse_verdict
from goexchange.codec import time_text
from goexchange.driver.judge_files import judge_verified, sealed_digest
from goexchange.driver.judgement import Failure, JobEnd, Judgement, Subject
from goexchange.errors import InvalidDocument
from goexchange.model.backup_set import SetVerdict
from goexchange.model.plan import JobCall


def judge_verdict(subject: Subject, end: JobEnd) -> Judgement:
    """The verdict that lay beside the set when the wait ended."""
    if end.exit_code != 0:
        raise Failure(f"the wait for a verdict ended with {end.exit_code}", {})
    assert isinstance(subject.step.call, JobCall)
    wait_s = subject.step.call.request["wait_s"]
    try:
        verdict = _verdict_in(end.result, sealed_digest(subject))
    except InvalidDocument as error:
        raise Failure(f"no verdict within {wait_s} s: {error}", {}) from error
    return judge_verified(subject, _result(verdict))


def _verdict_in(answer: Mapping[str, Any], wanted: str) -> SetVerdict:
    """Raises: InvalidDocument when there is none that counts."""
    if not answer["exists"]:
        raise InvalidDocument("none was left beside the set")
    try:
        verdict = parse_verdict(base64.b64decode(answer["content"]))
    except InvalidDocument as error:
        raise InvalidDocument(f"what lies beside the set is not believed: {error}") from error
    if verdict.set_sha256 != wanted:
        raise InvalidDocument(
            f"the one beside the set is about another ({verdict.set_id}, {verdict.set_sha256})"
        )
    return verdict


def _result(verdict: SetVerdict) -> dict[str, Any]:
    """As our own verifier answers, and who it was."""
    return {
        "ok": verdict.is_good,
        "verdict": verdict.verdict,
        "set_sha256": verdict.set_sha256,
        "findings": list(verdict.findings),
        "verified_by": verdict.verified_by,
        "verified_at_utc": time_text(verdict.verified_at_utc),
    }
