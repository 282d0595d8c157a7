"""What a rehearsal showed: counts by class of injected fault, never a probability."""

from __future__ import annotations

from collections import Counter

from attrs import field, frozen

CALM = "no fault"
EVERY = "all scenarios"


@frozen(kw_only=True)
class Counts:
    """What scenarios of one class came to."""

    scenarios: int = 0
    left_down: int = 0
    unprotected: int = 0
    window_missed: int = 0
    way_back: int = 0
    person_needed: int = 0
    broken: int = 0

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(
            scenarios=self.scenarios + other.scenarios,
            left_down=self.left_down + other.left_down,
            unprotected=self.unprotected + other.unprotected,
            window_missed=self.window_missed + other.window_missed,
            way_back=self.way_back + other.way_back,
            person_needed=self.person_needed + other.person_needed,
            broken=self.broken + other.broken,
        )


@frozen(kw_only=True)
class Rehearsal:
    """What the scenarios showed; it can be added up.

    Shape: `outages` are seconds by database, of every outage that ended; `classes` count by the
    class of the fault that really fired; `broken` names the seeds in which an invariant broke.
    """

    outages: dict[str, tuple[float, ...]] = field(factory=dict)
    classes: dict[str, Counts] = field(factory=dict)
    ends: Counter[int] = field(factory=Counter)
    broken: tuple[tuple[int, str], ...] = ()

    def plus(self, other: Rehearsal) -> Rehearsal:
        """Both together."""
        outages = dict(self.outages)
        for name, seconds in other.outages.items():
            outages[name] = (*outages.get(name, ()), *seconds)
        classes = dict(self.classes)
        for name, counts in other.classes.items():
            classes[name] = classes.get(name, Counts()).plus(counts)
        return Rehearsal(
            outages=outages,
            classes=classes,
            ends=self.ends + other.ends,
            broken=(*self.broken, *other.broken),
        )
