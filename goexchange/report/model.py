"""The report of a run, from its plan and the records of its journal alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from goexchange.codec import from_plain
from goexchange.errors import ExitCode, InvalidDocument
from goexchange.journal.chain import first_damage
from goexchange.model.notice import Delivery
from goexchange.model.plan import Plan, Verdict, VerdictKind
from goexchange.model.report import (
    Attention,
    GuardEvidence,
    JournalCheck,
    LaneReport,
    Report,
    ReportVerdict,
    RunHeader,
)
from goexchange.model.run import LaneState, Record, RecordKind
from goexchange.model.server import NO_DATABASES
from goexchange.report.backups import backup_sets, online_backups, rates, superseded_backups
from goexchange.report.databases import database_summaries, observations
from goexchange.report.deviations import deviations, in_doubt
from goexchange.report.notices import notice_logs
from goexchange.report.plan_words import action_words, short_why
from goexchange.report.reading import (
    bounded,
    int_at,
    mapping_at,
    member,
    moment_at,
    rows_at,
    text_at,
)
from goexchange.report.steps import lane_reports
from goexchange.report.units import count_text

FORMAT = "goexchange/report/v1"

_BY_EXIT_CODE: Mapping[int, ReportVerdict] = {
    ExitCode.OK: ReportVerdict.DONE,
    ExitCode.PARTIAL: ReportVerdict.PARTIAL,
    ExitCode.STOPPED: ReportVerdict.STOPPED,
    ExitCode.LEFT_OFFLINE: ReportVerdict.LEFT_OFFLINE,
    ExitCode.UNKNOWN: ReportVerdict.UNKNOWN,
    ExitCode.ROLLBACK_FAILED: ReportVerdict.WAY_BACK_FAILED,
    ExitCode.UNPROTECTED: ReportVerdict.UNPROTECTED,
    ExitCode.INTERRUPTED: ReportVerdict.INTERRUPTED,
    ExitCode.TERMINATED: ReportVerdict.INTERRUPTED,
}
_BY_LANE_STATE = {
    LaneState.LEFT_OFFLINE.value: ReportVerdict.LEFT_OFFLINE,
    LaneState.UNPROTECTED.value: ReportVerdict.UNPROTECTED,
    LaneState.UNDECIDED.value: ReportVerdict.UNKNOWN,
}
_SENTENCES = {
    ReportVerdict.DONE: "Everything that was planned was done",
    ReportVerdict.PARTIAL: "Something failed; every database is in service",
    ReportVerdict.STOPPED: "Stopped before the end; every database is in service",
    ReportVerdict.INTERRUPTED: "Interrupted; every database is in service; the run can be resumed",
    ReportVerdict.UNPROTECTED: "In service, but without a proved backup of the present file",
    ReportVerdict.INTERNAL: "Broken off by an internal error",
    ReportVerdict.UNKNOWN: "An outcome could not be decided",
    ReportVerdict.LEFT_OFFLINE: "A database is out of service",
    ReportVerdict.WAY_BACK_FAILED: "A way back did not reach its goal",
    ReportVerdict.UNFINISHED: "The journal has no end; the run goes on, or its controller died",
}


def build_report(
    plan: Plan, records: Sequence[Record], deliveries: Sequence[Delivery] = ()
) -> Report:
    """The report of the run whose journal holds these records; `deliveries` are what the outbox
    knows of its notifications.
    """
    journal = _journal(records)
    records = tuple(map(bounded, records))
    lanes = lane_reports(plan, records)
    header = _header(plan, records)
    attention = tuple(_attention(lanes, records))
    verdict = _verdict(records, attention, journal)
    return Report(
        format=FORMAT,
        verdict=verdict,
        headline=_headline(verdict, lanes, attention, counted=_counted(plan)),
        attention=attention,
        run=header,
        databases=database_summaries(plan, lanes, observations(plan, records)),
        lanes=lanes,
        sets=backup_sets(lanes),
        online_backups=online_backups(plan, lanes),
        superseded=superseded_backups(lanes),
        rates=rates(lanes),
        deviations=(*deviations(plan, records), *in_doubt(lanes)),
        guards=tuple(_guards(plan, records)),
        notices=notice_logs(plan, records, deliveries),
        diagnostics=plan.body.diagnostics,
        journal=journal,
    )


def _verdict(
    records: Sequence[Record], attention: Sequence[Attention], journal: JournalCheck
) -> ReportVerdict:
    """The most severe word of the run's end and lanes: nothing hides a database that is down."""
    ended = _ended(records)
    found = {one.verdict for one in attention}
    if ended is None:
        found.add(ReportVerdict.UNFINISHED)
    else:
        code = int_at(ended.data, "exit_code")
        silent = ReportVerdict.UNKNOWN if code is None else ReportVerdict.INTERNAL
        found.add(_BY_EXIT_CODE.get(code if code is not None else -1, silent))
    if not journal.is_whole:
        found.add(ReportVerdict.UNKNOWN)
    return min(found, key=list(ReportVerdict).index)


def _headline(
    verdict: ReportVerdict,
    lanes: Sequence[LaneReport],
    attention: Sequence[Attention],
    *,
    counted: str,
) -> str:
    named = [one.address for one in attention]
    own = [lane for lane in lanes if lane.database is not None]
    done = sum(lane.state == LaneState.DONE.value for lane in own)
    ends = f"{done} of {count_text(len(own), counted)} done" if own else "no steps"
    return " · ".join([_SENTENCES[verdict], *([", ".join(named)] if named else []), ends])


def _counted(plan: Plan) -> str:
    """What the lanes of a plan are of: databases, or servers that are worked on as such."""
    own = [lane for lane in plan.body.lanes if lane.database is not None]
    of_servers = own and all(lane.database_guid in NO_DATABASES for lane in own)
    return "server" if of_servers else "database"


def _attention(lanes: Sequence[LaneReport], records: Sequence[Record]) -> Iterator[Attention]:
    """What a person has to mend, by the end of the run and, where that is silent, by the lanes."""
    ended = _ended(records)
    started = next((one for one in records if one.kind is RecordKind.RUN_STARTED), None)
    run = text_at(started.data, "run") if started else None
    told = {
        text_at(one, "lane"): one for one in (rows_at(ended.data, "databases") if ended else ())
    }
    for lane in lanes:
        said = told.get(lane.lane)
        verdict = _lane_verdict(
            lane, text_at(said, "state") or lane.state or "", has_ended=ended is not None
        )
        if verdict is None:
            continue
        commands = tuple(str(one) for one in rows_at(said, "commands"))
        if not commands and run is not None:
            commands = (f"goexchange resume {run}",)
        why = short_why(lane.lane, text_at(said, "why")) or lane.why
        if not why:
            why = (
                "dismounted and not seen mounted again" if _is_away(lane) else "why is not recorded"
            )
        yield Attention(verdict=verdict, address=lane.lane, why=why, commands=commands)


def _lane_verdict(lane: LaneReport, state: str, *, has_ended: bool) -> ReportVerdict | None:
    """What a lane needs a person for; while a run goes on, a database may be away as planned."""
    verdict = _BY_LANE_STATE.get(state)
    if not _is_away(lane) or verdict is ReportVerdict.UNKNOWN:
        return verdict
    is_planned = not has_ended and lane.state == LaneState.RUNNING.value
    return ReportVerdict.UNFINISHED if is_planned else ReportVerdict.LEFT_OFFLINE


def _is_away(lane: LaneReport) -> bool:
    return bool(lane.offline) and lane.offline[-1].end_utc is None


def _ended(records: Sequence[Record]) -> Record | None:
    """The end of the run; none when something was resumed after it."""
    last = [one for one in records if one.kind in (RecordKind.RUN_ENDED, RecordKind.RUN_RESUMED)]
    return last[-1] if last and last[-1].kind is RecordKind.RUN_ENDED else None


def _header(plan: Plan, records: Sequence[Record]) -> RunHeader:
    started = next((one for one in records if one.kind is RecordKind.RUN_STARTED), None)
    ended = _ended(records)
    data = started.data if started else {}
    approval = mapping_at(data, "approval")
    inputs = (f"{one.kind} {one.path} sha256:{one.sha256}" for one in plan.body.inputs)
    return RunHeader(
        run=text_at(data, "run"),
        plan=plan.id,
        plan_sha256=plan.sha256,
        planned_by=plan.created_by,
        commit=plan.body.commit,
        specifications=plan.body.specifications,
        inputs=tuple(inputs),
        tool=text_at(data, "tool"),
        controller=text_at(data, "controller"),
        started_by=text_at(data, "started_by"),
        approved_by=text_at(approval, "approved_by") or text_at(data, "approval"),
        approved_at_utc=moment_at(approval, "approved_at_utc"),
        consents=tuple(
            f"{text_at(one, 'consent')} for {text_at(one, 'address')}"
            for one in rows_at(approval, "consents")
        ),
        window=plan.body.window,
        started_at_utc=started.at_utc if started else None,
        ended_at_utc=ended.at_utc if ended else None,
        last_record_at_utc=records[-1].at_utc if records else None,
        resumes=sum(one.kind is RecordKind.RUN_RESUMED for one in records),
        exit_code=int_at(ended.data, "exit_code") if ended else None,
    )


def _guards(plan: Plan, records: Sequence[Record]) -> Iterator[GuardEvidence]:
    """The verdicts of the plan, then every verdict that the run recorded."""
    lane_of = {step.id: lane.id for lane in plan.body.lanes for step in lane.steps}
    before = {
        step.id: f"before step {step.number} {action_words(step.action)}"
        for lane in plan.body.lanes
        for step in lane.steps
    }
    lanes = {lane.id for lane in plan.body.lanes}

    def lane_named(step: str | None, address: str) -> str | None:
        return lane_of.get(step or "") or (address if address in lanes else None)

    run_decided = {
        (text_at(one.data, "verdict.guard"), text_at(one.data, "verdict.address"))
        for one in records
        if one.kind is RecordKind.GUARD
    }
    for verdict in plan.body.guards:
        if verdict.kind is VerdictKind.DUE and (verdict.guard, verdict.address) in run_decided:
            continue
        lane = lane_named(verdict.due_at_step, verdict.address)
        yield GuardEvidence(at_utc=None, decided="in the plan", lane=lane, verdict=verdict)
    for record in records:
        if record.kind is not RecordKind.GUARD:
            continue
        try:
            verdict = from_plain(Verdict, member(record.data, "verdict"))
        except InvalidDocument:
            continue  # written by another version: the exported journal still has it
        step = text_at(record.data, "step") or verdict.due_at_step
        yield GuardEvidence(
            at_utc=record.at_utc,
            decided=before.get(step or "", "at the start"),
            lane=lane_named(step, verdict.address),
            verdict=verdict,
        )


def _journal(records: Sequence[Record]) -> JournalCheck:
    damage = first_damage(records)
    return JournalCheck(
        records=len(records),
        is_whole=damage is None,
        problem=f"record {damage.line}: {damage.reason}" if damage else None,
        head=records[-1].sha256 if records else None,
    )
