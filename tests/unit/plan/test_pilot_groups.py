"""A pilot where databases lie in storage groups: room for one more, and what is done with it."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.errors import NotNow
from goexchange.guard import evaluate
from goexchange.model.actual import (
    ActualServer,
    Cluster,
    Generation,
    PublicStore,
    StorageGroup,
)
from goexchange.model.pilot import INPUT_KIND, is_own_scratch
from goexchange.model.plan import (
    Action,
    Consent,
    ExchangeCall,
    Need,
    PlanBody,
    PlanInput,
    Reason,
    VerdictKind,
)
from goexchange.model.unknown import Unknown
from goexchange.plan.consents import versions_of
from goexchange.plan.context import Pace, Pilots
from goexchange.plan.pilot import creation_draft, hypothetical, removal_draft, specification_for
from goexchange.plan.pilot_groups import refuse_without_room, where_to_pilot
from goexchange.plan.pilot_needs import decide_untold, is_untold
from goexchange.plan.planner import make_draft
from goexchange.plan.restoring import Setting
from tests.unit.plan.builders import (
    GIB,
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
    volume,
)
from tests.unit.plan.test_pilot import SCRATCH, record_of

OLD = Generation.EXCHANGE_2007
MINE = PlanInput(kind=INPUT_KIND, path=SCRATCH.name, sha256="0" * 64)


def groups(count: int, **differs: Any) -> tuple[StorageGroup, ...]:
    return tuple(
        StorageGroup(
            **{"name": f"SG{n}", "log_folder": f"L:\\SG{n}", "is_recovery": False, **differs}
        )
        for n in range(count)
    )


def old(*databases: Any, **differs: Any) -> ActualServer:
    values: dict[str, Any] = {
        "generation": OLD, "build": "8.3.83.6", "edition": "Enterprise",
        "storage_groups": groups(1), "databases": databases or (database(),),
    }  # fmt: skip
    return server(**{**values, **differs})


def setting(seen: ActualServer) -> Setting:
    return Setting(inventory=inventory(), actual=state(seen), server="EX01", now=NOW, pace=Pace())


def scratch(**differs: Any) -> Any:
    return database(
        SCRATCH.name,
        edb_path=SCRATCH.edb_path,
        log_folder=SCRATCH.log_folder,
        storage_group=SCRATCH.name,
        **{"white_space_bytes": Unknown("not told yet"), "size_bytes": 8 * 1024**2, **differs},
    )


def actions(body: PlanBody) -> list[Action]:
    return [step.action for lane in body.lanes for step in lane.steps]


def call_of(body: PlanBody, action: Action) -> ExchangeCall:
    (found,) = [s.call for lane in body.lanes for s in lane.steps if s.action is action]
    assert isinstance(found, ExchangeCall)
    return found


def test_a_group_of_its_own_is_made_first_and_removed_last() -> None:
    body = creation_draft(SCRATCH, setting(old()), ())
    assert actions(body)[:4] == [
        Action.MAKE_SCRATCH_FOLDER, Action.NEW_SCRATCH_GROUP, Action.NEW_SCRATCH_DATABASE,
        Action.MOUNT_SCRATCH,
    ]  # fmt: skip
    group = call_of(body, Action.NEW_SCRATCH_GROUP)
    assert group.parameters["LogFolderPath"] == SCRATCH.log_folder
    made = call_of(body, Action.NEW_SCRATCH_DATABASE)
    assert set(made.parameters) == {"Name", "StorageGroup", "EdbFilePath"}
    assert made.parameters["StorageGroup"] == f"EX01\\{SCRATCH.name}"
    mine = StorageGroup(name=SCRATCH.name, log_folder=SCRATCH.log_folder, is_recovery=False)
    there = old(scratch(), storage_groups=(mine,))
    assert actions(removal_draft(SCRATCH, setting(there), ())) == [
        Action.MAKE_SCRATCH_FOLDER, Action.COUNT_MAILBOXES, Action.DISMOUNT_SCRATCH,
        Action.REMOVE_SCRATCH_DATABASE, Action.REMOVE_SCRATCH_GROUP, Action.REMOVE_SCRATCH_FOLDER,
    ]  # fmt: skip


def test_what_is_left_of_it_decides_what_is_removed() -> None:
    mine = StorageGroup(name=SCRATCH.name.upper(), log_folder="?", is_recovery=False)
    assert actions(removal_draft(SCRATCH, setting(old(storage_groups=(mine,))), ())) == [
        Action.MAKE_SCRATCH_FOLDER, Action.REMOVE_SCRATCH_GROUP, Action.REMOVE_SCRATCH_FOLDER,
    ]  # fmt: skip
    assert actions(removal_draft(SCRATCH, setting(old()), ())) == [Action.REMOVE_SCRATCH_FOLDER]
    blind = old(storage_groups=Unknown("no answer"))
    with pytest.raises(NotNow, match="storage groups of EX01 are not known: no answer"):
        removal_draft(SCRATCH, setting(blind), ())


@pytest.mark.parametrize(
    ("edition", "seen", "why"),
    [
        ("Standard", 4, None),
        ("Standard", 5, "5 storage groups, and Exchange 2007 Standard has room for 5"),
        ("StandardEvaluation", 5, "has room for 5"),
        ("Enterprise", 49, None),
        ("EnterpriseEvaluation", 50, "Exchange 2007 Enterprise has room for 50"),
        (Unknown("not given"), 4, None),
        (Unknown("not given"), 5, "whether it is Enterprise"),
        ("Coexistence", 5, "whether it is Enterprise"),
        (Unknown("not given"), 6, None),  # which Standard would not have
    ],
)
def test_the_edition_has_room_for_one_more_group(edition: Any, seen: int, why: str | None) -> None:
    one = old(edition=edition, storage_groups=groups(seen))
    if why is None:
        refuse_without_room(one, SCRATCH.name)
    else:
        with pytest.raises(NotNow, match=why):
            refuse_without_room(one, SCRATCH.name)


def test_the_edition_has_room_for_one_more_database() -> None:
    five = tuple(database(f"DB0{n}") for n in range(5))
    with pytest.raises(NotNow, match="5 databases, and Exchange 2007 Standard has room for 5"):
        refuse_without_room(old(*five, edition="Standard"), SCRATCH.name)
    refuse_without_room(old(*five), SCRATCH.name)
    six = (*five, database("DB06"))
    refuse_without_room(old(*six, edition=Unknown("not given")), SCRATCH.name)


def test_a_plan_names_a_pilot_that_is_possible() -> None:
    assert where_to_pilot(server()) == "goexchange pilot EX01"
    assert where_to_pilot(old()) == "goexchange pilot EX01"
    full = old(edition="Standard", storage_groups=groups(5))
    assert "another server of the same build" in where_to_pilot(full)


def test_groups_for_recovery_take_no_room() -> None:
    held = (*groups(4), *groups(3, is_recovery=True))
    refuse_without_room(old(edition="Standard", storage_groups=held), SCRATCH.name)
    unsure = (*groups(4), *groups(1, is_recovery=Unknown("not given")))
    with pytest.raises(NotNow, match="room for 5"):
        refuse_without_room(old(edition="Standard", storage_groups=unsure), SCRATCH.name)


@pytest.mark.parametrize(
    ("differs", "why"),
    [
        ({"cluster": Unknown("not asked")}, "whether EX01 is a cluster is unknown: not asked"),
        ({"cluster": Cluster(kind="Shared", nodes=())}, "that stands alone"),
        ({"storage_groups": Unknown("silent")}, "storage groups of EX01 are not known: silent"),
        ({"storage_groups": groups(1, name=SCRATCH.name)}, "has a storage group"),
        ({"public_stores": Unknown("silent")}, "which databases EX01 holds is not known: silent"),
        ({"databases": Unknown("silent")}, "which databases EX01 holds is not known: silent"),
    ],
)
def test_what_is_in_the_way_or_not_known_refuses(differs: dict[str, Any], why: str) -> None:
    with pytest.raises(NotNow, match=why):
        refuse_without_room(old(**differs), SCRATCH.name)


def test_on_2003_standard_there_is_room_for_one_group() -> None:
    store = PublicStore(
        name="P", storage_group="SG0", edb_path="D:\\p.edb", log_folder="L:\\SG0",
        log_prefix="E00", is_mounted=True,
    )  # fmt: skip
    small = old(
        generation=Generation.EXCHANGE_2003, edition=Unknown("none asks"), public_stores=(store,)
    )
    with pytest.raises(NotNow, match="1 storage group, and Exchange 2003 Standard has room for 1;"):
        refuse_without_room(small, SCRATCH.name)
    refuse_without_room(evolve(small, storage_groups=groups(2)), SCRATCH.name)
    refuse_without_room(evolve(small, public_stores=(store, store)), SCRATCH.name)
    with pytest.raises(NotNow, match="4 storage groups, and Exchange 2003 Enterprise"):
        refuse_without_room(evolve(small, storage_groups=groups(4)), SCRATCH.name)


def like(**limits: Any) -> Any:
    chosen = script(**limits)
    none = evolve(chosen.error_correction, primary_passes_max=0, defragmented_passes_max=0)
    backup = evolve(spec().backup_before, offline=offline_backup())
    return specification_for(
        SCRATCH, spec(script=evolve(chosen, error_correction=none), backup_before=backup), "EX01"
    )


def test_a_store_of_2003_is_foreseen_as_a_pair_of_files() -> None:
    other = hypothetical(SCRATCH, old(generation=Generation.EXCHANGE_2003))
    assert not isinstance(other.databases, Unknown)
    assert other.databases[-1].streaming_path == f"{SCRATCH.edb_path[:-4]}.stm"
    body = creation_draft(
        SCRATCH, setting(old(generation=Generation.EXCHANGE_2003, storage_groups=groups(2))), ()
    )
    assert actions(body)[1] is Action.NEW_SCRATCH_GROUP


def night(seen: ActualServer, *, is_own: bool = True) -> PlanBody:
    return make_draft(
        [like()], inventory(), state(seen), now=NOW, inputs=(MINE,), pilots=Pilots(is_own=is_own)
    )


def test_what_nobody_can_tell_of_a_new_file_is_planned_for_its_whole_size() -> None:
    body = night(old(scratch()))
    (decision,) = body.decisions
    assert decision.need is Need.REBUILD and decision.reasons == (Reason.ASKED_FOR,)
    assert decision.white_space_bytes is None and "8 MiB, its whole size" in decision.explanation
    rebuild = next(s for lane in body.lanes for s in lane.steps if s.action is Action.REBUILD)
    assert "about 8 MiB" in rebuild.summary
    assert not [each for each in body.premises if each.fact == "database.white_space_ratio"]
    foreseen = hypothetical(SCRATCH, old())
    assert not isinstance(foreseen.databases, Unknown)
    assert is_untold(foreseen.databases[-1]) and foreseen.databases[-1].storage_group


def test_nobody_else_s_rebuild_is_planned_without_a_figure() -> None:
    """Neither of that database by a plan of an operator's, nor of another one by a pilot's."""
    (decision,) = night(old(scratch()), is_own=False).decisions
    assert decision.need is Need.NOT_POSSIBLE and "not told yet" in decision.explanation
    other = database(white_space_bytes=Unknown("not told yet"))
    asked = spec(conditions=conditions(white_space_max=0.0))
    body = make_draft([asked], inventory(), state(old(other)), now=NOW, pilots=Pilots(is_own=True))
    assert [each.need for each in body.decisions] == [Need.NOT_POSSIBLE]
    assert not is_untold(scratch(white_space_bytes=5))


def test_a_scratch_database_that_is_not_what_it_should_be_is_decided_as_any_other() -> None:
    assert decide_untold(scratch(is_mounted=False), spec=like()) is None
    (decision,) = night(old(scratch(is_mounted=False, mounted_on=None))).decisions
    assert decision.need is Need.MOUNT
    unsure = decide_untold(scratch(is_mounted=Unknown("?")), spec=like())
    assert unsure is not None and unsure.need is Need.NOT_POSSIBLE
    sized = decide_untold(scratch(size_bytes=Unknown("?")), spec=like())
    assert sized is not None and "a new file of its whole size" in sized.explanation
    (refused,) = night(old(scratch(size_bytes=Unknown("no file")))).decisions
    assert refused.need is Need.NOT_POSSIBLE and "no file" in refused.explanation


def verdicts(body: PlanBody, seen: ActualServer) -> dict[str, VerdictKind]:
    return {each.guard: each.kind for each in evaluate.at_plan(body, state(seen), NOW)}


def test_room_is_asked_for_a_file_of_the_whole_size() -> None:
    roomy = old(scratch())
    found = verdicts(night(roomy), roomy)
    assert found["space"] is VerdictKind.PASS and found["gain"] is VerdictKind.PASS
    volumes = (volume("C:\\", free_gib=30), volume("D:\\"), volume("E:\\"), volume("L:\\"))
    tight = old(scratch(size_bytes=40 * GIB), host=host(volumes=volumes))
    assert verdicts(night(tight), tight)["space"] is VerdictKind.BLOCK


@pytest.mark.parametrize(
    "differs",
    [{"inputs": ()}, {"inputs": (evolve(MINE, path="gx-pilot-20200101T000000Z"),)}],
)
def test_the_guards_know_a_figure_of_every_other_database(differs: dict[str, Any]) -> None:
    seen = old(scratch())
    found = verdicts(evolve(night(seen), **differs), seen)
    assert found["space"] is VerdictKind.UNKNOWN and found["gain"] is VerdictKind.UNKNOWN


def test_only_the_file_in_the_pilot_s_own_folder_is_its_own() -> None:
    body = night(old(scratch()))
    assert is_own_scratch(body, scratch())
    assert not is_own_scratch(body, evolve(scratch(), edb_path="D:\\DB05\\DB05.edb"))
    renamed = evolve(MINE, path="DB05")
    assert not is_own_scratch(
        evolve(body, inputs=(renamed,)),
        database(edb_path="D:\\DB05\\database\\DB05.edb"),
    )


def consents(seen: ActualServer, pilots: Pilots, *names: str) -> dict[Consent, str]:
    look = script(script=type(script().script).OFFLINE_DIAGNOSTIC_REPORT)
    look = evolve(look, verify=type(look.verify).OFFLINE)
    wanted = spec(
        script=look,
        conditions=conditions(white_space_max=None, verified_within_s=None,
                              online_full_backup_within_s=None, measured_within_s=3600),
    )  # fmt: skip
    body = make_draft(
        [wanted], inventory(), state(seen), now=NOW, pilots=pilots, scope=names
    )
    assert body.lanes, [each.explanation for each in body.decisions]
    found = {each.consent: each.finding for each in body.consents}
    hints = [each.id for each in body.diagnostics]
    assert ("cannot-be-asked" in hints) is (Consent.UNCONFIRMED_GENERATION not in found)
    return found


def test_what_a_pilot_could_not_try_keeps_the_consent() -> None:
    shared = {"log_folder": "L:\\SG", "log_prefix": "E00"}
    seen = old(database("DB05"), database("DB06", **shared), database("DB07", **shared))
    assert not isinstance(seen.host, Unknown)
    proved = Pilots(records=(record_of(versions_of(seen.host)),))
    assert Consent.UNCONFIRMED_GENERATION in consents(seen, Pilots(), "EX01/DB05")
    after = consents(seen, proved, "EX01/DB05")
    assert not {Consent.UNCONFIRMED_GENERATION, Consent.UNPROVEN_BUILD} & set(after)
    kept = consents(seen, proved, "EX01/DB06")
    assert "logs of DB06 are those of DB07 too" in kept[Consent.UNCONFIRMED_GENERATION]
    assert Consent.UNPROVEN_BUILD not in kept
