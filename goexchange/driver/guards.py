"""Where the driver asks for verdicts; a simulation may weaken it to prove its checks."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from goexchange.journal.replay import RunState
from goexchange.model.actual import ActualState
from goexchange.model.approval import Approval
from goexchange.model.plan import Plan, Step, Verdict


class Guards(Protocol):
    """The two moments at which a run asks."""

    def at_start(
        self, plan: Plan, actual: ActualState, now: datetime, approval: Approval | None
    ) -> tuple[Verdict, ...]:
        """What is decided before anything is changed."""
        ...

    def before_step(
        self, plan: Plan, step: Step, /, run_state: RunState, actual: ActualState, now: datetime
    ) -> tuple[Verdict, ...]:
        """What is due before one step."""
        ...


class PackagedGuards:
    """The guards of the package."""

    def at_start(
        self, plan: Plan, actual: ActualState, now: datetime, approval: Approval | None
    ) -> tuple[Verdict, ...]:
        """What is decided before anything is changed."""
        from goexchange.guard import evaluate

        return evaluate.at_start(plan, actual, now, approval)

    def before_step(
        self, plan: Plan, step: Step, /, run_state: RunState, actual: ActualState, now: datetime
    ) -> tuple[Verdict, ...]:
        """What is due before one step."""
        from goexchange.guard import evaluate

        return evaluate.before_step(plan, step, run_state, actual, now)
