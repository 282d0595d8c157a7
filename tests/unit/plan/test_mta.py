"""What the message transfer agent of a server needs, and every reason why it gets nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from goexchange.model.actual import (
    ActualMta,
    ActualServer,
    Generation,
    HostEvent,
    Look,
    LookKind,
    OpenRecovery,
    Service,
)
from goexchange.model.configuration import SecretKind, SecretReference
from goexchange.model.desired import (
    BackupActions,
    BackupPart,
    Consent,
    CustomProcess,
    DesiredState,
    MtaMessages,
    ProcessLimit,
    ProcessScope,
    Script,
)
from goexchange.model.mta import MTA_ID
from goexchange.model.plan import Action, Decision, JobCall, Need, PlanBody, Reason
from goexchange.model.unknown import Unknown
from goexchange.plan.check import breaches
from goexchange.plan.planner import make_draft
from tests.unit.plan.builders import (
    NOW,
    at,
    conditions,
    database,
    host,
    inventory,
    offline_backup,
    online_backup,
    record,
    script,
    server,
    spec,
    state,
    volume,
)

SERVICE = Service(name="MSExchangeMTA", state="Running", start_type="Automatic")
WITH_CREDENTIAL = BackupActions(
    offline=offline_backup(
        target=evolve(
            offline_backup().target, credential=SecretReference(kind=SecretKind.PROMPT)
        )
    ),
    online=None,
    place=at(1),
)
ONLINE_WITH_CREDENTIAL = BackupActions(
    offline=offline_backup(),
    online=online_backup(
        target=evolve(offline_backup().target, credential=SecretReference(kind=SecretKind.PROMPT))
    ),
    place=at(1),
)
NO_BACKUP = BackupActions(offline=None, online=None, place=at(24))

PROCESS = CustomProcess(
    name="quiet",
    run=("C:\\ops\\monitoring.cmd", "quiet"),
    limit=ProcessLimit.COMPLETION,
    timeout_s=60,
    treat_failure_as_error=True,
    success_exit_codes=(0,),
    undoes=None,
    per=ProcessScope.DATABASE,
    follow=None,
    place=at(30),
)


def agent(**differs: Any) -> ActualMta:
    values: dict[str, Any] = {
        "service": SERVICE,
        "dependents": (),
        "tool": "C:\\Program Files\\Exchsrvr\\bin\\mtacheck.exe",
        "data_folder": "C:\\Program Files\\Exchsrvr\\mtadata",
        "files": 40,
        "size_bytes": 3 * 1024**2,
        "taken_out": 0,
        "events": (),
    }
    return ActualMta(**{**values, **differs})


def old_server(mta: Any = None, **differs: Any) -> ActualServer:
    return server(
        generation=Generation.EXCHANGE_2003,
        build="6.5.7638.1",
        databases=Unknown("not observed"),  # type: ignore[arg-type]
        mta=agent() if mta is None else mta,
        **differs,
    )


def wanted(*, days: int | None = 30, passes: int = 2, **differs: Any) -> DesiredState:
    base = script(script=Script.MTA_ERROR_CORRECTION)
    correction = evolve(base.error_correction, primary_passes_max=passes)
    choice = evolve(base, error_correction=correction, **differs.pop("script", {}))
    within = None if days is None else days * 86_400
    values: dict[str, Any] = {
        "script": choice,
        "conditions": conditions(verified_within_s=within),
        "backup_after": NO_BACKUP,
    }
    return spec(**{**values, **differs})


def draft(
    seen: ActualServer | None = None, *wants: DesiredState, scope: tuple[str, ...] = ()
) -> PlanBody:
    actual = state(seen or old_server())
    return make_draft(wants or (wanted(),), inventory(), actual, now=NOW, scope=scope)


def decided(seen: ActualServer | None = None, *wants: DesiredState) -> Decision:
    (found,) = draft(seen, *wants).decisions
    return found


def looked(*, days_ago: int, errors: int = 0) -> ActualServer:
    look = Look(kind=LookKind.QUEUES, at_utc=NOW - timedelta(days=days_ago), errors=errors)
    kept = record(database(), database_guid=MTA_ID, looks=(look,))
    return old_server(host=host(records=(kept,)))


def test_one_that_was_never_looked_at_gets_a_lane_that_dismounts_nothing() -> None:
    body = draft()
    (decision,), (lane,) = body.decisions, body.lanes
    assert (decision.address, decision.need) == ("EX01/MTA", Need.CORRECT)
    assert decision.reasons == (Reason.NEVER_VERIFIED,)
    assert "the stores stay mounted" in decision.explanation
    actions = {each.action for each in lane.steps}
    assert {Action.STOP_MTA, Action.CHECK_MTA, Action.START_MTA} < actions
    assert not actions & {Action.DISMOUNT, Action.MOUNT}
    assert [each.fact for each in body.premises] == [
        "server.generation", "server.build", "server.mta_tool", "server.mta_data_folder",
        "server.mta_state",
    ]  # fmt: skip
    assert not list(breaches(body))


@pytest.mark.parametrize(
    ("seen", "need", "reason"),
    [
        (looked(days_ago=3), Need.NOTHING, Reason.MEETS_SPECIFICATION),
        (looked(days_ago=31), Need.CORRECT, Reason.VERIFICATION_TOO_OLD),
        (looked(days_ago=3, errors=2), Need.CORRECT, Reason.ERRORS_FOUND),
        (old_server(host=host(records=Unknown("no"))), Need.NOT_POSSIBLE, Reason.FACT_UNKNOWN),
    ],
)
def test_the_record_says_whether_it_is_due(seen: ActualServer, need: Need, reason: Reason) -> None:
    found = decided(seen)
    assert (found.need, found.reasons) == (need, (reason,))


def test_a_specification_that_wants_nothing_gets_nothing() -> None:
    assert decided(None, wanted(days=None)).need is Need.NOTHING


@pytest.mark.parametrize(
    ("mta", "said"),
    [
        (Unknown("refused"), "its message transfer agent is unknown: refused"),
        (agent(tool=Unknown("gone")), "the path of mtacheck is unknown: gone"),
        (agent(data_folder=Unknown("gone")), "its data folder is unknown: gone"),
        (agent(taken_out=2), "mtacheck.out holds 2 files of an earlier check"),
    ],
)
def test_what_is_in_the_way_is_said(mta: Any, said: str) -> None:
    found = decided(old_server(mta))
    assert found.need is Need.NOT_POSSIBLE and said in found.explanation and found.instead


def test_a_server_without_the_service_is_refused() -> None:
    seen = evolve(old_server(), mta=None)
    assert "no service MSExchangeMTA" in decided(seen).explanation


def test_a_host_that_is_not_known_is_refused() -> None:
    assert "the state of its host is unknown" in decided(old_server(host=Unknown("x"))).explanation


def test_a_version_that_is_not_known_is_refused() -> None:
    seen = evolve(old_server(), generation=Unknown("no store"))
    assert "the Exchange version of the server is unknown" in decided(seen).explanation


def test_a_version_without_an_agent_is_refused_once_for_the_server() -> None:
    found = decided(server(databases=(database("DB01"), database("DB02"))))
    assert found.address == "EX01/MTA" and found.reasons == (Reason.SCRIPT_NOT_FOR_VERSION,)


@pytest.mark.parametrize(
    ("want", "said"),
    [
        (wanted(passes=0), "primary_passes_max` is 0"),
        (wanted(backup_before=NO_BACKUP), "declares no place for it"),
        (
            wanted(backup_after=BackupActions(offline=None, online=online_backup(), place=at(1))),
            "saves the stores",
        ),
        (
            wanted(
                backup_before=BackupActions(
                    offline=offline_backup(), online=online_backup(), place=at(1)
                )
            ),
            "saves the stores",
        ),
        (wanted(backup_before=WITH_CREDENTIAL), "the inventory nothing"),
        (wanted(backup_before=ONLINE_WITH_CREDENTIAL), "does not execute"),
    ],
)
def test_what_the_specification_lacks_is_said(want: DesiredState, said: str) -> None:
    found = decided(None, want)
    assert found.need is Need.NOT_POSSIBLE and said in found.explanation


def test_two_specifications_for_one_agent_are_refused() -> None:
    found = decided(None, wanted(), wanted(name="other"))
    assert "more than one specification" in found.explanation


def test_a_server_that_was_not_observed_is_unknown() -> None:
    body = make_draft([wanted()], inventory(), state(server("EX09")), now=NOW)
    assert "it was not observed" in body.decisions[0].explanation


def test_a_run_that_has_not_ended_is_in_the_way() -> None:
    left = OpenRecovery(run="r-7", database_guid=MTA_ID, opened_at_utc=NOW, phase="open")
    found = decided(old_server(host=host(open_recoveries=(left,))))
    assert found.instead == "goexchange resume r-7"
    other = evolve(left, database_guid="ab")
    assert decided(old_server(host=host(open_recoveries=(other,)))).need is Need.CORRECT
    unknown = decided(old_server(host=host(open_recoveries=Unknown("no"))))
    assert "whether a run has not ended on it is unknown" in unknown.explanation


def test_the_volume_of_the_copy_is_known_or_the_target_a_share() -> None:
    alone = old_server(host=host(volumes=(volume("Z:\\"),)))
    offline = offline_backup()
    local = evolve(offline, target=evolve(offline.target, path="E:\\sets"))
    share = evolve(offline, target=evolve(offline.target, path="\\\\backup01\\exchange$"))
    on = [
        wanted(backup_before=BackupActions(offline=each, online=None, place=at(20)))
        for each in (local, share)
    ]
    assert "the volume of the copy is unknown" in decided(alone, on[0]).explanation
    large = old_server(agent(size_bytes=10**15))
    assert "the copy needs 1000 TiB" in decided(large, on[0]).explanation
    assert decided(alone, on[1]).need is Need.CORRECT
    assert decided(old_server(), on[0]).need is Need.CORRECT, "there is room for it on E:"


def test_both_consents_are_asked_for_and_name_what_was_seen() -> None:
    event = HostEvent(
        log="Application", provider="MSExchangeMTA", event_id=2206, at_utc=NOW, text="x"
    )
    want = wanted(script={"mta_removes": (MtaMessages.LINK_MONITOR,)})
    body = draft(old_server(agent(events=(event,))), want)
    assert [(each.consent, each.address) for each in body.consents] == [
        (Consent.UNCONFIRMED_GENERATION, "EX01"),
        (Consent.REPAIR_MAY_LOSE_DATA, "EX01/MTA"),
    ]
    finding = body.consents[1].finding
    assert "event 2206 on 2026-11-25" in finding and "removes every link monitor message" in finding


@pytest.mark.parametrize(
    "closed", [Consent.UNCONFIRMED_GENERATION, Consent.REPAIR_MAY_LOSE_DATA]
)
def test_a_specification_can_forbid_it(closed: Consent) -> None:
    found = decided(None, wanted(script={"forbid": (closed,)}))
    assert found.need is Need.NOT_POSSIBLE and closed.value in found.explanation


def test_what_is_removed_are_switches_of_the_tool() -> None:
    want = wanted(script={"mta_removes": tuple(reversed(MtaMessages))})
    (lane,) = draft(None, want).lanes
    call = next(each.call for each in lane.steps if each.action is Action.CHECK_MTA)
    assert isinstance(call, JobCall) and call.request["removes"] == ["rd", "rp", "rl"]


@pytest.mark.parametrize(("parts", "keys"), [((), 1), ((BackupPart.REGISTRY,), 2)])
def test_its_registry_is_copied_and_more_where_asked_for(
    parts: tuple[BackupPart, ...], keys: int
) -> None:
    before = BackupActions(offline=offline_backup(parts=parts), online=None, place=at(20))
    (lane,) = draft(None, wanted(backup_before=before)).lanes
    call = next(each.call for each in lane.steps if each.action is Action.COPY_MTA)
    assert isinstance(call, JobCall) and len(call.request["registry_keys"]) == keys


def test_services_and_programs_of_the_specification_are_around_it() -> None:
    want = wanted(
        services_stopped=("msexchangemta", "Fax"),
        processes_before=(PROCESS,),
    )
    lanes = draft(None, want).lanes
    (lane,) = [each for each in lanes if each.database == "MTA"]
    call = next(each.call for each in lane.steps if each.action is Action.STOP_MTA)
    assert isinstance(call, JobCall) and call.request["services"] == ["Fax", "MSExchangeMTA"]
    assert any(each.action is Action.CUSTOM_PROCESS for one in lanes for each in one.steps)


@pytest.mark.parametrize(("scope", "count"), [(("EX01/MTA",), 1), (("EX01/DB05",), 0)])
def test_a_scope_can_name_it(scope: tuple[str, ...], count: int) -> None:
    assert len(draft(None, wanted(), scope=scope).decisions) == count


def test_other_scripts_on_that_server_are_refused_by_the_table_and_not_as_unknown() -> None:
    online = spec(script=script(script=Script.ONLINE_ERROR_CORRECTION))
    found = decided(old_server(), online)
    assert found.reasons == (Reason.SCRIPT_NOT_FOR_VERSION,)
    assert "does not apply to Exchange 2003" in found.explanation


@pytest.mark.parametrize(
    "missing", [Action.START_MTA, Action.CONFIRM_MTA, Action.PLACE_SENTINEL]
)
def test_a_plan_that_stops_it_has_its_way_back(missing: Action) -> None:
    body = draft()
    (lane,) = body.lanes
    less = evolve(lane, steps=tuple(each for each in lane.steps if each.action is not missing))
    said = list(breaches(evolve(body, lanes=(less,))))
    assert any(f"has no step {missing.value}" in each for each in said)
