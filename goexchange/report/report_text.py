"""The report as plain text, 80 columns by default: verdict and commands first."""

from __future__ import annotations

from collections.abc import Sequence

from goexchange.model.report import LaneReport, Report
from goexchange.report import report_words as words
from goexchange.report.ink import Ink, Role
from goexchange.report.shown import columns, pad, shown, shown_lines, wrap
from goexchange.report.table import Column, Frame, Row, table
from goexchange.report.units import (
    bytes_text,
    clock_text,
    count_text,
    duration_text,
    moment_text,
    rate_text,
    size_text,
)

_ROLES = {"good": Role.GOOD, "attention": Role.ATTENTION, "bad": Role.BAD, "plain": Role.PLAIN}
_LABEL = 16
_TAIL_MAX = 1_200


def render_text(report: Report, *, width: int = 80, colour: bool = False) -> str:
    """The report as text that ends in a line break."""
    frame = Frame(width=max(60, width), ink=Ink(is_on=colour))
    lines = [*_head(report, frame), *_databases(report, frame)]
    for part in (_rates, _backups, _deviations, _guards, _steps, _warnings, _notices, _journal):
        lines.extend(part(report, frame))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _head(report: Report, frame: Frame) -> list[str]:
    role = _ROLES[words.tone(report.verdict)]
    lines = _pair(words.verdict_word(report.verdict), report.headline, frame, role)
    for one in report.attention:
        lines.extend(["", frame.ink(f"! {shown(words.attention_title(one))}", Role.BAD)])
        lines.extend(f"  {line}" for line in wrap(shown(one.why), frame.width - 2))
        # A command is never wrapped: it is there to be copied.
        lines.extend(f"    {shown(command)}" for command in one.commands)
    lines.append("")
    for label, text in words.run_lines(report):
        lines.extend(_pair(label, text, frame))
    return lines


def _databases(report: Report, frame: Frame) -> list[str]:
    lines = _section(words.heading(report), frame)
    local = words.zone(report)
    for one in report.databases:
        name = f"{one.server}/{one.database}"
        lines.extend(_pair(name, words.result_text(one), frame, _ROLES[words.result_tone(one)]))
        if one.explanation:
            lines.extend(_pair("", one.explanation, frame))
        if one.state is None:
            continue
        if one.is_database:
            sizes = words.before_after(one.size_before, one.size_after)
            lines.extend(_pair("  size", words.joined([sizes, words.gain_text(one)]), frame))
            lines.extend(_pair("  white space", words.white_space_text(one), frame))
        lines.extend(_pair("  findings", words.passes_text(one), frame))
        lines.extend(_pair("  offline", words.offline_text(one), frame))
        if one.is_database:
            before, after = one.backup_before, one.backup_after
            lines.extend(_pair("  backup before", words.backup_text(before, local), frame))
            lines.extend(_pair("  backup after", words.backup_text(after, local), frame))
    return lines


def _deviations(report: Report, frame: Frame) -> list[str]:
    lines = _section("Deviations", frame)
    if not report.deviations:
        return [*lines, words.no_deviations_text(report)]
    local = words.zone(report)
    rows = [
        Row(cells=(clock_text(one.at_utc, local), shown(one.kind), _at(one.address, one.text)))
        for one in report.deviations
    ]
    return [*lines, *table((Column(), Column(), Column(is_flexible=True)), rows, _flush(frame))]


def _backups(report: Report, frame: Frame) -> list[str]:
    lines = _section("Backups", frame)
    local = words.zone(report)
    for one in report.sets:
        lines.extend(_pair(words.set_title(one), f"{one.address}: {words.set_state(one)}", frame))
        lines.extend(_pair("  folder", words.recorded(one.folder), frame))
        held = words.recorded(None if one.files is None else count_text(one.files, "file"))
        lines.extend(_pair("  contents", f"{held}, {bytes_text(one.total_bytes)}", frame))
        for at, text in enumerate(one.verified):
            lines.extend(_pair("" if at else "  verified", text, frame))
        lines.extend(_pair("  signature", words.recorded(one.signature), frame))
        lines.extend(_pair("  set sha256", words.recorded(one.set_sha256), frame))
    for backup in report.online_backups:
        lines.extend(_pair("Online backup", f"{backup.address}: {words.proof_text(backup)}", frame))
        lines.extend(_pair("  method", backup.method, frame))
        if backup.ran is not None:
            start, end = backup.ran.start_utc, backup.ran.end_utc
            ran = f"{moment_text(start, local)} to {moment_text(end, local)}"
            lines.extend(_pair("  ran", ran, frame))
        proof = "; ".join(f"{label}: {text}" for label, text in words.proof_lines(backup, local))
        lines.extend(_pair("  proof", proof, frame))
    for gone in report.superseded:
        lines.extend(wrap(shown(words.superseded_text(gone, local)), frame.width))
    return lines if len(lines) > 2 else [*lines, "This run made none."]


def _rates(report: Report, frame: Frame) -> list[str]:
    if not report.rates:
        return []
    rows = [
        Row(
            cells=(
                shown(one.address),
                shown(one.work),
                size_text(one.moved_bytes),
                duration_text(one.seconds),
                rate_text(one.moved_bytes / one.seconds),
            )
        )
        for one in report.rates
    ]
    right = Column(is_right=True)
    column_list = (Column(width_max=24), Column(is_flexible=True), right, right, right)
    return [*_section("Rates", frame), *table(column_list, rows, _flush(frame))]


def _guards(report: Report, frame: Frame) -> list[str]:
    lines = _section("Guards", frame)
    if not report.guards:
        return [*lines, "None were decided."]
    rows = []
    for one in report.guards:
        kind = one.verdict.kind.value
        evidence = f"{one.verdict.address}, {one.decided}: {one.verdict.evidence}"
        role = Role.GOOD if kind == "pass" else Role.PLAIN if kind == "due" else Role.BAD
        cells = (kind, shown(one.verdict.guard), shown(evidence))
        rows.append(Row(cells=cells, roles=(role,)))
    column_list = (Column(), Column(width_max=26), Column(is_flexible=True))
    return [*lines, *table(column_list, rows, _flush(frame))]


def _steps(report: Report, frame: Frame) -> list[str]:
    lines: list[str] = []
    for lane in report.lanes:
        state = words.recorded(lane.state).replace("-", " ")
        lines.extend(_section(f"Steps of {shown(words.lane_title(lane))}: {shown(state)}", frame))
        lines.extend(_lane(report, lane, frame))
    return lines


def _lane(report: Report, lane: LaneReport, frame: Frame) -> list[str]:
    local = words.zone(report)
    column_list = (
        Column(is_right=True),
        Column(),
        Column(width_max=25),
        Column(is_flexible=True),
        Column(is_right=True),
        Column(width_max=12),
    )
    told = words.told_steps(lane)
    rows = [
        Row(
            cells=(
                str(step.number),
                clock_text(step.started_at_utc, local),
                words.step_title(step),
                shown(words.step_detail(step)) + (f" ({shown(step.why)})" if step.why else ""),
                words.step_took(step),
                words.step_state(step),
            ),
            roles=(*(Role.PLAIN,) * 5, _ROLES[words.step_tone(step)]),
        )
        for step in told
    ]
    lines = table(column_list, rows, _flush(frame))
    for step in told:
        for finding in step.findings:
            text = f"step {step.number}, {finding.severity}: {finding.text}"
            lines.extend(f"  {line}" for line in wrap(shown(text), frame.width - 2))
        if step.output_tail and words.step_tone(step) == "bad":
            lines.append(f"  end of the output of step {step.number}:")
            tail = shown_lines(step.output_tail, limit=_TAIL_MAX).split("\n")
            lines.extend(f"    {part}" for line in tail for part in _kept(line, frame.width - 4))
    return lines


def _notices(report: Report, frame: Frame) -> list[str]:
    if not report.notices:
        return []
    local = words.zone(report)
    lines = _section("Notifications", frame)
    for one in report.notices:
        event, audience, to, delivery = words.notice_cells(one)
        text = f"{event} to {audience} ({to}): {delivery}"
        lines.extend(_pair(clock_text(one.at_utc, local), text, frame))
    return lines


def _warnings(report: Report, frame: Frame) -> list[str]:
    if not report.diagnostics:
        return []
    lines = _section("Warnings of the plan", frame)
    for one in report.diagnostics:
        place = f" [{one.place}]" if one.place else ""
        lines.extend(_pair(one.address or "", f"{one.summary}: {one.detail}{place}", frame))
    return lines


def _journal(report: Report, frame: Frame) -> list[str]:
    check = report.journal
    state = (
        f"whole, {count_text(check.records, 'record')}"
        if check.is_whole
        else f"BROKEN: {check.problem}"
    )
    lines = [*_section("Journal", frame), *_pair("Chain", state, frame)]
    lines.extend(_pair("Head", words.recorded(check.head), frame))
    return [*lines, *_pair("Plan", report.run.plan_sha256, frame)]


def _section(title: str, frame: Frame) -> list[str]:
    fill = "-" * max(0, frame.width - columns(title) - 1)
    return ["", f"{frame.ink(title, Role.HEADING)} {frame.ink(fill, Role.FAINT)}"]


def _pair(label: str, text: str, frame: Frame, role: Role = Role.PLAIN) -> list[str]:
    head = shown(label)
    indent = max(_LABEL, columns(head) + 1)
    if indent > frame.width // 2:
        return [head, *_pair("", text, frame, role)]
    parts = wrap(shown(text), frame.width - indent)
    heads = (head, *("" for _ in parts))
    return [
        pad(one, indent) + frame.ink(part, role) for one, part in zip(heads, parts, strict=False)
    ]


def _flush(frame: Frame) -> Frame:
    return Frame(width=frame.width, indent=0, gap=frame.gap, ink=frame.ink)


def _at(address: str, text: str) -> str:
    return shown(f"{address}: {text}" if address else text)


def _kept(line: str, width: int) -> Sequence[str]:
    """The line with its own spaces, cut into pieces only where it is too wide."""
    return (line,) if columns(line) <= width else wrap(line, width)
