"""A controller killed at every boundary of a night, and the fresh one that goes on.

Boundaries of an append: before it, and after it (before the act that it announces). Of a call: after it was sent and before
it took effect, and after its effect and before the answer. Of an answer: before its outcome is appended, which is the
boundary before the next append.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from attrs import field, frozen

from goexchange.driver import effects
from goexchange.driver.effects import Effect
from goexchange.model.run import RunResult
from goexchange.simulation.night import Night


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
        for kill, count in sorted(self.kills.items(), key=lambda each: (each[0].step, each[0].phase)):
            lines.append(f"  {count:4} {kill.phase:34} {kill.step}")
        return "\n".join(lines)


def crash_everywhere(
    night: Night, *, again: int | None = None, judge: Callable[[Night, RunResult], None] | None = None
) -> Report:
    """Kill a controller at every boundary of the night, each time in a world of its own, and resume to the end.

    Shape: `again` kills the second controller too, that many effects after it began; `judge` looks at each end.
    Raises: NightBroken when an invariant does not hold.
    """
    kills, ends = Counter[Kill](), Counter[int]()
    while True:
        effect = night.next()
        for phase, prepare in _boundaries(effect):
            fork = night.fork()
            prepare(fork, effect)
            fork.check()
            kills[Kill(step=_step_of(effect), phase=phase)] += 1
            result = _resume(fork, again)
            ends[result.exit_code] += 1
            if judge is not None:
                judge(fork, result)
        if isinstance(effect, effects.Finish):
            return Report(points=sum(kills.values()), kills=kills, ends=ends)
        night.take(night.performer.perform(effect))


def _boundaries(effect: Effect) -> tuple[tuple[str, Callable[[Night, Effect], None]], ...]:
    if isinstance(effect, effects.Append):
        return (("before the append", _nothing), ("after the append", _performed))
    if isinstance(effect, effects.Send):
        return (("after send, before its effect", _nothing), ("after its effect, before the answer", _performed))
    if isinstance(effect, (effects.RenewLeases, effects.AcquireLeases, effects.ReleaseLeases)):
        return (("during the lease", _performed),)
    if isinstance(effect, effects.Finish):
        return (("during the report", _nothing),)
    return ()


def _resume(night: Night, again: int | None) -> RunResult:
    if again is not None:
        for _ in range(again):
            effect = night.next()
            if isinstance(effect, effects.Finish):
                break
            night.take(night.performer.perform(effect))
        night.kill()
    return night.run_to_end()


def _nothing(night: Night, effect: Effect) -> None:
    """The controller died before anything came of the effect."""


def _performed(night: Night, effect: Effect) -> None:
    """The effect came about, and nobody heard of it."""
    night.performer.perform(effect)


def _step_of(effect: Effect) -> str:
    if isinstance(effect, effects.Send):
        return effect.purpose
    if isinstance(effect, effects.Append):
        last = effect.drafts[-1]
        return str(last.data["step"]) if "step" in last.data else last.kind.value
    return type(effect).__name__
