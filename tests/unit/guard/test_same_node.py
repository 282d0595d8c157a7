"""Nothing new is begun on a clustered server that another node owns than was planned on."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.guard.evaluate import at_plan, at_start, before_step
from goexchange.guard.premises import diagnostics, failures
from goexchange.guard.same_node import SAME_NODE
from goexchange.model.plan import Action, Plan, Verdict, VerdictKind
from goexchange.model.unknown import Unknown
from goexchange.plan.sealing import seal
from tests.unit.guard.test_backlog import NothingDone
from tests.unit.plan.builders import IN_WINDOW, NOW, host, state
from tests.unit.plan.test_clusters import draft, on_nodes, to

AWAY = Unknown("no node answers")


def planned() -> Plan:
    return seal(draft(to("L:\\sets"), on_nodes()), NOW, "me")


def judged(plan: Plan, owner: Any) -> dict[str, Verdict]:
    """What the guard says at each of its moments, and before a dismount and a swap."""
    seen = state(on_nodes(host=owner))
    steps = {each.action: each for each in plan.body.lanes[0].steps}
    at = {
        "plan": at_plan(plan.body, seen, NOW),
        "start": at_start(plan, seen, IN_WINDOW, None),
        **{
            action.value: before_step(plan, steps[action], NothingDone(), seen, IN_WINDOW)
            for action in (Action.DISMOUNT, Action.SWAP)
        },
    }
    return {
        moment: next(each for each in found if each.guard == SAME_NODE.id)
        for moment, found in at.items()
    }


@pytest.mark.parametrize(
    ("owner", "kind"),
    [
        (host("NODE1"), VerdictKind.PASS),
        (host("node1"), VerdictKind.PASS),
        (host("NODE2"), VerdictKind.BLOCK),
        (AWAY, VerdictKind.UNKNOWN),
    ],
)
def test_another_owner_blocks_and_none_is_unknown(owner: Any, kind: VerdictKind) -> None:
    found = judged(planned(), owner)
    assert {moment: each.kind for moment, each in found.items()} == dict.fromkeys(found, kind)


def test_both_nodes_are_named_with_what_to_do() -> None:
    found = judged(planned(), host("NODE2"))["dismount"]
    assert found.evidence == "EX01 is on NODE2 now, and the plan is for NODE1"
    assert found.remedy is not None and found.remedy.startswith("plan again")


def test_a_plan_whose_facts_do_not_say_the_owner_is_refused() -> None:
    plan = planned()
    for servers in ((), (on_nodes(host=AWAY),)):
        facts = evolve(plan.body.facts, servers=servers)
        blind = evolve(plan, body=evolve(plan.body, facts=facts))
        assert judged(blind, host("NODE1"))["start"].kind is VerdictKind.BLOCK


def test_a_move_between_plan_and_apply_says_the_owner_then_and_now() -> None:
    (said,) = diagnostics(failures(planned().body, state(on_nodes(host=host("NODE2")))))
    assert 'host.name' in (said.detail or "")
    assert "then NODE1, now NODE2" in (said.detail or "").replace("'", "").replace('"', "")


def test_what_brings_mail_back_is_never_asked() -> None:
    plan = planned()
    backs = [each for each in plan.body.lanes[0].steps if each.action is Action.MOUNT_ORIGINAL]
    seen = state(on_nodes(host=host("NODE2")))
    assert backs
    assert all(before_step(plan, each, NothingDone(), seen, IN_WINDOW) == () for each in backs)
