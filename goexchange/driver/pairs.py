"""The second file of a database of Exchange 2003: its header is judged with the first one's, and it
is in every set that the first one is in.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from attrs import evolve

from goexchange.backup.selection import Reason, SelectedFile, Selection
from goexchange.driver.headers import header_facts, header_of
from goexchange.driver.judgement import Failure, Judgement, Subject, done
from goexchange.driver.lanes import happened
from goexchange.ese.header import DatabaseState
from goexchange.ese.structures import FileType
from goexchange.journal.replay import RunState
from goexchange.model.backup_set import FileRole
from goexchange.model.plan import Action, Lane, ScriptCall
from goexchange.model.unknown import Unknown
from goexchange.powershell.eseutil import decode_output, has_succeeded
from goexchange.powershell.header_dump import CLEAN_STATES, parse_header_dump

_PARTNER = {
    Action.READ_STREAMING_HEADER: Action.READ_HEADER,
    Action.READ_TEMPORARY_STREAMING: Action.READ_TEMPORARY_HEADER,
    Action.READ_RETURNED_STREAMING: Action.READ_RETURNED_HEADER,
    Action.READ_CORRECTED_STREAMING: Action.READ_CORRECTED_HEADER,
    Action.READ_NEW_STREAMING: Action.READ_NEW_HEADER,
}


def is_lane_of_pair(lane: Lane) -> bool:
    """Whether the database of a lane is made up of two files."""
    return any(step.action in _PARTNER for step in lane.steps)


def judge_streaming(subject: Subject, answer: Mapping[str, Any]) -> Judgement:
    """Shut down cleanly by our own reading and by eseutil's, with the signature of its database and
    at the same position of the logs: else the two are no pair.
    """
    partner = _done(subject.lane, subject.state, _PARTNER[subject.step.action])
    slots = base64.b64decode(answer["slots"])
    result = {**header_facts(slots), "size_bytes": answer["size_bytes"]}
    if partner is None:
        raise Failure("the header of its database was not read", result)
    printed = decode_output(base64.b64decode(answer["eseutil"]["output"]))
    dump = parse_header_dump(printed)
    if isinstance(dump, Unknown):
        why = f"eseutil's dump of the streaming file cannot be read: {dump.reason}"
        raise Failure(why, result, output=printed)
    if result["state"] != int(DatabaseState.CLEAN_SHUTDOWN) or not result["headers_alike"]:
        raise Failure("the streaming file was not shut down cleanly", result)
    has_run = has_succeeded(answer["eseutil"]["exit_code"], dump.end)
    if dump.state not in CLEAN_STATES or not has_run:
        why = "eseutil and our own reading of the streaming file disagree"
        raise Failure(why, result, output=printed)
    mine, theirs = header_of(result), header_of(partner)
    if mine.file_type not in (FileType.STREAMING, FileType.UNKNOWN):
        raise Failure("the streaming file says that it is a file of another kind", result)
    if (mine.signature, mine.last_consistent) != (theirs.signature, theirs.last_consistent):
        raise Failure("the streaming file is not the one of this database", result)
    return done(result)


def with_streaming(selection: Selection, lane: Lane, state: RunState) -> Selection:
    """The files of a set with the streaming file right after its database, where there is one.

    Raises: ValueError when the lane has one and its header was not read.
    """
    steps = [each for each in lane.steps if each.action is Action.READ_STREAMING_HEADER]
    if not steps:
        return selection
    result = _done(lane, state, Action.READ_STREAMING_HEADER)
    call = steps[0].call
    if result is None or not isinstance(call, ScriptCall):
        raise ValueError("the header of the streaming file was not read")
    file = SelectedFile(
        path=str(call.arguments["path"]),
        size_bytes=result["size_bytes"],
        role=FileRole.STREAMING,
        reason=Reason.STREAMING,
    )
    return evolve(selection, files=(selection.files[0], file, *selection.files[1:]))


def _done(lane: Lane, state: RunState, action: Action) -> Mapping[str, Any] | None:
    records = (state.step(step.id) for step in lane.steps if step.action is action)
    found = [each.result for each in records if happened(each) and each.result is not None]
    return found[-1] if found else None
