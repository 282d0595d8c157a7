"""What a kept journal says of a database, and what the files that it names are."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from goexchange.driver.headers import signature_text
from goexchange.driver.lanes import facts_of, happened, opens_new_file
from goexchange.ese.header import decode_database_header
from goexchange.journal.replay import RunState
from goexchange.model.left import FileSeen, LeftOnHost
from goexchange.model.plan import (
    Action,
    JobCall,
    Lane,
    Operator,
    Plan,
    RunsWhen,
    ScriptCall,
    Step,
)
from goexchange.model.remembered import Remembered, SeenFile, SeenFiles, Undoing
from goexchange.model.run import OutcomeKind


def remembered(plan: Plan, state: RunState, database_guid: str) -> Remembered | None:
    """What the run knew of the database; None when it has no lane for it."""
    wanted = database_guid.lower()
    found = [lane for lane in plan.body.lanes if (lane.database_guid or "").lower() == wanted]
    if not found:
        return None
    lane = found[0]
    header = _result(lane, state, Action.READ_HEADER)
    rebuilt = _result(lane, state, Action.READ_TEMPORARY_HEADER)
    corrected = _result(lane, state, Action.READ_CORRECTED_HEADER)
    passed = _result(lane, state, Action.READ_NEW_HEADER)
    opened = [state.step(step.id).attempts > 0 for step in opens_new_file(lane)]
    mounts = [step for step in lane.steps if step.is_point_of_no_return]
    ended = [state.step(step.id) for step in mounts]
    was_mounted = any(
        step.id in state.took_effect or state.step(step.id).is_in_doubt for step in mounts
    )
    return Remembered(
        original_sha256=_text(corrected or header, "slots_sha256"),
        original_signature=_text(header, "signature"),
        rebuilt_sha256=_text(passed or rebuilt, "slots_sha256"),
        rebuilt_signature=_text(rebuilt, "signature"),
        was_mounted=was_mounted,
        has_mount_failed=not was_mounted
        and any(record.outcome is OutcomeKind.FAILED for record in ended),
        is_proved=_result(lane, state, Action.PROVE_BACKUP) is not None,
        undoing=tuple(_undoing(step) for step in _owed(plan, lane, state)),
        tried_logs=_tried_logs(lane, state) if any(opened) else None,
        is_corrected_in_place=passed is None
        and any(opened)
        and not any(one.attempts for one in ended),
        is_stream_new=facts_of(lane, state).is_stream_new,
    )


def seen_files(content: Mapping[str, Any], left: LeftOnHost) -> SeenFiles:
    """The files that a recovery record names, as they lie there now."""

    def seen(name: str) -> SeenFile:
        path = str(content[name])
        found = left.seen(path)
        return SeenFile(
            path=path,
            exists=found is not None,
            is_open=found is not None and found.is_open,
            sha256=None if found is None else found.header_sha256,
            signature=None if found is None else signature_of(found),
        )

    return SeenFiles(
        original=seen("original"),
        kept=seen("kept"),
        temporary=seen("temporary"),
        set_aside=seen("set_aside"),
    )


def signature_of(file: FileSeen) -> str | None:
    """The signature in the header of a closed file; None when it cannot be read."""
    if file.start is None:
        return None
    try:
        return signature_text(decode_database_header(file.start).signature)
    except (struct.error, ValueError):  # too short, or no header of a database
        return None


def _result(lane: Lane, state: RunState, action: Action) -> Mapping[str, Any] | None:
    for step in lane.steps:
        record = state.step(step.id)
        if step.action is action and happened(record) and record.result is not None:
            return record.result
    return None


def _tried_logs(lane: Lane, state: RunState) -> ScriptCall | None:
    """The call that moves the logs of a tried mount aside, where it is still to be made."""
    for step in lane.steps:
        if step.action is Action.MOVE_LOGS_ASIDE and isinstance(step.call, ScriptCall):
            return None if happened(state.step(step.id)) else step.call
    return None


def _text(result: Mapping[str, Any] | None, name: str) -> str | None:
    return None if result is None or result[name] is None else str(result[name])


def _owed(plan: Plan, lane: Lane, state: RunState) -> list[Step]:
    """Programs that undo one which was begun and has not been undone; of the database and of its
    server.
    """
    near = [each for each in plan.body.lanes if each.server == lane.server]
    mine = [each for each in near if each.database is None or each is lane]
    return [
        step
        for each in mine
        for step in each.steps
        if step.runs_when is RunsWhen.UNDO_OF
        and isinstance(step.call, JobCall)
        and state.step(step.undo_of or "").attempts
        and not happened(state.step(step.id))
    ]


def _undoing(step: Step) -> Undoing:
    assert isinstance(step.call, JobCall)
    wanted = step.postcondition
    codes = wanted.value if wanted is not None and wanted.operator is Operator.ONE_OF else (0,)
    return Undoing(
        summary=step.summary,
        call=step.call,
        time_limit_s=step.time_limit_s,
        allowed_exit_codes=tuple(codes),
    )
