"""Back into service: the mount, both ways back, and everything the tool changed for itself put
back.
"""

from __future__ import annotations

from goexchange.model.history import Work
from goexchange.model.plan import (
    Action,
    Binding,
    BindingKind,
    Direction,
    OnDoubt,
    Probe,
    Reason,
    RunsWhen,
)
from goexchange.plan import words
from goexchange.plan.builder import LaneBuilder, timed
from goexchange.plan.calls import equals, host_job, host_script, property_probe
from goexchange.plan.context import LaneContext
from goexchange.plan.estimates import known_size
from goexchange.plan.host_records import add_remove_sentinel, keeper_of
from goexchange.plan.pair import second_of
from goexchange.plan.phase_before import add_copies_sentinel, add_notice
from goexchange.plan.phase_rebuild import RebuildSteps, header_bindings, swap_arguments
from goexchange.powershell import cmdlets
from goexchange.schedule.rates import Duration

COPY_BACK_ATTEMPTS = 3  # a host may restart in the middle of it


def add_mount(lane: LaneBuilder, context: LaneContext, *, is_new_file: bool) -> str:
    """Mount the file that is in place; with a new file the first success is the point of no
    return.
    """
    after = ": no automatic way back from here" if is_new_file else ""
    return lane.add(
        Action.MOUNT,
        cmdlets.mount(context.database.guid),
        summary=f"dismounted -> mounted, never forced{after}",
        probe=_mounted(context),
        is_point_of_no_return=is_new_file,
        undo="rename back and mount the original, as long as it was never mounted"
        if is_new_file
        else None,
        **timed(context.times.of(Work.MOUNT, known_size(context.database) or 0)),
    )


def add_way_back_before_swap(lane: LaneBuilder, context: LaneContext, *, is_rebuilt: bool) -> None:
    """The lane failed, the original is in its place: stop the work, mount the original."""
    lane.add(
        Action.CANCEL_JOBS,
        host_script("cancel-job", {"root": context.root}),
        summary="way back: stop what still runs on the host for this database",
        reason=Reason.WAY_BACK,
        may_fail=True,
        estimate_s=5,
    )
    _add_mount_original(lane, context, RunsWhen.AWAY_BEFORE_SWAP)
    files = [("temporary file", context.paths.temporary)] if is_rebuilt else []
    if context.treatment.repairs:
        files.append(("working copy", context.paths.working_copy))
    for name, path in files:
        lane.add(
            Action.DELETE_TEMPORARY,
            host_script(
                "delete-temporary",
                {"root": context.root, "path": path, "within": context.paths.work_folder},
            ),
            summary=f"way back: delete the {name}",
            reason=Reason.WAY_BACK,
            may_fail=True,
            estimate_s=2,
        )


def add_way_back_after_swap(lane: LaneBuilder, context: LaneContext, steps: RebuildSteps) -> None:
    """The rebuilt file does not mount: the original goes back after its header matched the record;
    the set is used only when it is missing or another one. What a tried mount wrote is moved aside.
    """
    arguments = swap_arguments(context)
    lane.add(
        Action.SWAP_BACK,
        host_script(
            "swap-back",
            {
                "root": context.root,
                "original": arguments["original"],
                "temporary": arguments["temporary"],
                "kept": arguments["kept"],
                "original_sha256": "",
                "set_aside": context.paths.set_aside,
                "in_place_sha256": None,
            },
        ),
        summary="way back: original renamed back, rebuilt file set aside",
        reason=Reason.WAY_BACK,
        binds=header_bindings(steps)[:1],
        estimate_s=5,
    )
    _add_set_back(lane, context, steps)
    _add_logs_aside(lane, context)
    _add_mount_original(lane, context, RunsWhen.AWAY_AFTER_SWAP)


def add_in_service(lane: LaneBuilder, context: LaneContext) -> None:
    """Seen mounted a second time; setting back to what it was, sentinel away, notices."""
    database = context.database
    delay = context.inventory.mount_confirm_after_s
    add_confirm_mounted(lane, context, delay_s=delay)
    if database.is_mount_at_startup is True:
        lane.add(
            Action.RESTORE_MOUNT_AT_STARTUP,
            cmdlets.set_mount_at_startup(database.guid, True),
            summary="mount at startup: false -> true, as it was",
            probe=property_probe(
                cmdlets.get_database(database.guid), "MountAtStartup", wanted=True
            ),
            estimate_s=1,
        )
    if context.replicas is None:
        add_remove_sentinel(lane, keeper_of(context), watches="over the outage")
    else:  # its copies are still suspended
        add_copies_sentinel(lane, context, runs_when=RunsWhen.IN_SERVICE_AGAIN)
    for event in ("storage-online", "exchange-now-available"):
        add_notice(lane, context, event=event, runs_when=RunsWhen.IN_SERVICE_AGAIN)


def add_confirm_mounted(lane: LaneBuilder, context: LaneContext, *, delay_s: int) -> None:
    """Seen mounted again after a while."""
    lane.add(
        Action.CONFIRM_MOUNTED,
        cmdlets.get_database(context.database.guid),
        summary=f"seen mounted again after {delay_s} s",
        postcondition=equals("objects.0.Mounted", True),
        delay_s=delay_s,
        estimate_s=delay_s + 1,
    )


def _add_set_back(lane: LaneBuilder, context: LaneContext, steps: RebuildSteps) -> None:
    """The original cannot be renamed back: the verified set takes its place, read back after the
    copy.
    """
    paths, size = context.paths, known_size(context.database)
    copy = None if context.estimate is None else context.estimate.copy
    lasts = "" if copy is None else f", {_lasts(copy.duration)}"
    amount = "of unknown size" if size is None else words.size(size)
    kept = "evidence of the damaged file" if context.treatment.repairs else "set"
    lane.add(
        Action.SET_ASIDE,
        host_script(
            "move-aside",
            {"root": context.root, "source": paths.original, "destination": paths.set_aside},
        ),
        summary="way back without the original: what lies in its place is set aside",
        reason=Reason.WAY_BACK,
        estimate_s=5,
    )
    for path, aside in zip(
        second_of(context, paths.original), second_of(context, paths.set_aside), strict=True
    ):
        lane.add(
            Action.SET_ASIDE,
            host_script(
                "move-aside", {"root": context.root, "source": path, "destination": aside}
            ),
            summary="way back without the original: its streaming file is set aside too",
            reason=Reason.WAY_BACK,
            estimate_s=5,
        )
    copied = lane.add(
        Action.COPY_BACK,
        host_job(
            "copy-files",
            {
                "files": [
                    {"source": source, "destination": destination}
                    for source, destination in zip(
                        (paths.set_database, *second_of(context, paths.set_database)),
                        (paths.original, *second_of(context, paths.original)),
                        strict=True,
                    )
                ],
                "continues": True,
            },
            watch=(f"{paths.original}.partial",),
            expected_bytes=size,
        ),
        attempts_max=COPY_BACK_ATTEMPTS,
        summary=f"way back without the original: {kept} copied back, {amount}{lasts}",
        reason=Reason.WAY_BACK,
        **timed(copy),
    )
    lane.add(
        Action.HASH_BACK,
        host_job("hash-files", {"files": []}, expected_bytes=size),
        summary=f"digest of the copy, read past the cache, is that of the {kept}",
        reason=Reason.WAY_BACK,
        binds=(Binding(argument="files", kind=BindingKind.SET_FILES, step=copied),),
        **timed(None if context.estimate is None else context.estimate.hash),
    )


def _lasts(duration: Duration) -> str:
    return f"about {words.span(duration.p50_s)}, p90 {words.span(duration.p90_s)}"


def _add_logs_aside(lane: LaneBuilder, context: LaneContext) -> None:
    """Logs and checkpoint that the tried mount may have written belong to the rebuilt file."""
    database = context.database
    lane.add(
        Action.MOVE_LOGS_ASIDE,
        host_script(
            "move-logs",
            {
                "root": context.root,
                "from_folder": database.log_folder,
                "to_folder": context.paths.logs_aside,
                "prefix": database.log_prefix if isinstance(database.log_prefix, str) else "",
            },
        ),
        summary="way back after a tried mount: logs and checkpoint moved to"
        f" {context.paths.logs_aside}, when no other database uses them",
        reason=Reason.WAY_BACK,
        estimate_s=5,
    )


def _add_mount_original(lane: LaneBuilder, context: LaneContext, runs_when: RunsWhen) -> None:
    lane.add(
        Action.MOUNT_ORIGINAL,
        cmdlets.mount(context.database.guid),
        summary="way back: mount the original",
        reason=Reason.WAY_BACK,
        runs_when=runs_when,
        direction=Direction.BACK,
        on_doubt=OnDoubt.PROBE,
        probe=_mounted(context),
        **timed(context.times.of(Work.MOUNT, known_size(context.database) or 0)),
    )


def _mounted(context: LaneContext) -> Probe:
    return property_probe(cmdlets.get_database(context.database.guid), "Mounted", wanted=True)
