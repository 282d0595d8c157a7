"""What judging gives, and what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from goexchange.journal.replay import RunState
from goexchange.model.plan import Lane, Plan, Step
from goexchange.model.run import Finding, OutcomeKind


@frozen(kw_only=True)
class Subject:
    """The step that is judged, in its lane, with everything known before."""

    plan: Plan
    lane: Lane
    step: Step
    state: RunState


@frozen(kw_only=True)
class JobEnd:
    """A host job that ended. `output` is all that it printed on standard output; `result` what the
    runner adds.
    """

    kind: str
    exit_code: int | None
    output: bytes
    result: Mapping[str, Any]
    seconds: float | None
    started_at_utc: str | None = None
    watched: Mapping[str, int | None] = field(factory=dict)


@frozen(kw_only=True)
class Judgement:
    """How a step ended. `result` is plain JSON and holds `why` when it failed; `output` is all that
    a tool printed, of which the journal keeps a redacted tail.
    """

    outcome: OutcomeKind
    result: Mapping[str, Any]
    findings: tuple[Finding, ...] = ()
    output: str = ""

    @property
    def is_done(self) -> bool:
        """Whether it ended well."""
        return self.outcome in (OutcomeKind.DONE, OutcomeKind.ALREADY)


class Failure(Exception):
    """The step did not reach what it is for: why, and what is known."""

    def __init__(
        self, why: str, result: Mapping[str, Any] | None = None, *, output: str = ""
    ) -> None:
        super().__init__(why)
        self.result = result or {}
        self.output = output


def done(
    result: Mapping[str, Any], *, findings: tuple[Finding, ...] = (), output: str = ""
) -> Judgement:
    """It ended well."""
    return Judgement(outcome=OutcomeKind.DONE, result=result, findings=findings, output=output)


def failed(
    why: str, result: Mapping[str, Any], *, findings: tuple[Finding, ...] = (), output: str = ""
) -> Judgement:
    """It did not reach what it is for."""
    return Judgement(
        outcome=OutcomeKind.FAILED,
        result={**result, "why": why},
        findings=findings,
        output=output,
    )


def cancelled(why: str) -> Judgement:
    """It was given up on the way."""
    return Judgement(outcome=OutcomeKind.CANCELLED, result={"why": why})
