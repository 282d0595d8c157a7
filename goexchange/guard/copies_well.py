"""Before one copy of a database is suspended, every copy and every member of the group is well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from goexchange.facts.copies_of import CopiesOf, copies_of, is_lagged
from goexchange.guard.guard import AT_ALL_TIMES, Answer, Guard, Question, blocks, need, passes
from goexchange.model.copies import ActualCopy
from goexchange.model.plan import Action, ExchangeCall

MEND = "wait until every copy and member is healthy again, and apply again"


def _copies_well(question: Question) -> Answer:
    found = need(
        copies_of(question.database, question.server, question.actual.servers),
        "how its copies stand",
    )
    seen = {each.server: str(each.status) for each in found.copies}
    if found.ailing:
        return blocks("; ".join(found.ailing), MEND, copies=seen)
    wanted = _to_be_suspended(question)
    is_rebuilt = question.has(Action.SEED_COPY)  # then a lagged copy is seeded anew, by consent
    known = _known_activations(question)
    against = [
        text
        for each in wanted
        for text in (
            *_against(each, found, may_lag=is_rebuilt),
            *_activation(each, found, known),
        )
    ]
    if against:
        return blocks("; ".join(against), "plan again: goexchange plan", copies=seen)
    stay = len(found.copies) - len(wanted)
    return passes(f"{len(found.copies)} copies, all well; {stay} left meanwhile", copies=seen)


def _to_be_suspended(question: Question) -> tuple[str, ...]:
    return tuple(
        str(each.call.parameters["Identity"])
        for each in question.steps(Action.SUSPEND_COPY)
        if isinstance(each.call, ExchangeCall)
    )


def _against(identity: str, found: CopiesOf, *, may_lag: bool) -> tuple[str, ...]:
    """Why this very copy may not be suspended now, whatever it was when the plan was made."""
    copies = [each for each in found.copies if each.identity.lower() == identity.lower()]
    if not copies:
        return (f"there is no copy {identity} any more",)
    return tuple(_words(copies[0], may_lag=may_lag))


def _words(copy: ActualCopy, *, may_lag: bool) -> list[str]:
    words = []
    if need(copy.is_active, f"whether the copy on {copy.server} is active"):
        words.append(f"the copy on {copy.server} is active now")
    if need(is_lagged(copy), f"whether the copy on {copy.server} is lagged") and not may_lag:
        words.append(f"the copy on {copy.server} is lagged")
    return words


def _known_activations(question: Question) -> dict[str, str]:
    """The comments of copies whose activation was suspended when the plan was made: it knows how to
    put that back, and nothing else.
    """
    return {
        str(each.call.parameters["Identity"]).lower(): str(
            each.call.parameters.get("SuspendComment", "")
        )
        for each in question.steps(Action.SUSPEND_ACTIVATION)
        if isinstance(each.call, ExchangeCall)
    }


def _activation(identity: str, found: CopiesOf, known: Mapping[str, str]) -> Iterator[str]:
    for copy in found.copies:
        if copy.identity.lower() != identity.lower():
            continue
        is_suspended = need(
            copy.is_activation_suspended, f"whether {copy.server} may activate its copy"
        )
        of = f"the activation of the copy on {copy.server}"
        if is_suspended and identity.lower() not in known:
            yield f"somebody has suspended {of}"
        elif identity.lower() in known and not is_suspended:
            yield f"{of} is not suspended any more"
        elif is_suspended:
            comment = need(copy.suspend_comment, f"why {of} is suspended")
            if (comment or "") != known[identity.lower()]:
                yield f"{of} is suspended with another comment now"


COPIES_WELL = Guard(
    id="copies-well",
    rule="a copy is suspended only while every copy of the database and every member of its"
    " group is well",
    moments=AT_ALL_TIMES,
    reads=("server.databases", "database.copies", "server.group", "server.copies"),
    judge=_copies_well,
)
