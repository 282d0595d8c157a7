"""What must be so when a night has ended and everything has settled.

I1 what the result says of each database is true. I9 what the tool changed for itself is back, or
reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from goexchange.driver.invariants import Violation
from goexchange.driver.lanes import suspended_copies
from goexchange.errors import ExitCode
from goexchange.model.mta import MTA_ID
from goexchange.model.plan import Action, Lane
from goexchange.model.run import LaneState, OutcomeKind, RecordKind, RunResult
from goexchange.model.server import SERVER_ID
from goexchange.simulation.checks_of_mta import of_mta_at_rest
from goexchange.simulation.checks_of_server import of_server_at_rest
from goexchange.simulation.night import Night
from goexchange.world.truth import TrueDatabase, true_database
from goexchange.world.world import Effect, World

_SETTLED = frozenset({LaneState.DONE, LaneState.FAILED, LaneState.UNPROTECTED})


def at_rest(night: Night, result: RunResult, *, rival: Night | None) -> tuple[Violation, ...]:
    """Everything that is broken now."""
    world = night.performer.world
    found: list[Violation] = []
    for one in result.databases:
        lane = next(each for each in night.plan.body.lanes if each.id == one.lane)
        if lane.database_guid == MTA_ID:
            found += of_mta_at_rest(world, one, rival=rival is not None)
            continue
        if lane.database_guid == SERVER_ID:
            started = night.checks.started.get(lane.server)
            if rival is None:
                found += of_server_at_rest(world, lane, one, started=started)
            continue
        database = world.database_named(one.database)
        truth = true_database(world, database)
        if one.state is LaneState.DONE and result.exit_code == ExitCode.OK:
            found += _of_success(lane, truth, world, night)
        if one.state in _SETTLED and rival is None:
            found += _of_settings(lane, truth, night)
    return tuple(found)


def _of_success(
    lane: Lane, truth: TrueDatabase, world: World, night: Night
) -> Iterator[Violation]:
    """Exit code 0 means: in service, sound, and where it was rebuilt a new file with a backup."""
    is_touched = any(
        each.database == truth.name and each.by != night.performer.user
        for each in world.effects
        if each.kind in ("dismount", "mount", "crash") and _is_after_end(each, lane, night)
    ) or any(each.kind == "reboot" and _is_after_end(each, lane, night) for each in world.effects)
    if not truth.is_mounted and not is_touched:
        yield Violation(invariant="I1", step=truth.name, why="exit code 0, and it is not mounted")
    if truth.name in night.checks.unprotected:
        yield Violation(
            invariant="I3", step=truth.name, why="exit code 0, and the new file has no backup"
        )


def _is_after_end(effect: Effect, lane: Lane, night: Night) -> bool:
    """Whether it came when the run had already looked for the last time."""
    looks = [
        record.at_utc - night.performer.skew  # written down by the controller's own clock
        for record in night.performer.records
        if record.kind is RecordKind.INTENT
        and str(record.data["step"]).startswith(f"{lane.id}/")
        and str(record.data["step"]).endswith("confirm-mounted")
    ]
    mounts = [
        each.at
        for each in night.performer.world.effects
        if each.kind == "mount" and each.database == lane.database and each.at <= effect.at
    ]
    if not looks or not mounts:
        return True
    due = max(mounts) + timedelta(seconds=night.plan.body.rules.mount_confirm_after_s)
    return effect.at >= max(*looks, due)


def _of_settings(lane: Lane, truth: TrueDatabase, night: Night) -> Iterator[Violation]:
    """I9, for a lane that says the database is in service."""
    world, state = night.performer.world, night.checks.watch.state
    database = world.database_named(truth.name)
    reported = {
        step.action
        for step in lane.steps
        if state.step(step.id).outcome in (OutcomeKind.FAILED, OutcomeKind.CANCELLED)
        or state.step(step.id).is_in_doubt
    }
    wanted = database.description.is_mount_at_startup
    if truth.is_mount_at_startup != wanted and Action.RESTORE_MOUNT_AT_STARTUP not in reported:
        why = "mount at startup is not what it was, and nothing says so"
        yield Violation(invariant="I9", step=truth.name, why=why)
    sentinels = [
        each
        for host in world.hosts.values()
        for each in host.sentinels.values()
        if each.database == truth.name and each.run == night.run
    ]
    is_held = bool(suspended_copies(lane, state))  # then it stays, and speaks
    if sentinels and Action.REMOVE_SENTINEL not in reported and not is_held:
        yield Violation(invariant="I9", step=truth.name, why="the sentinel is still there")
