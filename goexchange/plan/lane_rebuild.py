"""The lanes that take a database down: rebuild, correction, set, or only a look (`procedure.md`
2).
"""

from __future__ import annotations

from goexchange.model.plan import Lane, RunsWhen
from goexchange.plan.accounts import add_trials, under_accounts
from goexchange.plan.agents import add_trial_of_machine
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.context import LaneContext
from goexchange.plan.host_records import add_close_record, add_remove_sentinel, keeper_of
from goexchange.plan.phase_after import add_record
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
from goexchange.plan.phase_conflicts import add_put_back, add_suspend, add_wait
from goexchange.plan.phase_copies import add_copies_back, add_hold_copies, add_seeds
from goexchange.plan.phase_integrity import (
    add_corrected_rebuild,
    add_integrity_passes,
    add_passes_over_new_file,
    add_stop_over_new_file,
    corrects_offline,
    primary_passes,
)
from goexchange.plan.phase_offline import add_detect, add_dismount, add_measure, add_read_header
from goexchange.plan.phase_rebuild import (
    add_forced_way_back,
    add_set,
    add_set_and_rebuild,
    add_swap,
)
from goexchange.plan.phase_rebuilt_set import add_rebuilt_set
from goexchange.plan.phase_repair import add_find_damage, add_repair, add_swap_of_repaired
from goexchange.plan.processes import add_processes_after, add_processes_before
from goexchange.plan.services import add_restore_services, add_stop_services
from goexchange.plan.treatment import Passes


def offline_lane(context: LaneContext, *, needs: tuple[str, ...]) -> Lane:
    """Return the whole lane of a database that is taken down: to be rebuilt, corrected, copied or
    looked at.
    """
    treatment = context.treatment
    lane = LaneBuilder(
        context.lane_id,
        context.server.name,
        database=context.database.name,
        database_guid=context.database.guid,
    )
    add_records(lane, context)
    add_trials(lane, context)
    undone = add_processes_before(lane, context)
    if treatment.copies and context.spec.backup_before.offline is not None:
        add_export(lane, context, context.spec.backup_before.offline)
    is_online = treatment.passes is Passes.CORRECT and not corrects_offline(context)
    if is_online and not treatment.repairs:
        add_passes(lane, context, pass_name=PASS_PRIMARY, runs_when=RunsWhen.ALL_WELL)
    suspended = add_suspend(lane, context)
    add_wait(lane, context)
    add_backup_before(lane, context)
    add_trial_of_machine(lane, context)
    stopped = add_stop_services(lane, context)
    add_last_look(lane, context)
    held = add_hold_copies(lane, context)
    add_dismount(lane, context)
    header = add_read_header(lane, context)
    if treatment.repairs:
        add_find_damage(lane, context)
    elif treatment.detects:
        add_detect(lane, context)
    if treatment.measures:
        add_measure(lane, context)
    _work_and_mount(lane, context, header=header)
    add_in_service(lane, context)
    add_copies_back(lane, context, held)
    add_restore_services(lane, context, stopped=stopped)
    add_processes_after(lane, context, undone=undone, has_outage=True)
    runs_when = RunsWhen.REBUILT_IN_SERVICE if treatment.rebuilds else RunsWhen.ALL_WELL
    if context.coverage is not None:
        add_wait(lane, context, runs_when=runs_when)
        add_online_backup(lane, context, coverage=context.coverage, runs_when=runs_when)
    add_put_back(lane, context, suspended=suspended)
    add_seeds(lane, context, held)
    if context.replicas is not None:
        add_remove_sentinel(lane, keeper_of(context), watches="over the outage")
    if is_online:
        add_passes(lane, context, pass_name=PASS_DEFRAGMENTED, runs_when=runs_when)
    add_record(lane, context, runs_when=RunsWhen.IN_SERVICE_AGAIN)
    add_close_record(lane, keeper_of(context))
    return under_accounts(lane.lane(needs=needs), context)


def _work_and_mount(lane: LaneBuilder, context: LaneContext, *, header: str) -> None:
    """Set and rebuild as far as they are asked for, the mount, and the ways back."""
    estimate = context.estimate
    assert estimate is not None  # an outage is never planned without one
    if context.treatment.repairs:
        repaired = add_repair(lane, context, header=header, estimate=estimate)
        add_rebuilt_set(lane, context, repaired, estimate=estimate)
        add_swap_of_repaired(lane, context, repaired)
        add_mount(lane, context, is_new_file=True)
        add_way_back_before_swap(lane, context, is_rebuilt=True)
        add_way_back_after_swap(lane, context, repaired)
        return
    if context.treatment.rebuilds:
        rebuild = add_corrected_rebuild if primary_passes(context) else add_set_and_rebuild
        steps = rebuild(lane, context, header=header, estimate=estimate)
        add_rebuilt_set(lane, context, steps, estimate=estimate)
        add_swap(lane, context, steps)
        add_passes_over_new_file(lane, context)
        if context.pilots.forces_way_back:
            add_forced_way_back(lane, context, steps)
        add_mount(lane, context, is_new_file=True)
        add_way_back_before_swap(lane, context, is_rebuilt=True)
        add_stop_over_new_file(lane, context)
        add_way_back_after_swap(lane, context, steps)
        return
    if context.treatment.copies:
        add_set(lane, context, header=header, estimate=estimate)
    add_integrity_passes(lane, context)
    add_mount(lane, context, is_new_file=False)
    add_way_back_before_swap(lane, context, is_rebuilt=False)
