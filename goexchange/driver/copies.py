"""How the copy stands that a step waits for: Exchange's word and the queues together, never a word
that is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from goexchange.driver.by_hand import quoted
from goexchange.driver.lane_of_server import is_of_server
from goexchange.driver.lanes import (
    copies_behind,
    copy_of,
    facts_of,
    happened,
    is_of_other_stream,
    loose_copies,
    suspended_copies,
)
from goexchange.facts.answer import ExchangeAnswer
from goexchange.facts.groups import decode_copies
from goexchange.journal.replay import RunState
from goexchange.model.copies import ATTENDED_SEEDS, HEALTHY, MOUNTED, SUSPENDED, ailment
from goexchange.model.plan import Action, ExchangeCall, Lane, Step
from goexchange.model.unknown import Unknown

NOT_REDUNDANT = "not redundant"
NOT_AS_IT_WAS = "not as it was"
NEEDS_SEED = ("FailedAndSuspended",)


SETTLES = timedelta(minutes=2)
"""A copy may still be called suspended, or failed, right after its seed has begun: that long such a
word is not believed.
"""


def with_copy(step: Step, answer: Mapping[str, Any], *, since: timedelta) -> dict[str, Any]:
    """The answer with a member `copy`, for steps that wait until one is well; `since` the step was
    sent.

    Unknown: `copy` is missing when the answer is not about exactly one copy.
    """
    if step.action not in (Action.AWAIT_COPY, Action.SEED_COPY):
        return dict(answer)
    plain = {"errors": (), "warnings": (), **answer}
    copies = decode_copies(ExchangeAnswer(plain), "its group")
    if isinstance(copies, Unknown) or len(copies) != 1:
        return dict(answer)
    copy = copies[0]
    is_seed = step.action is Action.SEED_COPY
    is_active = copy.is_active is True and copy.status == MOUNTED  # only a healthy one can be
    why = None if is_active else ailment(copy)
    words = (*NEEDS_SEED, SUSPENDED) if is_seed else NEEDS_SEED
    told = {
        "is_well": why is None,
        "is_healthy": is_active or copy.status == HEALTHY,
        "has_failed": copy.status in words and (not is_seed or since > SETTLES),
        "why": why,
    }
    return {**answer, "copy": told}


def not_redundant(lane: Lane, state: RunState) -> str:
    """What is said of copies that are not healthy again; empty when all are, or were never touched.
    """
    suspended = suspended_copies(lane, state)
    behind = [each for each in copies_behind(lane, state) if each not in suspended]
    said = [f"the copy {each} may still be suspended" for each in suspended]
    said += [f"the copy {each} was not seen healthy again" for each in behind]
    what = NOT_REDUNDANT if said else NOT_AS_IT_WAS
    said += [
        f"the activation of the copy {each} is not suspended again"
        for each in loose_copies(lane, state)
    ]
    return f"{what}: {', '.join(said)}" if said else ""


def copy_commands(lane: Lane, state: RunState) -> tuple[str, ...]:
    """What a person types about the copies; empty when nothing is left to do."""
    return tuple(
        command
        for step in lane.steps
        if step.action is Action.SUSPEND_COPY
        or (step.action is Action.AWAIT_COPY and is_of_server(lane))
        for command in _commands(copy_of(step), lane, state)
    )


def _commands(identity: str, lane: Lane, state: RunState) -> list[str]:
    name = "'" + identity.replace("'", "''") + "'"
    facts = facts_of(lane, state)
    is_suspended = identity in suspended_copies(lane, state)
    is_behind = identity in copies_behind(lane, state)
    seed = f"Update-MailboxDatabaseCopy -Identity {name} -DeleteExistingFiles"
    if not (lane.last_look or {}).get(ATTENDED_SEEDS):
        seed += " -BeginSeed"
    if is_suspended and is_of_other_stream(facts):
        return [seed, _look(name), *_activation(identity, lane)]
    activation = _activation(identity, lane)
    only = " -ReplicationOnly" if activation else ""
    commands = [f"Resume-MailboxDatabaseCopy -Identity {name}{only}"] if is_suspended else []
    if is_suspended or identity in loose_copies(lane, state):
        commands += activation
    commands += [_look(name)] if is_behind else []
    if _is_damaged(lane, state) or _needs_seed(identity, lane, state):
        commands += [f"Suspend-MailboxDatabaseCopy -Identity {name}", seed]
    return commands


def _activation(identity: str, lane: Lane) -> list[str]:
    """What suspends its activation again, where somebody had it so."""
    found = []
    for step in lane.steps:
        if step.action is Action.SUSPEND_ACTIVATION and copy_of(step) == identity:
            assert isinstance(step.call, ExchangeCall)
            comment = str(step.call.parameters.get("SuspendComment", ""))
            said = f" -SuspendComment {quoted(comment)}" if comment else ""
            cmdlet = "Suspend-MailboxDatabaseCopy"
            found.append(f"{cmdlet} -Identity {quoted(identity)} -ActivationOnly{said}")
    return found


def _look(name: str) -> str:
    return (
        f"Get-MailboxDatabaseCopyStatus -Identity {name} | Format-List"
        " Name,Status,CopyQueueLength,ReplayQueueLength"
    )


def _is_damaged(lane: Lane, state: RunState) -> bool:
    """Whether bad pages were found in the copy that was looked at: it is seeded again, its database
    is not touched.
    """
    if any(step.action is Action.DISMOUNT for step in lane.steps):
        return False
    results = [
        state.step(step.id).result or {}
        for step in lane.steps
        if step.action is Action.DETECT_ERRORS and not happened(state.step(step.id))
    ]
    return any(one.get("bad_checksums") or one.get("wrong_page_numbers") for one in results)


def _needs_seed(identity: str, lane: Lane, state: RunState) -> bool:
    results = [
        state.step(step.id).result or {}
        for step in lane.steps
        if step.action is Action.AWAIT_COPY
        and copy_of(step) == identity
        and not happened(state.step(step.id))
    ]
    return any(one.get("copy", {}).get("has_failed") is True for one in results)
