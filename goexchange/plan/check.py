"""The contract of a plan: what must be true of every body that the planner makes, checked before
anyone sees it.
"""

from __future__ import annotations

from collections.abc import Iterator

from goexchange.errors import GoexchangeError
from goexchange.model.plan import (
    Action,
    Binding,
    Direction,
    ExchangeCall,
    JobCall,
    Lane,
    PlanBody,
    RunsWhen,
    ScriptCall,
    Step,
)
from goexchange.powershell.checking import problems
from goexchange.powershell.cmdlets import check_call
from goexchange.powershell.contracts import CONTRACTS
from goexchange.powershell.contracts_jobs import JOB_REQUESTS

GUARDS = frozenset(
    (
        "clean-shutdown",
        "copies-held",
        "copies-well",
        "elevated",
        "evidence",
        "gain",
        "identity",
        "members-well",
        "mode-as-planned",
        "mount-at-startup",
        "no-backup-running",
        "no-declared-work",
        "no-open-run",
        "no-other-maintenance",
        "no-replication-backlog",
        "not-recovery",
        "nothing-active",
        "same-node",
        "single-copy",
        "space",
        "storage-healthy",
        "temporary-path",
        "tool-fits",
        "verified-set",
        "window",
    )
)
"""Ids of the guards that a step may name; a test compares them with the registry of the guards."""

_UNDOES = (RunsWhen.UNDO_OF, RunsWhen.COPIES_FIT, RunsWhen.COPIES_DIFFER)
_KEPT = (Action.OPEN_RECOVERY_RECORD, Action.PLACE_SENTINEL)
_OF_SERVERS = {
    Action.SET_COMPONENT: Action.RESTORE_COMPONENT,
    Action.PAUSE_NODE: Action.RESUME_NODE,
    Action.BLOCK_ACTIVATION: Action.RESTORE_ACTIVATION,
    Action.TAKE_SERVER_DOWN: Action.AWAIT_SERVER,
}
_ADDED = {"fence": 0, "run": "", "job": ""}  # by the driver, which alone knows them


class BrokenPlan(GoexchangeError):
    """The planner made a plan that breaks its own contract: a mistake of ours; nothing was
    written.
    """

    id = "broken-plan"


def check_body(body: PlanBody) -> None:
    """Raise when a plan breaks its contract.

    Raises: BrokenPlan naming every breach.
    """
    found = list(breaches(body))
    if found:
        raise BrokenPlan(f"The plan breaks its own contract: {'; '.join(found)}")


def breaches(body: PlanBody) -> Iterator[str]:
    """Every breach, in the order of the steps."""
    ids: set[str] = set()
    lanes: set[str] = set()
    for lane in body.lanes:
        if lane.id in lanes:
            yield f"two lanes are called {lane.id}"
        yield from (
            f"{lane.id} needs {each}, which does not come before it"
            for each in lane.needs
            if each not in lanes
        )
        lanes.add(lane.id)
        for number, step in enumerate(lane.steps, start=1):
            yield from _step(step, number, ids)
            ids.add(step.id)
        yield from _ways_back(lane)
        yield from _repairs(lane)


def _step(step: Step, number: int, earlier: set[str]) -> Iterator[str]:
    if step.id in earlier:
        yield f"two steps are called {step.id}"
    if step.number != number:
        yield f"{step.id} has the number {step.number} and not {number}"
    yield from (
        f"{step.id} binds to {each.step}, which is no earlier step"
        for each in step.binds
        if _dangles(each, earlier)
    )
    if step.undo_of is not None and step.undo_of not in earlier:
        yield f"{step.id} undoes {step.undo_of}, which is no earlier step"
    if (step.runs_when in _UNDOES) != (step.undo_of is not None):
        yield f"{step.id} does not say what it undoes"
    if step.direction is Direction.AWAY and not step.undo:
        yield f"{step.id} leads away from service and does not say what takes it back"
    yield from (
        f"{step.id} names the unknown guard {each}" for each in step.guards if each not in GUARDS
    )
    if step.action is Action.SWAP and not {"verified-set", "evidence"} & set(step.guards):
        yield f"{step.id} is irreversible and has no verified set as its guard"
    if step.action is Action.STORE_INTEGRITY and "verified-set" not in step.guards:
        yield f"{step.id} corrects a file in place and has no verified set as its guard"
    yield from _call(step)


def _dangles(binding: Binding, earlier: set[str]) -> bool:
    return bool(binding.step) and binding.step not in earlier


def _call(step: Step) -> Iterator[str]:
    call = step.call
    if isinstance(call, ExchangeCall):
        check_call(call)  # refuses a cmdlet that names nobody
    if isinstance(call, JobCall):
        bound = {each.argument for each in step.binds}
        found = problems(dict(call.request), JOB_REQUESTS[call.kind])
        yield from (f"{step.id}: {each}" for each in found if not bound)
    if isinstance(call, ScriptCall):
        wanted = CONTRACTS[call.script].arguments
        added = {name: value for name, value in _ADDED.items() if name in wanted["properties"]}
        found = problems({**added, **call.arguments}, wanted)
        yield from (f"{step.id}: {each}" for each in found)
    if step.on_doubt.value == "probe" and step.probe is None:
        yield f"{step.id} would be probed when in doubt and has no probe"


def _lacking(does: str, performed: set[Action], *needed: Action) -> Iterator[str]:
    """What a lane that does something has to have, and has not."""
    return (f"{does} and has no step {each.value}" for each in needed if each not in performed)


def _returns(lane: Lane, performed: set[Action]) -> Iterator[str]:
    """An earlier file takes the place of the present one: everything can be put back."""
    undoing = (
        Action.TAKE_LOGS_ASIDE,
        Action.PUT_AWAY,
        Action.RETURN_PRESENT,
        Action.MOVE_LOGS_ASIDE,
        Action.RETURN_LOGS,
        Action.MOUNT_ORIGINAL,
        *_KEPT,
        Action.READ_RETURNED_HEADER,
    )
    yield from _lacking(f"{lane.id} returns a file", performed, *undoing)


def _seeds(lane: Lane) -> Iterator[str]:
    """What is suspended for a swap has a seed after it: no copy fits the rebuilt file."""
    if not any(step.action is Action.SWAP for step in lane.steps):
        return
    seeded = {step.undo_of for step in lane.steps if step.action is Action.SEED_COPY}
    yield from (
        f"{lane.id} suspends a copy by {step.id}, swaps, and never seeds it"
        for step in lane.steps
        if step.action is Action.SUSPEND_COPY and step.id not in seeded
    )


def _server(lane: Lane, performed: set[Action]) -> Iterator[str]:
    """What is taken of a whole server has its own way back, which runs whatever happens."""
    yield from _lacking(f"{lane.id} takes a server down", performed, *_KEPT)
    backs = {(step.undo_of, step.action) for step in lane.steps}
    for step in lane.steps:
        back = _OF_SERVERS.get(step.action)
        if back is not None and (step.id, back) not in backs:
            yield f"{step.id} has no step {back.value} that takes it back"


def _repairs(lane: Lane) -> Iterator[str]:
    """A repair works on a copy, and rests on evidence to the swap; nothing else does."""
    steps = {step.action: step for step in lane.steps}
    header, repair, swap = (
        steps.get(each) for each in (Action.READ_HEADER, Action.REPAIR, Action.SWAP)
    )
    if repair is None:
        if swap is not None and "verified-set" not in swap.guards:
            yield f"{lane.id} swaps without a verified set"
        return
    reading = None if header is None else header.call
    present = reading.arguments["path"] if isinstance(reading, ScriptCall) else ""
    worked_on = repair.call.request["arguments"][1] if isinstance(repair.call, JobCall) else ""
    if not present or not worked_on or present.lower() == worked_on.lower():
        yield f"{lane.id} repairs the database's own file"
    if any(each is None or "evidence" not in each.guards for each in (repair, swap)):
        yield f"{lane.id} repairs without evidence as its guard"
    if Action.DELETE_WORKING_COPY not in steps:
        yield f"{lane.id} repairs a copy and does not delete it"


def _ways_back(lane: Lane) -> Iterator[str]:
    actions = {(step.action, step.runs_when) for step in lane.steps}
    performed = {step.action for step in lane.steps}
    if Action.DISMOUNT in performed:
        if (Action.MOUNT_ORIGINAL, RunsWhen.AWAY_BEFORE_SWAP) not in actions:
            yield f"{lane.id} dismounts and has no way back before the swap"
        if Action.OPEN_RECOVERY_RECORD not in performed or Action.PLACE_SENTINEL not in performed:
            yield f"{lane.id} dismounts without recovery record or sentinel"
    if Action.STOP_MTA in performed:
        stops = f"{lane.id} stops the message transfer agent"
        yield from _lacking(stops, performed, *_KEPT, Action.START_MTA, Action.CONFIRM_MTA)
    if performed & set(_OF_SERVERS):
        yield from _server(lane, performed)
    if Action.SUSPEND_COPY in performed:
        suspends = f"{lane.id} suspends a copy"
        yield from _lacking(suspends, performed, *_KEPT, Action.RESUME_COPY, Action.AWAIT_COPY)
        yield from _seeds(lane)
    if Action.RETURN_FILE in performed:
        yield from _returns(lane, performed)
    if Action.SWAP in performed:
        for action in (Action.SWAP_BACK, Action.MOUNT_ORIGINAL):
            if (action, RunsWhen.AWAY_AFTER_SWAP) not in actions:
                yield f"{lane.id} swaps and has no way back after the swap"
        undoing = (Action.COPY_BACK, Action.HASH_BACK, Action.MOVE_LOGS_ASIDE)
        yield from _lacking(f"{lane.id} swaps", performed, *undoing)
        if Action.ONLINE_BACKUP not in performed or Action.PROVE_BACKUP not in performed:
            yield f"{lane.id} swaps and has no proved online backup after it"
    if (
        Action.SET_MOUNT_AT_STARTUP in performed
        and Action.RESTORE_MOUNT_AT_STARTUP not in performed
    ):
        yield f"{lane.id} changes mount at startup and never puts it back"
