"""What is particular to the lane of a message transfer agent: what a person types for it."""

from __future__ import annotations

from goexchange.journal.replay import RunState
from goexchange.model.mta import MTA_SERVICE
from goexchange.model.plan import Action, Lane


def is_of_mta(lane: Lane) -> bool:
    """Whether the lane stops and starts the message transfer agent."""
    return any(step.action in (Action.STOP_MTA, Action.START_MTA) for step in lane.steps)


def mta_commands(lane: Lane, state: RunState, *, is_away: bool) -> tuple[str, ...]:
    """What a person types when it was left stopped, or when a step of it is not decided."""
    in_doubt = any(state.step(step.id).is_in_doubt for step in lane.steps)
    if not (is_away or in_doubt):
        return ()
    resume = (f"goexchange resume {state.run}",) if in_doubt else ()
    return (*resume, f"Get-Service {MTA_SERVICE}", f"Start-Service {MTA_SERVICE}")
