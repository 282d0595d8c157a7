"""The report as JUnit XML: a suite per database, a case per guard and per step."""

from __future__ import annotations

from collections.abc import Iterator

from goexchange.model.plan import Need, VerdictKind
from goexchange.model.report import (
    DatabaseSummary,
    GuardEvidence,
    LaneReport,
    Report,
    ReportVerdict,
    StepLog,
    StepState,
)
from goexchange.model.run import LaneState
from goexchange.report import report_words as words
from goexchange.report.junit_xml import JunitCase, JunitSuite, render_suites
from goexchange.report.shown import shown, shown_lines
from goexchange.report.units import seconds_between

_TAILS_MAX = 500_000  # of all outputs together
_TAIL_MAX = 4_000


def render_junit(report: Report) -> str:
    """The XML document.

    Shape: a guard that blocks and a step that failed are failures; what could not be decided is an
    error; what was not reached is skipped. A failed step of a lane that reached its purpose is told
    in the output of its case, as it is in the exit code. Ways back that were not needed are left
    out.
    """
    suites = tuple(_suites(report))
    run = report.run
    properties = (("run", run.run or ""), ("plan", run.plan), ("plan_sha256", run.plan_sha256))
    return render_suites(f"goexchange run {run.run or ''}", suites, properties)


def _suites(report: Report) -> Iterator[JunitSuite]:
    yield JunitSuite(name="run", classname="goexchange.run", cases=tuple(_run_cases(report)))
    steps = sum(len(lane.steps) for lane in report.lanes)
    limit = min(_TAIL_MAX, _TAILS_MAX // max(1, steps))
    guards: dict[str, list[GuardEvidence]] = {}
    for guard in report.guards:
        guards.setdefault(guard.lane or "", []).append(guard)
    for lane in report.lanes:
        cases = [_guard_case(one) for one in guards.get(lane.lane, ())]
        cases += [_step_case(step, lane, limit) for step in words.told_steps(lane)]
        yield JunitSuite(
            name=lane.lane,
            classname=".".join(("goexchange", lane.server, lane.database or "server")),
            cases=tuple(cases),
            started=f"{lane.started_at_utc:%Y-%m-%dT%H:%M:%S}" if lane.started_at_utc else "",
        )
    lanes = {(lane.server, lane.database) for lane in report.lanes}
    for one in report.databases:
        if (one.server, one.database) not in lanes:
            yield JunitSuite(
                name=f"{one.server}/{one.database}",
                classname=f"goexchange.{one.server}.{one.database}",
                cases=(_decision_case(one),),
            )


def _run_cases(report: Report) -> Iterator[JunitCase]:
    is_done = report.verdict is ReportVerdict.DONE
    undecided = report.verdict in (ReportVerdict.UNKNOWN, ReportVerdict.INTERNAL)
    commands = [command for one in report.attention for command in one.commands]
    yield JunitCase(
        name="verdict",
        seconds=seconds_between(report.run.started_at_utc, report.run.ended_at_utc) or 0.0,
        mark="" if is_done else "error" if undecided else "failure",
        message=f"{words.verdict_word(report.verdict)}: {report.headline}",
        output="\n".join(commands),
    )
    check = report.journal
    yield JunitCase(
        name="journal",
        mark="" if check.is_whole else "error",
        message=check.problem or "",
        output=f"head {words.recorded(check.head)}",
    )
    for guard in report.guards:
        if guard.lane is None:
            yield _guard_case(guard)


def _guard_case(one: GuardEvidence) -> JunitCase:
    marks = {VerdictKind.BLOCK: "failure", VerdictKind.UNKNOWN: "error", VerdictKind.DUE: "skipped"}
    verdict = one.verdict
    return JunitCase(
        name=f"guard {verdict.guard} of {verdict.address}, {one.decided}",
        mark=marks.get(verdict.kind, ""),
        message=f"{verdict.kind.value}: {verdict.evidence}",
        output="" if verdict.kind in marks else verdict.evidence,
    )


def _step_case(step: StepLog, lane: LaneReport, limit: int) -> JunitCase:
    reason = step.why or "; ".join(one.text for one in step.findings) or step.state.value
    marks = {
        StepState.FAILED: "failure",
        StepState.CANCELLED: "failure",
        StepState.IN_DOUBT: "error",
        StepState.SKIPPED: "skipped",
        StepState.NOT_REACHED: "skipped",
    }
    mark = marks.get(step.state, "")
    told = shown_lines(step.output_tail, limit=limit) if step.output_tail else ""
    if mark == "failure" and lane.state == LaneState.DONE.value:
        mark, told = "", f"{step.state.value}, and the lane went on: {shown(reason)}\n{told}"
    detail = words.step_detail(step)
    return JunitCase(
        name=f"step {step.number:02d} {words.step_title(step)}" + (f": {detail}" if detail else ""),
        seconds=seconds_between(step.started_at_utc, step.ended_at_utc) or 0.0,
        mark=mark,
        message=reason if mark else "",
        output=told,
    )


def _decision_case(one: DatabaseSummary) -> JunitCase:
    is_well = one.need is Need.NOTHING
    return JunitCase(
        name=f"need: {one.need.value}",
        mark="" if is_well else "skipped",
        message=one.explanation or words.result_text(one),
    )
