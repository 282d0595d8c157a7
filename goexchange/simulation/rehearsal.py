"""A plan played many times on its twin, with a fault or none each time; counts, never a
probability.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from attrs import evolve

from goexchange.errors import ExitCode
from goexchange.model.plan import Action, Plan
from goexchange.model.rehearsal import CALM, EVERY, Counts, Rehearsal
from goexchange.model.run import LaneState
from goexchange.simulation.faults import (
    NOT_DRAWN,
    OF_A_SECOND_CONTROLLER,
    FaultKind,
    fault_of,
)
from goexchange.simulation.night import Night
from goexchange.simulation.stories import Story, tell
from goexchange.simulation.trouble import TroubledPerformer
from goexchange.simulation.twin import start_of, twin_night
from goexchange.world.chance import number
from goexchange.world.world import World

KINDS = tuple(
    kind
    for kind in FaultKind
    if kind not in NOT_DRAWN | OF_A_SECOND_CONTROLLER
)
CALM_EVERY = 5  # every fifth scenario goes undisturbed
PERSON_NEEDED = (ExitCode.LEFT_OFFLINE, ExitCode.UNKNOWN, ExitCode.ROLLBACK_FAILED)


def rehearse(plan: Plan, seeds: Sequence[int]) -> Rehearsal:
    """Play the plan once for every seed."""
    total = Rehearsal()
    for seed in seeds:
        total = total.plus(_scenario(plan, seed))
    return total


def _scenario(plan: Plan, seed: int) -> Rehearsal:
    night = twin_night(plan, seed=seed, starts_at=start_of(plan))
    performer = night.performer
    assert isinstance(performer, TroubledPerformer)
    if seed % CALM_EVERY:
        kind = KINDS[number(seed, "rehearsed kind", below=len(KINDS))]
        performer.waiting = [fault_of(seed, plan, kind)]
        performer.arm()
    story = tell(night)
    names = sorted({one.kind.value for one in story.fired}) or [CALM]
    counts = counts_of(night, story)
    return Rehearsal(
        outages=outages_of(night),
        classes=dict.fromkeys((*names, EVERY), counts),
        ends=Counter(story.ends[-1:]),
        broken=((seed, story.text),) if story.violations else (),
    )


def counts_of(night: Night, story: Story) -> Counts:
    """What one scenario came to."""
    result = story.result
    states = {one.state for one in result.databases} if result is not None else set()
    state = night.checks.watch.state
    backs = (Action.MOUNT_ORIGINAL, Action.SWAP_BACK)
    is_back = any(
        step.id in state.took_effect
        for lane in night.plan.body.lanes
        for step in lane.steps
        if step.action in backs
    )
    counts = Counts(
        scenarios=1,
        left_down=int(LaneState.LEFT_OFFLINE in states),
        unprotected=int(LaneState.UNPROTECTED in states),
        window_missed=int(_misses_window(night)),
        way_back=int(is_back),
        person_needed=int(result is not None and result.exit_code in PERSON_NEEDED),
    )
    return evolve(counts, broken=int(bool(story.violations)))


def outages_of(night: Night) -> dict[str, tuple[float, ...]]:
    """How long each database was down by this run; outages that have not ended are not in it."""
    found: dict[str, list[float]] = {}
    for name, begun, ended in _outages(night):
        if ended is not None:
            found.setdefault(name, []).append(ended - begun)
    return {name: tuple(seconds) for name, seconds in found.items()}


def _misses_window(night: Night) -> bool:
    window = night.plan.body.window
    if window is None:
        return False
    closes = window.closes_at_utc.timestamp()
    return any(ended is None or ended > closes for _, _, ended in _outages(night))


def _outages(night: Night) -> Iterator[tuple[str, float, float | None]]:
    """(database, when it was dismounted by us, when it was in service again)."""
    world: World = night.performer.world
    down: dict[str, float] = {}
    for effect in world.effects:
        name = effect.database
        if name is None:
            continue
        if effect.kind == "dismount" and effect.by == night.performer.user:
            down[name] = effect.at.timestamp()
        elif effect.kind in ("mount", "mount-at-startup") and name in down:
            yield name, down.pop(name), effect.at.timestamp()
    for name, begun in down.items():
        yield name, begun, None
