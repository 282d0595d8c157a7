"""Databases with public folders: the same road by their own cmdlets, or refused."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.driver.ending import commands_for
from goexchange.errors import NotNow
from goexchange.guard.backlog import NO_BACKLOG
from goexchange.guard.guard import FactUnknown, Moment, Question
from goexchange.journal.replay import RunState
from goexchange.model.actual import ActualDatabase, ActualServer, Generation
from goexchange.model.desired import Consent, DesiredState, Script, VerifyMode
from goexchange.model.plan import (
    Action,
    Decision,
    ExchangeCall,
    Need,
    PlanBody,
    Reason,
    ScriptCall,
    VerdictKind,
)
from goexchange.model.run import OutcomeKind, StepRecord
from goexchange.model.unknown import Unknown
from goexchange.plan.consents import versions_of
from goexchange.plan.context import Pilots
from goexchange.plan.finding import Needed
from goexchange.plan.planner import make_draft
from goexchange.plan.public_folders import refuse_public_folders
from goexchange.plan.restoring import _refuse_public_folders
from goexchange.plan.treatment import Treatment
from goexchange.powershell.public_folders import is_of_public_folders
from tests.unit.plan.builders import NOW, database, host, inventory, server, state
from tests.unit.plan.test_exchange_2007 import wants
from tests.unit.plan.test_pilot import record_of

OLD, OLDER = Generation.EXCHANGE_2010, Generation.EXCHANGE_2007
DEFRAG = wants(Script.OFFLINE_DEFRAG)
LOOK = wants(Script.OFFLINE_DIAGNOSTIC_REPORT, measured_within_s=86_400)


def public(**differs: Any) -> ActualDatabase:
    values = {"is_public_folder": True, "replication_backlog": 0, "storage_group": "SG"}
    return database(**{**values, **differs})


def holding(*databases: ActualDatabase, generation: Generation = OLD) -> ActualServer:
    build = {OLD: "14.3.513.0", OLDER: "8.3.83.6"}[generation]
    return server(generation=generation, build=build, databases=databases)


def draft(want: DesiredState, seen: ActualServer, **differs: Any) -> PlanBody:
    return make_draft([want], inventory(), state(seen), now=NOW, **differs)


def decided(want: DesiredState, one: ActualDatabase, generation: Generation = OLD) -> Decision:
    (found,) = draft(want, holding(one, generation=generation)).decisions
    return found


@pytest.mark.parametrize("generation", [OLD, OLDER])
def test_the_road_is_the_same_by_its_own_cmdlets(generation: Generation) -> None:
    body = draft(DEFRAG, holding(public(), generation=generation))
    (lane,) = body.lanes
    calls = [step.call for step in lane.steps] + [s.probe.call for s in lane.steps if s.probe]
    sent = {each.cmdlet for each in calls if isinstance(each, ExchangeCall)}
    assert sent == {
        "Get-PublicFolderDatabase", "Set-PublicFolderDatabase", "Mount-Database",
        "Dismount-Database",
    }  # fmt: skip
    opened = next(s for s in lane.steps if s.action is Action.OPEN_RECOVERY_RECORD)
    assert isinstance(opened.call, ScriptCall)
    text = str(opened.call.arguments["text"])
    assert "Get-PublicFolderDatabase -Identity" in text and "MailboxDatabase -" not in text
    guarded = [s.action for s in lane.steps if "no-replication-backlog" in s.guards]
    assert guarded == [Action.NOTIFY, Action.DISMOUNT]
    (need,) = [e for e in body.consents if e.consent is Consent.UNCONFIRMED_GENERATION]
    assert "holds public folders" in need.finding


def test_the_lane_of_a_mailbox_database_is_as_it_was() -> None:
    (lane,) = draft(DEFRAG, holding(database())).lanes
    assert not is_of_public_folders(lane)
    assert not [s for s in lane.steps if "no-replication-backlog" in s.guards]


@pytest.mark.parametrize("want", [DEFRAG, LOOK])
def test_a_backlog_and_an_unknown_one_are_refused_with_the_reason(want: DesiredState) -> None:
    behind = decided(want, public(replication_backlog=17))
    assert behind.need is Need.NOT_POSSIBLE and "17 replication messages" in behind.explanation
    unclear = decided(want, public(replication_backlog=Unknown("no counter")))
    assert unclear.reasons == (Reason.FACT_UNKNOWN,)
    assert decided(want, public()).need is not Need.NOT_POSSIBLE


def test_a_backlog_is_no_hindrance_to_a_mount_or_an_online_backup() -> None:
    want = wants(Script.PREVENTATIVE_MAINTENANCE, online_full_backup_within_s=3600)
    found = decided(want, public(replication_backlog=17))
    assert found.need is Need.ONLINE_BACKUP
    down = evolve(want, conditions=evolve(want.conditions, mounted=True))
    found = decided(down, public(is_mounted=False, replication_backlog=Unknown("down")))
    assert found.need is Need.MOUNT


def whole(passes: tuple[int, int], verify: VerifyMode = VerifyMode.OFFLINE) -> DesiredState:
    want = wants(Script.PREVENTATIVE_MAINTENANCE, white_space_max=0.2)
    correction = evolve(
        want.script.error_correction,
        primary_passes_max=passes[0],
        defragmented_passes_max=passes[1],
    )
    return evolve(want, script=evolve(want.script, verify=verify, error_correction=correction))


@pytest.mark.parametrize("passes", [(1, 0), (0, 1)])
def test_the_store_s_own_passes_are_others_on_2010_and_isinteg_s_on_2007(
    passes: tuple[int, int],
) -> None:
    refused = decided(whole(passes), public())
    assert refused.reasons == (Reason.NOT_YET_EXECUTED,) and "public folders" in refused.explanation
    assert decided(whole((0, 0)), public()).need is Need.REBUILD
    assert decided(whole(passes), public(), OLDER).need is Need.REBUILD


def test_a_detection_by_the_store_is_refused_too() -> None:
    want = wants(Script.ONLINE_ERROR_DIAGNOSTIC, verified_within_s=86_400)
    assert decided(want, public()).reasons == (Reason.NOT_YET_EXECUTED,)


def test_a_pilot_proves_nothing_of_public_folders() -> None:
    proven = Pilots(records=(record_of(versions_of(host())),))
    for one, wanted in ((database(), False), (public(), True)):
        body = draft(DEFRAG, holding(one), pilots=proven)
        kinds = {each.consent for each in body.consents}
        assert (Consent.UNCONFIRMED_GENERATION in kinds) is wanted


@pytest.mark.parametrize(
    ("backlog", "kind"), [(None, VerdictKind.PASS), (0, VerdictKind.PASS), (4, VerdictKind.BLOCK)]
)
def test_the_guard_looks_again_before_the_outage(backlog: int | None, kind: VerdictKind) -> None:
    body = draft(DEFRAG, holding(public()))
    now = holding(public(replication_backlog=backlog))
    asked = Question(
        body=body, lane=body.lanes[0], actual=state(now), now=NOW, moment=Moment.STEP
    )
    assert NO_BACKLOG.judge(asked).kind is kind
    unclear = state(holding(public(replication_backlog=Unknown("no counter"))))
    with pytest.raises(FactUnknown, match="backlog"):
        NO_BACKLOG.judge(evolve(asked, actual=unclear))


def test_a_repair_with_possible_loss_is_refused_with_what_to_do() -> None:
    needed = Needed(
        need=Need.CORRECT,
        reasons=(),
        explanation="asked for",
        origin=None,
        treatment=Treatment(is_offline=True, repairs=True),
    )
    refused = refuse_public_folders(holding(), public(), needed, DEFRAG)
    assert refused is not None and "replica" in (refused.instead or "")
    assert refuse_public_folders(holding(), database(), needed, DEFRAG) is None


def test_a_set_of_one_is_mounted_nowhere_for_recovery() -> None:
    one = public()
    with pytest.raises(NotNow, match="public folders"):
        _refuse_public_folders(holding(one), one.guid.upper())
    _refuse_public_folders(holding(database()), one.guid)
    _refuse_public_folders(evolve(holding(), databases=Unknown("?")), one.guid)


def test_what_a_person_types_finds_it() -> None:
    (lane,) = draft(DEFRAG, holding(public())).lanes
    done = {
        step.id: StepRecord(
            step=step.id, attempts=1, outcome=OutcomeKind.DONE, ended_at_utc=NOW, result={}
        )
        for step in lane.steps
        if step.action in (Action.SET_MOUNT_AT_STARTUP, Action.DISMOUNT)
    }
    commands = commands_for(lane, RunState(run="r-1", steps=done))
    assert any(each.startswith("Mount-Database") for each in commands)
    assert any(each.startswith("Set-PublicFolderDatabase -Identity") for each in commands)
