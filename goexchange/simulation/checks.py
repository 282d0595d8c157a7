"""Invariants on the world's true state, looked at after every event; those on the journal are the
driver's own.

I1 at the end: nothing is silently down. I2 a swap only with a good set of that very file. I5
nothing takes effect twice.
I6 every effect has an intent before it. I17 no older file in place after the first mount of a new
one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from attrs import define, field

from goexchange.driver.calls import job_id
from goexchange.driver.invariants import Violation, Watch
from goexchange.ese.structures import Signature
from goexchange.model.plan import Action, Plan
from goexchange.model.run import LaneState, Record, RecordKind, RunResult
from goexchange.world.truth import silently_down, true_database
from goexchange.world.world import Effect, World

ONCE = frozenset({"dismount", "mount", "swap", "swap-back", "job-started", "repair-request"})
_MOVES_FILES = frozenset({"mount", "swap", "swap-back"})
_EXPLAINED_BY = {
    "dismount": (Action.DISMOUNT,),
    "mount": (Action.MOUNT, Action.MOUNT_ORIGINAL),
    "swap": (Action.SWAP,),
    "swap-back": (Action.SWAP_BACK,),
    "set-sealed": (Action.SEAL_SET,),
    "set-mount-at-startup": (Action.SET_MOUNT_AT_STARTUP, Action.RESTORE_MOUNT_AT_STARTUP),
    "repair-request": (Action.REPAIR_REQUEST,),
}


@define(kw_only=True)
class Checks:
    """Follows one night, from its start, over all its controllers."""

    plan: Plan
    run: str
    first: dict[str, Signature] = field(factory=dict)
    was_new_mounted: set[str] = field(factory=set)
    seen_effects: int = 0
    seen_records: int = 0
    watch: Watch = field(init=False)
    explained: set[tuple[Action, str]] = field(factory=set)
    jobs: set[str] = field(factory=set)
    counts: Counter[tuple[str, str, str]] = field(factory=Counter)

    def __attrs_post_init__(self) -> None:
        self.watch = Watch(self.plan)

    def after_event(self, world: World, records: list[Record]) -> tuple[Violation, ...]:
        """What is broken now that was not before."""
        broken = list(self._of_journal(records))
        fresh = world.effects[self.seen_effects :]
        self.seen_effects = len(world.effects)
        broken += self._of_effects(fresh)
        if not self.first or any(effect.kind in _MOVES_FILES for effect in fresh):
            broken += self._of_files(world, fresh)
        return tuple(broken)

    def at_end(self, world: World, result: RunResult) -> tuple[Violation, ...]:
        """I1, when the run has ended."""
        offline = tuple(
            one.database for one in result.databases if one.state is LaneState.LEFT_OFFLINE
        )
        return tuple(
            Violation(invariant="I1", step=name, why="it is down, and nothing says so")
            for name in silently_down(world, known_offline=offline)
        )

    def _of_journal(self, records: list[Record]) -> Iterator[Violation]:
        for record in records[self.seen_records :]:
            yield from self.watch.violations(record.kind, record.data)
            self.watch.take(record)
            if record.kind is RecordKind.INTENT:
                self._note_intent(record)
        self.seen_records = len(records)

    def _note_intent(self, record: Record) -> None:
        for lane in self.plan.body.lanes:
            for step in lane.steps:
                if step.id == record.data["step"]:
                    self.explained.add((step.action, step.database or ""))
                    self.jobs.add(job_id(self.run, step, record.data["attempt"]))

    def _of_effects(self, fresh: Iterable[Effect]) -> Iterator[Violation]:
        for effect in fresh:
            name = effect.database or effect.detail
            key = (effect.kind, name, effect.detail)
            self.counts[key] += 1
            if effect.kind in ONCE and self.counts[key] > 1:
                yield Violation(invariant="I5", step=name, why=f"{effect.kind} took effect again")
            if not self._is_explained(effect):
                yield Violation(
                    invariant="I6", step=name, why=f"{effect.kind} has no intent before it"
                )

    def _is_explained(self, effect: Effect) -> bool:
        if effect.kind == "job-started":
            return effect.detail in self.jobs
        if effect.kind not in _EXPLAINED_BY:
            return True
        return any(action in _EXPLAINED_BY[effect.kind] for action, _ in self.explained)

    def _of_files(self, world: World, fresh: Iterable[Effect]) -> Iterator[Violation]:
        kinds = {effect.kind for effect in fresh}
        for database in world.databases.values():
            truth = true_database(world, database)
            if truth.present is None:
                continue
            now = truth.present.signature
            original = self.first.setdefault(database.name, now)
            if "swap" in kinds and now != original and not truth.has_set_of(original):
                yield Violation(
                    invariant="I2",
                    step=database.name,
                    why="swapped without a good set of the original",
                )
            if truth.is_mounted and now != original:
                self.was_new_mounted.add(database.name)
            if database.name in self.was_new_mounted and now == original:
                yield Violation(
                    invariant="I17", step=database.name, why="the older file is back in place"
                )
