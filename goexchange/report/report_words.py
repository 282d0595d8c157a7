"""What a report says, in words: shared by its HTML and its plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import tzinfo

from goexchange.codec import canonical_json
from goexchange.model.plan import Action, Need
from goexchange.model.report import (
    Attention,
    BackupSetReport,
    BackupState,
    DatabaseSummary,
    DeliveryLog,
    Figure,
    LaneReport,
    NoticeLog,
    OnlineBackupReport,
    PassCount,
    Report,
    ReportVerdict,
    RunHeader,
    StepLog,
    StepState,
    Superseded,
)
from goexchange.report import plan_words
from goexchange.report.databases import total_seconds
from goexchange.report.shown import shown
from goexchange.report.units import (
    NOT_RECORDED,
    clock_text,
    count_text,
    duration_text,
    minute_text,
    moment_text,
    seconds_between,
    share_text,
    size_text,
    zone_of,
)

_BAD = frozenset(
    {
        ReportVerdict.WAY_BACK_FAILED,
        ReportVerdict.LEFT_OFFLINE,
        ReportVerdict.UNKNOWN,
        ReportVerdict.INTERNAL,
        ReportVerdict.UNPROTECTED,
    }
)


_LOOKS_FOR_NONE = (Need.MEASURE, Need.OFFLINE_BACKUP, Need.MAINTAIN)


def zone(report: Report) -> tzinfo:
    """The zone in which times are shown: the window's."""
    return zone_of(report.run.window.zone if report.run.window else None)


def attention_title(one: Attention) -> str:
    """`EX01/DB05: left offline`."""
    away = one.verdict is ReportVerdict.UNFINISHED
    return f"{one.address}: {'out of service now' if away else verdict_word(one.verdict).lower()}"


def no_deviations_text(report: Report) -> str:
    """What is said when nothing deviated; of a run without an end only what its journal holds."""
    if report.run.exit_code is None:
        return "None up to the last record."
    return "None: every step went as planned."


def tone(verdict: ReportVerdict) -> str:
    """`good`, `attention` or `bad`."""
    if verdict is ReportVerdict.DONE:
        return "good"
    return "bad" if verdict in _BAD else "attention"


def verdict_word(verdict: ReportVerdict) -> str:
    """The verdict in capitals: `LEFT OFFLINE`."""
    return verdict.value.replace("-", " ").upper()


def run_lines(report: Report) -> tuple[tuple[str, str], ...]:
    """The run in pairs of label and text."""
    run, local = report.run, zone(report)
    ended = moment_text(run.ended_at_utc, local)
    if run.ended_at_utc is None:
        ended = f"{NOT_RECORDED}; last record {moment_text(run.last_record_at_utc, local)}"
    approved = run.approved_by or NOT_RECORDED
    if run.approved_at_utc is not None:
        approved = f"{approved}, {moment_text(run.approved_at_utc, local)}"
    took = duration_text(seconds_between(run.started_at_utc, run.ended_at_utc))
    lines = [
        ("Run", run.run or NOT_RECORDED),
        ("Plan", f"{run.plan} by {run.planned_by}"),
        (
            "Specification",
            ", ".join(run.specifications) + (f" @ {run.commit[:12]}" if run.commit else ""),
        ),
        (
            "Started",
            f"{moment_text(run.started_at_utc, local)} by {run.started_by or NOT_RECORDED}",
        ),
        ("Ended", ended + (f", after {took}" if run.ended_at_utc else "")),
        ("Approved", approved),
        ("Window", _window_text(run)),
        ("Controller", f"{run.controller or NOT_RECORDED}, {run.tool or NOT_RECORDED}"),
        ("Exit code", NOT_RECORDED if run.exit_code is None else str(run.exit_code)),
    ]
    if run.consents:
        lines.insert(6, ("Consents", "; ".join(run.consents)))
    if run.resumes:
        lines.append(("Resumed", count_text(run.resumes, "time")))
    return tuple(lines)


def has_databases(report: Report) -> bool:
    """Whether it tells of any database; one of servers alone has neither sizes nor backups."""
    return any(one.is_database for one in report.databases) or not report.databases


def heading(report: Report) -> str:
    """What the summary is of."""
    return "Databases" if has_databases(report) else "Servers"


def before_after(before: Figure, after: Figure) -> str:
    """`98 GiB -> 57 GiB`."""
    if before.size_bytes == after.size_bytes is None:
        return NOT_RECORDED
    return f"{size_text(before.size_bytes)} -> {size_text(after.size_bytes)}"


def gain_text(one: DatabaseSummary) -> str:
    """What the rebuild gave back: `41 GiB (42%)`; empty when there is nothing to compare."""
    before, after = one.size_before.size_bytes, one.size_after.size_bytes
    if before is None or after is None or before == after or one.signature_after is None:
        return ""
    return f"{size_text(before - after)} ({share_text(before - after, before)}) given back"


def passes_text(one: DatabaseSummary) -> str:
    """Errors and warnings by pass."""
    if not one.passes:
        if one.state == "done" and one.need in _LOOKS_FOR_NONE:
            return "not looked for"
        return "not looked" if one.state is None else NOT_RECORDED
    return "; ".join(f"{item.pass_name}: {_phase_text(item)}" for item in one.passes)


def white_space_text(one: DatabaseSummary) -> str:
    """Free space before and after by Exchange, and what was measured inside the file."""
    seen = before_after(one.white_space_before, one.white_space_after)
    if one.recoverable is None:
        return seen
    return f"{seen}; measured in the file: {size_text(one.recoverable.size_bytes)} recoverable"


def result_text(one: DatabaseSummary) -> str:
    """How the database ended: the state of its lane, or why it had none."""
    if one.state is None:
        if one.need is Need.NOT_POSSIBLE:
            return "not possible"
        return "unchanged" if one.need is Need.NOTHING else "not started"
    word = one.state.replace("-", " ")
    return f"{word}: {one.why}" if one.why and one.why != word else word


def result_tone(one: DatabaseSummary) -> str:
    """`good`, `attention`, `bad`, or `plain` where nothing was to be done."""
    if one.state is None:
        return "plain" if one.need is Need.NOTHING else "attention"
    tones = {"done": "good", "left-offline": "bad", "unprotected": "bad", "undecided": "bad"}
    return tones.get(one.state, "attention")


def offline_text(one: DatabaseSummary) -> str:
    """How long it was offline, from the dismount to the mount."""
    if not one.offline:
        return "-"
    seconds = total_seconds(one.offline)
    return "not mounted again" if seconds is None else duration_text(seconds)


def step_title(step: StepLog) -> str:
    """The action of a step in words."""
    return plan_words.action_words(Action(step.action))


def step_detail(step: StepLog) -> str:
    """The summary of a step without the words that its action already says."""
    return plan_words.without_action(step.summary, step_title(step))


def step_took(step: StepLog) -> str:
    """How long a step took."""
    seconds = seconds_between(step.started_at_utc, step.ended_at_utc)
    return "" if seconds is None else duration_text(seconds)


def step_state(step: StepLog) -> str:
    """What became of a step, with the number of attempts when it was more than one."""
    word = step.state.value.replace("-", " ")
    return f"{word}, {step.attempts} attempts" if step.attempts > 1 else word


def step_tone(step: StepLog) -> str:
    """`good`, `attention`, `bad` or `plain`."""
    if step.state in (StepState.FAILED, StepState.IN_DOUBT):
        return "bad"
    return "plain" if step.state in (StepState.SKIPPED, StepState.NOT_REACHED) else "good"


def told_steps(lane: LaneReport) -> tuple[StepLog, ...]:
    """The steps worth a line: ways back that were not needed are left out."""
    idle = (StepState.SKIPPED, StepState.NOT_REACHED)
    return tuple(step for step in lane.steps if not (step.is_way_back and step.state in idle))


def step_rows(
    lane: LaneReport, local: tzinfo, limit: int, *, is_brief: bool = False
) -> Iterator[tuple[object, ...]]:
    """The cells of the step log of a lane, in the order in which the template unpacks them.

    Shape: a brief log leaves out what steps printed and gave that went well.
    """
    for step in told_steps(lane):
        has_more = not is_brief or step_tone(step) == "bad"
        yield (
            step.number,
            step_title(step),
            step_detail(step),
            clock_text(step.started_at_utc, local),
            "" if step.estimate_s is None else duration_text(step.estimate_s),
            step_took(step),
            step_state(step),
            step_tone(step),
            step.why,
            step.findings,
            step.output_tail if has_more else "",
            result_json(step, limit) if has_more else "",
            step.is_way_back,
        )


def lane_title(lane: LaneReport) -> str:
    """`EX01 / DB05`."""
    return lane.server if lane.database is None else f"{lane.server} / {lane.database}"


def result_json(step: StepLog, limit: int) -> str:
    """The judged result of a step as one line of JSON; empty when there is none."""
    return shown(canonical_json(step.result).decode(), limit=limit) if step.result else ""


def set_title(one: BackupSetReport) -> str:
    """What was kept of the present file: a set, or evidence, which is never called one."""
    return "Evidence" if one.is_evidence else "Offline set"


def set_state(one: BackupSetReport) -> str:
    """Whether a set is one: sealed, verified, or not; evidence is no way back in any case."""
    if one.is_evidence:
        whole = "complete, with the damage of its source" if one.is_verified else "incomplete"
        return f"{whole}; not a sound way back"
    if one.is_verified:
        return "sealed and verified"
    return "sealed, not verified" if one.is_sealed else "incomplete: it has no manifest"


def backup_text(state: BackupState, local: tzinfo) -> str:
    """`proved full backup of 2026-11-29 01:20:00 CET`."""
    return (
        state.words
        if state.at_utc is None
        else f"{state.words} of {moment_text(state.at_utc, local)}"
    )


def set_restores(one: BackupSetReport) -> str:
    """What can be brought back from it."""
    if one.is_evidence:
        return "nothing sound: it is the damaged file as it was, for whoever looks into it"
    if one.is_verified:
        return "the database as it was at the dismount"
    return "not promised: the set was not verified"


def superseded_text(one: Superseded, local: tzinfo) -> str:
    """Which backups no longer fit, and why."""
    if one.is_repaired:
        return (
            f"{one.address}: online backups taken before {moment_text(one.before_utc, local)} hold"
            " the file before the repair; the logs written since do not roll it forward. A backup"
            " from before the damage still has what the repair has discarded: keep it."
        )
    return (
        f"{one.address}: online backups taken before {moment_text(one.before_utc, local)} hold the"
        " file before the rebuild; the logs written since do not roll it forward. The offline set"
        " restores the database as it was at the dismount."
    )


def proof_lines(one: OnlineBackupReport, local: tzinfo) -> tuple[tuple[str, str], ...]:
    """The four signs that prove an online backup, and what else was seen of it."""
    last = one.last_full_backup_utc
    beside = (("logs", one.logs or ""), ("covered too", ", ".join(one.also_covered)))
    return (
        ("job succeeded", flag_text(one.job_succeeded)),
        ("last full backup newer than the job's start", flag_text(one.is_newer)),
        ("completion event of the engine", flag_text(one.event_completed)),
        ("copy that can be fetched", flag_text(one.retrievable)),
        ("last full backup of the database", moment_text(last, local)),
        *(each for each in beside if each[1]),
    )


def proof_text(one: OnlineBackupReport) -> str:
    """`proved` or `not proved`."""
    return {True: "proved", False: "not proved", None: "proof not recorded"}[one.proved]


def notice_cells(one: NoticeLog) -> tuple[str, str, str, str]:
    """Event, audience, who was to be told, and what became of it."""
    to = ", ".join(one.recipients) or "-"
    return one.event.replace("-", " "), recorded(one.audience), to, delivery_text(one)


def delivery_text(one: NoticeLog) -> str:
    """What became of a notification on each channel."""
    if not one.deliveries:
        return "not sent: no channel, or not recorded here"
    return "; ".join(_delivery_text(each) for each in one.deliveries)


def _delivery_text(one: DeliveryLog) -> str:
    state = one.state.replace("-", " ")
    tries = f" after {one.attempts} attempts" if one.attempts > 1 else ""
    return f"{one.channel} {state}{tries}" + (f": {one.text}" if one.text else "")


def recorded(text: str | None) -> str:
    """The text, or that it is not recorded."""
    return text or NOT_RECORDED


def flag_text(value: bool | None) -> str:
    """`yes`, `no` or `not recorded`."""
    return NOT_RECORDED if value is None else "yes" if value else "no"


def joined(parts: Iterable[str]) -> str:
    """The parts that are not empty, separated by a dot."""
    return " · ".join(part for part in parts if part)


def _phase_text(item: PassCount) -> str:
    """What a phase found, pass by pass where it took more than one."""
    found = _found_text(item.errors, item.warnings)
    if len(item.passes) < 2:
        return found
    each = "; ".join(
        f"pass {number}: {_found_text(*counts)}" for number, counts in enumerate(item.passes, 1)
    )
    return f"{found} in {len(item.passes)} passes ({each})"


def _found_text(errors: int, warnings: int) -> str:
    if not errors and not warnings:
        return "none found"
    return f"{count_text(errors, 'error')}, {count_text(warnings, 'warning')}"


def _window_text(run: RunHeader) -> str:
    window = run.window
    if window is None:
        return "none"
    local = zone_of(window.zone)
    opens, closes = (
        minute_text(window.opens_at_utc, local),
        minute_text(window.closes_at_utc, local),
    )
    return f"{window.name}, {opens} - {closes} {window.zone}"
