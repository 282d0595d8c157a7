"""Judging one pass of online detection or correction: its findings, and whether it was the last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from goexchange.driver.conditions import holds
from goexchange.driver.judge import after_postcondition
from goexchange.driver.judgement import Judgement, done, failed
from goexchange.model.plan import Action, ExchangeCall, Lane, Step
from goexchange.model.run import Finding, OutcomeKind


def judge_pass(step: Step, answer: Mapping[str, Any], *, attempt: int) -> Judgement:
    """A pass that came to its end. The last one that is allowed has to be without what asks for
    another.
    """
    result = {"ours": answer["ours"], "pass": attempt}
    findings = tuple(_findings(step, answer["ours"], attempt))
    repeat = step.repeat
    if repeat is not None and attempt >= repeat.times_max and not holds(repeat.until, answer):
        left = answer["ours"].get("errors")
        words = "what they found is not known" if left is None else "errors or warnings are left"
        passes = "1 pass" if attempt == 1 else f"{attempt} passes"
        return failed(f"after {passes} {words}", result, findings=findings)
    return after_postcondition(step, done(result, findings=findings))


def detected(step: Step, outcome: OutcomeKind | None, result: Mapping[str, Any] | None) -> int:
    """How many errors a detection that ended well has found; 0 for every other step."""
    is_detection = (
        step.action is Action.REPAIR_REQUEST
        and isinstance(step.call, ExchangeCall)
        and step.call.parameters.get("DetectOnly") is True
    )
    if not is_detection or outcome is not OutcomeKind.DONE or not result or "ours" not in result:
        return 0
    errors = result["ours"].get("errors", 0)
    return errors if isinstance(errors, int) else 0


def found_text(lane: Lane, counts: Mapping[str, int]) -> str:
    """What the detections of a lane found, by step; empty when nothing."""
    bad = [step for step in lane.steps if counts.get(step.id)]
    total = sum(counts[step.id] for step in bad)
    kinds = ", ".join(
        str(step.call.parameters["CorruptionType"])
        for step in bad
        if isinstance(step.call, ExchangeCall)
    )
    return f"{total} error{'' if total == 1 else 's'} detected ({kinds})" if bad else ""


def _findings(step: Step, ours: Mapping[str, Any], attempt: int) -> Iterator[Finding]:
    assert isinstance(step.call, ExchangeCall)
    kind = step.call.parameters["CorruptionType"]
    errors, warnings = ours["errors"], ours["warnings"]
    if errors:
        fixed = ours["corruptions_fixed"]
        told = "corrected not told" if fixed is None else f"{fixed} corrected"
        yield Finding(
            severity="error",
            pass_name=step.pass_name or "",
            text=f"pass {attempt}, {kind}: {errors} detected, {told}",
            number=errors,
            attempt=attempt,
        )
    if warnings:
        yield Finding(
            severity="warning",
            pass_name=step.pass_name or "",
            text=f"pass {attempt}, {kind}: {warnings} ended with an error code: not everything"
            " was looked at",
            number=warnings,
            attempt=attempt,
        )
