"""A clustered server of Exchange 2007 or 2003 whose group moves to the other node, at every moment
of a run.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

import pytest
from attrs import evolve, frozen

from goexchange.documents import parse_documents
from goexchange.errors import ExitCode
from goexchange.guard.guard import passes
from goexchange.guard.registry import GUARDS
from goexchange.inventory.loading import load_inventory
from goexchange.model.actual import Generation
from goexchange.model.configuration import Inventory
from goexchange.model.desired import DesiredState
from goexchange.model.plan import Action, Direction, Need, Plan, RunsWhen
from goexchange.model.run import RecordKind
from goexchange.report.model import build_report
from goexchange.report.reading import text_at
from goexchange.simulation.faults import Fault, FaultKind, Place
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.stories import Story, tell, troubled
from goexchange.world.truth import true_database
from tests.counted import count
from tests.reliability import scenarios
from tests.reliability.scenarios import Scenario, site_of, specification, specification_texts
from tests.simulation.night.test_scripts import done, scenario_for

NODES = ("NODE1", "NODE2")
ROOT = "L:\\goexchange"
OLD = (Generation.EXCHANGE_2007, Generation.EXCHANGE_2003)
SAME_NODE = "same-node"
WAYS_BACK = (
    RunsWhen.AWAY_BEFORE_SWAP, RunsWhen.AWAY_AFTER_SWAP, RunsWhen.ORIGINAL_LOST,
    RunsWhen.MOUNT_TRIED,
)  # fmt: skip
JUDGE = GUARDS[SAME_NODE].judge


def documents_of(
    scenario: Scenario, *, root: str = ROOT, sets: str = "L:\\sets"
) -> tuple[Inventory, tuple[DesiredState, ...]]:
    """What an operator writes for a clustered server: all places on its shared disk."""
    text = scenarios._inventory_text(scenario).replace(scenarios.HOST_ROOT, root)
    found, wrong = load_inventory(parse_documents(text, file="inventory.yaml").documents)
    assert found is not None, wrong
    texts = (each.replace("E:\\sets", sets) for each in specification_texts(scenario))
    return found, tuple(map(specification, texts))


def clustered(
    need: str,
    generation: Generation,
    *,
    mounts_all: bool = False,
    failover_s: float = 25.0,
    **places: str,
) -> Night:
    """A night on a server of two nodes, the first of which owns it."""
    scenario = scenario_for(need, generation)
    site = site_of(scenario)
    server = evolve(
        site.servers[0], cluster_kind="Shared", nodes=NODES, mounts_all_after_move=mounts_all
    )
    inventory, specifications = documents_of(scenario, **places)
    times = evolve(site.times, failover=failover_s)
    site = evolve(site, servers=(server,), times=times)
    return make_night(site, specifications, inventory, at=scenario.at)


@pytest.mark.parametrize(
    ("need", "generation"),
    [
        ("rebuild", OLD[0]),
        ("inspect", OLD[1]),
        *(
            pytest.param(need, generation, marks=pytest.mark.long)
            for need, generation in (("defragment", OLD[0]), ("measure", OLD[0]),
                                     ("rebuild", OLD[1]), ("measure", OLD[1]))
        ),
    ],
)  # fmt: skip
def test_a_night_without_a_move_is_like_any_other(need: str, generation: Generation) -> None:
    night = clustered(need, generation)
    assert [each.need for each in night.plan.body.decisions] != [Need.NOT_POSSIBLE], (
        night.plan.body.decisions[0].explanation
    )
    assert night.run_to_end().exit_code == ExitCode.OK


@frozen(kw_only=True)
class Moment:
    """When the group moves: about which step, and after how many seconds."""

    step: str
    place: Place
    is_after: bool
    delay_s: float = 0.0

    @property
    def fault(self) -> Fault:
        return Fault(
            kind=FaultKind.NODE_MOVES, step=self.step, place=self.place, is_after=self.is_after,
            delay_s=self.delay_s,
        )  # fmt: skip


def moments(plan: Plan) -> Iterator[Moment]:
    """Every boundary of every step: before its intent, before and after its effect, in the middle
    of it, after its outcome.
    """
    for lane in plan.body.lanes:
        for step in lane.steps:
            yield Moment(step=step.id, place=Place.INTENT, is_after=False)
            yield Moment(step=step.id, place=Place.SEND, is_after=False)
            yield Moment(step=step.id, place=Place.SEND, is_after=True)
            yield Moment(step=step.id, place=Place.SEND, is_after=True, delay_s=3.0)
            yield Moment(step=step.id, place=Place.OUTCOME, is_after=True)


def assert_right(night: Night, story: Story) -> None:
    """Nobody has to come: in service with a sound file, everything of ours put back or closed, and
    nothing new was begun on a node that nobody had planned on.
    """
    assert story.is_good, story.text
    assert story.result is not None
    world = night.performer.world
    for one in story.result.databases:
        database = true_database(world, world.database_named(one.database))
        assert database.is_mounted and database.is_mount_at_startup
        assert database.present is not None and database.present.is_sound
    assert begun_elsewhere(night) == []


def begun_elsewhere(night: Night) -> list[str]:
    """Steps that do not bring mail back, sent though the look before saw another node, or none."""
    steps = {each.id: each for lane in night.plan.body.lanes for each in lane.steps}
    node: str | None = None
    found = []
    for record in night.performer.records:
        if record.kind is RecordKind.FACTS:
            node = text_at(record.data, "actual.host.name")
        elif record.kind is RecordKind.INTENT:
            step = steps[record.data["step"]]
            if SAME_NODE in step.guards and step.direction is not Direction.BACK:
                found += [step.id] if node != NODES[0] else []
    return found


def moving(action: Action, place: Place, *, is_after: bool, delay_s: float = 0.0) -> Moment:
    return Moment(step=action.value, place=place, is_after=is_after, delay_s=delay_s)


CHOSEN = (
    moving(Action.OPEN_RECOVERY_RECORD, Place.SEND, is_after=False),
    moving(Action.LAST_LOOK, Place.OUTCOME, is_after=True),
    moving(Action.DISMOUNT, Place.SEND, is_after=True),
    moving(Action.COPY_SET, Place.SEND, is_after=False),
    moving(Action.REBUILD, Place.SEND, is_after=True, delay_s=3.0),
    moving(Action.SWAP, Place.SEND, is_after=False),
)


@pytest.mark.parametrize(
    "generation", [OLD[0], pytest.param(OLD[1], marks=pytest.mark.long)], ids=["2007", "2003"]
)
@pytest.mark.parametrize("moment", CHOSEN, ids=lambda one: f"{one.step}-{one.place.value}")
def test_a_move_before_the_swap_ends_with_the_original_on_the_next_node(
    moment: Moment, generation: Generation
) -> None:
    calm = clustered("rebuild", generation)
    (step,) = [s.id for s in calm.plan.body.lanes[0].steps if s.action.value == moment.step]
    night = troubled(
        calm.plan, calm.performer.world, calm.performer, (evolve(moment, step=step).fault,)
    )
    story = tell(night)
    assert_right(night, story)
    assert story.result is not None and story.result.exit_code == ExitCode.STOPPED
    assert night.performer.world.hosts["EX01"].node == NODES[1]
    assert Action.SWAP not in done(night)
    report = build_report(night.plan, night.performer.records)
    assert any(each.kind == "moved" and "NODE2" in each.text for each in report.deviations)


@pytest.mark.parametrize("generation", OLD)
def test_a_move_after_the_swap_goes_forward_and_is_told(generation: Generation) -> None:
    calm = clustered("rebuild", generation)
    (swap,) = [s.id for s in calm.plan.body.lanes[0].steps if s.action is Action.SWAP]
    moment = Moment(step=swap, place=Place.OUTCOME, is_after=True)
    night = troubled(calm.plan, calm.performer.world, calm.performer, (moment.fault,))
    story = tell(night)
    assert_right(night, story)
    assert story.result is not None and story.result.exit_code == ExitCode.OK
    assert {Action.MOUNT, Action.PROVE_BACKUP} <= done(night)
    report = build_report(night.plan, night.performer.records)
    assert any(each.kind == "moved" for each in report.deviations)


@pytest.mark.parametrize("action", [Action.OPEN_RECOVERY_RECORD, Action.REBUILD])
def test_a_controller_that_dies_while_the_group_moves_begins_nothing_on_the_next_node(
    action: Action,
) -> None:
    calm = clustered("rebuild", OLD[0])
    (step,) = [s.id for s in calm.plan.body.lanes[0].steps if s.action is action]
    kinds = (FaultKind.NODE_MOVES, FaultKind.KILL)
    faults = (
        Fault(kind=kind, step=step, place=Place.INTENT, is_after=True) for kind in kinds
    )
    night = troubled(calm.plan, calm.performer.world, calm.performer, tuple(faults))
    story = tell(night)
    assert story.controllers == 2
    assert_right(night, story)
    world = night.performer.world
    assert not [each for each in world.effects if each.kind == "rebuild"]


def quick_move() -> Night:
    """A move before the swap that no connection notices: it is over before the next call."""
    calm = clustered("rebuild", OLD[0], failover_s=0.1)
    (seal,) = [s.id for s in calm.plan.body.lanes[0].steps if s.action is Action.SEAL_SET]
    moment = Moment(step=seal, place=Place.OUTCOME, is_after=True)
    night = troubled(calm.plan, calm.performer.world, calm.performer, (moment.fault,))
    assert_right(night, tell(night))
    assert night.performer.world.hosts["EX01"].node == NODES[1]
    return night


def test_a_move_that_no_connection_notices_is_seen_before_the_swap() -> None:
    assert Action.SWAP not in done(quick_move())


def test_without_the_guard_the_files_would_be_swapped_on_the_other_node() -> None:
    object.__setattr__(GUARDS[SAME_NODE], "judge", lambda question: passes("not looked at"))
    try:
        with pytest.raises(AssertionError, match="19-swap"):
            quick_move()
    finally:
        object.__setattr__(GUARDS[SAME_NODE], "judge", JUDGE)


def test_an_online_backup_on_a_moved_server_is_neither_begun_nor_begun_again() -> None:
    """Its folder may be the node's own: the next node knows nothing of the job."""
    calm = clustered("backup", OLD[0], root=scenarios.HOST_ROOT)
    steps = {s.action: s.id for s in calm.plan.body.lanes[0].steps}
    for place in (Place.INTENT, Place.SEND):
        fork = calm.fork()
        faults = tuple(
            Fault(kind=kind, step=steps[Action.ONLINE_BACKUP], place=place, is_after=True)
            for kind in (FaultKind.NODE_MOVES, FaultKind.KILL)
        )
        night = troubled(fork.plan, fork.performer.world, fork.performer, faults)
        story = tell(night)
        assert story.result is not None and story.result.exit_code != ExitCode.OK
        assert_right(night, story)
        begun = [
            each for each in night.performer.world.effects
            if each.kind == "job-started" and each.detail.startswith(night.run)
        ]  # fmt: skip
        assert len(begun) <= 1


BREAKS = {  # what else goes wrong, so that each way back is gone
    "nothing": (),
    "the rebuild fails": (FaultKind.ESEUTIL_ERROR, 0),
    "the new file does not mount": (FaultKind.MOUNT_FAILS, 0),
}


def also(breaks: str, plan: Plan) -> tuple[Fault, ...]:
    if not BREAKS[breaks]:
        return ()
    kind, number = BREAKS[breaks]
    (step,) = [s.id for s in plan.body.lanes[0].steps if s.action is Action.REBUILD]
    return (Fault(kind=kind, step=step, place=Place.SEND, number=number),)


@pytest.mark.long
@pytest.mark.parametrize(
    ("generation", "failover_s", "breaks"),
    [
        (OLD[0], 0.1, "nothing"),
        (OLD[1], 25.0, "nothing"),
        (OLD[0], 25.0, "the rebuild fails"),
        (OLD[1], 0.1, "the new file does not mount"),
    ],
)
def test_the_group_moves_at_every_boundary_of_a_rebuild(
    generation: Generation, failover_s: float, breaks: str
) -> None:
    calm = clustered("rebuild", generation, failover_s=failover_s)
    ends: Counter[str] = Counter()
    reached: set[str] = set()
    steps = {each.id: each for each in calm.plan.body.lanes[0].steps}
    for moment in moments(calm.plan):
        is_way_back = steps[moment.step].runs_when in WAYS_BACK
        if is_way_back is not bool(BREAKS[breaks]):
            continue  # the others have a night of their own
        fork = calm.fork()
        faults = (moment.fault, *also(breaks, calm.plan))
        night = troubled(fork.plan, fork.performer.world, fork.performer, faults)
        story = tell(night)
        if FaultKind.NODE_MOVES not in {each.kind for each in story.fired}:
            ends["not reached"] += 1
            continue
        assert_right(night, story)
        assert story.ends[-1] in (ExitCode.OK, ExitCode.STOPPED, ExitCode.UNPROTECTED), story.ends
        ends[ExitCode(story.ends[-1]).name] += 1
        reached.add(moment.step)
    moved = ends.total() - ends["not reached"]
    count(moved)
    said = f"{generation.value}, {breaks}: {moved} moves at {len(reached)} steps, {dict(ends)}"
    sys.stdout.write(f"{said}\n")
    left = {each.id for each in steps.values()
            if (each.runs_when in WAYS_BACK) is bool(BREAKS[breaks])} - reached  # fmt: skip
    sys.stdout.write(f"not reached: {sorted(left)}\n")
    if not BREAKS[breaks]:
        assert not left


@pytest.mark.long
@pytest.mark.parametrize("generation", OLD)
def test_a_controller_dies_at_every_step_while_the_group_moves(generation: Generation) -> None:
    calm = clustered("rebuild", generation)
    ends: Counter[str] = Counter()
    for step in calm.plan.body.lanes[0].steps:
        for place in (Place.INTENT, Place.OUTCOME):
            fork = calm.fork()
            faults = tuple(
                Fault(kind=kind, step=step.id, place=place, is_after=True)
                for kind in (FaultKind.NODE_MOVES, FaultKind.KILL)
            )
            night = troubled(fork.plan, fork.performer.world, fork.performer, faults)
            story = tell(night)
            if not story.fired:
                ends["not reached"] += 1
                continue
            assert_right(night, story)
            ends[ExitCode(story.ends[-1]).name] += 1
    count(ends.total() - ends["not reached"])
    sys.stdout.write(f"{generation.value}: {dict(ends)}\n")
    assert ends["OK"] + ends["STOPPED"] + ends["UNPROTECTED"] > 40
