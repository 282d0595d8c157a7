"""What a plan does and does not with the databases of Exchange 2003."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.guard.evaluate import at_plan
from goexchange.guard.guard import VerdictKind
from goexchange.model.actual import (
    ActualDatabase,
    ActualServer,
    Cluster,
    Generation,
    PublicStore,
)
from goexchange.model.desired import (
    BackupAgent,
    BackupPart,
    BackupState,
    Consent,
    DesiredState,
    OnlineBackupMethod,
    Script,
    StateMapping,
    VerifyMode,
)
from goexchange.model.plan import Action, Decision, JobCall, Need, PlanBody, Reason, ScriptCall
from goexchange.model.unknown import Unknown
from goexchange.plan.finding import Needed
from goexchange.plan.planner import make_draft
from goexchange.plan.refusals_2003 import refuse_on_2003
from goexchange.plan.treatment import Passes, Treatment
from tests.unit.plan.builders import NOW, PLACE, host, inventory, server, spec, state
from tests.unit.plan.builders import database as plain_database
from tests.unit.plan.test_exchange_2007 import wants as wants_of

OLD = Generation.EXCHANGE_2003
TASKS = Unknown("the scheduled tasks of this Windows cannot be listed")


def database(name: str = "DB05", **differs: Any) -> ActualDatabase:
    paths = {"edb_path": f"D:\\{name}\\{name}.edb", "streaming_path": f"D:\\{name}\\{name}.stm"}
    return plain_database(name, **{"storage_group": "SG1", **paths, **differs})


def old(*databases: ActualDatabase, **differs: Any) -> ActualServer:
    values = {"host": host(tasks=TASKS), "databases": databases or (database(),), **differs}
    return server(generation=OLD, build="6.5.7638.1", **values)


def agent() -> BackupAgent:
    word = StateMapping(prints="Success", means=BackupState.SUCCEEDED, place=PLACE)
    return BackupAgent(
        start=("C:\\b.cmd", "start"), state=("C:\\b.cmd", "state"), stop=None, states=(word,),
        poll_every_s=30, runs_on=None, place=PLACE, copies=("C:\\b.cmd", "copies"),
    )  # fmt: skip


def wants(one: Script, *, passes: int = 0, **conditioned: Any) -> DesiredState:
    """The same as on Exchange 2007, with the backup of a declared agent."""
    want = wants_of(one, passes=passes, **conditioned)
    online = want.backup_after.online
    assert online is not None
    declared = evolve(online, method=OnlineBackupMethod.AGENT, target=None, agent=agent())
    return evolve(want, backup_after=evolve(want.backup_after, online=declared))


def draft(want: DesiredState, seen: ActualServer) -> PlanBody:
    return make_draft([want], inventory(), state(seen), now=NOW)


def decided(want: DesiredState, seen: ActualServer) -> Decision:
    return next(each for each in draft(want, seen).decisions if each.database == "DB05")


DEFRAG = wants(Script.OFFLINE_DEFRAG)
LOOK = wants(Script.OFFLINE_DIAGNOSTIC_REPORT, measured_within_s=86_400)
CORRECT = wants(Script.STORE_ERROR_CORRECTION, passes=2, verified_within_s=86_400)


def arguments(body: PlanBody, action: Action) -> list[str]:
    """What eseutil is given, a space between."""
    calls = (step.call for step in body.lanes[0].steps if step.action is action)
    return [" ".join(c.request["arguments"]) for c in calls if isinstance(c, JobCall)]


def test_every_step_takes_both_files() -> None:
    body = draft(DEFRAG, old())
    (decision,) = body.decisions
    assert decision.need is Need.REBUILD
    work = body.lanes[0].steps[0]
    (rebuilt,) = arguments(body, Action.REBUILD)
    assert "/sD:\\DB05\\DB05.stm" in rebuilt and "DB05.tmp.stm" in rebuilt and "/p" in rebuilt
    for action in (Action.DETECT_ERRORS, Action.DETECT_ERRORS_TEMPORARY, Action.VERIFY_SET_ON_HOST):
        assert any(each.startswith("/k") and ".stm" in each for each in arguments(body, action))
    back = next(s for s in body.lanes[0].steps if s.action is Action.COPY_BACK)
    assert isinstance(back.call, JobCall)
    names = [each["destination"] for each in back.call.request["files"]]
    assert names == ["D:\\DB05\\DB05.edb", "D:\\DB05\\DB05.stm"]
    asides = [s.call for s in body.lanes[0].steps if s.action is Action.SET_ASIDE]
    assert [c.arguments["source"] for c in asides if isinstance(c, ScriptCall)] == names
    assert not any(s.action is Action.VERIFY_SET for s in body.lanes[0].steps)
    assert isinstance(work.call, ScriptCall)
    text = str(work.call.arguments["text"])
    assert "Exchange System Manager" in text and "Mount-Database" not in text
    assert "DB05.stm.before-" in text and "jfm" not in text


def test_nothing_else_is_given_a_second_file() -> None:
    seen = server()
    body = make_draft([spec()], inventory(), state(seen), now=NOW)
    assert all(".stm" not in str(step.call) for step in body.lanes[0].steps)


def test_the_plan_says_that_no_system_state_is_saved_there() -> None:
    before = DEFRAG.backup_before.offline
    assert before is not None
    parts = (BackupPart.REGISTRY, BackupPart.SYSTEM_STATE)
    want = evolve(
        DEFRAG, backup_before=evolve(DEFRAG.backup_before, offline=evolve(before, parts=parts))
    )
    step = next(
        s for s in draft(want, old()).lanes[0].steps if s.action is Action.EXPORT_CONFIGURATION
    )
    assert isinstance(step.call, JobCall) and step.call.request["system_state"] is False
    assert "no system state" in step.summary
    assert step.call.request["registry_keys"][0].endswith("\\Exchange")


def test_the_consent_says_what_cannot_be_asked_there() -> None:
    (need,) = [
        each
        for each in draft(DEFRAG, old()).consents
        if each.consent is Consent.UNCONFIRMED_GENERATION
    ]
    assert "scheduled there as a task" in need.finding


def test_isinteg_corrects_after_a_set_and_by_consent() -> None:
    body = draft(CORRECT, old())
    actions = [step.action for step in body.lanes[0].steps]
    assert actions.index(Action.SEAL_SET) < actions.index(Action.STORE_INTEGRITY)
    assert Consent.STORE_INTEGRITY_CORRECTION in {each.consent for each in body.consents}


def refused(want: DesiredState, seen: ActualServer) -> str:
    found = decided(want, seen)
    assert found.need is Need.NOT_POSSIBLE and found.instead
    return found.explanation


def method(value: OnlineBackupMethod) -> DesiredState:
    online = DEFRAG.backup_after.online
    assert online is not None
    other = wants_of(Script.OFFLINE_DEFRAG).backup_after.online
    assert other is not None
    declared = evolve(other, method=value)
    return evolve(DEFRAG, backup_after=evolve(DEFRAG.backup_after, online=declared))


def after_set() -> DesiredState:
    offline = DEFRAG.backup_before.offline
    return evolve(DEFRAG, backup_after=evolve(DEFRAG.backup_after, offline=offline))


@pytest.mark.parametrize(
    ("want", "seen", "why"),
    [
        (method(OnlineBackupMethod.WINDOWS_SERVER_BACKUP), old(), "it has ntbackup"),
        (after_set(), old(), "a set of the rebuilt file"),
        (
            wants(Script.PREVENTATIVE_MAINTENANCE, passes=1), old(database(storage_group="")),
            "its storage group is unknown",
        ),
        (CORRECT, old(database(storage_group="")), "its storage group is unknown"),
        (LOOK, old(database(is_mount_at_startup=False)), "not mounted at startup"),
        (LOOK, old(database(streaming_path="E:\\s\\DB05.stm")), "its streaming file is E:"),
        (LOOK, old(database(streaming_path=None)), "its streaming file is unknown"),
        (LOOK, old(cluster=Cluster(kind="Shared", nodes=())), "is a clustered server"),
        (LOOK, old(cluster=Unknown("other name")), "whether it is a cluster is unknown"),
        (DEFRAG, old(public_stores=Unknown("cut")), "public folder stores share its logs"),
    ],
)
def test_refused_by_name(want: DesiredState, seen: ActualServer, why: str) -> None:
    assert why in refused(want, seen)


def test_the_store_looks_for_nothing_while_it_is_mounted() -> None:
    want = wants(Script.PREVENTATIVE_MAINTENANCE, verified_within_s=86_400)
    online = evolve(want, script=evolve(want.script, verify=VerifyMode.ONLINE))
    assert "looks for no errors" in refused(online, old())


def public(**differs: Any) -> PublicStore:
    values: dict[str, Any] = {
        "name": "PUB", "storage_group": "SG1", "edb_path": "D:\\p\\pub1.edb",
        "log_folder": "L:\\DB05\\", "log_prefix": "e05", "is_mounted": True, **differs,
    }  # fmt: skip
    return PublicStore(**values)


def test_logs_of_a_public_folder_store_are_neither_copied_nor_moved() -> None:
    assert "PUB" in refused(DEFRAG, old(public_stores=(public(),)))
    assert decided(LOOK, old(public_stores=(public(),))).need is Need.MEASURE
    for apart in (public(is_mounted=False), public(log_prefix="E06")):
        assert decided(DEFRAG, old(public_stores=(apart,))).need is Need.REBUILD
    other = database("DB06", log_folder="L:\\DB05")
    assert "DB06" in refused(DEFRAG, old(database(), other))


def test_a_repair_is_refused_and_other_versions_are_not_asked() -> None:
    need = Needed(
        need=Need.REBUILD, reasons=(Reason.ERRORS_FOUND,), explanation="x", origin=None,
        treatment=Treatment(passes=Passes.CORRECT, is_offline=True, repairs=True),
    )  # fmt: skip
    found = refuse_on_2003(old(), database(), need, spec())
    assert found is not None and "repair with possible loss" in found.explanation
    assert refuse_on_2003(server(), database(), need, spec()) is None
    without = evolve(need, treatment=Treatment(is_offline=True))
    unseen = old(databases=Unknown("?"))
    assert refuse_on_2003(unseen, database(), without, DEFRAG) is None
    copies = evolve(need, treatment=Treatment(is_offline=True, copies=True))
    assert refuse_on_2003(unseen, database(), copies, DEFRAG) is None


def test_passes_around_a_rebuild_look_at_both_files_after_isinteg() -> None:
    looks = {
        "primary_passes_max": Action.READ_CORRECTED_STREAMING,
        "defragmented_passes_max": Action.READ_NEW_STREAMING,
    }
    for name, look in looks.items():
        want = wants(Script.PREVENTATIVE_MAINTENANCE)
        choice = evolve(want.script.error_correction, **{name: 1})
        more = evolve(want, script=evolve(want.script, error_correction=choice))
        body = draft(more, old())
        actions = [step.action for step in body.lanes[0].steps]
        assert actions.index(Action.STORE_INTEGRITY) < actions.index(look)
        assert actions.index(look) < actions.index(Action.MOUNT)
        assert set(looks.values()) & set(actions) == {look}
        assert Consent.STORE_INTEGRITY_CORRECTION in {each.consent for each in body.consents}
        lacking = decided(more, old(database(storage_group="")))
        assert "its storage group is unknown" in lacking.explanation
    assert decided(wants(Script.PREVENTATIVE_MAINTENANCE), old()).need is Need.REBUILD
    none = evolve(CORRECT.script.error_correction, primary_passes_max=0)
    less = evolve(CORRECT, script=evolve(CORRECT.script, error_correction=none))
    assert decided(less, old(database(storage_group=""))).need is Need.CORRECT


def test_a_backup_alone_takes_nothing_down_and_needs_only_its_agent() -> None:
    online = Needed(
        need=Need.ONLINE_BACKUP, reasons=(), explanation="x", origin=None, is_backed_up_too=True,
        treatment=Treatment(),
    )  # fmt: skip
    assert refuse_on_2003(old(cluster=Unknown("?")), database(), online, DEFRAG) is None


@pytest.mark.parametrize(
    ("generation", "kind"),
    [(OLD, VerdictKind.PASS), (Generation.EXCHANGE_2016, VerdictKind.UNKNOWN)],
)
def test_tasks_that_nobody_can_list_are_consented_to_there_and_unknown_elsewhere(
    generation: Generation, kind: VerdictKind
) -> None:
    body = draft(DEFRAG, old())
    seen = evolve(old(), generation=generation)
    (found,) = [
        each for each in at_plan(body, state(seen), NOW) if each.guard == "no-backup-running"
    ]
    assert found.kind is kind
