"""Whose logs they are: before the logs of a database are moved, no other database may use them.

What Exchange says now decides, not what the plan saw. When it cannot be told, or another database
is there, a person decides: the question is in the journal, and nothing was moved.
"""

from __future__ import annotations

from goexchange.driver.conversation import Conversation, Talk
from goexchange.driver.doubt import Undecided, question_drafts
from goexchange.driver.events import Observed
from goexchange.driver.judgement import Judgement, failed
from goexchange.model.actual import ActualDatabase, ActualServer
from goexchange.model.plan import Action, Lane, ScriptCall, Step
from goexchange.model.run import OutcomeKind
from goexchange.model.unknown import Unknown

MOVES_LOGS = (Action.MOVE_LOGS_ASIDE, Action.TAKE_LOGS_ASIDE)


def before_logs(talk: Conversation, lane: Lane, step: Step) -> Talk[Judgement | None]:
    """None when the logs may be moved: the database is down, and no other may use them. What the
    step comes to when a person has mounted it meanwhile: its logs stay.

    Raises: Undecided with the reason.
    """
    event = yield from talk.observe(step.server, ())
    if isinstance(event, Observed):
        own = _own(lane, event.server)
        if own is not None and own.is_mounted is True:
            return Judgement(outcome=OutcomeKind.ALREADY, result={"moved": 0, "is_mounted": True})
        why = why_not_own(lane, step, event.server)
    else:
        why = f"whether another database uses the logs is not known: {event.message}"
    if why is None:
        return None
    if step.action is Action.TAKE_LOGS_ASIDE:  # nothing forces it: the lane turns back
        return failed(why, {})
    yield from talk.append(*question_drafts(step, why))
    raise Undecided(step, why)


def why_not_own(lane: Lane, step: Step, server: ActualServer) -> str | None:
    """Why the logs may be another database's too; None when they are this one's alone."""
    assert isinstance(step.call, ScriptCall)
    folders = {_key(step.call.arguments[name]) for name in ("from_folder", "to_folder")}
    prefix = str(step.call.arguments["prefix"])
    if not prefix:
        return "the base name of the database's logs is not known"
    if isinstance(server.databases, Unknown):
        return f"the databases of {server.name} are not known: {server.databases.reason}"
    own = _own(lane, server)
    if own is None or own.is_mounted is not False:
        return "whether the database is mounted is not known"
    sharing = [
        each.name
        for each in server.databases
        if each.guid != lane.database_guid and _may_use(each, folders, prefix)
    ]
    return f"{', '.join(sharing)} may use the same logs" if sharing else None


def _own(lane: Lane, server: ActualServer) -> ActualDatabase | None:
    databases = () if isinstance(server.databases, Unknown) else server.databases
    return next((each for each in databases if each.guid == lane.database_guid), None)


def _may_use(database: ActualDatabase, folders: set[str], prefix: str) -> bool:
    theirs = database.log_prefix
    is_same = not isinstance(theirs, str) or theirs.casefold() == prefix.casefold()
    return is_same and _key(database.log_folder) in folders


def _key(folder: str) -> str:
    return folder.rstrip("\\").casefold()
