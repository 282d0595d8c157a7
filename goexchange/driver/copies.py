"""How the copy stands that a step waits for: Exchange's word and the queues together, never a word
that is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from goexchange.driver.lanes import facts_of, happened
from goexchange.facts.answer import ExchangeAnswer
from goexchange.facts.groups import decode_copies
from goexchange.journal.replay import RunState
from goexchange.model.copies import ailment
from goexchange.model.plan import Action, ExchangeCall, Lane, Step
from goexchange.model.unknown import Unknown

NOT_REDUNDANT = "not redundant"
NEEDS_SEED = ("FailedAndSuspended",)


def with_copy(step: Step, answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer with a member `copy`, for steps that wait until one is well.

    Unknown: `copy` is missing when the answer is not about exactly one copy.
    """
    if step.action is not Action.AWAIT_COPY:
        return dict(answer)
    plain = {"errors": (), "warnings": (), **answer}
    copies = decode_copies(ExchangeAnswer(plain), "its group")
    if isinstance(copies, Unknown) or len(copies) != 1:
        return dict(answer)
    why = ailment(copies[0])
    told = {
        "is_well": why is None,
        "has_failed": copies[0].status in NEEDS_SEED,
        "why": why,
    }
    return {**answer, "copy": told}


def identity_of(lane: Lane) -> str | None:
    """The copy that the lane suspends, `DB07\\EX03`; None for a lane that suspends none."""
    for step in lane.steps:
        if step.action is Action.SUSPEND_COPY and isinstance(step.call, ExchangeCall):
            return str(step.call.parameters["Identity"])
    return None


def not_redundant(lane: Lane, state: RunState) -> str:
    """What is said of a copy that is not healthy again; empty when it is, or was never touched."""
    facts = facts_of(lane, state)
    if facts.is_copy_suspended:
        return f"{NOT_REDUNDANT}: the copy {identity_of(lane)} may still be suspended"
    if facts.is_copy_behind:
        return f"{NOT_REDUNDANT}: the copy {identity_of(lane)} was not seen healthy again"
    return ""


def copy_commands(lane: Lane, state: RunState) -> tuple[str, ...]:
    """What a person types about the copy; empty when nothing is left to do."""
    facts, identity = facts_of(lane, state), identity_of(lane)
    if identity is None:
        return ()
    name = "'" + identity.replace("'", "''") + "'"
    commands = [f"Resume-MailboxDatabaseCopy -Identity {name}"] if facts.is_copy_suspended else []
    if facts.is_copy_behind:
        commands.append(
            f"Get-MailboxDatabaseCopyStatus -Identity {name} | Format-List"
            " Name,Status,CopyQueueLength,ReplayQueueLength"
        )
    if _is_damaged(lane, state) or _needs_seed(lane, state):
        commands += [
            f"Suspend-MailboxDatabaseCopy -Identity {name}",
            f"Update-MailboxDatabaseCopy -Identity {name} -DeleteExistingFiles -BeginSeed",
        ]
    return tuple(commands)


def _is_damaged(lane: Lane, state: RunState) -> bool:
    """Whether bad pages were found in the copy: it is seeded again, its database is not touched."""
    results = [
        state.step(step.id).result or {}
        for step in lane.steps
        if step.action is Action.DETECT_ERRORS and not happened(state.step(step.id))
    ]
    return any(one.get("bad_checksums") or one.get("wrong_page_numbers") for one in results)


def _needs_seed(lane: Lane, state: RunState) -> bool:
    results = [
        state.step(step.id).result or {}
        for step in lane.steps
        if step.action is Action.AWAIT_COPY and not happened(state.step(step.id))
    ]
    return any(one.get("copy", {}).get("has_failed") is True for one in results)
