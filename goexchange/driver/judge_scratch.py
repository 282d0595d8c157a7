"""Judging what is asked of a pilot's scratch database before it is removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from goexchange.driver.judgement import Failure, Judgement, Subject, done


def judge_empty(subject: Subject, result: Mapping[str, Any]) -> Judgement:
    """No mailbox of the kind that was asked for; an answer without its list of objects, or with
    an error beside it, says nothing.
    """
    found = result["objects"]
    if not isinstance(found, list):
        raise Failure("which mailboxes it holds is not known", {})
    if result.get("errors"):
        raise Failure("which mailboxes it holds could not be read", {})
    if found:
        raise Failure(
            "the database holds mailboxes: it is not removed; move them away first",
            {"count": len(found)},
        )
    return done({"count": 0})
