"""What a run leaves for later ones to read: its record, its measurements, what it remembers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from goexchange.codec import from_plain
from goexchange.driver.looking import kept_looks
from goexchange.driver.measurements import measurements
from goexchange.driver.records import database_record, manifest_of
from goexchange.driver.remembering import remembered, signature_of
from goexchange.driver.undoing import kept_original
from goexchange.journal.replay import RunState, replay
from goexchange.model.actual import (
    ActualHost,
    ActualServer,
    ActualState,
    DatabaseRecord,
    Look,
    LookKind,
)
from goexchange.model.left import FileSeen
from goexchange.model.plan import Action, Decision, Need, Plan
from goexchange.model.run import LaneState
from goexchange.model.unknown import Unknown
from tests.driver.alone import step_in
from tests.driver.plans import (
    DATABASE,
    GUID,
    NOW,
    ORIGINAL,
    SERVER,
    plan_of,
    rebuild_lane,
    verify_lane,
)
from tests.driver.twin import Twin, drive, machine_of, slots_of

PLAN = plan_of(rebuild_lane())
LANE = PLAN.body.lanes[0]
NOT_ASKED = Unknown("not asked")


def night(plan: Plan = PLAN, **of: Any) -> tuple[RunState, Twin]:
    twin = Twin(**of)
    drive(machine_of(plan, twin), twin)
    return replay(twin.journal), twin


STATE, _ = night()


def with_facts(*servers: ActualServer) -> Plan:
    facts = ActualState(observed_at_utc=NOW, servers=servers)
    return evolve(PLAN, body=evolve(PLAN.body, facts=facts))


def decided(white_space: int | None) -> Plan:
    mine = Decision(
        address=f"{SERVER}/{DATABASE}",
        server=SERVER,
        database=DATABASE,
        need=Need.REBUILD,
        reasons=(),
        explanation="",
        instead=None,
        size_bytes=4_000_000,
        white_space_bytes=white_space,
        file_since_utc=None,
        outage_s=None,
        outage_p90_s=None,
        specification="weekly",
        origin=None,
    )
    other = evolve(mine, database="DB06", white_space_bytes=1)
    return evolve(PLAN, body=evolve(PLAN.body, decisions=(other, mine)))


@pytest.mark.parametrize(
    ("white_space", "is_met"), [(2_000_000, True), (4_000_001, False), (None, None)]
)
def test_the_goal_of_a_rebuild_is_half_of_what_was_hoped_for(
    white_space: int | None, is_met: bool | None
) -> None:
    record = database_record(decided(white_space), LANE, STATE)
    assert (record["rebuild_gain_bytes"], record["rebuild_goal_met"]) == (2_000_000, is_met)


def test_another_databases_record_is_not_this_ones() -> None:
    """What this run did not do stays as the earlier record of the same database left it."""
    server = Twin().observe()
    assert isinstance(server.host, ActualHost)
    earlier = {**database_record(PLAN, LANE, STATE), "signature": "earlier"}
    mine = from_plain(DatabaseRecord, earlier)
    theirs = evolve(mine, database_guid="22222222", signature="theirs")
    host = evolve(server.host, records=(theirs, mine))
    plan = with_facts(evolve(server, name="EX09"), evolve(server, host=host))
    nothing_done = RunState(run="r2")
    assert database_record(plan, LANE, nothing_done)["signature"] == "earlier"
    alone = with_facts(evolve(server, host=evolve(host, records=(theirs,))))
    assert database_record(alone, LANE, nothing_done)["signature"] is None


def test_a_manifest_without_the_copy_it_tells_of_is_none() -> None:
    copy = step_in(LANE, Action.COPY_SET).id
    steps = {name: one for name, one in STATE.steps.items() if name != copy}
    with pytest.raises(ValueError, match="copy-set has not taken effect"):
        manifest_of(PLAN, LANE, evolve(STATE, steps=steps))


def test_measurements_name_the_folder_that_the_facts_tell() -> None:
    server = Twin(others=("DB06",)).observe()
    assert isinstance(server.databases, tuple)
    moved = tuple(
        evolve(each, edb_path="X:\\elsewhere\\DB06.edb") if each.guid != GUID else each
        for each in reversed(server.databases)
    )

    def folders(*servers: ActualServer) -> set[str]:
        return {each.folder for each in measurements(with_facts(*servers), STATE)}

    assert folders(evolve(server, name="EX09"), evolve(server, databases=moved)) == {"D:\\DB05"}
    assert folders(evolve(server, databases=NOT_ASKED)) == {""}
    assert folders(evolve(server, databases=moved[:1])) == {""}


def test_an_older_look_does_not_take_the_place_of_a_newer_one() -> None:
    newer = Look(kind=LookKind.PAGES, at_utc=NOW, errors=0)
    older = evolve(newer, at_utc=NOW - timedelta(days=1), errors=3)
    assert kept_looks([newer], [older], is_new_file=False) == (newer,)
    assert kept_looks([older], [newer], is_new_file=False) == (newer,)


def test_a_run_remembers_nothing_of_a_database_that_is_not_its() -> None:
    assert remembered(PLAN, STATE, "22222222-0000-0000-0000-000000000000") is None
    mine = remembered(PLAN, STATE, GUID.upper())
    assert mine is not None and mine.was_mounted and mine.is_proved


def test_a_lane_that_moves_no_logs_has_none_of_a_tried_mount() -> None:
    bare = evolve(
        LANE, steps=tuple(each for each in LANE.steps if each.action is not Action.MOVE_LOGS_ASIDE)
    )
    found = remembered(evolve(PLAN, body=evolve(PLAN.body, lanes=(bare,))), STATE, GUID)
    assert found is not None and found.tried_logs is None
    whole = remembered(PLAN, STATE, GUID)
    assert whole is not None and whole.tried_logs is not None


def test_only_a_rebuilt_file_that_was_mounted_can_be_rolled_back() -> None:
    kept = kept_original(PLAN, LANE, STATE)
    assert kept is not None and kept.mount_at_startup
    unmounted, _ = night(unmountable={"new"})
    assert kept_original(PLAN, LANE, unmounted) is None
    plan = plan_of(verify_lane())
    looked, _ = night(plan)
    assert looked.lane(plan.body.lanes[0].id).state is LaneState.DONE
    assert kept_original(plan, plan.body.lanes[0], looked) is None


@pytest.mark.parametrize("action", [Action.SWAP_BACK, Action.READ_HEADER])
def test_a_lane_that_lost_a_step_cannot_be_rolled_back(action: Action) -> None:
    bare = evolve(LANE, steps=tuple(each for each in LANE.steps if each.action is not action))
    assert kept_original(PLAN, bare, STATE) is None


def test_a_mount_whose_end_nobody_wrote_down_cannot_be_rolled_back() -> None:
    mount = step_in(LANE, Action.MOUNT).id
    steps = {**STATE.steps, mount: evolve(STATE.step(mount), ended_at_utc=None)}
    assert kept_original(PLAN, LANE, evolve(STATE, steps=steps)) is None


@pytest.mark.parametrize("start", [None, b"", b"\x00" * 7, b"\x00" * 200])
def test_what_is_no_header_has_no_signature(start: bytes | None) -> None:
    """A file that a full disk cut short is no reason to leave a database down."""
    file = FileSeen(
        path=ORIGINAL, size_bytes=1, modified_at_utc=NOW, is_open=False, header_sha256=None,
        start=start,
    )  # fmt: skip
    assert signature_of(file) is None
    assert signature_of(evolve(file, start=slots_of("old"))) == Twin.signature_of("old")
