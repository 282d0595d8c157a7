"""What a plan does and does not on a clustered server of an old generation."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.errors import NotNow
from goexchange.model.actual import ActualServer, Cluster, Generation
from goexchange.model.configuration import Share
from goexchange.model.desired import Consent, DesiredState, Script
from goexchange.model.plan import Action, Direction, Need, PlanBody, Reason, RunsWhen
from goexchange.model.unknown import Unknown
from goexchange.plan.clusters import (
    on_cluster,
    refuse_agent_on_cluster,
    refuse_on_cluster,
    refuse_other_work,
)
from goexchange.plan.consents import versions_of
from goexchange.plan.context import Pilots
from goexchange.plan.finding import Needed
from goexchange.plan.planner import make_draft
from goexchange.plan.treatment import Treatment
from tests.unit.plan.builders import NOW, PLACE, database, host, inventory, spec, state
from tests.unit.plan.test_exchange_2003 import CORRECT as CORRECT_2003
from tests.unit.plan.test_exchange_2003 import old as older
from tests.unit.plan.test_exchange_2007 import DEFRAG, LOOK, old, wants
from tests.unit.plan.test_pilot import record_of

NODES = ("NODE1", "NODE2")
PAIR = Cluster(kind="Shared", nodes=NODES)
ROOT = "L:\\goexchange"


def on_nodes(*databases: Any, **differs: Any) -> ActualServer:
    return old(*databases, **{"cluster": PAIR, "host": host("NODE1"), **differs})


def to(path: str, want: DesiredState = DEFRAG) -> DesiredState:
    before = want.backup_before.offline
    assert before is not None
    placed = evolve(before, target=evolve(before.target, path=path))
    return evolve(want, backup_before=evolve(want.backup_before, offline=placed))


def draft(want: DesiredState, seen: ActualServer, *, root: str = ROOT, **differs: Any) -> PlanBody:
    site = evolve(inventory(), host_root=root, **differs)
    return make_draft([want], site, state(seen), now=NOW)


def refused(want: DesiredState, seen: ActualServer, **differs: Any) -> str:
    (found,) = [
        each for each in draft(want, seen, **differs).decisions if each.database == "DB05"
    ]
    assert found.need is Need.NOT_POSSIBLE, found
    assert found.instead
    return found.explanation


@pytest.mark.parametrize("nodes", [(), NODES])
@pytest.mark.parametrize("want", [to("\\\\backup02\\sets"), to("L:\\sets"), LOOK])
def test_an_outage_is_planned_where_everything_moves_along(
    want: DesiredState, nodes: tuple[str, ...]
) -> None:
    body = draft(want, on_nodes(cluster=Cluster(kind="Shared", nodes=nodes)))
    assert body.decisions[0].need in (Need.REBUILD, Need.MEASURE)
    (told,) = [each for each in body.diagnostics if each.id == "on-cluster"]
    assert "now on NODE1" in (told.detail or "") and told.address == "EX01"
    assert ("NODE2" in (told.detail or "")) == bool(nodes)
    assert [each.value for each in body.premises if each.fact == "host.name"] == ["NODE1"]


def test_whoever_owns_it_is_looked_at_before_everything_but_what_brings_mail_back() -> None:
    (lane,) = draft(to("L:\\sets"), on_nodes()).lanes
    free = [each for each in lane.steps if "same-node" not in each.guards]
    allowed = {Action.NOTIFY, Action.WRITE_DATABASE_RECORD, Action.CLOSE_RECOVERY_RECORD,
               Action.FORCE_WAY_BACK}  # fmt: skip
    for each in free:
        is_back = each.direction is Direction.BACK
        is_backup = each.runs_when is RunsWhen.REBUILT_IN_SERVICE
        assert is_back or is_backup or each.action in allowed, each.id
    bound = {each.action for each in lane.steps} - {each.action for each in free}
    assert bound >= {Action.OPEN_RECOVERY_RECORD, Action.PLACE_SENTINEL, Action.DISMOUNT,
                     Action.COPY_SET, Action.REBUILD, Action.SWAP, Action.LAST_LOOK}  # fmt: skip
    assert on_cluster(lane, old()) is lane


def moved_set() -> DesiredState:
    want = to("L:\\sets")
    offline = to("E:\\sets").backup_before.offline
    return evolve(want, backup_after=evolve(want.backup_after, offline=offline))


def with_command() -> DesiredState:
    conflicts = evolve(LOOK.conflicts, suspend=("C:\\x.cmd",), resume=("C:\\y.cmd",))
    return evolve(LOOK, conflicts=conflicts)


@pytest.mark.parametrize(
    ("want", "differs", "why"),
    [
        (LOOK, {"cluster": Cluster(kind="NonShared", nodes=NODES)}, "is not executed"),
        (LOOK, {"host": host("EX01")}, "by the name of a node"),
        (to("E:\\sets"), {}, "E:\\sets lies on no disk of its databases"),
        (moved_set(), {}, "E:\\sets lies on no disk of its databases"),
        (to("L:\\s", wants(Script.PREVENTATIVE_MAINTENANCE, passes=1)), {}, "isinteg"),
        (evolve(LOOK, services_stopped=("MSExchangeSA",)), {}, "resources of the cluster"),
        (with_command(), {}, "undone on another"),
        (LOOK, {"cluster": Unknown("a strange word")}, "whether it is a cluster is unknown"),
    ],
)
def test_refused_by_name(want: DesiredState, differs: dict[str, Any], why: str) -> None:
    assert why in refused(want, on_nodes(**differs))


def test_the_tools_folder_has_to_move_with_the_databases() -> None:
    said = refused(LOOK, on_nodes(), root="C:\\ProgramData\\goexchange")
    assert "(single-copy cluster, now on NODE1, of NODE1 and NODE2)" in said
    assert "the next owner would know nothing of the run" in said


def test_a_share_with_an_account_of_its_own_is_refused() -> None:
    share = Share(path="\\\\vault\\sets", mounted_at=None, place=PLACE, account="LAB\\gx")
    said = refused(to("\\\\vault\\sets"), on_nodes(), shares=(share,))
    assert "stay on the node" in said


@pytest.mark.parametrize(
    "differs",
    [
        {"databases": Unknown("?")},
        {"host": host("NODE1", volumes=Unknown("cut"))},
        {"host": Unknown("away")},
    ],
)
def test_disks_that_are_not_known_are_no_shared_ones(differs: dict[str, Any]) -> None:
    needed = Needed(need=Need.VERIFY, reasons=(), explanation="x",
                    treatment=Treatment(is_offline=True))  # fmt: skip
    seen = evolve(on_nodes(), **differs)
    found = refuse_on_cluster(seen, needed, LOOK, evolve(inventory(), host_root=ROOT))
    assert found is not None and found.reasons == (Reason.FACT_UNKNOWN,)


def test_what_takes_nothing_down_needs_no_shared_folder_and_is_bound_all_the_same() -> None:
    want = wants(Script.PREVENTATIVE_MAINTENANCE, online_full_backup_within_s=3600)
    (lane,) = draft(want, on_nodes(), root="C:\\gx").lanes
    (backup,) = [each for each in lane.steps if each.action is Action.ONLINE_BACKUP]
    assert "same-node" in backup.guards
    online = Needed(need=Need.ONLINE_BACKUP, reasons=(), explanation="x")
    site = inventory()
    assert refuse_on_cluster(old(cluster=Unknown("?")), online, want, site) is None
    mount = Needed(need=Need.MOUNT, reasons=(), explanation="x")
    assert refuse_on_cluster(on_nodes(), mount, want, site) is None


def test_a_pilot_does_not_take_the_consent_away() -> None:
    proven = Pilots(records=(record_of(versions_of(host())),))
    site = evolve(inventory(), host_root=ROOT)
    body = make_draft([LOOK], site, state(on_nodes()), now=NOW, pilots=proven)
    (need,) = [each for each in body.consents if each.consent is Consent.UNCONFIRMED_GENERATION]
    assert "what its cluster makes of a dismounted database" in need.finding
    alone = make_draft([LOOK], site, state(old()), now=NOW, pilots=proven).consents
    assert Consent.UNCONFIRMED_GENERATION not in {each.consent for each in alone}


def test_a_transfer_agent_of_a_cluster_is_refused() -> None:
    want = spec()
    on_pair = older(cluster=PAIR, host=host("NODE1"))
    found = refuse_agent_on_cluster(on_pair, want)
    assert found is not None and "starts a stopped service again" in found.explanation
    unclear = refuse_agent_on_cluster(older(cluster=Unknown("?")), want)
    assert unclear is not None and unclear.reasons == (Reason.FACT_UNKNOWN,)
    assert refuse_agent_on_cluster(older(), want) is None


def test_the_same_holds_for_2003() -> None:
    seen = older(cluster=Cluster(kind="Shared", nodes=()), host=host("NODE1"))
    assert seen.generation is Generation.EXCHANGE_2003
    body = make_draft([LOOK], evolve(inventory(), host_root=ROOT), state(seen), now=NOW)
    assert body.decisions[0].need is Need.MEASURE, body.decisions[0]
    assert "nodes that are not told" in refused(CORRECT_2003, seen)


def test_an_earlier_file_is_not_put_in_place_on_a_cluster() -> None:
    refuse_other_work(old(), "x")
    with pytest.raises(NotNow, match="now on NODE1, of NODE1 and NODE2"):
        refuse_other_work(on_nodes(), "x")
    with pytest.raises(NotNow, match="is a cluster is unknown"):
        refuse_other_work(old(cluster=Unknown("?")), "x")


def test_public_folders_and_a_cluster_are_both_consented_to() -> None:
    seen = on_nodes(database(is_public_folder=True, replication_backlog=0))
    (need,) = [
        each for each in draft(LOOK, seen).consents
        if each.consent is Consent.UNCONFIRMED_GENERATION
    ]  # fmt: skip
    assert "its cluster" in need.finding and "public folders" in need.finding
