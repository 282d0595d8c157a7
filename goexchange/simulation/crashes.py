"""A controller killed at every boundary of a night, and the fresh one that goes on.

Boundaries of an append: before it, and after it (before the act that it announces). Of a call:
after it was sent and before
it took effect, and after its effect and before the answer. Of an answer: before its outcome is
appended, which is the
boundary before the next append.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from attrs import field, frozen

from goexchange.driver import effects
from goexchange.driver.effects import Effect
from goexchange.model.run import RunResult
from goexchange.simulation.night import EVENTS_MAX, Night

LIVES = 25  # effects: about three steps


@frozen(kw_only=True)
class Kill:
    """Where a controller died: at which step, in which phase."""

    step: str
    phase: str


@frozen(kw_only=True)
class Report:
    """What the kills of one night showed.

    Shape: `kills` counts by step and phase; `ends` by exit code.
    """

    points: int
    kills: Counter[Kill] = field(factory=Counter)
    ends: Counter[int] = field(factory=Counter)

    def text(self) -> str:
        """Every count, for people."""
        lines = [f"{self.points} points, ends by exit code: {dict(sorted(self.ends.items()))}"]
        for kill, count in sorted(
            self.kills.items(), key=lambda each: (each[0].step, each[0].phase)
        ):
            lines.append(f"  {count:4} {kill.phase:34} {kill.step}")
        return "\n".join(lines)


def crash_everywhere(
    night: Night,
    *,
    every: int = 1,
    again: int | None = None,
    judge: Callable[[Night, RunResult], None] | None = None,
) -> Report:
    """Kill a controller at every boundary of the night, each time in a world of its own, and resume
    to the end.

    Shape: what is left of a controller that died before an effect is what is left of one that died
    after the effect
    before it: one resumed night shows both boundaries. `every` takes only each n-th effect. `again`
    kills the second controller too, that many effects after
    it began; `judge` looks at each end.
    Raises: NightBroken when an invariant does not hold.
    """
    kills, ends = Counter[Kill](), Counter[int]()
    last: Effect | None = None
    while True:
        effect = night.next()
        if night.events % every == 0:
            boundaries = _boundaries(last, effect)
            fork = night.fork()
            fork.check()
            result = _resume(fork, again)
            kills.update(boundaries)
            ends[result.exit_code] += len(boundaries)
            if judge is not None:
                judge(fork, result)
        if isinstance(effect, effects.Finish):
            return Report(points=kills.total(), kills=kills, ends=ends)
        night.take(night.performer.perform(effect))
        last = effect


def crash_in_rounds(
    night: Night,
    *,
    lives: int = LIVES,
    every: int = 1,
    judge: Callable[[Night, RunResult], None] | None = None,
) -> Report:
    """Kill a controller at every boundary of the undisturbed night, many of them in each night that
    is played: the n-th at the first boundary left, but not before it has lived for a while.

    Shape: the night has not begun; a controller lives for at least `lives` effects, so that it
    goes on with more than the step that its predecessor left in doubt. That takes a few dozen
    nights, where `crash_everywhere` takes one for each boundary, and every kill but the first is
    one of a controller that has itself gone on for another. `every` takes only each n-th boundary.
    Raises: NightBroken when an invariant does not hold.
    """
    kills, ends = Counter[Kill](), Counter[int]()
    left = set(_places_of(night.fork())[::every])
    while left:
        fork = night.fork()
        killed = _play_round(fork, left, lives)
        assert killed, "the first place that is left is reached before anybody dies"
        result = fork.run_to_end()
        kills.update(killed)
        ends[result.exit_code] += len(killed)
        if judge is not None:
            judge(fork, result)
    return Report(points=kills.total(), kills=kills, ends=ends)


@frozen
class _Place:
    """Boundaries between two effects, and for the how manieth time in their night."""

    boundaries: tuple[Kill, ...]
    nth: int


def _places_of(night: Night) -> list[_Place]:
    """Every place of a night at which a controller can die, in their order."""
    return list(_walk(night))


def _play_round(night: Night, left: set[_Place], lives: int) -> list[Kill]:
    """Play up to the end, killing at places that are left, which are taken out."""
    killed: list[Kill] = []
    lived = lives
    for place in _walk(night):
        lived += 1
        if lived > lives and place in left:
            left.remove(place)
            killed += place.boundaries
            night.kill()
            night.check()
            lived = 0
    return killed


def _walk(night: Night) -> Iterator[_Place]:
    """Perform up to the report, stopping at each place; whoever kills there is walked on."""
    seen = Counter[tuple[Kill, ...]]()
    last: Effect | None = None
    while night.events < EVENTS_MAX:
        effect = night.next()
        boundaries = _boundaries(last, effect)
        seen[boundaries] += 1
        if boundaries:
            yield _Place(boundaries, seen[boundaries])
        if not night.has_controller:
            last = None
        elif isinstance(effect, effects.Finish):
            return
        else:
            night.take(night.performer.perform(effect))
            last = effect


def _boundaries(last: Effect | None, coming: Effect) -> tuple[Kill, ...]:
    """The boundaries between the end of one effect and the beginning of the next."""
    found: list[Kill] = []
    if isinstance(last, effects.Append):
        found.append(Kill(step=_step_of(last), phase="after the append"))
    elif isinstance(last, effects.Send):
        found.append(Kill(step=_step_of(last), phase="after its effect, before the answer"))
    elif last is not None:
        found.append(Kill(step=_step_of(last), phase="during"))
    if isinstance(coming, effects.Append):
        found.append(Kill(step=_step_of(coming), phase="before the append"))
    elif isinstance(coming, effects.Send):
        found.append(Kill(step=_step_of(coming), phase="after send, before its effect"))
    elif isinstance(coming, effects.Finish):
        found.append(Kill(step="report", phase="during"))
    return tuple(found)


def _resume(night: Night, again: int | None) -> RunResult:
    if again is not None:
        for _ in range(again):
            effect = night.next()
            if isinstance(effect, effects.Finish):
                break
            night.take(night.performer.perform(effect))
        night.kill()
    return night.run_to_end()


def _step_of(effect: Effect) -> str:
    if isinstance(effect, effects.Send):
        return effect.purpose
    if isinstance(effect, effects.Append):
        last = effect.drafts[-1]
        return str(last.data["step"]) if "step" in last.data else last.kind.value
    return type(effect).__name__
