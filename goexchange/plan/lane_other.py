"""Lanes without an outage of ours: verify online, online backup, mount."""

from __future__ import annotations

from goexchange.model.history import Work
from goexchange.model.plan import Action, Lane, Reason, RunsWhen
from goexchange.plan.builder import LaneBuilder, timed
from goexchange.plan.calls import property_probe
from goexchange.plan.context import LaneContext
from goexchange.plan.estimates import known_size
from goexchange.plan.phase_after import add_record
from goexchange.plan.phase_back import add_confirm_mounted
from goexchange.plan.phase_backup import add_backup_before, add_online_backup
from goexchange.plan.phase_before import PASS_PRIMARY, add_last_look, add_passes
from goexchange.plan.phase_conflicts import add_put_back, add_suspend, add_wait
from goexchange.plan.premises import is_dismounted
from goexchange.plan.processes import add_processes_after, add_processes_before
from goexchange.plan.treatment import Passes
from goexchange.powershell import cmdlets


def online_lane(context: LaneContext, *, needs: tuple[str, ...]) -> Lane:
    """Return the lane of a database that stays mounted: looked at or corrected by the store,
    backed up, or both.
    """
    lane = _builder(context)
    undone = add_processes_before(lane, context)
    suspended = add_suspend(lane, context)
    add_wait(lane, context)
    add_last_look(lane, context, guards=("no-open-run", "elevated", "no-declared-work", "window"))
    add_backup_before(lane, context)
    if context.treatment.passes is not Passes.NONE:
        add_passes(lane, context, pass_name=PASS_PRIMARY, runs_when=RunsWhen.ALL_WELL)
    if context.coverage is not None:
        add_online_backup(lane, context, coverage=context.coverage, runs_when=RunsWhen.ALL_WELL)
    add_put_back(lane, context, suspended=suspended)
    add_processes_after(lane, context, undone=undone, has_outage=False)
    add_record(lane, context, runs_when=RunsWhen.ALL_WELL)
    return lane.lane(needs=needs)


def mount_lane(context: LaneContext) -> Lane:
    """Return the lane of a database that is dismounted and has to be mounted, never forced. No
    program of the operator's stands before it.
    """
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
    return lane.lane()


def is_offline(context: LaneContext) -> bool:
    """Whether the lane of this database is one that takes it down."""
    return context.treatment.is_offline


def _builder(context: LaneContext) -> LaneBuilder:
    return LaneBuilder(
        context.lane_id,
        context.server.name,
        database=context.database.name,
        database_guid=context.database.guid,
    )
