"""Bugs put in on purpose, one at a time: each must be noticed, and it is said after how many seeds.

A mutant that nobody notices is a defect of the checks. Each is looked for in nights with the kinds
of faults in which it does harm, over seeds from 0 on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest import mock

from attrs import evolve, frozen

from goexchange.driver import (
    binding,
    conversation,
    doubt,
    ending,
    jobs,
    lane_of_server,
    lanes,
    machine,
    steps,
    turning,
)
from goexchange.driver.guards import Guards, PackagedGuards
from goexchange.driver.judgement import Judgement, done
from goexchange.model.actual import Generation
from goexchange.model.plan import Action, Step, VerdictKind
from goexchange.model.run import OutcomeKind, RecordKind
from goexchange.simulation.faults import Fault, FaultKind, fault_of
from goexchange.simulation.night import Night
from goexchange.simulation.stories import Story, tell, troubled
from goexchange.world import scripts_records
from tests.reliability.members import Down
from tests.reliability.scenarios import LATE, Scenario, night_of, simple

Patch = Callable[[], Any]
SEEDS_MAX = 400


@frozen(kw_only=True)
class Mutant:
    """One bug: how it is put in, and in which nights it is looked for.

    Shape: `kinds` are laid out together, one fault of each; `around` are actions near whose steps
    they happen (any step when empty); `change` alters the scenario.
    """

    name: str
    patch: Patch
    kinds: tuple[FaultKind, ...] = ()
    around: tuple[Action, ...] = ()
    change: Callable[[Scenario], Scenario] = lambda scenario: scenario
    guards: Guards | None = None


@frozen(kw_only=True)
class Noticed:
    """By which invariant, after how many seeds; `by` is empty when nobody noticed."""

    mutant: str
    by: str
    seeds: int


def hunt(mutant: Mutant, *, seeds_max: int = SEEDS_MAX) -> Noticed:
    """Play nights with the bug in until an invariant breaks, or a quiet night ends badly."""
    for seed in range(seeds_max):
        by = _noticed(mutant, seed)
        if by:
            return Noticed(mutant=mutant.name, by=by, seeds=seed + 1)
    return Noticed(mutant=mutant.name, by="", seeds=seeds_max)


def _noticed(mutant: Mutant, seed: int) -> str:
    scenario = mutant.change(evolve(simple(seed), failures_max=1))
    calm = night_of(scenario)
    faults = tuple(_fault(mutant, calm, seed, at) for at in range(len(mutant.kinds)))
    night = troubled(calm.plan, calm.performer.world, calm.performer, faults)
    try:
        with mutant.patch():
            story = tell(night, guards=mutant.guards)
    except (AssertionError, LookupError, ValueError, TypeError) as error:
        return f"an error: {type(error).__name__}"
    return story.broken() or _ends_badly(story)


def _ends_badly(story: Story) -> str:
    """A night in which nothing went wrong has to end well."""
    is_quiet = not story.fired and story.result is not None
    return "a quiet night that ends badly" if is_quiet and story.ends != (0,) else ""


def _fault(mutant: Mutant, calm: Night, seed: int, at: int) -> Fault:
    fault = fault_of(seed * 7 + at, calm.plan, mutant.kinds[at])
    around = [
        step.id
        for lane in calm.plan.body.lanes
        for step in lane.steps
        if step.action in mutant.around
    ]
    if not around:
        return fault
    return evolve(fault, step=around[(seed + at) % len(around)], nth=1)


class AlwaysPasses(PackagedGuards):
    """The package's guards, one of which never finds anything."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def at_start(self, *given: Any) -> Any:
        return tuple(map(self._blind, super().at_start(*given)))

    def before_step(self, *given: Any) -> Any:
        return tuple(map(self._blind, super().before_step(*given)))

    def _blind(self, verdict: Any) -> Any:
        return evolve(verdict, kind=VerdictKind.PASS) if verdict.guard in self.names else verdict


def _replaced(target: Any, name: str, value: Any) -> Patch:
    return lambda: mock.patch.object(target, name, value)


@contextmanager
def _all(*patches: Any) -> Iterator[None]:
    with patches[0], (_all(*patches[1:]) if len(patches) > 1 else nullcontext()):
        yield


def _late_intents() -> Any:
    """Intents wait for the next record: what is sent is not yet in the journal."""
    append = conversation.Conversation.append
    held: list[Any] = []

    def later(self: Any, *drafts: Any) -> Any:
        if drafts and all(draft.kind is RecordKind.INTENT for draft in drafts):
            held.extend(drafts)
            return
        waiting, held[:] = tuple(held), []
        if waiting:
            yield from append(self, *waiting)
        yield from append(self, *drafts)

    return mock.patch.object(conversation.Conversation, "append", later)


def _without(*actions: Action, outcome: OutcomeKind = OutcomeKind.DONE) -> Any:
    """Steps that are believed done, or failed, without having been sent."""
    perform = steps.perform

    def skipping(talk: Any, lane: Any, step: Step) -> Any:
        has_begun = outcome is OutcomeKind.DONE and talk.state.step(step.id).attempts
        if step.action not in actions or has_begun:
            yield from perform(talk, lane, step)
            return
        attempt = talk.state.step(step.id).attempts + 1
        intent = steps._intent(lane, step, attempt, step.call)
        judged = Judgement(outcome=outcome, result={})
        yield from talk.append(intent)
        yield from talk.append(steps._outcome(talk, step, judged))

    return mock.patch.object(machine, "perform", skipping)


def _judged_done(*actions: Action) -> Any:
    """Jobs of these steps are good whatever the tool said."""
    judge = jobs.judge_job

    def lenient(subject: Any, end: Any) -> Judgement:
        judged = judge(subject, end)
        if subject.step.action not in actions or judged.is_done:
            return judged
        return done({"exit_code": end.exit_code, **end.result})

    return mock.patch.object(jobs, "judge_job", lenient)


def _two_jobs() -> Any:
    """A job in doubt is not attached to: another is started."""

    def again(talk: Any, lane: Any, step: Step) -> Any:
        return (yield from steps._first(talk, lane, step, talk.state.step(step.id).attempts + 1))

    return mock.patch.object(steps, "_resume", again)


def _rules_for_the_way_back() -> Any:
    """The overrun deadline holds for what brings mail back, too."""

    def strict(talk: Any, lane: Any, step: Step) -> str | None:
        deadline = turning.overrun_deadline(talk)
        late = deadline is not None and talk.now >= deadline
        is_asked = talk.has_asked(turning.Request.ABORT)
        return "overrun: too late" if late else "abort: asked" if is_asked else None

    return mock.patch.object(steps, "turn_back_reason", strict)


def _back_after_the_mount() -> Any:
    """The way back is open after the first mount of a new file."""
    runs = dict(lanes.RUNS_WHEN)
    runs[lanes.RunsWhen.AWAY_AFTER_SWAP] = lambda facts: facts.is_swapped and facts.has_failed
    return mock.patch.object(lanes, "RUNS_WHEN", runs)


def _blind_repeats() -> Any:
    """What was lost is sent again without a look."""

    def blind(talk: Any, lane: Any, step: Step, *, cause: str) -> Any:
        return None
        yield

    return mock.patch.object(steps, "_by_looking", blind)


def _facts_with(**changes: Any) -> Any:
    facts_of = lanes.facts_of

    def wrong(lane: Any, state: Any) -> Any:
        return evolve(facts_of(lane, state), **changes)

    return mock.patch.object(ending, "facts_of", wrong)


def _no_fence(world: Any, *given: Any) -> None:
    return None


def _late(scenario: Scenario) -> Scenario:
    return evolve(scenario, at=LATE.replace(minute=55, second=15))


def _with_passes(scenario: Scenario) -> Scenario:
    return evolve(scenario, has_passes=True)


def _of_three(need: str) -> Callable[[Scenario], Scenario]:
    """A database with copies on three members, of which that is wanted."""
    needs = ((need,), ("outside",), ("outside",))
    return lambda scenario: evolve(scenario, servers=3, needs=needs, has_group=True)


def _taken_down(*commands: str) -> Callable[[Scenario], Scenario]:
    """Three members, of which these are taken down for their commands, one after the other."""
    return lambda scenario: evolve(
        scenario, servers=3, needs=(("moved",),) * 3, has_group=True,
        generations=(Generation.EXCHANGE_2019,), down=Down(commands=(*commands, "", "", "")[:3]),
    )  # fmt: skip


def _of_2003(scenario: Scenario) -> Scenario:
    return evolve(scenario, generations=(Generation.EXCHANGE_2003,), has_agent=True)


SET_STEPS = (Action.VERIFY_SET_ON_HOST, Action.HASH_SET)
_MANY = (FaultKind.KILL, FaultKind.LOST_ANSWER)
MUTANTS: Sequence[Mutant] = (
    Mutant(name="the intent comes after the act", patch=_late_intents),
    Mutant(
        name="a probe always says done, and nobody looks twice",
        kinds=(FaultKind.LOST_REQUEST,),
        patch=lambda: _all(
            mock.patch.object(doubt, "meaning_of", lambda probe, result: doubt.Meaning.DONE),
            _without(Action.CONFIRM_MOUNTED),
        ),
        around=(Action.MOUNT,),
    ),
    Mutant(
        name="a probe always says not done", kinds=_MANY,
        patch=_replaced(doubt, "meaning_of", lambda probe, result: doubt.Meaning.NOT_DONE),
        around=(Action.MOUNT, Action.DISMOUNT, Action.SWAP, Action.REPAIR_REQUEST),
    ),
    Mutant(
        name="what was lost is sent again without a look", kinds=(FaultKind.LOST_ANSWER,),
        patch=_blind_repeats, around=(Action.REPAIR_REQUEST,), change=_with_passes,
    ),
    Mutant(
        name="a lost request is never waited for", kinds=(FaultKind.LATE_REQUEST,),
        patch=_replaced(steps, "settled_after_loss", lambda talk, step: talk.now),
        around=(Action.REPAIR_REQUEST,), change=_with_passes,
    ),
    Mutant(
        name="a job in doubt is started anew", kinds=(FaultKind.KILL,), patch=_two_jobs,
        around=(Action.REBUILD, Action.COPY_SET, Action.DETECT_ERRORS),
    ),
    Mutant(
        name="the host takes every fencing number", kinds=(FaultKind.SECOND_CONTROLLER,),
        patch=_replaced(scripts_records, "check_fence", _no_fence),
        around=(Action.OPEN_RECOVERY_RECORD, Action.PLACE_SENTINEL),
    ),
    Mutant(
        name="the set is never verified", kinds=(FaultKind.FLIPPED_BIT,),
        patch=lambda: _judged_done(*SET_STEPS), guards=AlwaysPasses("verified-set"),
    ),
    Mutant(
        name="the rebuilt file is never checked", kinds=(FaultKind.REBUILT_DAMAGED,),
        patch=lambda: _judged_done(Action.DETECT_ERRORS_TEMPORARY),
        around=(Action.READ_TEMPORARY_HEADER,),
    ),
    Mutant(
        name="mounted is believed after one look", kinds=(FaultKind.STORE_CRASH,),
        patch=lambda: _without(Action.CONFIRM_MOUNTED), around=(Action.MOUNT,),
        change=lambda scenario: evolve(scenario, needs=(("verify",),)),
    ),
    Mutant(
        name="no sentinel is placed", patch=lambda: _without(Action.PLACE_SENTINEL),
    ),
    Mutant(
        name="no recovery record is opened",
        patch=lambda: _without(Action.OPEN_RECOVERY_RECORD),
    ),
    Mutant(
        name="mount at startup is not put back",
        patch=lambda: _without(Action.RESTORE_MOUNT_AT_STARTUP),
    ),
    Mutant(
        name="the sentinel is not removed", patch=lambda: _without(Action.REMOVE_SENTINEL),
    ),
    Mutant(
        name="an older file comes back after the first mount", kinds=(FaultKind.BACKUP_FAILS,),
        patch=_back_after_the_mount,
    ),
    Mutant(
        name="the way back obeys abort and deadline", kinds=(FaultKind.REQUEST_ABORT,),
        patch=_rules_for_the_way_back, around=(Action.COPY_SET, Action.REBUILD, Action.SWAP),
    ),
    Mutant(
        name="a database left down is not named", kinds=(FaultKind.MOUNT_FAILS,) * 3,
        patch=lambda: _facts_with(is_away=False),
    ),
    Mutant(
        name="an unproved backup counts", kinds=(FaultKind.BACKUP_FAILS,),
        patch=lambda: _all(
            mock.patch.object(ending, "is_proved", lambda lane, state: True),
            mock.patch.object(lanes, "has_failed", lambda step, record: False),
            mock.patch.object(ending, "has_failed", lambda step, record: False),
        ),
    ),
    Mutant(
        name="guard window passes always", patch=nullcontext, guards=AlwaysPasses("window"),
        change=_late,
    ),
    Mutant(
        name="guard no-backup-running passes always", kinds=(FaultKind.FOREIGN_BACKUP,),
        patch=nullcontext, guards=AlwaysPasses("no-backup-running"),
        around=(Action.OPEN_RECOVERY_RECORD,),
    ),
    Mutant(
        name="guard no-other-maintenance passes always", kinds=(FaultKind.FOREIGN_MOVE,),
        patch=nullcontext, guards=AlwaysPasses("no-other-maintenance"),
        around=(Action.OPEN_RECOVERY_RECORD,),
    ),
    Mutant(
        name="guard copies-well passes always", kinds=(FaultKind.COPY_FAILS,),
        patch=nullcontext, guards=AlwaysPasses("copies-well"),
        around=(Action.OPEN_RECOVERY_RECORD,), change=_of_three("look"),
    ),
    Mutant(
        name="guard copies-held passes always", kinds=(FaultKind.OPERATOR_RESUMES,),
        patch=nullcontext, guards=AlwaysPasses("copies-held"),
        around=(Action.NOTIFY, Action.SET_MOUNT_AT_STARTUP), change=_of_three("reseed"),
    ),
    Mutant(
        name="copies that are left suspended are not named", kinds=(FaultKind.SEED_FAILS,),
        patch=_replaced(ending, "not_redundant", lambda lane, state: ""),
        change=_of_three("reseed"),
    ),
    Mutant(
        name="guard members-well passes always", kinds=(FaultKind.COPY_FAILS,),
        patch=nullcontext, guards=AlwaysPasses("members-well"),
        around=(Action.PLACE_SENTINEL, Action.REDIRECT_MESSAGES), change=_taken_down("firmware"),
    ),
    Mutant(
        name="guard nothing-active passes always", kinds=(FaultKind.ACTIVE_MOVES,),
        patch=nullcontext, guards=AlwaysPasses("nothing-active", "members-well"),
        around=(Action.MOVE_ACTIVE,), change=_taken_down("firmware"),
    ),
    Mutant(
        name="guard mode-as-planned passes always", kinds=(FaultKind.MEMBER_GOES,),
        patch=nullcontext, guards=AlwaysPasses("mode-as-planned", "members-well"),
        around=(Action.PAUSE_NODE, Action.TAKE_SERVER_DOWN),
        change=_taken_down("firmware", "firmware"),
    ),
    Mutant(
        name="components are not given back",
        patch=lambda: _without(Action.RESTORE_COMPONENT), change=_taken_down("firmware"),
    ),
    Mutant(
        name="the activation policy is not given back",
        patch=lambda: _without(Action.RESTORE_ACTIVATION), change=_taken_down("firmware"),
    ),
    Mutant(
        name="the node is not given back",
        patch=lambda: _without(Action.RESUME_NODE), change=_taken_down("firmware"),
    ),
    Mutant(
        name="active copies do not come back",
        patch=lambda: _without(Action.RETURN_ACTIVE), change=_taken_down("firmware"),
    ),
    Mutant(
        name="services stay stopped", kinds=(FaultKind.SERVICE_STOPS,),
        patch=lambda: _without(Action.START_SERVICES, Action.AWAIT_SERVER),
        around=(Action.TAKE_SERVER_DOWN,), change=_taken_down("firmware"),
    ),
    Mutant(
        name="a server that was left out of service is not named",
        patch=lambda: _all(
            _without(Action.RESTORE_ACTIVATION, outcome=OutcomeKind.FAILED),
            mock.patch.object(lanes, "still_out", lambda lane, state: ()),
            mock.patch.object(lane_of_server, "still_out", lambda lane, state: ()),
        ),
        change=_taken_down("firmware"),
    ),
    Mutant(
        name="sets are without the streaming file", change=_of_2003,
        patch=_replaced(binding, "with_streaming", lambda selection, lane, state: selection),
    ),
    Mutant(
        name="the set is never verified on Exchange 2003", kinds=(FaultKind.FLIPPED_BIT,),
        patch=lambda: _judged_done(*SET_STEPS), guards=AlwaysPasses("verified-set"),
        change=_of_2003,
    ),
    Mutant(
        name="a guard is not asked at all", patch=_replaced(
            PackagedGuards, "before_step", lambda self, *given, **more: ()
        ),
    ),
)  # fmt: skip


def hunt_number(number: int) -> Noticed:
    """The mutant with that number; functions cannot be handed to another process."""
    return hunt(MUTANTS[number])
