"""Waiting for the verdict of a verifier machine over the sealed set.

The machine reads the set by itself and leaves what it found beside it; the server, which reaches
the target, is asked for that file. A verdict counts only when it is whole and about the very set
that was sealed. Anything else that lies there is not believed, and waited over: the machine may
still replace it. At the step's limit the wait has failed, and the lane takes its way back.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from attrs import frozen

from goexchange.backup.verdict import parse_verdict
from goexchange.codec import time_text
from goexchange.driver.conversation import Conversation, Talk
from goexchange.driver.events import Answered
from goexchange.driver.judge import judge_set
from goexchange.driver.judge_files import sealed_digest
from goexchange.driver.judgement import Judgement, Subject, cancelled, failed
from goexchange.driver.turning import turn_back_reason
from goexchange.errors import InvalidDocument
from goexchange.model.backup_set import SetVerdict
from goexchange.model.plan import Lane, ScriptCall, Step

READ_LIMIT_S = 60
LOOK_EVERY = timedelta(seconds=30)


@frozen(kw_only=True)
class Found:
    """What lay beside the set: a verdict over it, or why there is none that counts."""

    verdict: SetVerdict | None
    why: str


def await_verdict(talk: Conversation, lane: Lane, step: Step, call: ScriptCall) -> Talk[Judgement]:
    """Ask the server for the verdict until one counts, or the step's time is up."""
    subject = Subject(plan=talk.plan, lane=lane, step=step, state=talk.state)
    wanted = sealed_digest(subject)
    sent = talk.state.step(step.id).last_sent_at_utc or talk.now
    deadline = sent + timedelta(seconds=step.time_limit_s)
    while True:
        reply = yield from talk.send(step.server, call, READ_LIMIT_S, f"poll {step.id}")
        if isinstance(reply, Answered):
            found = verdict_in(reply.result, wanted)
        else:
            found = Found(verdict=None, why=f"{step.server} could not be asked: {reply.message}")
        if found.verdict is not None:
            return judge_set(subject, _result(found.verdict))
        turned = turn_back_reason(talk, lane, step)
        if turned is not None:
            return cancelled(turned)
        if talk.now >= deadline:
            return failed(f"no verdict within {step.time_limit_s} s: {found.why}", {})
        yield from talk.wait(min(deadline, talk.next_look(sent, at_most=LOOK_EVERY)))


def verdict_in(answer: Mapping[str, Any], wanted: str) -> Found:
    """What the answer of `read-verdict` holds about the set with that digest."""
    if not answer["exists"]:
        return Found(verdict=None, why="none was left beside the set")
    try:
        verdict = parse_verdict(base64.b64decode(answer["content"]))
    except InvalidDocument as error:
        return Found(verdict=None, why=f"what lies beside the set is not believed: {error}")
    if verdict.set_sha256 != wanted:
        found = f"the one beside the set is about another ({verdict.set_id}, {verdict.set_sha256})"
        return Found(verdict=None, why=found)
    return Found(verdict=verdict, why="")


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
