"""Custom processes: an operator's own programs around a database, around a server, or around the
whole run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from attrs import evolve

from goexchange.model.desired import CustomProcess, DesiredState, ProcessLimit, ProcessScope
from goexchange.model.plan import Action, Lane, LanePhase, Reason, RunsWhen
from goexchange.plan import words
from goexchange.plan.builder import HOUR, LaneBuilder
from goexchange.plan.calls import host_job, one_of
from goexchange.plan.context import LaneContext

NO_LIMIT_S = 30 * 24 * HOUR  # longer than any run; the window, a stop or an abort come first


def add_processes_before(lane: LaneBuilder, context: LaneContext) -> dict[str, str]:
    """Custom processes of the database; returns the step of each by its name, for those that undo
    them.
    """
    return add_before_lane(lane, context.spec)


def add_before_lane(lane: LaneBuilder, spec: DesiredState) -> dict[str, str]:
    """The same for a lane of whatever kind."""
    mine = _of(spec.processes_before, ProcessScope.DATABASE)
    return {each.name: add_process(lane, each) for each in mine}


def add_processes_after(
    lane: LaneBuilder, context: LaneContext, *, undone: dict[str, str], has_outage: bool
) -> None:
    """Custom processes after, of a database that was down when it is back; one that undoes another
    runs whatever happened in between.
    """
    add_after_lane(lane, context.spec, undone=undone, has_outage=has_outage)


def add_after_lane(
    lane: LaneBuilder, spec: DesiredState, *, undone: dict[str, str], has_outage: bool
) -> None:
    """The same for a lane of whatever kind."""
    usual = RunsWhen.IN_SERVICE_AGAIN if has_outage else RunsWhen.ALWAYS
    for process in _of(spec.processes_after, ProcessScope.DATABASE):
        _add_after(lane, process, undone, usual=usual)


def server_lanes(
    server: str, specifications: Iterable[DesiredState]
) -> tuple[Lane | None, Lane | None]:
    """Return the lanes of a server's own custom processes: before its databases and after them,
    None without any.
    """
    return _lanes(server, server, specifications, ProcessScope.SERVER)


def around_run(lanes: Sequence[Lane], specifications: Iterable[DesiredState]) -> tuple[Lane, ...]:
    """The lanes with those of the processes that run once: on the server that goes first, before
    every other lane and after all of them.

    Shape: a lane that only mounts waits for nothing.
    """
    if not lanes:
        return ()
    first, last = _lanes("run", lanes[0].server, specifications, ProcessScope.RUN)
    found = list(lanes)
    if first is not None:
        needed = [
            lane if is_mount_only(lane) else evolve(lane, needs=(first.id, *lane.needs))
            for lane in found
        ]
        found = [evolve(first, phase=LanePhase.BEFORE_ALL), *needed]
    if last is not None:
        found.append(evolve(last, phase=LanePhase.AFTER_ALL))
    return tuple(found)


def is_mount_only(lane: Lane) -> bool:
    """Whether the lane only brings a database back that was found down."""
    actions = {step.action for step in lane.steps}
    return Action.MOUNT in actions and Action.DISMOUNT not in actions


def add_process(lane: LaneBuilder, process: CustomProcess, **differs: Any) -> str:
    """One custom process as a host job."""
    limit = NO_LIMIT_S if process.timeout_s is None else process.timeout_s
    follows = "" if process.follow is None else f", and the {process.follow} it starts"
    return lane.add(
        Action.CUSTOM_PROCESS,
        host_job("command", {"command": list(process.run), "follow": process.follow}),
        summary=f"{process.name}: {' '.join(process.run)}{follows}, {_until(process)}",
        reason=Reason.ASKED_FOR,
        time_limit_s=limit,
        ends_at_limit=process.limit is ProcessLimit.TIMEOUT,
        may_fail=not process.treat_failure_as_error,
        postcondition=one_of("exit_code", *process.success_exit_codes),
        origin=process.place,
        **differs,
    )


def _lanes(
    name: str, server: str, specifications: Iterable[DesiredState], scope: ProcessScope
) -> tuple[Lane | None, Lane | None]:
    first = LaneBuilder(f"{name}:before", server, database=None, database_guid=None)
    last = LaneBuilder(f"{name}:after", server, database=None, database_guid=None)
    for spec in specifications:
        undone = {each.name: add_process(first, each) for each in _of(spec.processes_before, scope)}
        for process in _of(spec.processes_after, scope):
            _add_after(last, process, undone, usual=RunsWhen.ALWAYS)
    lanes = (first.lane(), last.lane())
    return (lanes[0] if lanes[0].steps else None, lanes[1] if lanes[1].steps else None)


def _add_after(
    lane: LaneBuilder, process: CustomProcess, undone: dict[str, str], *, usual: RunsWhen
) -> None:
    add_process(
        lane,
        process,
        runs_when=RunsWhen.UNDO_OF if process.undoes else usual,
        undo_of=undone[process.undoes] if process.undoes else None,
    )


def _of(processes: Iterable[CustomProcess], scope: ProcessScope) -> list[CustomProcess]:
    return [each for each in processes if each.per is scope]


def _until(process: CustomProcess) -> str:
    if process.timeout_s is None:
        return "until done, however long it takes"
    limit = words.span(process.timeout_s)
    if process.limit is ProcessLimit.TIMEOUT:
        return f"{limit}, done or not; left running"
    return f"until done, <= {limit}"
