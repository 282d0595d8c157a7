"""Reports that hold one of everything: templates of operators are tried on them before a run.

A template that fails only where a database was left offline would otherwise fail on the night that
it is needed most.
"""

from __future__ import annotations

from datetime import datetime

from attrs import evolve

from goexchange.errors import Diagnostic, Place, Severity
from goexchange.model.plan import Plan
from goexchange.model.report import (
    Attention,
    BackupSetReport,
    BackupState,
    DeliveryLog,
    Deviation,
    Figure,
    Interval,
    JournalCheck,
    LaneReport,
    NoticeLog,
    OnlineBackupReport,
    PassCount,
    Rate,
    Report,
    ReportedFinding,
    ReportVerdict,
    StepState,
    Superseded,
)
from goexchange.model.run import LaneState
from goexchange.report.model import build_report
from goexchange.report.outlook import Coming


def trial_reports(plan: Plan) -> tuple[Report, ...]:
    """The plan's report before its run, and as it can be after one: in service, left offline."""
    bare = build_report(plan, ())
    now = plan.body.evaluated_at_utc
    return bare, _after(bare, now, is_down=False), _after(bare, now, is_down=True)


def trial_coming(plan: Plan) -> tuple[Coming, ...]:
    """A specification that is due and was missed, with a plan."""
    now = plan.body.evaluated_at_utc
    coming = Coming(
        specification="weekly",
        standing="late",
        zone="UTC",
        due_at_utc=now,
        begins_at_utc=now,
        missed_at_utc=now,
        plan="plans/weekly.json",
        is_approved=True,
    )
    return (coming,)


def _after(bare: Report, now: datetime, *, is_down: bool) -> Report:
    span = Interval(start_utc=now, end_utc=None if is_down else now)
    left = Attention(
        verdict=ReportVerdict.LEFT_OFFLINE,
        address="EX01/DB05",
        why="it does not mount",
        commands=("goexchange release EX01/DB05",),
    )
    state = LaneState.LEFT_OFFLINE if is_down else LaneState.DONE
    figure = Figure(size_bytes=1, source="the dismounted file", read_at_utc=now)
    counts = PassCount(pass_name="primary", looks=1, errors=1, warnings=1)
    databases = tuple(
        evolve(
            one,
            state=state.value,
            why="rebuilt",
            size_before=figure,
            size_after=figure,
            white_space_before=figure,
            white_space_after=figure,
            passes=(counts,),
            offline=(span,),
            backup_before=BackupState(words="full backup", at_utc=now),
            backup_after=BackupState(words="proved full backup", at_utc=now),
        )
        for one in bare.databases
    )
    run = evolve(
        bare.run,
        run="20261128T210000-5c6f",
        tool="goexchange",
        controller="controller",
        started_by="anna",
        approved_by="bernd",
        approved_at_utc=now,
        consents=("outage for EX01/DB05",),
        started_at_utc=now,
        ended_at_utc=None if is_down else now,
        last_record_at_utc=now,
        resumes=1,
        exit_code=None if is_down else 0,
    )
    return evolve(
        bare,
        verdict=ReportVerdict.LEFT_OFFLINE if is_down else ReportVerdict.DONE,
        attention=(left,) if is_down else (),
        run=run,
        databases=databases,
        lanes=tuple(_lane(one, now, span, state) for one in bare.lanes),
        sets=(_set(span),),
        online_backups=(_online(now, span),),
        superseded=(Superseded(address="EX01/DB05", before_utc=now),),
        rates=(Rate(address="EX01/DB05", work="rebuild", moved_bytes=1, seconds=1.0),),
        deviations=(Deviation(at_utc=now, kind="failed", address="EX01/DB05", text="mount"),),
        guards=tuple(evolve(one, at_utc=now) for one in bare.guards),
        notices=(_notice(now),),
        diagnostics=(_warning(),),
        journal=JournalCheck(
            records=1,
            is_whole=not is_down,
            problem="record 1: it does not fit" if is_down else None,
            head="0" * 64,
        ),
    )


def _lane(lane: LaneReport, now: datetime, span: Interval, state: LaneState) -> LaneReport:
    found = ReportedFinding(severity="error", pass_name="primary", text="a finding")
    outcome = StepState.FAILED if state is LaneState.LEFT_OFFLINE else StepState.DONE
    steps = tuple(
        evolve(
            one,
            state=outcome,
            attempts=1,
            started_at_utc=now,
            ended_at_utc=now,
            why="why",
            findings=(found,),
            result={"why": "why"},
            output_tail="output",
        )
        for one in lane.steps
    )
    return evolve(
        lane,
        state=state.value,
        why="rebuilt",
        started_at_utc=now,
        ended_at_utc=now,
        offline=(span,),
        steps=steps,
    )


def _set(span: Interval) -> BackupSetReport:
    digest = "0" * 64
    return BackupSetReport(
        address="EX01/DB05",
        folder=r"E:\sets",
        files=1,
        total_bytes=1,
        copied=span,
        manifest=r"E:\sets\backup-set.json",
        manifest_sha256=digest,
        set_sha256=digest,
        database_sha256=digest,
        signature="00",
        verified=("every page",),
        is_sealed=True,
        is_verified=True,
    )


def _online(now: datetime, span: Interval) -> OnlineBackupReport:
    return OnlineBackupReport(
        address="EX01/DB05",
        method="windows-server-backup",
        ran=span,
        state=StepState.DONE,
        last_full_backup_utc=now,
        job_succeeded=True,
        is_newer=True,
        event_completed=True,
        retrievable=True,
        proved=True,
    )


def _notice(now: datetime) -> NoticeLog:
    sent = DeliveryLog(channel="mail", state="delivered", attempts=1, at_utc=now, text="taken")
    return NoticeLog(
        at_utc=now,
        event="maintenance-finished",
        audience="operators",
        recipients=("ops@contoso.example",),
        deliveries=(sent,),
    )


def _warning() -> Diagnostic:
    return Diagnostic(
        id="a-warning",
        summary="A warning",
        detail="what it is about",
        severity=Severity.WARNING,
        address="EX01",
        place=Place(file="specs/a.yaml", line=1, column=1),
    )
