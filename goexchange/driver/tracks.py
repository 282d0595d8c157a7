"""Tracks: what goes on beside each other in one run. Each is a generator that yields effects.

The first track is the run itself: it acquires the leases, begins, and ends. In between it lets the
servers' tracks go on beside each other, and waits for the last of them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping

from attrs import frozen

from goexchange.driver.effects import (
    AcquireLeases,
    Append,
    Effect,
    ReleaseLeases,
    RenewLeases,
    WaitUntil,
)
from goexchange.driver.events import Event, Woke

RUN = "run"
Track = Generator["Effect | Together", "Event | None", None]
NextTrack = Callable[[frozenset[str]], tuple[str, Track] | None]
# performed at once and alone: no other track goes on before such an effect is answered
IMMEDIATE = (Append, AcquireLeases, RenewLeases, ReleaseLeases)


@frozen(kw_only=True)
class Together:
    """Asked for by the run's own track: walk the tracks that `next_track` names, beside each other.

    Shape: `next_track` is given the names of those at work, and returns None while no other may
    begin; when none is at work either, the run's own track goes on.
    """

    next_track: NextTrack


class Tracks:
    """The run's own track, and those of the servers while they are at work.

    Shape: `enter` is called with the name of a track before it goes on; an exception of a server's
    track ends every other one and goes on in the run's own.
    """

    def __init__(self, run: Track, *, enter: Callable[[str, frozenset[str]], None]) -> None:
        self._generators: dict[str, Track] = {RUN: run}
        self._effects: dict[str, Effect] = {}
        self._together: Together | None = None
        self._enter = enter

    @property
    def outstanding(self) -> Mapping[str, Effect]:
        """The outstanding effect of each track; only the immediate one while there is one."""
        for name, effect in self._effects.items():
            if isinstance(effect, IMMEDIATE):
                return {name: effect}
        return self._effects

    def first(self) -> tuple[str, Effect]:
        """The one to perform when only one is performed at a time: waits come last."""
        now = self.outstanding
        acts = [name for name, effect in now.items() if not isinstance(effect, WaitUntil)]
        waits = {name: each.moment for name, each in now.items() if isinstance(each, WaitUntil)}
        name = acts[0] if acts else min(waits, key=lambda each: waits[each])
        return name, now[name]

    def begin(self) -> None:
        """Go to the first effect of the run."""
        self._advance(RUN, None)
        self._settle()

    def answer(self, track: str, event: Event) -> None:
        """Give a track the event that answers its effect."""
        del self._effects[track]
        self._advance(track, event)
        self._settle()

    def wake(self, track: str) -> None:
        """End a wait early, if the track still waits."""
        if isinstance(self.outstanding.get(track), WaitUntil):
            self.answer(track, Woke())

    def _advance(self, track: str, event: Event | None) -> None:
        self._enter(track, self._at_work())
        try:
            effect = self._generators[track].send(event)
        except StopIteration:
            del self._generators[track]
            return
        except Exception as error:  # whatever it is, the run's own track decides what it means
            if track == RUN:
                raise
            effect = self._throw(error)
        self._take(RUN if track not in self._generators else track, effect)

    def _throw(self, error: Exception) -> Effect | Together:
        """End every track of a server and let the run's own one meet the error."""
        for name in [each for each in self._generators if each != RUN]:
            self._generators.pop(name).close()
        self._effects.clear()
        self._together = None
        self._enter(RUN, frozenset())
        return self._generators[RUN].throw(error)

    def _take(self, track: str, effect: Effect | Together) -> None:
        if isinstance(effect, Together):
            self._together = effect
        else:
            self._effects[track] = effect

    def _settle(self) -> None:
        """Begin what may begin; when nothing is left of it, the run's own track goes on."""
        while self._together is not None and not self._is_busy():
            found = self._together.next_track(self._at_work())
            if found is not None:
                name, generator = found
                self._generators[name] = generator
                self._advance(name, None)
            elif not self._at_work():
                self._together = None
                self._advance(RUN, None)
            else:
                return

    def _is_busy(self) -> bool:
        """Whether a record or a lease comes before anything else begins."""
        return any(isinstance(effect, IMMEDIATE) for effect in self._effects.values())

    def _at_work(self) -> frozenset[str]:
        return frozenset(self._generators) - {RUN}
