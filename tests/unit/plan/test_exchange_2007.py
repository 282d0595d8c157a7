"""What a plan does and does not on Exchange 2007."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.errors import NotNow
from goexchange.model.actual import ActualDatabase, ActualServer, Cluster, Generation
from goexchange.model.desired import Consent, DesiredState, Script, VerifyMode
from goexchange.model.plan import (
    Action,
    Decision,
    JobCall,
    Need,
    PlanBody,
    Reason,
    RunsWhen,
    ScriptCall,
)
from goexchange.model.unknown import Unknown
from goexchange.plan.check import breaches
from goexchange.plan.finding import Needed
from goexchange.plan.planner import make_draft
from goexchange.plan.refusals_2007 import refuse_on_2007
from goexchange.plan.restoring import refuse_without_endpoint
from goexchange.plan.treatment import Treatment
from goexchange.schedule.lane_times import swap_and_way_back_s
from tests.unit.plan.builders import (
    NOW,
    conditions,
    database,
    host,
    inventory,
    offline_backup,
    script,
    server,
    spec,
    state,
)

OLD = Generation.EXCHANGE_2007


def old(*databases: ActualDatabase, **differs: Any) -> ActualServer:
    found = databases or (database(),)
    return server(generation=OLD, build="8.3.83.6", databases=found, **differs)


def wants(one: Script, *, passes: int = 0, **conditioned: Any) -> DesiredState:
    chosen = script(script=one, verify=VerifyMode.OFFLINE)
    correction = evolve(
        chosen.error_correction, primary_passes_max=passes, defragmented_passes_max=passes
    )
    nothing: dict[str, Any] = dict.fromkeys(("white_space_max", "verified_within_s"))
    nothing |= dict.fromkeys(("online_full_backup_within_s", "offline_backup_within_s"))
    wanted = {**nothing, **(conditioned or {"white_space_max": 0.2})}
    return spec(
        script=evolve(chosen, error_correction=correction), conditions=conditions(**wanted)
    )


def draft(want: DesiredState, seen: ActualServer) -> PlanBody:
    return make_draft([want], inventory(), state(seen), now=NOW)


def decided(want: DesiredState, seen: ActualServer) -> Decision:
    return next(each for each in draft(want, seen).decisions if each.database == "DB05")


DEFRAG = wants(Script.OFFLINE_DEFRAG)
LOOK = wants(Script.OFFLINE_DIAGNOSTIC_REPORT, measured_within_s=86_400)


def test_a_rebuild_reads_pages_of_the_version_and_names_its_logs() -> None:
    body = draft(DEFRAG, old())
    (decision,) = body.decisions
    assert decision.need is Need.REBUILD
    headers = [
        step.call.arguments
        for step in body.lanes[0].steps
        if isinstance(step.call, ScriptCall) and step.call.script == "read-header"
    ]
    assert headers and {each["page_bytes"] for each in headers} == {8192}
    opened = next(s for s in body.lanes[0].steps if s.action is Action.OPEN_RECOVERY_RECORD)
    assert isinstance(opened.call, ScriptCall)
    text = str(opened.call.arguments["text"])
    assert "Get-StorageGroup | Format-List" in text and "jfm" not in text


def test_the_consent_says_what_cannot_be_asked_there() -> None:
    (need,) = [
        each
        for each in draft(DEFRAG, old()).consents
        if each.consent is Consent.UNCONFIRMED_GENERATION
    ]
    assert "whether somebody moves mailboxes" in need.finding


def test_logs_that_another_database_uses_are_neither_copied_nor_moved() -> None:
    shared = {"log_folder": "L:\\SG1\\", "log_prefix": "E00"}
    one, other = database(**shared), database("DB06", log_folder="l:\\sg1", log_prefix="e00")
    refused = decided(DEFRAG, old(one, other))
    assert refused.need is Need.NOT_POSSIBLE
    assert "DB06" in refused.explanation and "one storage group" in refused.explanation
    assert decided(LOOK, old(one, other)).need is Need.MEASURE
    down = evolve(other, is_mounted=False)
    assert decided(DEFRAG, old(one, down)).need is Need.REBUILD
    for unclear in (
        evolve(other, is_mounted=Unknown("?")), evolve(other, log_prefix=Unknown("?")),
    ):  # fmt: skip
        assert decided(DEFRAG, old(one, unclear)).need is Need.NOT_POSSIBLE
    for apart in (evolve(other, log_prefix="E01"), evolve(other, log_folder="L:\\SG2")):
        assert decided(DEFRAG, old(one, apart)).need is Need.REBUILD


@pytest.mark.parametrize("want", [DEFRAG, LOOK])
@pytest.mark.parametrize("nodes", [(), ("NODE1", "NODE2")])
def test_a_cluster_is_refused_with_its_node(want: DesiredState, nodes: tuple[str, ...]) -> None:
    seen = old(cluster=Cluster(kind="Shared", nodes=nodes), host=host("NODE1"))
    refused = decided(want, seen)
    assert refused.need is Need.NOT_POSSIBLE and "now on NODE1" in refused.explanation
    assert "NODE2" in refused.explanation or not nodes
    unclear = decided(want, old(cluster=Unknown("an unknown word")))
    assert unclear.reasons == (Reason.FACT_UNKNOWN,)


@pytest.mark.parametrize("want", [DEFRAG, LOOK])
def test_a_copy_of_the_version_s_kinds_is_refused_by_name(want: DesiredState) -> None:
    refused = decided(want, old(database(is_replicated=True)))
    assert refused.reasons == (Reason.MORE_THAN_ONE_COPY,)
    assert "local, standby or cluster continuous replication" in refused.explanation


def test_work_on_a_cluster_holds_for_the_node_that_was_seen() -> None:
    want = wants(Script.PREVENTATIVE_MAINTENANCE, online_full_backup_within_s=3600)

    def nodes(cluster: Cluster | None) -> list[Any]:
        body = draft(want, old(cluster=cluster, host=host("NODE1")))
        return [each.value for each in body.premises if each.fact == "host.name"]

    assert nodes(Cluster(kind="Shared", nodes=("NODE1", "NODE2"))) == ["NODE1"]
    assert nodes(None) == []


def test_a_copy_is_no_hindrance_to_an_online_backup() -> None:
    want = wants(Script.PREVENTATIVE_MAINTENANCE, online_full_backup_within_s=3600)
    seen = old(database(is_replicated=True), cluster=Cluster(kind="NonShared", nodes=()))
    assert decided(want, seen).need is Need.ONLINE_BACKUP


def test_nothing_is_looked_for_while_the_store_is_mounted() -> None:
    want = wants(Script.PREVENTATIVE_MAINTENANCE, verified_within_s=86_400)
    online = evolve(want, script=evolve(want.script, verify=VerifyMode.ONLINE))
    refused = decided(online, old())
    assert refused.need is Need.NOT_POSSIBLE and "verify: offline" in (refused.instead or "")
    assert decided(want, old()).need is Need.VERIFY


def test_an_unknown_state_of_the_host_is_no_reason_to_hide_the_cluster() -> None:
    seen = old(cluster=Cluster(kind="Shared", nodes=()), host=Unknown("away"))
    assert decided(DEFRAG, seen).need is Need.NOT_POSSIBLE


def test_databases_are_made_at_an_endpoint_alone() -> None:
    refuse_without_endpoint(server(), "x")
    refuse_without_endpoint(server(generation=Unknown("?")), "x")
    with pytest.raises(NotNow, match="Exchange 2007"):
        refuse_without_endpoint(old(), "a recovery database is made")


CORRECT = wants(Script.STORE_ERROR_CORRECTION, passes=2, verified_within_s=86_400)


def in_group(**differs: Any) -> ActualDatabase:
    return database(storage_group="First Storage Group", **differs)


def test_isinteg_comes_after_the_verified_set_and_by_consent() -> None:
    body = draft(CORRECT, old(in_group()))
    (lane,) = body.lanes
    actions = [step.action for step in lane.steps]
    assert Action.REPAIR_REQUEST not in actions
    (step,) = [each for each in lane.steps if each.action is Action.STORE_INTEGRITY]
    assert actions.index(Action.SEAL_SET) < actions.index(step.action) < actions.index(Action.MOUNT)
    assert "verified-set" in step.guards
    assert step.repeat is not None and step.repeat.times_max == 2
    assert isinstance(step.call, JobCall)
    assert step.call.request["group"] == "First Storage Group"
    assert step.call.request["tool"].endswith("\\Bin\\isinteg.exe")
    assert Consent.STORE_INTEGRITY_CORRECTION in {each.consent for each in body.consents}


@pytest.mark.parametrize("passes", [0, 2])
def test_without_passes_or_a_group_isinteg_is_not_run(passes: int) -> None:
    want = wants(Script.STORE_ERROR_CORRECTION, passes=passes, verified_within_s=86_400)
    seen = in_group() if not passes else database()
    body = draft(want, old(seen))
    steps = [step.action for lane in body.lanes for step in lane.steps]
    assert Action.STORE_INTEGRITY not in steps
    if not passes:
        assert steps and Consent.STORE_INTEGRITY_CORRECTION not in {
            each.consent for each in body.consents
        }
    else:
        assert body.decisions[0].reasons == (Reason.FACT_UNKNOWN,)


def test_a_specification_can_forbid_it() -> None:
    closed = (Consent.STORE_INTEGRITY_CORRECTION,)
    want = evolve(CORRECT, script=evolve(CORRECT.script, forbid=closed))
    (refused,) = draft(want, old(in_group())).decisions
    assert "store-integrity-correction" in refused.explanation


def whole(before: int, after: int) -> DesiredState:
    want = wants(Script.PREVENTATIVE_MAINTENANCE, white_space_max=0.2)
    correction = evolve(
        want.script.error_correction, primary_passes_max=before, defragmented_passes_max=after
    )
    return evolve(want, script=evolve(want.script, error_correction=correction))


def test_isinteg_goes_around_a_rebuild_after_the_set_and_before_the_first_mount() -> None:
    body = draft(whole(2, 3), old(in_group()))
    (lane,) = body.lanes
    order = [
        Action.READ_HEADER, Action.SEAL_SET, Action.STORE_INTEGRITY, Action.READ_CORRECTED_HEADER,
        Action.REBUILD, Action.READ_TEMPORARY_HEADER, Action.SWAP, Action.STORE_INTEGRITY,
        Action.READ_NEW_HEADER, Action.MOUNT,
    ]  # fmt: skip
    assert [step.action for step in lane.steps if step.action in order] == order
    before, after = (each for each in lane.steps if each.action is Action.STORE_INTEGRITY)
    assert (before.pass_name, after.pass_name) == ("primary", "defragmented")
    assert before.repeat is not None and before.repeat.times_max == 2
    assert after.repeat is not None and after.repeat.times_max == 3
    corrected = next(s for s in lane.steps if s.action is Action.READ_CORRECTED_HEADER)
    for action in (Action.SWAP, Action.SWAP_BACK):
        bound = next(step for step in lane.steps if step.action is action).binds[0]
        assert (bound.argument, bound.step) == ("original_sha256", corrected.id)
    (need,) = [each for each in body.consents if "isinteg" in each.finding]
    assert "only way back" in need.finding and "the original comes back" in need.finding
    stops = [step.runs_when for step in lane.steps if step.action is Action.CANCEL_JOBS]
    assert stops == [RunsWhen.AWAY_BEFORE_SWAP, RunsWhen.AWAY_AFTER_SWAP]


def test_the_outage_holds_every_pass_and_the_swap_leaves_time_for_those_after_it() -> None:
    def seconds(before: int, after: int) -> tuple[int, int, int]:
        body = draft(whole(before, after), old(in_group()))
        (decision,), (lane,) = body.decisions, body.lanes
        assert decision.outage_s is not None and decision.outage_p90_s is not None
        return decision.outage_s, decision.outage_p90_s, swap_and_way_back_s(lane)

    none, one, both = seconds(0, 0), seconds(1, 0), seconds(2, 3)
    first = one[0] - none[0]
    assert first > 0 and one[2] == none[2]
    assert one[1] - none[1] == 2 * first  # twice the stated rate
    assert both[1] - none[1] > 4 * first and both[2] > none[2]


@pytest.mark.parametrize(("before", "after"), [(1, 0), (0, 1)])
def test_each_of_the_two_can_be_left_out(before: int, after: int) -> None:
    body = draft(whole(before, after), old(in_group()))
    actions = [step.action for step in body.lanes[0].steps]
    place = actions.index(Action.STORE_INTEGRITY)
    assert actions.count(Action.STORE_INTEGRITY) == 1
    assert (place < actions.index(Action.REBUILD)) is bool(before)
    assert (Action.READ_CORRECTED_HEADER in actions) is bool(before)
    assert (Action.READ_NEW_HEADER in actions) is bool(after)
    (need,) = [each for each in body.consents if "isinteg" in each.finding]
    assert ("only way back" in need.finding) is bool(before)


def test_a_set_of_the_rebuilt_file_does_not_go_with_passes_after_the_swap() -> None:
    want = whole(1, 1)
    declared = evolve(want, backup_after=evolve(want.backup_after, offline=offline_backup()))
    refused = decided(declared, old(in_group()))
    assert refused.reasons == (Reason.NOT_YET_EXECUTED,) and "another one" in refused.explanation
    none = evolve(whole(1, 0), backup_after=declared.backup_after)
    assert decided(none, old(in_group())).need is Need.REBUILD


def test_a_plan_without_a_set_before_isinteg_is_broken() -> None:
    body = draft(whole(1, 0), old(in_group()))
    (lane,) = body.lanes
    steps = tuple(
        evolve(each, guards=()) if each.action is Action.STORE_INTEGRITY else each
        for each in lane.steps
    )
    broken = evolve(body, lanes=(evolve(lane, steps=steps),))
    assert [each for each in breaches(broken) if "no verified set" in each]


def test_later_versions_are_corrected_by_the_store_that_is_mounted() -> None:
    (lane,) = draft(CORRECT, server()).lanes
    actions = {step.action for step in lane.steps}
    assert Action.REPAIR_REQUEST in actions and Action.STORE_INTEGRITY not in actions


def test_a_repair_with_possible_loss_is_refused_with_what_to_do() -> None:
    treatment = Treatment(is_offline=True, repairs=True)
    needed = Needed(
        need=Need.CORRECT, reasons=(), explanation="asked for", origin=None, treatment=treatment
    )
    refused = refuse_on_2007(old(), database(), needed, DEFRAG)
    assert refused is not None and "isinteg" in refused.explanation
    assert refuse_on_2007(server(), database(), needed, DEFRAG) is None
