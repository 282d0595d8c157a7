"""One seed: its scenario, its faults, its night; and the line that repeats it."""

from __future__ import annotations

from attrs import evolve, frozen

from goexchange.driver.guards import Guards
from goexchange.simulation.faults import Fault, FaultKind, Phase, fault_of, faults_of
from goexchange.simulation.night import Night
from goexchange.simulation.stories import Story, tell, troubled
from goexchange.simulation.trouble import Fired
from tests.reliability.scenarios import Scenario, crosses_change, night_of, scenario_of


@frozen(kw_only=True)
class Case:
    """What can be repeated: a scenario and its faults."""

    scenario: Scenario
    faults: tuple[Fault, ...]

    def text(self) -> str:
        """A few lines for people."""
        lines = [self.scenario.text(), *(f"  {fault.text()}" for fault in self.faults)]
        return "\n".join(lines)


def case_of(seed: int) -> Case:
    """The case of a seed."""
    return prepared(seed)[0]


def prepared(seed: int) -> tuple[Case, Night]:
    """The case of a seed, and its night, which has not begun."""
    scenario = scenario_of(seed)
    calm = night_of(scenario)
    return Case(scenario=scenario, faults=faults_of(seed, calm.plan)), calm


def case_with(seed: int, kind: FaultKind) -> Case:
    """A case with one fault of a kind, for what chance alone would take long to find."""
    scenario = scenario_of(seed)
    return Case(scenario=scenario, faults=(fault_of(seed, night_of(scenario).plan, kind),))


def play_seed(seed: int, *, guards: Guards | None = None) -> tuple[Case, Story]:
    """The case and the story of a seed."""
    case, calm = prepared(seed)
    return case, play_on(case, calm, guards=guards)


def play(case: Case, *, guards: Guards | None = None, is_told: bool = False) -> Story:
    """The story of a case; the same case always has the same one."""
    return play_on(case, night_of(case.scenario), guards=guards, is_told=is_told)


def play_on(
    case: Case, calm: Night, *, guards: Guards | None = None, is_told: bool = False
) -> Story:
    """The story of a case in its night, which has not begun."""
    steps = {step.id for lane in calm.plan.body.lanes for step in lane.steps}
    faults = tuple(fault for fault in case.faults if fault.step in steps)
    night = troubled(calm.plan, calm.performer.world, calm.performer, faults)
    story = tell(night, guards=guards, is_told=is_told)
    if not crosses_change(case.scenario, story.seconds):
        return story
    changed = Fired(
        kind=FaultKind.DAYLIGHT_SAVING,
        step="",
        phase=Phase.FROM_THE_START,
        at=case.scenario.at,
    )
    return evolve(story, fired=(*story.fired, changed))


def command_for(seed: int) -> str:
    """What repeats a seed."""
    return f"python -m tests.reliability.run --seed {seed}"
