"""What answers about a server mean, what is still out, and what a person types."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.driver.asked import databases_of, databases_on
from goexchange.driver.ending import commands_for, state_of
from goexchange.driver.lane_of_server import left_out, server_commands, still_out
from goexchange.driver.lanes import facts_of, next_step
from goexchange.driver.of_server import missing, restarts, with_component, with_server
from goexchange.journal.replay import RunState, replay
from goexchange.model.plan import Action, Lane, Step
from goexchange.model.run import LaneState, OutcomeKind, StepRecord
from goexchange.plan.sealing import seal
from tests.unit.plan.builders import NOW
from tests.unit.plan.server_builders import drafted, of_group, single, the_lane

TYPE = "x.ServerComponentStatePresentationObject"
FUNCTIONAL = "Requestor:Functional; State:Active; Timestamp:1"


def lane() -> Lane:
    return the_lane(of_group())


def step(action: Action, of: Lane | None = None, number: int = 0) -> Step:
    return [each for each in (of or lane()).steps if each.action is action][number]


def after(of: Lane, *done: Action, failed: tuple[Action, ...] = (), **results: Any) -> RunState:
    """A run in which the steps of these actions took effect, and those failed."""
    records = {}
    for each in of.steps:
        if each.action in (*done, *failed):
            outcome = OutcomeKind.FAILED if each.action in failed else OutcomeKind.DONE
            records[each.id] = StepRecord(
                step=each.id,
                attempts=1,
                outcome=outcome,
                result=results.get(each.action.value.replace("-", "_"), {}),
                first_sent_at_utc=NOW,
                last_sent_at_utc=NOW,
                ended_at_utc=NOW,
            )
    return evolve(replay(()), run="r-1", steps=records)


def component(state: str, *entries: str, name: str = "HubTransport") -> dict[str, Any]:
    said = [FUNCTIONAL, *entries]
    row = {"$type": TYPE, "Component": name, "State": state, "LocalStates": said,
           "RemoteStates": said}  # fmt: skip
    return {"objects": [row]}


def said(state: str) -> str:
    return f"Requestor:Maintenance; State:{state}; Timestamp:1"


@pytest.mark.parametrize(
    ("action", "answer", "wanted"),
    [
        (Action.SET_COMPONENT, component("Draining", said("Draining")), True),
        (Action.SET_COMPONENT, component("Active", said("Draining")), False),
        (Action.SET_COMPONENT, component("Active"), False),
        (Action.RESTORE_COMPONENT, component("Active", said("Active")), True),
        (Action.RESTORE_COMPONENT, component("Active"), True),
        # somebody else's word keeps it out, which is no failure of ours
        (Action.RESTORE_COMPONENT, component("Inactive", said("Active")), True),
        (Action.RESTORE_COMPONENT, component("Inactive", said("Inactive")), False),
    ],
)
def test_a_component_is_as_wanted_by_our_word_and_by_its_effect(
    action: Action, answer: dict[str, Any], wanted: bool
) -> None:
    hub = [
        each
        for each in lane().steps
        if each.action is action and "HubTransport" in each.summary
    ][0]
    assert with_component(hub, answer)["component"]["is_as_wanted"] is wanted


def test_another_component_or_none_tells_nothing() -> None:
    hub = step(Action.SET_COMPONENT)
    other = component("Draining", said("Draining"), name="EcpProxy")
    for answer in (other, {"objects": []}, component("Aktiv")):
        assert "component" not in with_component(hub, answer)
    untouched = {"objects": []}
    assert with_component(step(Action.MOVE_ACTIVE), untouched) is untouched


def queue(name: Any = "EX01\\Submission", count: Any = 3) -> dict[str, Any]:
    return {"Identity": name, "MessageCount": count}


def queues(*found: dict[str, Any], **differs: Any) -> dict[str, Any]:
    waits = step(Action.AWAIT_QUEUES)
    return with_server(lane(), waits, replay(()), {"objects": list(found), **differs})


def test_shadow_and_poison_messages_do_not_count() -> None:
    found = queues(queue(count=0), queue("EX01\\Shadow\\3", 41), queue("EX01\\Poison", 1))
    assert found["queues"] == {"messages": 0, "are_empty": True}
    waiting = queues(queue())
    assert waiting["queues"]["are_empty"] is False and missing(waiting) == "3 messages wait still"


@pytest.mark.parametrize("bad", [queue(name=7), queue(count="3"), queue(count=True)])
def test_a_queue_that_cannot_be_read_is_not_empty(bad: dict[str, Any]) -> None:
    assert "queues" not in queues(bad)
    assert "queues" not in queues(errors=[{"message": "no"}])


def back(boot: str, *services: tuple[str, str], before: str | None = "b-1") -> dict[str, Any]:
    of = lane()
    down = {} if before is None else {"started_boot_id": before}
    state = after(of, Action.TAKE_SERVER_DOWN, take_server_down=down)
    answer = {
        "boot_id": boot, "services": [{"name": name, "state": word} for name, word in services]
    }  # fmt: skip
    return with_server(of, step(Action.AWAIT_SERVER, of), state, answer)


def test_a_server_is_back_after_its_restart_with_its_services() -> None:
    assert back("b-2", ("MSExchangeIS", "Running"))["server"] == {"is_back": True, "why": None}
    assert missing(back("b-1")) == "it was not restarted yet"
    stopped = back("b-2", ("MSExchangeIS", "Running"), ("W3SVC", "Missing"))
    assert missing(stopped) == "not running: W3SVC"
    assert back("b-1", before=None)["server"]["is_back"]  # where it began is not known


def test_databases_that_are_not_mounted_are_named() -> None:
    of = the_lane(
        (evolve(of_group(databases=(single(),))[0], group=None, availability_group=None,
                copies=(), mode=None),)
    )  # fmt: skip
    waits = step(Action.AWAIT_DATABASES, of)
    down = with_server(of, waits, replay(()), {"objects": [{"Name": "ALONE", "Mounted": False}]})
    assert missing(down) == "not mounted: ALONE"
    up = with_server(of, waits, replay(()), {"objects": [{"Name": "ALONE", "Mounted": True}]})
    assert up["databases"]["are_mounted"] is True
    unread = {"objects": [], "errors": [{"message": "no"}]}
    assert with_server(of, waits, replay(()), unread) == unread
    assert missing(unread) is None


def test_a_command_says_whether_it_restarts() -> None:
    assert restarts(step(Action.TAKE_SERVER_DOWN))
    assert not restarts(step(Action.MOVE_ACTIVE))


def test_nothing_is_out_before_anything_was_taken() -> None:
    of = lane()
    state = after(of, Action.OPEN_RECOVERY_RECORD, Action.PLACE_SENTINEL)
    facts = facts_of(of, state)
    assert not facts.is_away and not facts.is_in_service
    assert left_out(of, state) == "" and server_commands(of, state) == ()


def test_what_was_taken_and_not_put_back_is_left_behind_with_its_commands() -> None:
    of = lane()
    state = after(of, Action.SET_COMPONENT, Action.PAUSE_NODE, Action.BLOCK_ACTIVATION,
                  failed=(Action.RESTORE_COMPONENT, Action.RESUME_NODE))  # fmt: skip
    assert facts_of(of, state).is_away
    reached, why = state_of(of, state)
    assert reached is LaneState.LEFT_OFFLINE and "may still be in maintenance mode" in why
    typed = commands_for(of, state)
    assert "goexchange resume r-1" in typed and "Resume-ClusterNode -Name EX01" in typed
    whole = "Set-ServerComponentState -Identity EX01 -Component ServerWideOffline -State Active"
    assert f"{whole} -Requester Maintenance" in typed
    policy = "Set-MailboxServer -Identity EX01 -DatabaseCopyAutoActivationPolicy Unrestricted"
    assert policy in typed


def test_when_everything_is_put_back_it_is_in_service() -> None:
    of = lane()
    every = {each.action for each in of.steps}
    state = after(of, *every)
    assert facts_of(of, state).is_in_service and still_out(of, state) == ()
    assert next_step(of, state) is None


def test_a_transport_that_was_left_stopped_is_named() -> None:
    of = lane()
    state = after(of, Action.SET_COMPONENT, Action.STOP_SERVICES, Action.RESTORE_COMPONENT)
    assert "Get-Service MSExchangeTransport,MSExchangeFrontEndTransport" in commands_for(of, state)


def test_an_active_copy_goes_back_only_where_its_copy_is_well() -> None:
    of = lane()
    every = {each.action for each in of.steps} - {Action.RETURN_ACTIVE, Action.AWAIT_COPY}
    last = (Action.WRITE_DATABASE_RECORD, Action.CLOSE_RECOVERY_RECORD)
    waiting = after(of, *(every - set(last)))
    assert next_step(of, waiting) == step(Action.AWAIT_COPY, of)
    unwell = after(of, *(every - set(last)), failed=(Action.AWAIT_COPY,))
    found = next_step(of, unwell)
    assert found is not None and found.action is not Action.RETURN_ACTIVE
    reached, why = state_of(of, unwell)
    assert reached is LaneState.FAILED and why.startswith("not redundant")
    never = after(of, *(every - {*last, Action.MOVE_ACTIVE}), Action.AWAIT_COPY,
                  failed=(Action.MOVE_ACTIVE,))  # fmt: skip
    left = next_step(of, never)
    assert left is not None and left.action is not Action.RETURN_ACTIVE
    assert "DB05\\EX01" in " ".join(commands_for(of, unwell))


def test_a_standalone_server_and_its_databases_have_words_of_their_own() -> None:
    first = evolve(of_group(databases=(single(),))[0], group=None, availability_group=None,
                   copies=(), mode=None)  # fmt: skip
    of = the_lane((first,))
    away = after(of, Action.TAKE_SERVER_DOWN, failed=(Action.AWAIT_SERVER,))
    assert "was not seen to be itself again" in left_out(of, away)
    down = after(of, Action.TAKE_SERVER_DOWN, Action.AWAIT_SERVER,
                 failed=(Action.AWAIT_DATABASES,))  # fmt: skip
    assert "are not mounted again" in left_out(of, down)
    assert any(each.startswith("Get-MailboxDatabase -Server EX01") for each in
               commands_for(of, down))  # fmt: skip


def test_a_wait_that_is_no_step_of_a_server_reads_nothing_into_its_answer() -> None:
    answer = {"objects": []}
    assert with_server(lane(), step(Action.AWAIT_COPY), replay(()), answer) is answer


def test_a_server_that_is_not_back_is_resumed_and_nothing_else_is_typed() -> None:
    of = lane()
    state = after(of, Action.TAKE_SERVER_DOWN, failed=(Action.AWAIT_SERVER,))
    assert server_commands(of, state) == ("goexchange resume r-1",)


def test_only_databases_are_asked_for() -> None:
    of = lane()
    (guid,) = databases_of(of)
    assert guid not in (of.database_guid,)
    assert databases_of(evolve(of, database_guid=None)) == ()
    assert databases_of(evolve(of, database_guid=guid)) == (guid,)
    plan = seal(drafted(of_group()), NOW, "me")
    assert databases_on(plan, "EX01") == (guid,) and databases_on(plan, "EX02") == ()
