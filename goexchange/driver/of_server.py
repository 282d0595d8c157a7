"""What answers about a server mean for the steps of its maintenance: components, queues, whether it
is itself again. A word that is not known never counts as what is wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from goexchange.facts.answer import ExchangeAnswer
from goexchange.facts.server_mode import decode_components
from goexchange.journal.replay import RunState
from goexchange.model.plan import Action, ExchangeCall, Lane, Operator, Step
from goexchange.model.server import ACTIVE
from goexchange.model.unknown import Unknown

Json = Mapping[str, Any]
_COMPONENTS = (Action.SET_COMPONENT, Action.RESTORE_COMPONENT)
_NOT_REDIRECTED = ("\\shadow\\", "\\poison")  # Source: Redirect-Message moves neither
RESTARTED = "is_restarted"
BOOT = "started_boot_id"


def with_component(step: Step, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with a member `component`, for steps that set one.

    Unknown: the member is missing when the answer is not about exactly that component.
    """
    if step.action not in _COMPONENTS or not isinstance(step.call, ExchangeCall):
        return answer
    components = decode_components(_answer(answer))
    if isinstance(components, Unknown) or len(components) != 1:
        return answer
    one, wanted = components[0], str(step.call.parameters["State"])
    if one.component != step.call.parameters["Component"]:
        return answer
    is_said = one.maintenance == wanted or (wanted == ACTIVE and one.maintenance is None)
    # what another requester has taken out of service stays so, and is no failure of ours
    is_so = wanted == ACTIVE or one.state == wanted
    told = {"state": one.state, "maintenance": one.maintenance, "is_as_wanted": is_said and is_so}
    return {**answer, "component": told}


def with_server(
    lane: Lane, step: Step, state: RunState, answer: dict[str, Any]
) -> dict[str, Any]:
    """The answer with what it means, for the steps that wait for a server."""
    if step.action is Action.AWAIT_QUEUES:
        return _with_queues(answer)
    if step.action is Action.AWAIT_SERVER:
        return {**answer, "server": _standing(step, state, lane, answer)}
    if step.action is Action.AWAIT_DATABASES:
        return _with_databases(lane, answer)
    return answer


def missing(seen: Json) -> str | None:
    """What was still missing when the time of such a step was up; None for any other step."""
    if "queues" in seen:
        return f"{seen['queues']['messages']} messages wait still"
    if "server" in seen and isinstance(seen["server"], Mapping):
        return str(seen["server"]["why"])
    if "databases" in seen and isinstance(seen["databases"], Mapping):
        return f"not mounted: {', '.join(seen['databases']['down'])}"
    return None


def restarts(step: Step) -> bool:
    """Whether the command is declared to restart its server: being cut off by that is its end."""
    wanted = step.postcondition
    return (
        wanted is not None and wanted.operator is Operator.ONE_OF and None in list(wanted.value)
    )


def _with_queues(answer: dict[str, Any]) -> dict[str, Any]:
    """Unknown: `queues` is missing when a queue does not say what it is, or how much waits."""
    if answer.get("errors"):
        return answer
    messages = 0
    for queue in answer["objects"]:
        name, count = queue.get("Identity"), queue.get("MessageCount")
        if not isinstance(name, str) or not isinstance(count, int) or isinstance(count, bool):
            return answer
        if not any(each in name.lower() for each in _NOT_REDIRECTED):
            messages += count
    return {**answer, "queues": {"messages": messages, "are_empty": messages == 0}}


def _standing(step: Step, state: RunState, lane: Lane, answer: Json) -> dict[str, Any]:
    """Whether the server is itself again: another start of Windows where the command restarts it,
    and every service that is needed.
    """
    down = next((each for each in lane.steps if each.id == step.undo_of), None)
    record = None if down is None else state.step(down.id)
    before = (record.result or {}).get(BOOT) if record is not None else None
    if down is not None and restarts(down) and before is not None and before == answer["boot_id"]:
        return {"is_back": False, "why": "it was not restarted yet"}
    stopped = [each["name"] for each in answer["services"] if each["state"] != "Running"]
    if stopped:
        return {"is_back": False, "why": f"not running: {', '.join(stopped)}"}
    return {"is_back": True, "why": None}


def _with_databases(lane: Lane, answer: dict[str, Any]) -> dict[str, Any]:
    if answer.get("errors"):
        return answer
    look = lane.last_look
    wanted = set() if look is None else {str(name) for name in look["alone"]}
    mounted = {
        str(each["Name"]) for each in answer["objects"] if each.get("Mounted") is True
    }
    down = sorted(wanted - mounted)
    return {**answer, "databases": {"are_mounted": not down, "down": down}}


def _answer(answer: Json) -> ExchangeAnswer:
    return ExchangeAnswer({"errors": (), "warnings": (), **answer})
