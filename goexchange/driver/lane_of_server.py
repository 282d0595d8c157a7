"""What is particular to the lane of a whole server: whether it is out of service by us, and what a
person types for it.
"""

from __future__ import annotations

from goexchange.journal.replay import RunState
from goexchange.model.plan import Action, ExchangeCall, Lane, Reason, ScriptCall, Step
from goexchange.model.run import OutcomeKind

TAKES = (
    Action.SET_COMPONENT,
    Action.PAUSE_NODE,
    Action.BLOCK_ACTIVATION,
    Action.TAKE_SERVER_DOWN,
)
PUTS_BACK = (
    Action.AWAIT_SERVER,
    Action.RESTORE_COMPONENT,
    Action.RESUME_NODE,
    Action.RESTORE_ACTIVATION,
    Action.RESTORE_SERVICES,
    Action.AWAIT_DATABASES,
)
_OURS = (Action.TAKE_SERVER_DOWN, Action.AWAIT_SERVER, Action.RESUME_NODE)
_HAPPENED = (OutcomeKind.DONE, OutcomeKind.ALREADY)


def is_of_server(lane: Lane) -> bool:
    """Whether the lane takes a whole server down, or brings one back."""
    return any(step.action in _OURS for step in lane.steps)


def is_taken(lane: Lane, state: RunState) -> bool:
    """Whether anything of the server was taken out of service by this lane, or may have been."""
    return any(state.step(each.id).attempts for each in lane.steps if each.action in TAKES)


def still_out(lane: Lane, state: RunState) -> tuple[Step, ...]:
    """The steps that would put back what was taken, and did not yet."""
    return tuple(
        each
        for each in lane.steps
        if each.action in PUTS_BACK
        and _is_due(each, state)
        and state.step(each.id).outcome not in _HAPPENED
    )


def left_out(lane: Lane, state: RunState) -> str:
    """What is said of a server that was not brought back as a whole."""
    steps = still_out(lane, state)
    if not steps:
        return ""
    what = "the server may still be in maintenance mode"
    if all(each.action is Action.AWAIT_DATABASES for each in steps):
        what = "databases of the server are not mounted again"
    elif not any(each.action is Action.RESUME_NODE for each in lane.steps):
        what = "the server was not seen to be itself again"
    return f"{what}: {', '.join(each.id.rpartition('/')[2] for each in steps)} did not end well"


def server_commands(lane: Lane, state: RunState) -> tuple[str, ...]:
    """What a person types about what was not put back; empty when everything was."""
    steps = still_out(lane, state)
    in_doubt = any(state.step(each.id).is_in_doubt for each in lane.steps)
    if not steps and not in_doubt:
        return ()
    commands = [f"goexchange resume {state.run}"]
    for step in steps:
        commands += _command(step, lane)
    return tuple(dict.fromkeys(commands))


def _is_due(step: Step, state: RunState) -> bool:
    """Of a release every step is; else those whose taking away was sent."""
    if step.undo_of is None:
        return step.reason is Reason.WAY_BACK
    return state.step(step.undo_of).attempts > 0


def _command(step: Step, lane: Lane) -> list[str]:
    call = step.call
    if step.action is Action.RESTORE_COMPONENT and isinstance(call, ExchangeCall):
        given = call.parameters
        command = f"Set-ServerComponentState -Identity {given['Identity']}"
        command += f" -Component {given['Component']} -State {given['State']}"
        return [f"{command} -Requester {given['Requester']}"]
    if step.action is Action.RESTORE_ACTIVATION and isinstance(call, ExchangeCall):
        policy = call.parameters["DatabaseCopyAutoActivationPolicy"]
        return [
            f"Set-MailboxServer -Identity {lane.server} -DatabaseCopyAutoActivationPolicy {policy}"
        ]
    if step.action is Action.RESUME_NODE and isinstance(call, ScriptCall):
        node = call.arguments["node"]
        return [f"Get-ClusterNode -Name {node}", f"Resume-ClusterNode -Name {node}"]
    if step.action is Action.AWAIT_DATABASES:
        return [f"Get-MailboxDatabase -Server {lane.server} -Status | Format-List Name,Mounted"]
    if step.action is Action.RESTORE_SERVICES:
        return ["Get-Service MSExchangeTransport,MSExchangeFrontEndTransport"]
    return []
