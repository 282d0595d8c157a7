"""What the runs of a store leave open: databases that a person has to look at, and what is due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import evolve, frozen

from goexchange.model.report import DatabaseSummary, Report
from goexchange.model.run import LaneState
from goexchange.report import report_words as words
from goexchange.report.units import minute_text, zone_of

_NOT_IN_SERVICE = (LaneState.LEFT_OFFLINE.value, LaneState.UNDECIDED.value)


@frozen(kw_only=True)
class Standing:
    """A database that a person has to look at, and the run that left it so.

    Shape: what was left offline, or was never seen mounted again, stands until a later run worked
    on the database to its end and it is in service; what is unprotected stands until one proves a
    backup of it, whatever else ran.
    """

    server: str
    database: str
    run: str
    state: str
    why: str


@frozen(kw_only=True)
class Coming:
    """One specification and when it is due; `standing` is the schedule's word for it now.

    Shape: times are None without a schedule; `zone` is that of its window; `plan` is the file that
    lies ready for the opening.
    """

    specification: str
    standing: str
    zone: str
    due_at_utc: datetime | None
    begins_at_utc: datetime | None
    missed_at_utc: datetime | None
    plan: str | None
    is_approved: bool


def standing_of(ordered: Sequence[Report]) -> tuple[Standing, ...]:
    """What stands after these reports, the oldest of which is first."""
    open_ones: dict[tuple[str, str, bool], Standing] = {}
    for report in ordered:
        proved = {one.address for one in report.online_backups if one.proved}
        for one in report.databases:
            if one.state is not None:
                _take(open_ones, report, one, is_proved=f"{one.server}/{one.database}" in proved)
    return tuple(one for _, one in sorted(open_ones.items(), key=lambda each: each[0]))


def _take(
    open_ones: dict[tuple[str, str, bool], Standing],
    report: Report,
    one: DatabaseSummary,
    *,
    is_proved: bool,
) -> None:
    down, bare = (one.server, one.database, False), (one.server, one.database, True)
    standing = Standing(
        server=one.server,
        database=one.database,
        run=report.run.run or "",
        state=(one.state or "").replace("-", " "),
        why=words.result_text(one),
    )
    is_away = bool(one.offline) and one.offline[-1].end_utc is None
    if one.state in _NOT_IN_SERVICE:
        open_ones[down] = standing
    elif is_away:  # the run goes on, or its controller died: nobody has seen it mounted
        open_ones[down] = evolve(standing, state="out of service")
    elif one.state != LaneState.RUNNING.value:
        open_ones.pop(down, None)
    if one.state == LaneState.UNPROTECTED.value:
        open_ones[bare] = standing
    elif is_proved:
        open_ones.pop(bare, None)


def in_order_of_due(coming: Sequence[Coming]) -> tuple[Coming, ...]:
    """What was missed first, then by when it may start; what has no schedule last."""
    return tuple(
        sorted(
            coming,
            key=lambda one: (
                one.missed_at_utc is None,
                one.begins_at_utc is None,
                one.begins_at_utc.timestamp() if one.begins_at_utc else 0.0,
                one.specification,
            ),
        )
    )


def due_text(one: Coming) -> str:
    """`Sat 28 Nov 22:00 Europe/Berlin`; a missed start is said before the coming one."""
    zone = zone_of(one.zone)
    parts = []
    if one.missed_at_utc is not None:
        parts.append(f"{minute_text(one.missed_at_utc, zone)} was missed")
    if one.begins_at_utc is not None:
        parts.append(minute_text(one.begins_at_utc, zone))
    return f"{'; next '.join(parts)} {one.zone}" if parts else "-"


def plan_text(one: Coming) -> str:
    """The plan that lies ready, and whether it is approved."""
    if one.plan is None:
        return "none"
    return f"{one.plan} ({'approved' if one.is_approved else 'not approved'})"
