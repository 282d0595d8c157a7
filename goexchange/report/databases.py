"""Every database before and after: sizes, white space, time offline, backups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import evolve, frozen

from goexchange.codec import to_plain
from goexchange.model.mta import MTA_NAME
from goexchange.model.plan import Action, Decision, Need, Plan
from goexchange.model.report import (
    BackupState,
    DatabaseSummary,
    Figure,
    Interval,
    LaneReport,
    StepLog,
)
from goexchange.model.run import Record, RecordKind
from goexchange.model.server import SERVER_NAME
from goexchange.report.reading import flag_at, int_at, member, moment_at, rows_at, text_at
from goexchange.report.steps import all_done, first_done, pass_counts
from goexchange.report.units import NOT_RECORDED

NOWHERE = Figure(size_bytes=None, source=None, read_at_utc=None)


@frozen(kw_only=True)
class Seen:
    """What one observation said of one database, and when."""

    at_utc: datetime
    facts: Mapping[str, Any]


Observations = Mapping[tuple[str, str], tuple[Seen, ...]]


def observations(plan: Plan, records: Sequence[Record]) -> Observations:
    """Every observation of every database by server and name, the plan's own first."""
    found: dict[tuple[str, str], list[Seen]] = {}
    seen = [(server.observed_at_utc, to_plain(server)) for server in plan.body.facts.servers]
    seen += [
        (record.at_utc, member(record.data, "actual"))
        for record in records
        if record.kind is RecordKind.FACTS
    ]
    for at, server in seen:
        for database in rows_at(server, "databases"):
            key = (text_at(server, "name") or "", text_at(database, "name") or "")
            found.setdefault(key, []).append(Seen(at_utc=at, facts=database))
    return {key: tuple(value) for key, value in found.items()}


def database_summaries(
    plan: Plan, lanes: Sequence[LaneReport], seen: Observations
) -> tuple[DatabaseSummary, ...]:
    """A summary of every database that the plan decided about."""
    by_address = {(lane.server, lane.database): lane for lane in lanes if lane.database is not None}
    return tuple(
        _summary(
            decision,
            by_address.get((decision.server, decision.database)),
            seen.get((decision.server, decision.database), ()),
        )
        for decision in plan.body.decisions
    )


def mounted_new_file(lane: LaneReport) -> StepLog | None:
    """The mount of the rebuilt file, when both swap and mount took effect."""
    swap = first_done(lane, Action.SWAP)
    return first_done(lane, Action.MOUNT) if swap is not None else None


def _summary(decision: Decision, lane: LaneReport | None, seen: Sequence[Seen]) -> DatabaseSummary:
    header = first_done(lane, Action.READ_HEADER) if lane else None
    temporary = first_done(lane, Action.READ_TEMPORARY_HEADER) if lane else None
    mounted = mounted_new_file(lane) if lane else None
    touched = next((one.start_utc for one in lane.offline), lane.started_at_utc) if lane else None
    before = [one for one in seen if touched is None or one.at_utc <= touched]
    after = _seen_after(lane, seen)
    new_header = temporary if mounted is not None else None
    planned_size = Figure(
        size_bytes=decision.size_bytes,
        source="the plan",
        read_at_utc=seen[0].at_utc if seen else None,
    )
    planned_white = Figure(
        size_bytes=decision.white_space_bytes,
        source="the plan",
        read_at_utc=seen[0].at_utc if seen else None,
    )
    size_after = (
        _of_header(new_header) or _of_facts(after, "size_bytes") or _of_original(lane, header)
    )
    return DatabaseSummary(
        server=decision.server,
        database=decision.database,
        need=decision.need,
        explanation=_explanation(decision, mounted),
        state=lane.state if lane else None,
        why=lane.why if lane else "",
        size_before=_of_header(header) or _of_facts(before, "size_bytes") or planned_size,
        size_after=size_after or NOWHERE,
        white_space_before=_of_facts(before, "white_space_bytes") or planned_white,
        white_space_after=_of_facts(after, "white_space_bytes") or NOWHERE,
        signature_before=text_at(header.result, "signature") if header else None,
        signature_after=text_at(new_header.result, "signature") if new_header else None,
        passes=pass_counts(lane) if lane else (),
        offline=lane.offline if lane else (),
        backup_before=_backup_seen(before),
        backup_after=_backup_after(lane, after),
        recoverable=_recoverable(lane),
        is_database=bool(seen) or decision.database not in (SERVER_NAME, MTA_NAME),
    )


def _explanation(decision: Decision, mounted: StepLog | None) -> str:
    """Why it was worked on; of a repaired file in service what has to follow, too."""
    if decision.need is not Need.REPAIR or mounted is None or decision.instead is None:
        return decision.explanation
    return f"{decision.explanation}; {decision.instead}"


def _recoverable(lane: LaneReport | None) -> Figure | None:
    """What was measured inside the dismounted file."""
    step = first_done(lane, Action.MEASURE_SPACE) if lane else None
    size = int_at(step.result, "recoverable_bytes") if step else None
    if step is None or size is None:
        return None
    return Figure(size_bytes=size, source="the dismounted file", read_at_utc=step.ended_at_utc)


def _seen_after(lane: LaneReport | None, seen: Sequence[Seen]) -> list[Seen]:
    """The observations after the database was back; none while it is away."""
    if lane is None or not lane.offline:
        since = lane.started_at_utc if lane else None
        return [one for one in seen if since is not None and one.at_utc > since]
    back = lane.offline[-1].end_utc
    return [one for one in seen if back is not None and one.at_utc >= back]


def _of_header(step: StepLog | None) -> Figure | None:
    size = int_at(step.result, "size_bytes") if step else None
    if step is None or size is None:
        return None
    return Figure(size_bytes=size, source="the dismounted file", read_at_utc=step.ended_at_utc)


def _of_original(lane: LaneReport | None, header: StepLog | None) -> Figure | None:
    """The size of a file that was mounted again as it was."""
    figure = _of_header(header)
    is_back = lane is not None and bool(lane.offline) and lane.offline[-1].end_utc is not None
    if lane is None or figure is None or not is_back or mounted_new_file(lane) is not None:
        return None
    return evolve(figure, source="the original file, mounted again as it was")


def _of_facts(seen: Sequence[Seen], name: str) -> Figure | None:
    for one in reversed(seen):
        size = int_at(one.facts, name)
        if size is not None:
            return Figure(size_bytes=size, source="Exchange", read_at_utc=one.at_utc)
    return None


def _backup_seen(seen: Sequence[Seen]) -> BackupState:
    for one in reversed(seen):
        if "last_full_backup_utc" not in one.facts:
            continue
        if one.facts["last_full_backup_utc"] is None:
            return BackupState(words="none of the present file", at_utc=None)
        moment = moment_at(one.facts, "last_full_backup_utc")
        if moment is not None:
            return BackupState(words="full backup", at_utc=moment)
    return BackupState(words=NOT_RECORDED, at_utc=None)


def _backup_after(lane: LaneReport | None, after: Sequence[Seen]) -> BackupState:
    unchanged = BackupState(words="unchanged", at_utc=None)
    if lane is None:
        return unchanged
    proofs = all_done(lane, Action.PROVE_BACKUP)
    proved = [one for one in proofs if flag_at(one.result, "proved")]
    if proved:
        moment = moment_at(proved[-1].result, "last_full_backup_utc")
        return BackupState(words="proved full backup", at_utc=moment)
    if mounted_new_file(lane) is not None:
        return BackupState(words="no proved backup of the present file", at_utc=None)
    if lane.offline and lane.offline[-1].end_utc is None:
        return BackupState(words="out of service", at_utc=None)
    return _backup_seen(after) if after else unchanged


def total_seconds(intervals: Sequence[Interval]) -> float | None:
    """The length of all intervals; None when one has no end."""
    total = 0.0
    for one in intervals:
        if one.end_utc is None:
            return None
        total += (one.end_utc - one.start_utc).total_seconds()
    return total
