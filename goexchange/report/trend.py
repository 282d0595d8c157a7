"""What many runs say together: time offline, success, sizes and rates over time, what is
unprotected now.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from attrs import fields, frozen

from goexchange.model.report import Report, ReportVerdict
from goexchange.model.run import LaneState
from goexchange.report.databases import total_seconds
from goexchange.report.ink import Ink, Role
from goexchange.report.outlook import (
    Coming,
    Standing,
    due_text,
    in_order_of_due,
    plan_text,
    standing_of,
)
from goexchange.report.report_csv import cell
from goexchange.report.shown import shown
from goexchange.report.table import Column, Frame, Row, table
from goexchange.report.units import (
    count_text,
    day_text,
    duration_text,
    rate_text,
    share_text,
    size_text,
)

FORMAT = "goexchange/trend/v1"


@frozen(kw_only=True)
class RunLine:
    """One run, as a list of runs shows it."""

    run: str
    at_utc: datetime | None
    verdict: ReportVerdict
    headline: str
    specifications: tuple[str, ...]
    databases: int
    offline_s: float | None  # None: one was not seen mounted again


@frozen(kw_only=True)
class Point:
    """One database in one run that worked on it. Units: bytes, seconds; None is not recorded."""

    run: str
    at_utc: datetime
    server: str
    database: str
    state: str
    offline_s: float | None
    size_before_bytes: int | None
    size_after_bytes: int | None
    white_space_before_bytes: int | None
    white_space_after_bytes: int | None


@frozen(kw_only=True)
class Month:
    """One database in one month (`2026-11`)."""

    month: str
    server: str
    database: str
    runs: int
    done: int
    offline_s: float | None  # None: it was not seen mounted again in one of the runs


@frozen(kw_only=True)
class RatePoint:
    """How fast one kind of work was in one run, over all of its databases."""

    run: str
    at_utc: datetime
    server: str
    work: str
    bytes_per_s: float


@frozen(kw_only=True)
class Trend:
    """Everything across runs, oldest first.

    Unknown: `coming` is None where no specifications were at hand to say what is due.
    """

    format: str
    runs: tuple[RunLine, ...]
    points: tuple[Point, ...]
    months: tuple[Month, ...]
    rates: tuple[RatePoint, ...]
    standing: tuple[Standing, ...]
    coming: tuple[Coming, ...] | None = None


_Line = Coming | Point | Month | RatePoint


def make_trend(reports: Iterable[Report], coming: Sequence[Coming] | None = None) -> Trend:
    """The trend of these reports, in any order; `coming` is how the specifications stand."""
    begun = [one for one in reports if one.run.started_at_utc is not None]
    ordered = sorted(begun, key=lambda one: (one.run.started_at_utc, one.run.run or ""))
    points = tuple(point for one in ordered for point in _points(one))
    return Trend(
        format=FORMAT,
        runs=tuple(map(_run_line, ordered)),
        points=points,
        months=_months(points),
        rates=tuple(rate for one in ordered for rate in _rates(one)),
        standing=standing_of(ordered),
        coming=None if coming is None else in_order_of_due(coming),
    )


def render_trend(trend: Trend, *, width: int = 80, colour: bool = False) -> str:
    """The trend as text."""
    frame = Frame(width=max(60, width), indent=0, ink=Ink(is_on=colour))
    done = sum(one.verdict is ReportVerdict.DONE for one in trend.runs)
    share = share_text(done, len(trend.runs))
    whole = f"{count_text(len(trend.runs), 'run')}, {done} done"
    lines = [whole + (f" ({share})" if share else "")]
    for one in trend.standing:
        name = f"{shown(one.server)}/{shown(one.database)}"
        lines.append(frame.ink(f"! {name}: {one.state}, run {one.run}", Role.BAD))
    sections: tuple[tuple[tuple[Column, ...], Sequence[_Line]], ...] = (
        (_columns("due next", "specification*", "is", "plan"), trend.coming or ()),
        (_columns("date", "database*", "result", "size", "white space", "offline>"), trend.points),
        (_columns("month", "database*", "runs>", "done>", "offline>"), trend.months),
        (_columns("date", "server", "work*", "rate>"), trend.rates),
    )
    if trend.coming is None:
        lines += ["", "What is due next is not known: no specifications are at hand"]
    for columns, values in sections:
        if values:
            rows = [Row(cells=_cells(value)) for value in values]
            lines += ["", *table(columns, rows, frame)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def render_trend_csv(trend: Trend) -> str:
    """The points as a table for spreadsheets."""
    names = [one.name for one in fields(Point)]
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet)
    writer.writerow(names)
    for point in trend.points:
        writer.writerow([cell(getattr(point, name)) for name in names])
    return sheet.getvalue()


def _columns(*names: str) -> tuple[Column, ...]:
    """Columns by their headings; `*` takes what is left, `>` stands on the right."""
    return tuple(
        Column(
            heading=name.rstrip("*>"), is_flexible=name.endswith("*"), is_right=name.endswith(">")
        )
        for name in names
    )


def _cells(value: _Line) -> tuple[str, ...]:
    if isinstance(value, Coming):
        words = (due_text(value), value.specification, value.standing, plan_text(value))
        return tuple(map(shown, words))
    if isinstance(value, RatePoint):
        rate = rate_text(value.bytes_per_s)
        return (day_text(value.at_utc), shown(value.server), shown(value.work), rate)
    name = f"{shown(value.server)}/{shown(value.database)}"
    if isinstance(value, Month):
        counts = (str(value.runs), str(value.done), offline_text(value.offline_s))
        return (value.month, name, *counts)
    return (
        day_text(value.at_utc),
        name,
        value.state.replace("-", " "),
        _change(value.size_before_bytes, value.size_after_bytes),
        _change(value.white_space_before_bytes, value.white_space_after_bytes),
        offline_text(value.offline_s),
    )


def offline_text(seconds: float | None) -> str:
    """A time offline; one that has no end is never shown as none."""
    if seconds is None:
        return "not mounted again"
    return duration_text(seconds) if seconds else "-"


def _sum(times: Sequence[float | None]) -> float | None:
    known = [one for one in times if one is not None]
    return sum(known) if len(known) == len(times) else None


def _change(before: int | None, after: int | None) -> str:
    if after is None:
        return "-" if before is None else size_text(before)
    return f"{size_text(before)} -> {size_text(after)}"


def _run_line(report: Report) -> RunLine:
    offline = [total_seconds(one.offline) for one in report.databases if one.offline]
    return RunLine(
        run=report.run.run or "",
        at_utc=report.run.started_at_utc,
        verdict=report.verdict,
        headline=report.headline,
        specifications=report.run.specifications,
        databases=sum(one.state is not None for one in report.databases),
        offline_s=_sum(offline),
    )


def _points(report: Report) -> Iterator[Point]:
    assert report.run.started_at_utc is not None
    for one in report.databases:
        if one.state is not None:
            yield Point(
                run=report.run.run or "",
                at_utc=report.run.started_at_utc,
                server=one.server,
                database=one.database,
                state=one.state,
                offline_s=total_seconds(one.offline),
                size_before_bytes=one.size_before.size_bytes,
                size_after_bytes=one.size_after.size_bytes,
                white_space_before_bytes=one.white_space_before.size_bytes,
                white_space_after_bytes=one.white_space_after.size_bytes,
            )


def _months(points: Sequence[Point]) -> tuple[Month, ...]:
    found: dict[tuple[str, str, str], list[Point]] = {}
    for point in points:
        key = (f"{point.at_utc:%Y-%m}", point.server, point.database)
        found.setdefault(key, []).append(point)
    return tuple(
        Month(
            month=month,
            server=server,
            database=database,
            runs=len(those),
            done=sum(one.state == LaneState.DONE.value for one in those),
            offline_s=_sum([one.offline_s for one in those]),
        )
        for (month, server, database), those in sorted(found.items())
    )


def _rates(report: Report) -> Iterator[RatePoint]:
    assert report.run.started_at_utc is not None
    totals: dict[tuple[str, str], list[float]] = {}
    for rate in report.rates:
        total = totals.setdefault((rate.address.partition("/")[0], rate.work), [0.0, 0.0])
        total[0] += rate.moved_bytes
        total[1] += rate.seconds
    for (server, work), (moved, seconds) in totals.items():
        yield RatePoint(
            run=report.run.run or "",
            at_utc=report.run.started_at_utc,
            server=server,
            work=work,
            bytes_per_s=moved / seconds,
        )
