"""Server Maintenance: what is planned for a member, for a server without a group, and what is
refused.
"""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.model import actual, desired
from goexchange.model.actual import Generation, Look, LookKind
from goexchange.model.plan import Action, Consent, ExchangeCall, Lane, Need, Reason, ScriptCall
from goexchange.model.server import SERVER_ID, ServerMode
from goexchange.model.unknown import Unknown
from goexchange.plan.check import breaches
from tests.unit.plan.builders import (
    NOW,
    active,
    copy,
    database,
    group,
    host,
    record,
    script,
)
from tests.unit.plan.server_builders import (
    SERVICES,
    component,
    decided,
    down,
    drafted,
    mode,
    of_group,
    single,
    the_lane,
    wanted,
)

UNREAD = Unknown("it could not be read")
TAKEN = component("HubTransport", "Draining", Maintenance="Draining")
OFFLINE = component("ServerWideOffline", "Inactive", Maintenance="Inactive")


def actions(lane: Lane) -> list[Action]:
    return [each.action for each in lane.steps]


def calls(lane: Lane, action: Action) -> list[dict[str, Any]]:
    return [
        dict(each.call.parameters)
        for each in lane.steps
        if each.action is action and isinstance(each.call, ExchangeCall)
    ]


def test_a_member_goes_into_maintenance_mode_and_comes_out_of_it() -> None:
    lane = the_lane(of_group())
    (move,) = calls(lane, Action.MOVE_ACTIVE)
    assert (move["ActivateOnServer"], move["MountDialOverride"]) == ("EX02", "Lossless")
    (policy,) = calls(lane, Action.RESTORE_ACTIVATION)
    assert policy["DatabaseCopyAutoActivationPolicy"] == "Unrestricted"
    (redirect,) = calls(lane, Action.REDIRECT_MESSAGES)
    assert redirect["Target"].lower().startswith("ex02.")
    assert [each["State"] for each in calls(lane, Action.RESTORE_COMPONENT)] == ["Active"] * 2
    assert drafted(of_group()).consents == ()


def test_2016_drains_its_call_router_too() -> None:
    seen = tuple(
        evolve(each, generation=Generation.EXCHANGE_2016, mode=mode(component("UMCallRouter")))
        for each in of_group()
    )
    set_ = [each["Component"] for each in calls(the_lane(seen), Action.SET_COMPONENT)]
    assert set_ == ["HubTransport", "UMCallRouter", "ServerWideOffline"]


def test_what_maintenance_has_taken_already_is_neither_taken_nor_given_back() -> None:
    lane = the_lane(of_group(mode=mode(TAKEN, OFFLINE, policy="Blocked")))
    taken = {Action.SET_COMPONENT, Action.RESTORE_COMPONENT, Action.BLOCK_ACTIVATION,
             Action.RESTORE_ACTIVATION, Action.REDIRECT_MESSAGES, Action.STOP_SERVICES}  # fmt: skip
    assert not taken & set(actions(lane)) and Action.PAUSE_NODE in actions(lane)


def test_another_requester_s_word_is_no_word_of_maintenance() -> None:
    other = component("ServerWideOffline", "Inactive", Sidelined="Inactive")
    set_ = calls(the_lane(of_group(mode=mode(other))), Action.SET_COMPONENT)
    assert [each["Component"] for each in set_] == ["HubTransport", "ServerWideOffline"]


def test_without_running_transport_nothing_of_it_is_restarted() -> None:
    without = host(services=tuple(each for each in SERVICES if "Transport" not in each.name))
    assert Action.STOP_SERVICES not in actions(the_lane(of_group(host=without)))


def test_copies_that_stay_are_not_moved_back() -> None:
    choice = script(
        script=desired.Script.SERVER_MAINTENANCE, active_copies=desired.ActiveCopies.STAY
    )
    lane = the_lane(of_group(), wanted(script=choice))
    assert Action.RETURN_ACTIVE not in actions(lane)
    (moved,) = [each for each in lane.steps if each.action is Action.MOVE_ACTIVE]
    assert moved.undo is not None and "stays on EX02" in moved.undo


def test_copies_that_are_not_well_here_are_not_waited_for() -> None:
    lagged = copy("LAGGED", "EX01", replay_lag_s=3600.0, replay_queue_logs=500)
    held = [active(server="EX02"), copy(server="EX01", status="Suspended"), copy(server="EX03"),
            active("LAGGED", "EX02"), lagged]  # fmt: skip
    seen = of_group(*held, databases=())
    found = [each.summary for each in the_lane(seen).steps if each.action is Action.AWAIT_COPY]
    assert len(found) == 1 and "LAGGED" in found[0]


def test_each_command_is_followed_by_the_server_s_return() -> None:
    lane = the_lane(of_group(), wanted(processes_down=(down(), down("more", follow="a.exe"))))
    mine = (Action.TAKE_SERVER_DOWN, Action.AWAIT_SERVER)
    assert [each for each in actions(lane) if each in mine] == [*mine, *mine]


@pytest.mark.parametrize(
    ("differs", "words"),
    [
        ({"group": UNREAD}, "its availability group is unknown"),
        ({"generation": UNREAD}, "the Exchange version of the server is unknown"),
        ({"generation": Generation.EXCHANGE_2007}, "begin with Exchange 2010"),
        ({"databases": UNREAD}, "its databases is unknown"),
        ({"databases": (database(is_mounted=UNREAD),)}, "the state of DB05 is unknown"),
        ({"host": UNREAD}, "the state of its host is unknown"),
        ({"host": host(services=UNREAD)}, "its services is unknown"),
        ({"host": host(services=SERVICES, open_recoveries=UNREAD)}, "whether a run has not ended"),
        ({"mode": UNREAD}, "its maintenance mode is unknown"),
        ({"mode": None}, "its maintenance mode is unknown"),
        ({"mode": evolve(mode(), components=UNREAD)}, "the state of its components is unknown"),
        ({"mode": evolve(mode(), activation_policy=UNREAD)}, "its activation policy is unknown"),
        ({"mode": evolve(mode(), components=())}, "does not tell of HubTransport"),
        ({"copies": UNREAD}, "how the rest of its group stands is unknown"),
        ({"group": group("EX01", "EX02", "EX03", operational=("EX01", "EX02"))},
         "EX03 of DAG1 is not operational"),
        ({"group": group("EX01", "EX02", "EX03", in_maintenance=("EX01", "EX03"))},
         "EX03 of DAG1 is in maintenance"),
    ],
)  # fmt: skip
def test_what_is_unknown_or_not_well_refuses(differs: dict[str, Any], words: str) -> None:
    found = decided(of_group(**differs))
    assert found.need is Need.NOT_POSSIBLE and words in found.explanation


def test_a_run_that_has_not_ended_on_it_refuses() -> None:
    from goexchange.model.actual import OpenRecovery

    left = OpenRecovery(run="r-1", database_guid=None, phase="open", opened_at_utc=NOW)
    found = decided(of_group(host=host(services=SERVICES, open_recoveries=(left,))))
    assert "run r-1 has not ended on it" in found.explanation


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ((active(), copy(status="Suspended"), copy(server="EX03")), "EX02: it is Suspended"),
        ((active(status="Dismounted"), copy(), copy(server="EX03")), "is not mounted on one"),
        ((active(), copy(replay_lag_s=3600.0), copy(server="EX03", replay_lag_s=60.0)),
         "EX02: it is a lagged copy"),
        ((active(), copy(replay_lag_s=UNREAD), copy(server="EX03", replay_lag_s=UNREAD)),
         "whether it is lagged is unknown"),
        ((active(), copy(is_activation_suspended=True), copy(server="EX03", replay_lag_s=60.0)),
         "somebody has suspended its activation"),
    ],
)  # fmt: skip
def test_without_a_well_copy_elsewhere_nothing_is_planned(
    held: tuple[Any, ...], words: str
) -> None:
    found = decided(of_group(*held))
    assert found.need is Need.NOT_POSSIBLE and words in found.explanation


def of_others(**differs: Any) -> tuple[Any, ...]:
    first, *others = of_group()
    return (first, *(evolve(each, **differs) for each in others))


@pytest.mark.parametrize(
    ("differs", "words"),
    [
        ({"generation": Generation.EXCHANGE_2016}, "it has another version of Exchange"),
        ({"mode": UNREAD}, "the state of its transport is unknown"),
        ({"mode": None}, "the state of its transport is unknown: it was not told"),
        ({"mode": evolve(mode(), components=UNREAD)}, "the state of its transport is unknown"),
        ({"mode": evolve(mode(), components=())}, "the state of its transport is unknown"),
        ({"mode": mode(component("HubTransport", "Draining"))}, "its transport is Draining"),
    ],
)
def test_without_a_member_for_its_messages_nothing_is_planned(
    differs: dict[str, Any], words: str
) -> None:
    found = decided(of_others(**differs))
    assert found.need is Need.NOT_POSSIBLE and words in found.explanation


def test_nothing_is_activated_where_a_policy_forbids_it() -> None:
    found = decided(of_others(mode=mode(policy="Blocked")))
    assert "EX02: its policy is Blocked" in found.explanation


def test_a_member_that_nobody_saw_refuses() -> None:
    assert "EX03 of DAG1 was not observed" in decided(of_group()[:2]).explanation
    first, second, third = of_group()
    unread = decided((first, second, evolve(third, copies=UNREAD)))
    assert "the copies on EX03" in unread.explanation


def test_it_is_due_by_the_host_s_own_record() -> None:
    look = Look(kind=LookKind.SERVER, at_utc=NOW, errors=0)
    kept = evolve(record(database()), database_guid=SERVER_ID, looks=(look,))
    done = decided(of_group(host=host(services=SERVICES, records=(kept,))))
    assert (done.need, done.reasons) == (Need.NOTHING, (Reason.MEETS_SPECIFICATION,))
    old = evolve(kept, looks=(evolve(look, at_utc=NOW.replace(year=2024)),))
    found = decided(of_group(host=host(services=SERVICES, records=(old,))))
    assert found.reasons == (Reason.MAINTENANCE_TOO_OLD,)
    unread = decided(of_group(host=host(services=SERVICES, records=UNREAD)))
    assert "when it was last maintained is unknown" in unread.explanation
    never = wanted(conditions=evolve(wanted().conditions, maintained_within_s=None))
    assert decided(of_group(), never).need is Need.NOTHING


def test_a_server_that_was_not_observed_or_is_meant_twice_is_refused() -> None:
    from goexchange.plan.planner import make_draft
    from tests.unit.plan.builders import inventory, state

    (found,) = make_draft(
        [wanted()], inventory("EX01"), state(of_group()[1]), now=NOW
    ).decisions
    assert "it was not observed" in found.explanation
    twice = [wanted(), evolve(wanted(), name="zweite")]
    (found,) = make_draft(twice, inventory("EX01"), state(*of_group()), now=NOW).decisions
    assert "more than one specification takes it down" in found.explanation


def standalone(*databases: Any) -> tuple[Any, ...]:
    (first, *_) = of_group(
        databases=databases, availability_group=None, group=None, copies=(), mode=None
    )
    return (first,)


def test_a_server_without_a_group_only_runs_the_commands_by_consent() -> None:
    body = drafted(standalone(single(), single(8, "SECOND")))
    (need,) = body.consents
    assert need.consent is Consent.SERVER_OUTAGE and "ALONE and SECOND are down" in need.finding
    (lane,) = body.lanes
    assert Action.AWAIT_DATABASES in actions(lane) and Action.SET_COMPONENT not in actions(lane)
    (without,) = drafted(standalone()).consents
    assert "the server is down" in without.finding
    assert Action.AWAIT_DATABASES not in actions(the_lane(standalone(single(is_mounted=False))))


def test_a_member_s_database_without_another_copy_needs_consent() -> None:
    both = (database(copies=("EX01", "EX02", "EX03"), is_replicated=True), single())
    body = drafted(of_group(databases=both))
    (need,) = body.consents
    assert "ALONE is down" in need.finding
    assert Action.AWAIT_DATABASES in actions(body.lanes[0])


def test_a_specification_may_forbid_the_outage() -> None:
    choice = script(
        script=desired.Script.SERVER_MAINTENANCE, forbid=(Consent.SERVER_OUTAGE,)
    )
    found = decided(standalone(single()), wanted(script=choice))
    assert found.need is Need.NOT_POSSIBLE and "forbids" in found.explanation


def test_copies_that_stay_take_one_member_a_plan() -> None:
    choice = script(
        script=desired.Script.SERVER_MAINTENANCE, active_copies=desired.ActiveCopies.STAY
    )
    body = drafted(of_group(), wanted(script=choice), "EX01", "EX02")
    needs = [each.need for each in body.decisions]
    assert needs == [Need.MAINTAIN, Need.NOT_POSSIBLE]


def test_the_recovery_record_tells_a_person_everything() -> None:
    lane = the_lane(of_group())
    call = lane.steps[0].call
    assert isinstance(call, ScriptCall)
    text = call.arguments["text"]
    for words in (
        "-Component ServerWideOffline -State Active -Requester Maintenance",
        "Resume-ClusterNode -Name EX01",
        "-DatabaseCopyAutoActivationPolicy Unrestricted",
        "Restart-Service MSExchangeTransport",
        "Move-ActiveMailboxDatabase -Identity 'DB05'",
    ):
        assert words in text, words
    assert call.arguments["content"]["components"] == ["HubTransport", "ServerWideOffline"]
    held = (active(server="EX02"), copy(server="EX01"), copy(server="EX03"))
    taken = mode(TAKEN, OFFLINE, policy="Blocked")
    inside = the_lane(of_group(*held, mode=taken, databases=()))
    quiet = inside.steps[0].call
    assert isinstance(quiet, ScriptCall)
    assert "Set-MailboxServer" not in quiet.arguments["text"]
    assert "Move-ActiveMailboxDatabase" not in quiet.arguments["text"]
    alone = the_lane(standalone(single(name="O'Brien"))).steps[0].call
    assert isinstance(alone, ScriptCall)
    assert "Mount-Database -Identity 'O''Brien'" in alone.arguments["text"]


@pytest.mark.parametrize(
    "back",
    [Action.RESTORE_COMPONENT, Action.RESUME_NODE, Action.RESTORE_ACTIVATION, Action.AWAIT_SERVER,
     Action.PLACE_SENTINEL],
)  # fmt: skip
def test_a_plan_without_a_way_back_is_refused_by_its_own_contract(back: Action) -> None:
    body = drafted(of_group())
    (lane,) = body.lanes
    assert not list(breaches(body))
    fewer = evolve(lane, steps=tuple(each for each in lane.steps if each.action is not back))
    assert any(back.value in each for each in breaches(evolve(body, lanes=(fewer,))))


def test_the_plan_speaks_of_a_server_and_says_what_its_time_rests_on() -> None:
    from goexchange.report.plan_words import verdict_text

    body = drafted(of_group())
    assert verdict_text(body).startswith("1 of 1 server will be taken down for maintenance")
    assert body.estimate.text == "the limits of the commands themselves"
    look = Look(kind=LookKind.SERVER, at_utc=NOW, errors=0)
    kept = evolve(record(database()), database_guid=SERVER_ID, looks=(look,))
    done = drafted(of_group(host=host(services=SERVICES, records=(kept,))))
    assert verdict_text(done) == "nothing to do: 1 server, all as specified"
    assert done.estimate.text == "no outage is planned"


def test_only_servers_in_scope_and_specifications_with_the_script_count() -> None:
    from goexchange.plan.planner import make_draft
    from tests.unit.plan.builders import inventory, spec, state

    seen = state(*of_group())
    both = [wanted(), spec()]
    found = make_draft(both, inventory("EX01"), seen, now=NOW, scope=("EX01/DB05",)).decisions
    assert [each.address for each in found] == ["EX01/DB05"]
    every = make_draft(both, inventory("EX01"), seen, now=NOW).decisions
    assert [each.address for each in every] == ["EX01/DB05", "EX01/Server"]


def test_what_is_not_executed_yet_refuses_here_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from goexchange.plan import server_work
    from goexchange.plan.finding import not_possible

    refused = not_possible(Reason.NOT_YET_EXECUTED, "not yet", origin=None)
    monkeypatch.setattr(server_work, "refuse_unsupported", lambda spec: refused)
    assert decided(of_group()).reasons == (Reason.NOT_YET_EXECUTED,)


def of_2010(
    manager: str | Unknown = "EX02", **differs: Any
) -> tuple[actual.ActualServer, ...]:
    """The same group with Exchange 2010: no component states."""
    plain = ServerMode(components=(), activation_policy="Unrestricted")
    usual: dict[str, Any] = {
        "generation": Generation.EXCHANGE_2010,
        "mode": plain,
        "group": group("EX01", "EX02", "EX03", primary_active_manager=manager),
    }
    return tuple(
        evolve(each, **{**usual, **(differs if each.name == "EX01" else {})})
        for each in of_group()
    )


def test_a_member_of_2010_goes_without_components_and_keeps_its_messages() -> None:
    lane = the_lane(of_2010())
    gone = {Action.SET_COMPONENT, Action.REDIRECT_MESSAGES, Action.AWAIT_QUEUES,
            Action.STOP_SERVICES, Action.RESTORE_COMPONENT}  # fmt: skip
    assert not gone & set(actions(lane))
    kept = [each for each in actions(lane) if each in (Action.PAUSE_NODE, Action.BLOCK_ACTIVATION,
            Action.MOVE_ACTIVE, Action.TAKE_SERVER_DOWN, Action.RESUME_NODE,
            Action.RESTORE_ACTIVATION, Action.RETURN_ACTIVE)]  # fmt: skip
    assert kept == [
        Action.PAUSE_NODE, Action.BLOCK_ACTIVATION, Action.MOVE_ACTIVE, Action.TAKE_SERVER_DOWN,
        Action.RESUME_NODE, Action.RESTORE_ACTIVATION, Action.RETURN_ACTIVE,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("manager", "words"),
    [
        ("EX02", "is EX02, another member"),
        ("ex01.contoso.example", "is this server: the role"),
        (UNREAD, "is unknown"),
    ],
)
def test_its_consent_names_what_is_left_alone(manager: str | Unknown, words: str) -> None:
    (need,) = drafted(of_2010(manager)).consents
    assert need.consent is Consent.UNCONFIRMED_GENERATION and need.address == "EX01"
    assert "its transport is not drained" in need.finding and words in need.finding


def test_the_consent_of_2010_can_be_forbidden() -> None:
    choice = script(
        script=desired.Script.SERVER_MAINTENANCE, forbid=(Consent.UNCONFIRMED_GENERATION,)
    )
    found = decided(of_2010(), wanted(script=choice))
    assert found.need is Need.NOT_POSSIBLE and "unconfirmed-generation" in found.explanation


def test_components_of_2010_that_are_not_read_refuse_all_the_same() -> None:
    unread = ServerMode(components=(), activation_policy=UNREAD)
    found = decided(of_2010(mode=unread))
    assert "its activation policy is unknown" in found.explanation
