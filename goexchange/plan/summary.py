"""Chapters of the plan that summarise its lanes: backups, basis of the estimates, notices."""

from __future__ import annotations

from collections.abc import Sequence

from goexchange.model.desired import DesiredState
from goexchange.model.plan import EstimateSource, Need, PlannedNotice
from goexchange.plan import words
from goexchange.plan.estimates import history_of
from goexchange.plan.preparation import Prepared


def backup_lines(working: Sequence[Prepared]) -> tuple[str, ...]:
    """What is backed up before and after, and which older backups no longer fit, one line per
    fact.
    """
    lines: list[str] = []
    for each in working:
        context = each.context
        if context is None:
            continue
        is_rebuilt = context.needed.need is Need.REBUILD
        if is_rebuilt:
            lines.append(
                f"{context.lane_id}: set of the present file before the rebuild, every page"
                " verified"
                f" -> {context.paths.set_folder}; kept until `goexchange backups prune`"
            )
        if context.coverage is not None:
            covered = words.listed(one.name for one in context.coverage.databases)
            end = (
                "; older online backups and logs do not fit the rebuilt file" if is_rebuilt else ""
            )
            lines.append(
                f"{context.lane_id}: online full backup of {words.listed(context.coverage.volumes)}"
                f" -> {context.coverage.target}, covers {covered} and truncates their logs{end}"
            )
    return tuple(lines)


def estimate_source(working: Sequence[Prepared]) -> EstimateSource:
    """What the outages are estimated from: the server with the least history decides."""
    contexts = [
        each.context
        for each in working
        if each.context is not None and each.context.estimate is not None
    ]
    if not contexts:
        return EstimateSource(earlier_runs=0, text="no outage is planned")
    least = min(contexts, key=lambda each: history_of(each.host).earlier_runs)
    history = history_of(least.host)
    runs = words.counted(history.earlier_runs, "earlier run")
    if history.is_enough:
        return EstimateSource(
            earlier_runs=history.earlier_runs, text=f"from {runs} on {least.server.name}"
        )
    return EstimateSource(
        earlier_runs=history.earlier_runs,
        text=f"{runs} on {least.server.name}: p90 is twice what the stated default rates give",
    )


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
