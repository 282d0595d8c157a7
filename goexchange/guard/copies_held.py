"""While a database is rebuilt on its active copy, that copy stays where it is, and the others stay
suspended.
"""

from __future__ import annotations

from collections.abc import Iterator

from goexchange.facts.copies_of import CopiesOf, copies_of, is_lagged
from goexchange.guard.guard import BEFORE_ITS_STEP, Answer, Guard, Question, blocks, need, passes
from goexchange.model.copies import HEALTHY, SUSPENDED, ActualCopy, ailment
from goexchange.model.plan import Action, ExchangeCall, Step

MEND = "see Get-MailboxDatabaseCopyStatus; the way back resumes what this run has suspended"


def _copies_held(question: Question) -> Answer:
    found = need(
        copies_of(question.database, question.server, question.actual.servers),
        "how its copies stand",
    )
    seen = {each.server: str(each.status) for each in found.copies}
    wrong = [*_moved(question, found), *_loose(question, found)]
    if wrong:
        return blocks("; ".join(wrong), MEND, copies=seen)
    return passes(f"active on {question.server.name}, the others held", copies=seen)


def _moved(question: Question, found: CopiesOf) -> Iterator[str]:
    active = [
        each.server
        for each in found.copies
        if need(each.is_active, f"whether the copy on {each.server} is active")
    ]
    if [each.lower() for each in active] != [question.server.name.lower()]:
        yield f"its active copy is on {', '.join(active) or 'no server'}"


def _loose(question: Question, found: CopiesOf) -> Iterator[str]:
    """What is not suspended, though it should be by now, and what is not well of the rest. Right
    before the swap only the active copy counts: no other one fits the rebuilt file any more.
    """
    step = question.step
    if step is None or step.action is Action.SWAP:
        return
    held = _held(question, step)
    for copy in found.copies:
        if copy.is_active is True:
            continue
        if copy.identity.lower() not in held:
            why = None if _is_well_lagged(copy) else ailment(copy)
            if why is not None:
                yield f"the copy on {copy.server}: {why}"
        elif need(copy.status, f"the status of the copy on {copy.server}") != SUSPENDED:
            yield f"the copy on {copy.server} is {copy.status}, and not suspended any more"


def _held(question: Question, step: Step) -> set[str]:
    """The copies that the lane has suspended before the step."""
    return {
        str(each.call.parameters["Identity"]).lower()
        for each in question.steps(Action.SUSPEND_COPY)
        if isinstance(each.call, ExchangeCall) and each.number < step.number
    }


def _is_well_lagged(copy: ActualCopy) -> bool:
    return is_lagged(copy) is True and copy.status == HEALTHY


COPIES_HELD = Guard(
    id="copies-held",
    rule="while a replicated database is rebuilt, its active copy is where it was planned, and the"
    " others are suspended",
    moments=BEFORE_ITS_STEP,
    reads=("server.databases", "database.copies", "server.group", "server.copies"),
    judge=_copies_held,
)
