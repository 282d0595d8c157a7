"""What a run measured: how long each piece of its work took, by plan and journal."""

from __future__ import annotations

from collections.abc import Iterator
from ntpath import dirname
from typing import Any

from goexchange.journal.replay import RunState
from goexchange.model.history import Measurement, Timing, Work
from goexchange.model.plan import Action, JobCall, Lane, Plan, PlanBody, Step
from goexchange.model.run import OutcomeKind, StepRecord
from goexchange.model.unknown import Unknown

_WORK = {
    Action.COPY_SET: Work.COPY,
    Action.COPY_REBUILT: Work.COPY,
    Action.REBUILD: Work.REBUILD,
    Action.HASH_REBUILT: Work.HASH,
    Action.VERIFY_REBUILT: Work.VERIFY_SET,
    Action.VERIFY_REBUILT_ON_HOST: Work.PAGE_CHECKSUMS,
    Action.HASH_SET: Work.HASH,
    Action.COPY_EVIDENCE: Work.COPY,
    Action.HASH_EVIDENCE: Work.HASH,
    Action.VERIFY_SET: Work.VERIFY_SET,
    Action.VERIFY_SET_ON_HOST: Work.PAGE_CHECKSUMS,
    Action.REPAIR_REQUEST: Work.REPAIR_REQUEST,
    Action.STORE_INTEGRITY: Work.STORE_INTEGRITY,
    Action.ONLINE_BACKUP_BEFORE: Work.ONLINE_BACKUP,
    Action.ONLINE_BACKUP: Work.ONLINE_BACKUP,
    Action.PROVE_BACKUP_BEFORE: Work.BACKUP_PROOF,
    Action.PROVE_BACKUP: Work.BACKUP_PROOF,
    Action.SEED_COPY: Work.SEED,
    Action.DISMOUNT: Work.DISMOUNT,
    Action.MOUNT: Work.MOUNT,
    Action.AWAIT_BACKUPS: Work.WAIT,
}
_BY_TOOL = (Action.DETECT_ERRORS, Action.DETECT_ERRORS_TEMPORARY, Action.MEASURE_SPACE)
_TOOL_MODES = {"/k": Work.PAGE_CHECKSUMS, "/g": Work.INTEGRITY, "/ms": Work.SPACE}


def work_of(step: Step) -> Work | None:
    """What a step is measured as; None for one that is not."""
    if step.action in _BY_TOOL and isinstance(step.call, JobCall):
        arguments = step.call.request.get("arguments") or ("",)
        return _TOOL_MODES.get(arguments[0])
    return _WORK.get(step.action)


def measurements(plan: Plan, state: RunState) -> tuple[Measurement, ...]:
    """Everything that a run measured, in the order of the plan."""
    return tuple(
        Measurement(
            server=lane.server,
            database=lane.database or "",
            database_guid=lane.database_guid or "",
            folder=_folder(plan.body, lane),
            timing=timing,
        )
        for lane in plan.body.lanes
        if lane.database is not None
        for timing in timings(plan, lane, state)
    )


def timings(plan: Plan, lane: Lane, state: RunState) -> Iterator[Timing]:
    """What one lane measured.

    Shape: work that was sent twice, found done already, or went on while no controller looked is
    left out, unless the host itself timed it.
    """
    for step in lane.steps:
        work = work_of(step)
        record = state.step(step.id)
        if work is None or record.outcome is not OutcomeKind.DONE or record.ended_at_utc is None:
            continue
        seconds = _seconds(record, state)
        if seconds is None or _is_first_look(step, seconds):
            continue
        yield Timing(
            work=work,
            size_bytes=_size(plan, lane, step, state=state),
            seconds=round(seconds, 3),
            run=state.run or "",
            at_utc=record.ended_at_utc,
        )


def _is_first_look(step: Step, seconds: float) -> bool:
    """Whether a wait was over at its first look: nothing was in the way, and nothing is learnt."""
    is_wait = step.action is Action.AWAIT_BACKUPS
    return is_wait and step.poll is not None and seconds < step.poll.interval_s


def _seconds(record: StepRecord, state: RunState) -> float | None:
    result = record.result or {}
    if "seconds" in result and isinstance(result["seconds"], (int, float)):
        return float(result["seconds"]) or None
    if state.resumes or record.attempts != 1 or record.last_sent_at_utc is None:
        return None
    assert record.ended_at_utc is not None
    return (record.ended_at_utc - record.last_sent_at_utc).total_seconds() or None


def _size(plan: Plan, lane: Lane, step: Step, *, state: RunState) -> int:
    result: Any = state.step(step.id).result or {}
    if "bytes" in result and isinstance(result["bytes"], int):
        return int(result["bytes"])
    if step.action in (Action.PROVE_BACKUP, Action.PROVE_BACKUP_BEFORE, Action.AWAIT_BACKUPS):
        return 0
    is_partly_read = step.action in (Action.REBUILD, Action.REPAIR_REQUEST)
    if isinstance(step.call, JobCall) and step.call.expected_bytes and not is_partly_read:
        return step.call.expected_bytes
    is_new = step.action is Action.SEED_COPY  # it copies the rebuilt file
    header = Action.READ_TEMPORARY_HEADER if is_new else Action.READ_HEADER
    return _database_size(plan, lane, state, header=header)


def _database_size(plan: Plan, lane: Lane, state: RunState, *, header: Action) -> int:
    """The size of the file that is worked on: as its header step saw it, else as it was planned."""
    for step in lane.steps:
        result = state.step(step.id).result
        if step.action is header and result and "size_bytes" in result:
            return int(result["size_bytes"])
    planned = (
        decision.size_bytes
        for decision in plan.body.decisions
        if (decision.server, decision.database) == (lane.server, lane.database)
    )
    return next(planned, None) or 0


def _folder(body: PlanBody, lane: Lane) -> str:
    for server in body.facts.servers:
        if server.name == lane.server and not isinstance(server.databases, Unknown):
            for database in server.databases:
                if database.guid == lane.database_guid:
                    return dirname(database.edb_path)
    return ""
