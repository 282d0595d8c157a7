"""Crash points: a controller killed at every boundary of generated nights, and its successor."""

from __future__ import annotations

from collections import Counter

from attrs import field, frozen

from goexchange.simulation.crashes import crash_everywhere
from goexchange.simulation.night import Night, NightBroken
from tests.reliability import pilots
from tests.reliability.scenarios import night_of, scenario_of

PILOTS_EVERY = 10  # of so many scenarios the last is a stage of a pilot
EFFECTS_OF_A_NIGHT = 250  # about; so many boundaries are taken that the asked number comes out


@frozen(kw_only=True)
class Points:
    """What the kills showed; it can be added up."""

    points: int = 0
    scenarios: int = 0
    places: Counter[str] = field(factory=Counter)
    ends: Counter[int] = field(factory=Counter)
    broken: tuple[str, ...] = ()

    def plus(self, other: Points) -> Points:
        """Both together."""
        return Points(
            points=self.points + other.points,
            scenarios=self.scenarios + other.scenarios,
            places=self.places + other.places,
            ends=self.ends + other.ends,
            broken=(*self.broken, *other.broken),
        )


def crash_points(what: tuple[int, int]) -> Points:
    """About so many crash points in the night of one scenario: (scenario, how many).

    Shape: each forked night is resumed to its end; in every second scenario the second controller
    is killed as well, a few effects after it began.
    """
    number, wanted = what
    night = night_with(number)
    every = max(1, 2 * EFFECTS_OF_A_NIGHT * len(night.plan.body.lanes) // max(wanted, 1))
    again = 3 + number % 7 if number % 2 else None
    try:
        report = crash_everywhere(night, every=every, again=again)
    except NightBroken as broken:
        return Points(scenarios=1, broken=(f"scenario {number}: {broken}",))
    except Exception as error:  # noqa: BLE001 - a mistake of ours: reported with its scenario
        text = f"scenario {number}: {type(error).__name__}: {error}"
        return Points(scenarios=1, broken=(text,))
    places = Counter[str]()
    for kill, count in report.kills.items():
        places[f"{kill.phase}: {_action(kill.step)}"] += count
    return Points(points=report.points, scenarios=1, places=places, ends=report.ends)


def night_with(number: int) -> Night:
    """The night of a scenario by its number; now and then one of a pilot's."""
    stage, place = divmod(number, PILOTS_EVERY)
    is_pilot = place == PILOTS_EVERY - 1
    return pilots.stage_of(stage) if is_pilot else night_of(scenario_of(number))


def _action(step: str) -> str:
    name = step.rsplit("/", 1)[-1]
    return name.partition("-")[2] if name[:1].isdigit() else name.split(" ")[0]
