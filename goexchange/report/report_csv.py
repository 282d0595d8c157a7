"""The summary of a report for spreadsheets: one row per database, in figures."""

from __future__ import annotations

import csv
import io
from datetime import datetime

from goexchange.codec import time_text
from goexchange.model.report import DatabaseSummary, Report
from goexchange.report import report_words as words
from goexchange.report.databases import total_seconds
from goexchange.report.shown import shown

COLUMNS = (
    "run",
    "plan",
    "verdict",
    "server",
    "database",
    "need",
    "result",
    "why",
    "size_before_bytes",
    "size_after_bytes",
    "white_space_before_bytes",
    "white_space_after_bytes",
    "errors_primary",
    "warnings_primary",
    "errors_defragmented",
    "warnings_defragmented",
    "offline_seconds",
    "backup_before",
    "backup_before_utc",
    "backup_after",
    "backup_after_utc",
    "signature_before",
    "signature_after",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def render_csv(report: Report) -> str:
    """The table with a heading line, as RFC 4180 says.

    Shape: sizes in bytes, times in UTC; what is not recorded is empty, and so is
    what a server has not. Text that a spreadsheet
    would compute begins with an apostrophe.
    """
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet)
    writer.writerow(COLUMNS)
    for one in report.databases:
        writer.writerow([cell(value) for value in _row(report, one)])
    return sheet.getvalue()


def _row(report: Report, one: DatabaseSummary) -> tuple[object, ...]:
    counts = {each.pass_name: each for each in one.passes}
    found = [counts.get(name) for name in ("primary", "defragmented")]
    passes = [
        value
        for each in found
        for value in ((None, None) if each is None else (each.errors, each.warnings))
    ]
    backups = (one.backup_before, one.backup_after) if one.is_database else ()
    return (
        report.run.run,
        report.run.plan,
        report.verdict.value,
        one.server,
        one.database,
        one.need.value,
        words.result_text(one),
        one.explanation,
        one.size_before.size_bytes,
        one.size_after.size_bytes,
        one.white_space_before.size_bytes,
        one.white_space_after.size_bytes,
        *passes,
        total_seconds(one.offline) if one.offline else None,
        *([value for each in backups for value in (each.words, each.at_utc)] or [None] * 4),
        one.signature_before,
        one.signature_after,
    )


def cell(value: object) -> str:
    """A value as a cell; text that a spreadsheet would compute begins with an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, int | float):
        return f"{value:.0f}"
    text = shown(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
