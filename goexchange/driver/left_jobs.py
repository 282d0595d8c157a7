"""Host jobs that a dead run may have left: of one of its lanes on other hosts than the lane's own,
and those that belong to nothing else that is brought back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from goexchange.driver.calls import job_id, scope_servers
from goexchange.model.left import LeftOnHost
from goexchange.model.plan import JobCall, Lane, Plan
from goexchange.model.unknown import Unknown

COMMAND = "command"  # an operator's program: what it has begun nobody else can end well
_ENDED = "ended"


def lane_of_record(plan: Plan, guid: str) -> Lane | None:
    """The lane that has opened the record of this database, or server."""
    wanted = guid.lower()
    return next(
        (one for one in plan.body.lanes if (one.database_guid or "").lower() == wanted), None
    )


def touched(plan: Plan, guids: Collection[str] | None) -> tuple[str, ...]:
    """The servers that a run has steps on; with `guids`, the lanes of these databases alone."""
    if guids is None:
        return scope_servers(plan)
    lanes = [lane_of_record(plan, guid) for guid in guids]
    return tuple(sorted({step.server for lane in lanes if lane for step in lane.steps}))


def jobs_elsewhere(
    plan: Plan, guid: str, *, run: str, seen: Mapping[str, LeftOnHost]
) -> tuple[tuple[str, str], ...]:
    """Host and job, on the hosts that were seen, of everything that the lane begins away from its
    own server.

    Shape: where no job of a step is there, the one that it begins first: whoever ends it claims
    the host, and a controller that was only frozen begins nothing there any more.
    """
    lane = lane_of_record(plan, guid)
    found: list[tuple[str, str]] = []
    for step in lane.steps if lane is not None else ():
        if not isinstance(step.call, JobCall) or lane is None or step.server == lane.server:
            continue
        if step.server in seen:
            stem = job_id(run, step, 0)[:-1]
            jobs = _unended(seen[step.server], stem) or (f"{stem}1",)
            found += [(step.server, job) for job in jobs]
    return tuple(found)


def jobs_to_end(left: LeftOnHost, run: str, *, plan: Plan | None) -> tuple[str, ...]:
    """Every job of the run on a host that has not ended; also one that has ended and ran as an
    account of its own: its task stores the password.
    """
    steps = [step for lane in plan.body.lanes for step in lane.steps] if plan else []
    stems = tuple(
        job_id(run, step, 0)[:-1]
        for step in steps
        if isinstance(step.call, JobCall) and step.call.account is not None
    )
    open_jobs = _unended(left, f"{run}-")
    jobs = () if isinstance(left.jobs, Unknown) else left.jobs
    return tuple(
        each.job for each in jobs if each.job in open_jobs or each.job.startswith(stems)
    )


def loose_jobs(left: LeftOnHost, run: str, *, known: Collection[str]) -> tuple[str, ...]:
    """Jobs of the run that have not ended on a host and are not among the known ones; an operator's
    program is none of them.
    """
    jobs = _unended(left, f"{run}-")
    return tuple(each for each in jobs if each not in known and each not in commands_of(left, run))


def commands_of(left: LeftOnHost, run: str) -> tuple[str, ...]:
    """Operators' programs of the run that have not ended on a host."""
    jobs = () if isinstance(left.jobs, Unknown) else left.jobs
    commands = {each.job for each in jobs if each.kind == COMMAND}
    return tuple(each for each in _unended(left, f"{run}-") if each in commands)


def _unended(left: LeftOnHost, stem: str) -> tuple[str, ...]:
    jobs = () if isinstance(left.jobs, Unknown) else left.jobs
    return tuple(each.job for each in jobs if each.job.startswith(stem) and each.state != _ENDED)
