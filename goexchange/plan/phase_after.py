"""After the database is back: the online backup with its proof, the record of the database, the
end of the recovery record.
"""

from __future__ import annotations

from goexchange.model.desired import OnlineBackup
from goexchange.model.history import Work
from goexchange.model.plan import Action, Binding, BindingKind, Poll, Reason, RunsWhen
from goexchange.plan import words
from goexchange.plan.builder import LaneBuilder, timed
from goexchange.plan.calls import controller, equals, host_job, host_script
from goexchange.plan.context import LaneContext
from goexchange.plan.coverage import Coverage, covered_bytes, include_argument
from goexchange.schedule.history import Estimate

PROOF_LIMIT_S = 3600


def add_online_backup(
    lane: LaneBuilder, context: LaneContext, *, coverage: Coverage, runs_when: RunsWhen
) -> None:
    """A full backup of the volumes of the database, and its proof; a time stamp alone proves
    nothing.
    """
    declared = context.spec.backup_after.online
    if declared is None:
        raise ValueError("an online backup is planned that the specification does not declare")
    names = words.listed(each.name for each in coverage.databases)
    backup = lane.add(
        Action.ONLINE_BACKUP,
        host_job(
            "wbadmin",
            {
                "target": coverage.target,
                "volumes": [include_argument(each) for each in coverage.volumes],
            },
            expected_bytes=covered_bytes(coverage),
        ),
        summary=f"online full backup of {words.listed(coverage.volumes)} -> {coverage.target}"
        f" (covers {names})",
        reason=_reason(context),
        guards=("no-backup-running",),
        runs_when=runs_when,
        time_limit_s=declared.timeout_s,
        **timed(_backup_time(context, coverage)),
        origin=declared.place,
    )
    _add_proof(lane, context, (backup, coverage, declared), runs_when)


def add_record(lane: LaneBuilder, context: LaneContext, *, runs_when: RunsWhen) -> None:
    """The record that later runs read back as facts."""
    lane.add(
        Action.WRITE_DATABASE_RECORD,
        host_script(
            "write-database-record",
            {"root": context.root, "database_guid": context.database.guid, "record": {}},
        ),
        summary="record of the database on the host: signature, verification, rebuild, set",
        binds=(Binding(argument="record", kind=BindingKind.DATABASE_RECORD, step=""),),
        runs_when=runs_when,
        estimate_s=2,
    )


def add_close_record(lane: LaneBuilder, context: LaneContext) -> None:
    """Nothing is open on the host any more."""
    lane.add(
        Action.CLOSE_RECOVERY_RECORD,
        host_script(
            "write-recovery",
            {
                "root": context.root,
                "database_guid": context.database.guid,
                "state": "closed",
                "content": {},
                "text": "",
            },
        ),
        summary="close the recovery record",
        estimate_s=2,
    )


def _add_proof(
    lane: LaneBuilder,
    context: LaneContext,
    backup: tuple[str, Coverage, OnlineBackup],
    runs_when: RunsWhen,
) -> None:
    step, coverage, declared = backup
    arguments = {
        "server": context.server.name,
        "databases": [context.database.guid],
        "covered": [each.guid for each in coverage.databases],
        "started_at": "",
    }
    look = controller("observe", arguments)
    lane.add(
        Action.PROVE_BACKUP,
        look,
        summary="proof: job, last full backup, completion event, a copy that can be fetched",
        reason=_reason(context),
        runs_when=runs_when,
        poll=Poll(
            call=look,
            until=equals("proved", True),
            failed=None,
            interval_s=context.pace.poll_interval_s,
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
