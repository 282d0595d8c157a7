"""Lanes without an outage of ours: verify online, online backup, mount; and the custom processes
of a server.
"""

from __future__ import annotations

from collections.abc import Iterable

from goexchange.model.desired import CustomProcess, DesiredState, ProcessScope
from goexchange.model.history import Work
from goexchange.model.plan import Action, Lane, Need, Reason, RunsWhen
from goexchange.plan.builder import LaneBuilder, timed
from goexchange.plan.calls import property_probe
from goexchange.plan.context import LaneContext
from goexchange.plan.estimates import known_size
from goexchange.plan.phase_after import add_online_backup, add_record
from goexchange.plan.phase_back import add_confirm_mounted
from goexchange.plan.phase_before import (
    PASS_PRIMARY,
    add_last_look,
    add_passes,
    add_process,
    add_processes_after,
    add_processes_before,
)
from goexchange.plan.premises import is_dismounted
from goexchange.powershell import cmdlets


def online_lane(context: LaneContext, *, needs: tuple[str, ...]) -> Lane:
    """Return the lane of a database that stays mounted: verified by the store, backed up, or
    both.
    """
    lane = _builder(context)
    undone = add_processes_before(lane, context)
    add_last_look(lane, context, guards=("no-open-run", "elevated", "no-declared-work", "window"))
    if context.needed.is_verified_too:
        add_passes(lane, context, pass_name=PASS_PRIMARY, detect_only=True)
    if context.coverage is not None:
        add_online_backup(lane, context, coverage=context.coverage, runs_when=RunsWhen.ALL_WELL)
    add_processes_after(lane, context, undone=undone)
    add_record(lane, context, runs_when=RunsWhen.ALL_WELL)
    return lane.lane(needs=needs)


def mount_lane(context: LaneContext, *, needs: tuple[str, ...]) -> Lane:
    """Return the lane of a database that is dismounted and has to be mounted, never forced."""
    lane = _builder(context)
    guid = context.database.guid
    lane.add(
        Action.MOUNT,
        cmdlets.mount(guid),
        summary="dismounted -> mounted, never forced",
        reason=Reason.DISMOUNTED,
        guards=("no-open-run",),
        premises=(is_dismounted(context),),
        probe=property_probe(cmdlets.get_database(guid), "Mounted", wanted=True),
        **timed(context.times.of(Work.MOUNT, known_size(context.database) or 0)),
        origin=context.spec.conditions.mounted_place,
    )
    add_confirm_mounted(lane, context, delay_s=context.inventory.mount_confirm_after_s)
    return lane.lane(needs=needs)


def server_lanes(
    server: str, specifications: Iterable[DesiredState]
) -> tuple[Lane | None, Lane | None]:
    """Return the lanes of a server's own custom processes: before its databases and after them,
    None without any.
    """
    before: dict[str, str] = {}
    first = LaneBuilder(f"{server}:before", server, database=None, database_guid=None)
    last = LaneBuilder(f"{server}:after", server, database=None, database_guid=None)
    for spec in specifications:
        for process in _per_server(spec.processes_before):
            before[process.name] = add_process(first, process)
        for process in _per_server(spec.processes_after):
            add_process(
                last,
                process,
                runs_when=RunsWhen.UNDO_OF if process.undoes else RunsWhen.ALWAYS,
                undo_of=before[process.undoes] if process.undoes else None,
            )
    lanes = (first.lane(), last.lane())
    return (lanes[0] if lanes[0].steps else None, lanes[1] if lanes[1].steps else None)


def is_offline(context: LaneContext) -> bool:
    """Whether the lane of this database is one that takes it down."""
    return context.estimate is not None and context.needed.need in (Need.REBUILD, Need.VERIFY)


def _builder(context: LaneContext) -> LaneBuilder:
    return LaneBuilder(
        context.lane_id,
        context.server.name,
        database=context.database.name,
        database_guid=context.database.guid,
    )


def _per_server(processes: tuple[CustomProcess, ...]) -> list[CustomProcess]:
    return [each for each in processes if each.per is ProcessScope.SERVER]
