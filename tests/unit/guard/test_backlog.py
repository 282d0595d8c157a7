"""A database with public folders goes down only when its replication has nothing waiting."""

from __future__ import annotations

from typing import Any

import pytest

from goexchange.guard.backlog import NO_BACKLOG
from goexchange.guard.evaluate import at_plan, at_start, before_step
from goexchange.model.plan import Action, Verdict, VerdictKind
from goexchange.model.run import StepRecord
from goexchange.model.unknown import Unknown
from goexchange.plan.sealing import seal
from tests.unit.plan.builders import IN_WINDOW, NOW, state
from tests.unit.plan.test_public_folders import DEFRAG, draft, holding, public

UNREAD = Unknown("no counter")


class NothingDone:
    """A run that has done nothing yet."""

    run = "r-1"

    def step(self, step: str) -> StepRecord:
        return StepRecord(step=step)


def judged(backlog: Any) -> dict[str, Verdict]:
    """What the guard says of a plan that was made without a backlog, at each of its moments."""
    plan = seal(draft(DEFRAG, holding(public())), NOW, "me")
    seen = state(holding(public(replication_backlog=backlog)))
    dismount = next(each for each in plan.body.lanes[0].steps if each.action is Action.DISMOUNT)
    at = {
        "plan": at_plan(plan.body, seen, NOW),
        "start": at_start(plan, seen, IN_WINDOW, None),
        "dismount": before_step(plan, dismount, NothingDone(), seen, IN_WINDOW),
    }
    return {
        moment: next(each for each in found if each.guard == NO_BACKLOG.id)
        for moment, found in at.items()
    }


@pytest.mark.parametrize(
    ("backlog", "kind"),
    [(0, VerdictKind.PASS), (17, VerdictKind.BLOCK), (UNREAD, VerdictKind.UNKNOWN)],
)
def test_a_backlog_blocks_and_an_unread_one_is_unknown(backlog: Any, kind: VerdictKind) -> None:
    found = judged(backlog)
    assert {moment: each.kind for moment, each in found.items()} == dict.fromkeys(found, kind)


def test_a_backlog_says_how_many_wait_and_what_to_do() -> None:
    blocked = judged(17)["dismount"]
    assert "17 replication messages" in blocked.evidence
    assert blocked.remedy is not None and "wait until" in blocked.remedy
