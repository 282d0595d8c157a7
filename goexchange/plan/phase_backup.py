"""The online backups of a lane: before its outage and after it, by every method, each with its
proof.
"""

from __future__ import annotations

from attrs import frozen

from goexchange.model.desired import BackupAgent, OnlineBackup, OnlineBackupMethod
from goexchange.model.history import Work
from goexchange.model.plan import (
    Action,
    Binding,
    BindingKind,
    JobCall,
    Poll,
    Reason,
    RunsWhen,
)
from goexchange.plan import words
from goexchange.plan.agents import agent_words
from goexchange.plan.builder import LaneBuilder, timed
from goexchange.plan.calls import controller, equals, host_job
from goexchange.plan.context import LaneContext
from goexchange.plan.coverage import Coverage, covered_bytes, include_argument
from goexchange.plan.ntbackup import ntbackup_job
from goexchange.plan.phase_conflicts import LOOKS_EVERY
from goexchange.plan.shadow import copied_databases, shadow_job
from goexchange.schedule.history import Estimate
from goexchange.spec.machines import machine_of

PROOF_LIMIT_S = 3600
SETTLE_S = 600  # how long an agent's word from before its start is not believed after it
LIMIT_MARGIN_S = 900  # for the agent's own end at its limit: its stop command, its copies
_LOOKS_TO_SETTLE = 3


@frozen(kw_only=True)
class _Side:
    """Before or after the outage."""

    backup: Action
    proof: Action
    runs_when: RunsWhen
    reason: Reason


def add_backup_before(lane: LaneBuilder, context: LaneContext) -> None:
    """The online backup that is asked for before the outage, while the store is mounted; one that
    is not proved ends the lane before anything is taken down.
    """
    declared, coverage = context.spec.backup_before.online, context.coverage_before
    if declared is None or coverage is None:
        return
    side = _Side(
        backup=Action.ONLINE_BACKUP_BEFORE,
        proof=Action.PROVE_BACKUP_BEFORE,
        runs_when=RunsWhen.ALL_WELL,
        reason=Reason.ASKED_FOR,
    )
    _add(lane, context, (declared, coverage), side)


def add_online_backup(
    lane: LaneBuilder, context: LaneContext, *, coverage: Coverage, runs_when: RunsWhen
) -> None:
    """A full backup of the database as it is now, and its proof; a time stamp alone proves
    nothing.
    """
    declared = context.spec.backup_after.online
    assert declared is not None  # what it covers is looked for only where it is declared
    side = _Side(
        backup=Action.ONLINE_BACKUP,
        proof=Action.PROVE_BACKUP,
        runs_when=runs_when,
        reason=_reason(context),
    )
    _add(lane, context, (declared, coverage), side)


def what_it_takes(coverage: Coverage, declared: OnlineBackup) -> str:
    """What a backup takes and where it goes, in words."""
    if declared.method is OnlineBackupMethod.AGENT:
        start = declared.agent.start if declared.agent is not None else ()
        machine = machine_of(declared)
        on = "" if machine is None else f" on {machine}"
        return f"by the agent {words.listed(start[:1])}{on}, which chooses what it takes"
    if declared.method is OnlineBackupMethod.NTBACKUP:
        return f"by ntbackup of {coverage.what} -> {coverage.target}"
    if declared.method is OnlineBackupMethod.DISKSHADOW:
        names = words.listed(each.name for each in copied_databases(coverage))
        return (
            f"by diskshadow of {words.listed(coverage.volumes)}, verified copies of {names}"
            f" -> {coverage.target}"
        )
    return f"of {words.listed(coverage.volumes)} -> {coverage.target}"


def _add(
    lane: LaneBuilder,
    context: LaneContext,
    what: tuple[OnlineBackup, Coverage],
    side: _Side,
) -> None:
    declared, coverage = what
    names = words.listed(coverage.names)
    may = "may cover" if declared.method is OnlineBackupMethod.AGENT else "covers"
    is_agent = declared.method is OnlineBackupMethod.AGENT
    machine = machine_of(declared)
    backup = lane.add(
        side.backup,
        backup_job(context, declared, coverage),
        summary=f"online full backup {what_it_takes(coverage, declared)} ({may} {names})",
        reason=side.reason,
        guards=_guards(context, declared),
        runs_when=side.runs_when,
        time_limit_s=declared.timeout_s + (LIMIT_MARGIN_S if is_agent else 0),
        **timed(_backup_time(context, coverage)),
        origin=declared.place,
        **({} if machine is None else {"server": machine}),
    )
    _add_proof(lane, context, (backup, declared, coverage), side)


def _guards(context: LaneContext, declared: OnlineBackup) -> tuple[str, ...]:
    """Beside an outage its own guards have looked for the room already, with all else that it
    writes.
    """
    is_alone = not context.treatment.is_offline
    copies = declared.method in (OnlineBackupMethod.DISKSHADOW, OnlineBackupMethod.NTBACKUP)
    return ("no-backup-running", "space") if is_alone and copies else ("no-backup-running",)


def backup_job(context: LaneContext, declared: OnlineBackup, coverage: Coverage) -> JobCall:
    """The host job of the declared method."""
    if declared.method is OnlineBackupMethod.AGENT:
        assert declared.agent is not None  # the reader of specifications asks for it
        return host_job("agent", _agent_request(declared.agent, context, declared.timeout_s))
    if declared.method is OnlineBackupMethod.DISKSHADOW:
        return shadow_job(context, coverage)
    if declared.method is OnlineBackupMethod.NTBACKUP:
        return ntbackup_job(context, coverage)
    return host_job(
        "wbadmin",
        {
            "target": coverage.target,
            "volumes": [include_argument(each) for each in coverage.volumes],
        },
        expected_bytes=covered_bytes(coverage),
    )


def _agent_request(agent: BackupAgent, context: LaneContext, limit_s: int) -> dict[str, object]:
    commands = {
        "start": agent.start,
        "state": agent.state,
        "stop": agent.stop or (),
        "copies": agent.copies or (),
    }
    about = {"server": context.server.name, "database": context.database.name}
    return {
        **{name: agent_words(each, **about) for name, each in commands.items()},
        "states": [{"prints": each.prints, "means": each.means.value} for each in agent.states],
        "poll_every_s": agent.poll_every_s,
        "settle_s": max(SETTLE_S, _LOOKS_TO_SETTLE * agent.poll_every_s),
        "limit_s": limit_s,
    }


def _add_proof(
    lane: LaneBuilder,
    context: LaneContext,
    backup: tuple[str, OnlineBackup, Coverage],
    side: _Side,
) -> None:
    step, declared, coverage = backup
    arguments = {
        "server": context.server.name,
        "databases": [context.database.guid],
        "covered": [each.guid for each in coverage.databases if coverage.is_known],
        "started_at": "",
    }
    look = controller("observe", arguments)
    lane.add(
        side.proof,
        look,
        summary="proof: job, last full backup, completion event, a copy that can be fetched",
        reason=side.reason,
        runs_when=side.runs_when,
        poll=Poll(
            call=look,
            until=equals("proved", True),
            failed=equals("is_final", True),
            interval_s=LOOKS_EVERY * context.pace.poll_interval_s,
        ),
        time_limit_s=PROOF_LIMIT_S,
        binds=(Binding(argument="started_at", kind=BindingKind.STARTED_AT, step=step),),
        **timed(context.times.of(Work.BACKUP_PROOF, 0)),
        origin=declared.place,
    )


def _backup_time(context: LaneContext, coverage: Coverage) -> Estimate | None:
    """How long the backup takes, by what it covers; None when that is not known."""
    size = covered_bytes(coverage)
    return None if size is None else context.times.of(Work.ONLINE_BACKUP, size)


def _reason(context: LaneContext) -> Reason:
    backup_reasons = (Reason.BACKUP_TOO_OLD, Reason.NEVER_BACKED_UP)
    found = [each for each in context.needed.reasons if each in backup_reasons]
    return found[0] if found else Reason.PART_OF_SCRIPT
