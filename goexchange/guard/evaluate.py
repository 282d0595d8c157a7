"""The one evaluator of guards: at plan, at start, and before each step; `plan` and `apply` use the
same code.

A step that brings mail back is never refused by a rule that protects a schedule, nor by an
approval, an expiry or an unrelated unknown fact: `may_be_refused` is the one place that says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from attrs import evolve

from goexchange.errors import GoexchangeError
from goexchange.guard.approval import check_approval
from goexchange.guard.guard import (
    Answer,
    FactUnknown,
    Guard,
    Moment,
    Question,
    RunFacts,
    is_due,
)
from goexchange.guard.premises import verdicts as premise_verdicts
from goexchange.guard.registry import GUARDS
from goexchange.model.actual import ActualState
from goexchange.model.approval import Approval
from goexchange.model.plan import Direction, Lane, Plan, PlanBody, Step, Verdict, VerdictKind
from goexchange.model.unknown import Unknown


class NoSuchGuard(GoexchangeError):
    """A step names a guard that does not exist: a mistake of ours, or a plan of another version."""

    id = "no-such-guard"


def may_be_refused(step: Step) -> bool:
    """Whether a guard may refuse the step at all: never one that leads back into service."""
    return step.direction is not Direction.BACK


def at_plan(body: PlanBody, actual: ActualState, now: datetime) -> tuple[Verdict, ...]:
    """Return the verdicts of every guard of every lane; what can only be known later is *due*."""
    return tuple(_of_lanes(body, actual, now, Moment.PLAN))


def at_start(
    plan: Plan,
    actual: ActualState,
    now: datetime,
    approval: Approval | None,
    *,
    hold: str | None | Unknown = None,
) -> tuple[Verdict, ...]:
    """Return the verdicts before a run begins: every guard again, and approval, validity and hold
    of the plan.

    Shape: `hold` is the reason of a hold, None when there is none.
    """
    guards = (
        *premise_verdicts(plan.body, actual),
        *_of_lanes(plan.body, actual, now, Moment.START),
    )
    if not any(may_be_refused(step) for lane in plan.body.lanes for step in lane.steps):
        return guards
    return (
        check_approval(plan, approval, now),
        _valid(plan, now),
        _hold_free(plan, hold),
        *guards,
    )


def before_step(
    plan: Plan, step: Step, /, run_state: RunFacts, actual: ActualState, now: datetime
) -> tuple[Verdict, ...]:
    """Return the verdicts of the step's guards on what is known now; none for a step that leads
    back.
    """
    if not may_be_refused(step):
        return ()
    lane = next(each for each in plan.body.lanes if any(one.id == step.id for one in each.steps))
    question = Question(
        body=plan.body,
        lane=lane,
        actual=actual,
        now=now,
        moment=Moment.STEP,
        step=step,
        run=run_state,
    )
    return tuple(_decide(_guard(each), question) for each in step.guards)


def is_refused(verdicts: tuple[Verdict, ...]) -> bool:
    """Whether something says no: only *block* and *unknown* do."""
    return any(each.kind in (VerdictKind.BLOCK, VerdictKind.UNKNOWN) for each in verdicts)


def _of_lanes(
    body: PlanBody, actual: ActualState, now: datetime, moment: Moment
) -> Iterator[Verdict]:
    for lane in body.lanes:
        question = Question(body=body, lane=lane, actual=actual, now=now, moment=moment)
        for guard, step in _named(lane).items():
            verdict = _decide(_guard(guard), question)
            is_later = verdict.kind is VerdictKind.DUE
            yield evolve(verdict, due_at_step=step.id) if is_later else verdict


def _named(lane: Lane) -> dict[str, Step]:
    """The guards that the lane's steps name, in order, each with the first step that does."""
    found: dict[str, Step] = {}
    for step in lane.steps:
        for guard in step.guards:
            found.setdefault(guard, step)
    return found


def _guard(guard: str) -> Guard:
    if guard not in GUARDS:
        raise NoSuchGuard(f"There is no guard '{guard}'.")
    return GUARDS[guard]


def _decide(guard: Guard, question: Question) -> Verdict:
    if question.moment not in guard.moments:
        answer = is_due("it can only be known then")
    else:
        try:
            answer = guard.judge(question)
        except FactUnknown as unknown:
            answer = Answer(
                kind=VerdictKind.UNKNOWN,
                evidence=str(unknown),
                observed={unknown.fact: {"unknown": unknown.reason}},
                remedy="see `goexchange observe` for what could not be read, and why",
            )
    return Verdict(
        guard=guard.id,
        address=question.lane.id,
        kind=answer.kind,
        rule=guard.rule,
        evidence=answer.evidence,
        observed=answer.observed,
        remedy=answer.remedy,
        is_time_only=answer.is_time_only,
    )


def _valid(plan: Plan, now: datetime) -> Verdict:
    until = plan.body.valid_until_utc
    is_over = until is not None and now >= until
    text = "without limit" if until is None else f"until {until:%Y-%m-%d %H:%M} UTC"
    return Verdict(
        guard="valid",
        address=plan.id,
        kind=VerdictKind.BLOCK if is_over else VerdictKind.PASS,
        rule="a plan is applied while it is valid",
        evidence=f"valid {text}, it is {now:%Y-%m-%d %H:%M} UTC",
        observed={},
        remedy="plan again: goexchange plan" if is_over else None,
        is_time_only=is_over,
    )


def _hold_free(plan: Plan, hold: str | None | Unknown) -> Verdict:
    kind, evidence = VerdictKind.PASS, "no hold"
    if isinstance(hold, Unknown):
        kind, evidence = VerdictKind.UNKNOWN, f"whether there is a hold is {hold}"
    elif hold is not None:
        kind, evidence = VerdictKind.BLOCK, f"a hold is on: {hold}"
    return Verdict(
        guard="hold-free",
        address=plan.id,
        kind=kind,
        rule="nothing new starts while a hold is on",
        evidence=evidence,
        observed={},
        remedy=None if kind is VerdictKind.PASS else "wait until the hold is lifted; plan again",
    )
