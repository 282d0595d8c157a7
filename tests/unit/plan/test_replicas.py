"""A rebuild of a replicated database is planned by consent alone, and what it takes is said."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.model import actual
from goexchange.model.desired import Consent, ReplicatedRebuild
from goexchange.model.left import held_copies_of
from goexchange.model.plan import (
    Action,
    ExchangeCall,
    Lane,
    Need,
    PlanBody,
    Reason,
    RunsWhen,
    ScriptCall,
)
from goexchange.model.unknown import Unknown
from goexchange.plan.check import breaches
from goexchange.plan.planner import make_draft
from tests.unit.plan.builders import (
    NOW,
    active,
    copy,
    replicated_rebuild,
    script,
    spec,
)

UNREAD = Unknown("it could not be read")
LAGGED = copy(server="EX02", replay_lag_s=604800.0)
THIRD = copy(server="EX03", activation_preference=3)


def drafted(*held: Any, **differs: Any) -> PlanBody:
    wanted, inventory, seen = replicated_rebuild(*held, **differs)
    return make_draft([wanted], inventory, seen, now=NOW)


def of(body: PlanBody, action: Action) -> list[str]:
    (lane,) = body.lanes
    return [
        str(step.call.parameters["Identity"])  # type: ignore[union-attr]
        for step in lane.steps
        if step.action is action
    ]


def needed(body: PlanBody, consent: Consent) -> list[str]:
    return [each.finding for each in body.consents if each.consent is consent]


def test_every_other_copy_is_suspended_first_and_seeded_last() -> None:
    body = drafted()
    both = ["DB05\\EX02", "DB05\\EX03"]
    for action in (Action.SUSPEND_COPY, Action.RESUME_COPY, Action.AWAIT_COPY, Action.SEED_COPY):
        assert of(body, action) == both
    order = [step.action for step in body.lanes[0].steps]
    assert order.index(Action.SUSPEND_COPY) < order.index(Action.DISMOUNT)
    assert order.index(Action.PROVE_BACKUP) < order.index(Action.SEED_COPY)
    passes = [at for at, each in enumerate(order) if each is Action.REPAIR_REQUEST]
    assert order.index(Action.SEED_COPY) < passes[-1]  # hours of passes hold up no copy
    (finding,) = needed(body, Consent.REBUILD_REPLICATED_DATABASE)
    assert "EX02 and EX03" in finding and "57 GiB each" in finding and "lagged" not in finding
    assert not list(breaches(body))


def test_a_lagged_copy_is_seeded_last_and_its_history_is_named() -> None:
    body = drafted(active(), LAGGED, THIRD)
    assert of(body, Action.SEED_COPY) == ["DB05\\EX03", "DB05\\EX02"]
    (finding,) = needed(body, Consent.REBUILD_REPLICATED_DATABASE)
    assert "the history of the lagged copy on EX02 (7 d) is lost" in finding
    steps = [step for step in body.lanes[0].steps if step.action is Action.SEED_COPY]
    assert [each.poll.until.path for each in steps if each.poll] == [
        "copy.is_well", "copy.is_healthy",
    ]  # fmt: skip


def test_the_order_holds_where_no_preference_is_known() -> None:
    unknown = copy(server="EX03", activation_preference=UNREAD)
    assert of(drafted(active(), copy(), unknown), Action.SEED_COPY) == ["DB05\\EX03", "DB05\\EX02"]


def test_a_specification_can_forbid_it() -> None:
    wanted, inventory, seen = replicated_rebuild()
    closed = evolve(wanted.script, forbid=(Consent.REBUILD_REPLICATED_DATABASE,))
    body = make_draft([evolve(wanted, script=closed)], inventory, seen, now=NOW)
    (decision,) = body.decisions
    assert decision.need is Need.NOT_POSSIBLE and not body.lanes
    assert "rebuild-replicated-database" in decision.explanation


def test_it_is_refused_where_the_specification_does_not_ask_for_it() -> None:
    _, inventory, seen = replicated_rebuild()
    body = make_draft([spec(script=script())], inventory, seen, now=NOW)
    (decision,) = body.decisions
    assert decision.reasons == (Reason.MORE_THAN_ONE_COPY,) and not body.lanes
    assert "script.rebuild.replicated: by-consent" in (decision.instead or "")


@pytest.mark.parametrize(
    ("held", "differs", "reason", "words"),
    [
        ((active(), copy(status="Failed"), THIRD), {}, Reason.COPY_NOT_WELL, "it is Failed"),
        ((active(), copy(replay_lag_s=UNREAD), THIRD), {}, Reason.FACT_UNKNOWN, "EX02 is lagged"),
        (
            (active(), copy(is_activation_suspended=True, suspend_comment=UNREAD), THIRD),
            {},
            Reason.COPIES_UNKNOWN,
            "EX02, its activation is suspended, and the comment is unknown",
        ),
        (
            (active(), copy(is_activation_suspended=UNREAD), THIRD),
            {},
            Reason.COPIES_UNKNOWN,
            "EX02, whether its activation is suspended is unknown",
        ),
        ((active(), copy()), {}, Reason.COPIES_UNKNOWN, "the copy on EX03"),
        ((), {"is_circular_logging": True}, Reason.BLOCKED_BY_GUARD, "its logging is circular"),
        ((), {"is_circular_logging": UNREAD}, Reason.FACT_UNKNOWN, "its logging is circular"),
    ],
)
def test_what_stands_against_it_is_named(
    held: tuple[Any, ...], differs: dict[str, Any], reason: Reason, words: str
) -> None:
    body = drafted(*held, **differs)
    (decision,) = body.decisions
    assert decision.need is Need.NOT_POSSIBLE and decision.reasons == (reason,)
    assert words in decision.explanation and decision.instead and not body.lanes


@pytest.mark.parametrize("by_consent", [True, False])
def test_exchange_2010_is_refused_whatever_is_consented_to(by_consent: bool) -> None:
    """No seed outlives the session there, and no consent that would not help is named."""
    wanted, inventory, seen = replicated_rebuild()
    if not by_consent:
        choice = evolve(wanted.script.rebuild, replicated=ReplicatedRebuild.REFUSE)
        wanted = evolve(wanted, script=evolve(wanted.script, rebuild=choice))
    old = tuple(
        evolve(each, generation=actual.Generation.EXCHANGE_2010, build="14.3.513.0")
        for each in seen.servers
    )
    body = make_draft([wanted], inventory, evolve(seen, servers=old), now=NOW)
    (decision,) = body.decisions
    assert decision.need is Need.NOT_POSSIBLE
    assert ("a seed ends with the session" in decision.explanation) == by_consent
    assert "New-MoveRequest" in (decision.instead or "")
    assert "by-consent" not in (decision.instead or "")


def test_a_plan_that_swaps_and_never_seeds_what_it_suspended_is_broken() -> None:
    body = drafted()
    (lane,) = body.lanes
    kept = tuple(step for step in lane.steps if step.action is not Action.SEED_COPY)
    broken = list(breaches(evolve(body, lanes=(evolve(lane, steps=kept),))))
    assert sum("and never seeds it" in each for each in broken) == 2


def test_the_recovery_record_and_its_text_name_the_copies() -> None:
    lane: Lane = drafted(active(), LAGGED, THIRD).lanes[0]
    (opened,) = (step for step in lane.steps if step.action is Action.OPEN_RECOVERY_RECORD)
    arguments = opened.call.arguments  # type: ignore[union-attr]
    assert arguments["content"]["held_copies"] == [
        {"identity": "DB05\\EX03", "is_lagged": False},
        {"identity": "DB05\\EX02", "is_lagged": True},
    ]
    for words in (
        "Resume-MailboxDatabaseCopy -Identity 'DB05\\EX03'",
        "Update-MailboxDatabaseCopy -Identity 'DB05\\EX02' -DeleteExistingFiles",
    ):
        assert words in arguments["text"]


def test_each_step_about_a_copy_names_the_suspension_that_it_ends() -> None:
    (lane,) = drafted().lanes
    suspended = [step.id for step in lane.steps if step.action is Action.SUSPEND_COPY]
    for action, when in (
        (Action.RESUME_COPY, RunsWhen.COPIES_FIT),
        (Action.AWAIT_COPY, RunsWhen.COPIES_FIT),
        (Action.SEED_COPY, RunsWhen.COPIES_DIFFER),
    ):
        mine = [step for step in lane.steps if step.action is action]
        assert [step.undo_of for step in mine] == suspended
        assert {step.runs_when for step in mine} == {when}


def test_an_activation_that_somebody_suspended_is_so_again_on_both_roads() -> None:
    blocked = copy(is_activation_suspended=True, suspend_comment="Bob's, till Monday")
    body = drafted(active(), blocked, THIRD)
    (lane,) = body.lanes
    (back,) = [step for step in lane.steps if step.action is Action.SUSPEND_ACTIVATION]
    assert isinstance(back.call, ExchangeCall)
    assert back.call.parameters == {
        "Identity": "DB05\\EX02", "ActivationOnly": True, "Confirm": False,
        "SuspendComment": "Bob's, till Monday",
    }  # fmt: skip
    resumed = {
        str(step.call.parameters["Identity"]): "ReplicationOnly" in step.call.parameters
        for step in lane.steps
        if step.action is Action.RESUME_COPY and isinstance(step.call, ExchangeCall)
    }
    assert resumed == {"DB05\\EX02": True, "DB05\\EX03": False}
    opened = next(each for each in lane.steps if each.action is Action.OPEN_RECOVERY_RECORD)
    assert isinstance(opened.call, ScriptCall)
    held = held_copies_of(opened.call.arguments["content"])
    assert [(each.is_activation_suspended, each.activation_comment) for each in held] == [
        (True, "Bob's, till Monday"), (False, None),
    ]  # fmt: skip
    text = str(opened.call.arguments["text"])
    assert "Resume-MailboxDatabaseCopy -Identity 'DB05\\EX02' -ReplicationOnly" in text
    assert "'DB05\\EX02' -ActivationOnly -SuspendComment 'Bob''s, till Monday'" in text
    assert "'DB05\\EX03' -ReplicationOnly" not in text


def test_without_a_comment_none_is_made_up() -> None:
    body = drafted(active(), copy(is_activation_suspended=True), THIRD)
    (back,) = [each for each in body.lanes[0].steps if each.action is Action.SUSPEND_ACTIVATION]
    assert isinstance(back.call, ExchangeCall) and "SuspendComment" not in back.call.parameters
