"""The report as Markdown: verdict and table whole, details folded, bounded in bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from goexchange.model.report import DatabaseSummary, LaneReport, Report
from goexchange.report import report_words as words
from goexchange.report.plan_markdown import folded, markdown_table, markdown_text
from goexchange.report.shown import shown_lines
from goexchange.report.units import (
    bytes_text,
    clock_text,
    count_text,
    duration_text,
    moment_text,
    rate_text,
    size_text,
)

MARKER = "<!-- goexchange:report -->"  # finds the comment that is to be replaced
MAX_BYTES = 990_000  # what the strictest place but GitHub's comments takes
_TAIL_MAX = 1_200
_HEADINGS = (
    "",
    "database",
    "result",
    "size",
    "white space",
    "errors and warnings",
    "offline",
    "backup before",
    "backup after",
)
_OF_SERVERS = ("", "database", "result", "errors and warnings", "offline")
_NONE = ("-", "-")
_MARKS = {"good": "✔", "attention": "!", "bad": "✖", "plain": " "}


def render_markdown(report: Report, *, max_bytes: int = MAX_BYTES) -> str:
    """The report as Markdown of at most `max_bytes`; details are dropped from the end.

    Shape: what was dropped is said. Verdict, commands and table stay whole even where they are
    longer.
    """
    whole = "\n\n".join([MARKER, *_head(report)])
    details = [part for part in _details(report) if part]
    for kept in range(len(details), -1, -1):
        dropped = len(details) - kept
        parts = [whole, *details[:kept]]
        if dropped:
            parts.append(
                f"_{dropped} of {len(details)} chapters left out to stay within {max_bytes:,}"
                " bytes: `goexchange report` prints the whole report._"
            )
        text = "\n\n".join(parts) + "\n"
        if len(text.encode()) <= max_bytes:
            return text
    return text


def _head(report: Report) -> Iterator[str]:
    word = words.verdict_word(report.verdict)
    yield f"### goexchange report: {word}"
    yield f"**{markdown_text(report.headline)}**"
    for one in report.attention:
        yield f"**{markdown_text(words.attention_title(one))}**: {markdown_text(one.why)}"
        if one.commands:
            yield _code("\n".join(one.commands))
    yield _pairs(words.run_lines(report))
    headings = _HEADINGS if words.has_databases(report) else _OF_SERVERS
    rows = [
        dict(zip(_HEADINGS, _summary_row(report, one), strict=True)) for one in report.databases
    ]
    yield markdown_table(
        ["server" if one == "database" and headings is _OF_SERVERS else one for one in headings],
        [[row[name] for name in headings] for row in rows],
    )


def _summary_row(report: Report, one: DatabaseSummary) -> tuple[str, ...]:
    """A row under all headings; a server has neither sizes nor backups."""
    local = words.zone(report)
    backups = (one.backup_before, one.backup_after) if one.is_database else ()
    return (
        f"`{_MARKS[words.result_tone(one)]}`",
        *map(
            markdown_text,
            (
                f"{one.server}/{one.database}",
                words.result_text(one),
                *(_sizes(one) if one.is_database else _NONE),
                words.passes_text(one),
                words.offline_text(one),
                *([words.backup_text(each, local) for each in backups] or _NONE),
            ),
        ),
    )


def _sizes(one: DatabaseSummary) -> tuple[str, str]:
    if one.state is None:
        return (size_text(one.size_before.size_bytes), size_text(one.white_space_before.size_bytes))
    sizes = words.before_after(one.size_before, one.size_after)
    return (words.joined([sizes, words.gain_text(one)]), words.white_space_text(one))


def _details(report: Report) -> Iterator[str]:
    yield _backups(report)
    yield _rates(report)
    yield _deviations(report)
    yield _guards(report)
    for lane in report.lanes:
        state = words.recorded(lane.state).replace("-", " ")
        title = f"Steps of {markdown_text(words.lane_title(lane))}: {markdown_text(state)}"
        yield folded(title, _lane(report, lane))
    yield _warnings(report)
    yield _notices(report)
    check = report.journal
    chain = f"whole, {count_text(check.records, 'record')}" if check.is_whole else "BROKEN"
    pairs = [
        ("Chain", f"{chain}{': ' + check.problem if check.problem else ''}"),
        ("Head", words.recorded(check.head)),
        ("Plan", f"sha256:{report.run.plan_sha256}"),
        *(("Input", text) for text in report.run.inputs),
    ]
    yield folded("Journal and inputs", _pairs(pairs))


def _backups(report: Report) -> str:
    local = words.zone(report)
    parts: list[str] = []
    for one in report.sets:
        held = words.recorded(None if one.files is None else count_text(one.files, "file"))
        pairs = [
            ("Folder", words.recorded(one.folder)),
            ("Contents", f"{held}, {bytes_text(one.total_bytes)}"),
            *(("Verified", text) for text in one.verified),
            ("Signature", words.recorded(one.signature)),
            ("Set sha256", words.recorded(one.set_sha256)),
        ]
        title = f"{words.set_title(one)} of {one.address}: {words.set_state(one)}"
        parts += [f"**{markdown_text(title)}**", _pairs(pairs)]
    for backup in report.online_backups:
        pairs = [("Method", backup.method), *words.proof_lines(backup, local)]
        if backup.ran is not None:
            start, end = backup.ran.start_utc, backup.ran.end_utc
            pairs.append(("Ran", f"{moment_text(start, local)} to {moment_text(end, local)}"))
        title = f"Online backup of {backup.address}: {words.proof_text(backup)}"
        parts += [f"**{markdown_text(title)}**", _pairs(pairs)]
    parts += [markdown_text(words.superseded_text(one, local)) for one in report.superseded]
    return folded("Backups", "\n\n".join(parts) or "This run made none.")


def _rates(report: Report) -> str:
    rows = [
        [
            markdown_text(one.address),
            markdown_text(one.work),
            size_text(one.moved_bytes),
            duration_text(one.seconds),
            rate_text(one.moved_bytes / one.seconds),
        ]
        for one in report.rates
    ]
    headings = ("database", "work", "bytes", "time", "rate")
    return folded("Rates", markdown_table(headings, rows)) if rows else ""


def _deviations(report: Report) -> str:
    if not report.deviations:
        return folded("Deviations", words.no_deviations_text(report))
    local = words.zone(report)
    rows = [
        [clock_text(one.at_utc, local), *map(markdown_text, (one.kind, one.address, one.text))]
        for one in report.deviations
    ]
    count = count_text(len(rows), "deviation")
    return folded(count, markdown_table(("time", "what", "for", "details"), rows))


def _guards(report: Report) -> str:
    rows = [
        [
            one.verdict.kind.value,
            *map(
                markdown_text,
                (one.verdict.guard, one.verdict.address, one.decided, one.verdict.evidence),
            ),
        ]
        for one in report.guards
    ]
    headings = ("verdict", "guard", "for", "decided", "evidence")
    return folded("Guards", markdown_table(headings, rows) if rows else "None were decided.")


def _lane(report: Report, lane: LaneReport) -> str:
    local = words.zone(report)
    rows: list[Sequence[str]] = []
    tails: list[str] = []
    for step in words.told_steps(lane):
        found = "; ".join(f"{one.severity}: {one.text}" for one in step.findings)
        detail = words.joined([words.step_detail(step), found, step.why or ""])
        rows.append(
            [
                str(step.number),
                clock_text(step.started_at_utc, local),
                markdown_text(words.step_title(step)),
                markdown_text(detail),
                words.step_took(step),
                markdown_text(words.step_state(step)),
            ]
        )
        if step.output_tail and words.step_tone(step) == "bad":
            tail = shown_lines(step.output_tail, limit=_TAIL_MAX)
            tails.append(f"End of the output of step {step.number}:\n\n{_code(tail)}")
    headings = ("no.", "started", "step", "what", "took", "result")
    return "\n\n".join([markdown_table(headings, rows), *tails])


def _notices(report: Report) -> str:
    local = words.zone(report)
    rows = [
        [clock_text(one.at_utc, local), *map(markdown_text, words.notice_cells(one))]
        for one in report.notices
    ]
    headings = ("time", "event", "audience", "recipients", "delivery")
    return folded("Notifications", markdown_table(headings, rows)) if rows else ""


def _warnings(report: Report) -> str:
    lines = [
        f"- {markdown_text(one.address or '')} **{markdown_text(one.summary)}**:"
        f" {markdown_text(one.detail)}" + (f" ({markdown_text(one.place)})" if one.place else "")
        for one in report.diagnostics
    ]
    return folded("Warnings of the plan", "\n".join(lines)) if lines else ""


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    rows = [[markdown_text(label), markdown_text(text)] for label, text in pairs]
    return markdown_table(("", ""), rows)


def _code(text: str) -> str:
    """A block of code that no text in it can end: each line is indented, as Markdown has it."""
    safe = shown_lines(text) if text else ""
    return "\n".join(f"    {line}" for line in safe.split("\n"))
