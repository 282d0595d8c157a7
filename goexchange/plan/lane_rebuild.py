"""The lanes that take a database down: the rebuild, and the dismount only to look (`procedure.md`
2).
"""

from __future__ import annotations

from goexchange.model.plan import Lane, Need, RunsWhen
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.context import LaneContext
from goexchange.plan.phase_after import add_close_record, add_record
from goexchange.plan.phase_back import (
    add_in_service,
    add_mount,
    add_way_back_after_swap,
    add_way_back_before_swap,
)
from goexchange.plan.phase_backup import add_backup_before, add_online_backup
from goexchange.plan.phase_before import (
    PASS_DEFRAGMENTED,
    PASS_PRIMARY,
    add_export,
    add_last_look,
    add_passes,
    add_records,
)
from goexchange.plan.phase_offline import add_detect, add_dismount, add_read_header
from goexchange.plan.phase_rebuild import add_set_and_rebuild, add_swap
from goexchange.plan.processes import add_processes_after, add_processes_before


def offline_lane(context: LaneContext, *, needs: tuple[str, ...]) -> Lane:
    """Return the whole lane of a database that is rebuilt, or taken down to be verified."""
    is_rebuilt = context.needed.need is Need.REBUILD
    lane = LaneBuilder(
        context.lane_id,
        context.server.name,
        database=context.database.name,
        database_guid=context.database.guid,
    )
    add_records(lane, context)
    undone = add_processes_before(lane, context)
    if is_rebuilt:
        if context.spec.backup_before.offline is not None:
            add_export(lane, context, context.spec.backup_before.offline)
        add_passes(lane, context, pass_name=PASS_PRIMARY, detect_only=False)
    add_backup_before(lane, context)
    add_last_look(lane, context)
    add_dismount(lane, context)
    header = add_read_header(lane, context)
    add_detect(lane, context)
    _rebuild_and_mount(lane, context, header=header, is_rebuilt=is_rebuilt)
    add_in_service(lane, context)
    add_processes_after(lane, context, undone=undone, has_outage=True)
    runs_when = RunsWhen.REBUILT_IN_SERVICE if is_rebuilt else RunsWhen.ALL_WELL
    if context.coverage is not None:
        add_online_backup(lane, context, coverage=context.coverage, runs_when=runs_when)
    if is_rebuilt:
        add_passes(lane, context, pass_name=PASS_DEFRAGMENTED, detect_only=False)
    add_record(lane, context, runs_when=RunsWhen.IN_SERVICE_AGAIN)
    add_close_record(lane, context)
    return lane.lane(needs=needs)


def _rebuild_and_mount(
    lane: LaneBuilder, context: LaneContext, *, header: str, is_rebuilt: bool
) -> None:
    if not is_rebuilt or context.estimate is None:
        add_mount(lane, context, is_new_file=False)
        add_way_back_before_swap(lane, context, is_rebuilt=False)
        return
    steps = add_set_and_rebuild(lane, context, header=header, estimate=context.estimate)
    add_swap(lane, context, steps)
    add_mount(lane, context, is_new_file=True)
    add_way_back_before_swap(lane, context, is_rebuilt=True)
    add_way_back_after_swap(lane, context, steps)
