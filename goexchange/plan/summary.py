"""Chapters of the plan that summarise its lanes: backups, basis of the estimates, notices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ntpath import basename, dirname, join

from goexchange.model.desired import DesiredState, OnlineBackup
from goexchange.model.history import Work
from goexchange.model.plan import EstimateSource, PartEstimate, PlannedNotice
from goexchange.plan import words
from goexchange.plan.accounts import account_lines
from goexchange.plan.context import LaneContext
from goexchange.plan.coverage import Coverage
from goexchange.plan.phase_backup import what_it_takes
from goexchange.plan.phase_rebuild import verified_where
from goexchange.plan.preparation import Prepared
from goexchange.schedule.history import Estimate

_FOLDER = "\0"  # stands for the folder until it is known whose it is


def backup_lines(working: Sequence[Prepared]) -> tuple[str, ...]:
    """What is backed up before and after, and which older backups no longer fit: one line for each
    fact, databases of one server that share it together.
    """
    facts: dict[tuple[str, str], list[LaneContext]] = {}
    for each in working:
        assert each.context is not None
        for fact in _backups_of(each.context):
            facts.setdefault((each.context.server.name, fact), []).append(each.context)
    return tuple(
        f"{server}/{words.listed(each.database.name for each in contexts)}: "
        + fact.replace(_FOLDER, _folder(contexts))
        + ("; once for each" if len(contexts) > 1 else "")
        for (server, fact), contexts in facts.items()
    )


def _backups_of(context: LaneContext) -> Iterator[str]:
    is_rebuilt = context.treatment.rebuilds
    if context.treatment.repairs:
        yield (
            "evidence of the damaged file and of every log of its stream, read twice and compared"
            f" page by page -> {_FOLDER}; it is not a sound way back, and is never removed by age"
        )
    elif context.treatment.copies:
        when = " before the rebuild" if is_rebuilt else ""
        yield (
            f"set of the present file{when}, every page verified"
            f" {verified_where(context, context.paths.set_folder)} -> {_FOLDER}; this run removes"
            f" no older set: {_retention(context)}"
        )
    if context.paths.rebuilt_set_folder is not None:
        yield (
            "set of the rebuilt file before it takes its place, the database still down, every page"
            f" verified {verified_where(context, context.paths.rebuilt_set_folder)}"
            f" -> {context.paths.rebuilt_set_folder}"
        )
    yield from account_lines(context)
    before = context.spec.backup_before.online
    if context.coverage_before is not None and before is not None:
        yield f"before it, {_online(context.coverage_before, before)}"
    after = context.spec.backup_after.online
    if context.coverage is not None and after is not None:
        end = "; older online backups and logs do not fit the rebuilt file" if is_rebuilt else ""
        yield f"{_online(context.coverage, after)}{end}"


def _online(coverage: Coverage, declared: OnlineBackup) -> str:
    """What an online backup takes, and what it does to the logs of whom."""
    covered = words.listed(coverage.names)
    if coverage.is_known:
        return (
            f"online full backup {what_it_takes(coverage, declared)}, covers {covered} and"
            " truncates their logs"
        )
    has_copies = declared.agent is not None and declared.agent.copies is not None
    proof = "" if has_copies else "; without `agent.copies` no copy of it is ever proved"
    return (
        f"online full backup {what_it_takes(coverage, declared)}: it may cover {covered} and"
        f" truncate their logs{proof}"
    )


def _retention(context: LaneContext) -> str:
    """How many sets the specification wants kept, and what removes the others."""
    declared = context.spec.backup_before.offline
    last = 1 if declared is None else declared.keep_last
    return f"`goexchange backups prune --last {last}` shows which may go, and removes them"


def _folder(contexts: Sequence[LaneContext]) -> str:
    """The folder of the set, or of the sets of several databases."""
    folders = [each.paths.set_folder or "" for each in contexts]
    if len(folders) == 1:
        return folders[0]
    above, taken = dirname(dirname(folders[0])), basename(folders[0])
    return join(above, "<database>", taken)


def estimate_source(
    working: Sequence[Prepared], *, has_commands: bool = False
) -> EstimateSource:
    """What the outages are estimated from: the server with the least history decides; of a server
    that goes down for commands their own limits do.
    """
    contexts = [
        each.context
        for each in working
        if each.context is not None and each.context.estimate is not None
    ]
    if not contexts:
        text = "the limits of the commands themselves" if has_commands else "no outage is planned"
        return EstimateSource(earlier_runs=0, text=text)
    parts = tuple(
        PartEstimate(
            address=each.lane_id,
            work=part.work,
            size_bytes=part.size_bytes,
            p50_s=part.duration.p50_s,
            p90_s=part.duration.p90_s,
            earlier_runs=part.earlier_runs,
            source=part.source,
        )
        for each in contexts
        if each.estimate is not None
        for part in _one_of_each(each.estimate.parts)
    )
    least = min(contexts, key=_earlier_runs)
    runs = words.counted(_earlier_runs(least), "earlier run")
    is_measured = all(each.estimate is not None and each.estimate.is_measured for each in contexts)
    return EstimateSource(
        earlier_runs=_earlier_runs(least),
        text=f"from {runs} on {least.server.name}"
        if is_measured
        else f"{runs} on {least.server.name}: p90 is twice what the stated default rates give",
        parts=parts,
    )


def _one_of_each(parts: Sequence[Estimate]) -> tuple[Estimate, ...]:
    """The first part of each kind of work: what is done to the rebuilt file is as its original."""
    first: dict[Work, Estimate] = {}
    for part in parts:
        first.setdefault(part.work, part)
    return tuple(first.values())


def _earlier_runs(context: LaneContext) -> int:
    return 0 if context.estimate is None else context.estimate.earlier_runs


def report_formats(specs: Sequence[DesiredState]) -> tuple[str, ...]:
    """What the specifications want reports written as, each once; none when they do not say."""
    return tuple(dict.fromkeys(one.value for spec in specs for one in spec.reports.formats))


def planned_notices(specs: Sequence[DesiredState]) -> tuple[PlannedNotice, ...]:
    """The events that the specifications want people to be told about."""
    return tuple(
        PlannedNotice(
            event=notice.event.value,
            audience=notice.audience.value,
            recipients=notice.to,
            channels=notice.channels,
            before_s=notice.before_s,
            template=notice.template,
            variables={one.name: one.value for one in notice.variables},
            specification=spec.name,
        )
        for spec in specs
        for notice in spec.notifications
    )
