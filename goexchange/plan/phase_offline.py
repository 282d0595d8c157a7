"""The steps that take the database down and look at its file."""

from __future__ import annotations

from goexchange.facts.generations import page_bytes_of
from goexchange.model.history import Work
from goexchange.model.plan import Action, Reason, ScriptCall
from goexchange.plan.builder import LaneBuilder, timed
from goexchange.plan.calls import equals, eseutil_job, host_script, property_probe
from goexchange.plan.context import LaneContext
from goexchange.plan.estimates import known_size
from goexchange.plan.pair import second_of, switch_of
from goexchange.plan.phase_before import PASS_PRIMARY, add_notice
from goexchange.powershell import cmdlets

LAST_LOOK_GUARDS = (
    "identity",
    "not-recovery",
    "single-copy",
    "no-backup-running",
    "no-other-maintenance",
    "no-declared-work",
    "space",
    "storage-healthy",
    "tool-fits",
    "temporary-path",
    "window",
)


def add_dismount(lane: LaneBuilder, context: LaneContext) -> None:
    """Storage offline: notice, setting, dismount; the guards of the last look are due before the
    first of them.
    """
    database = context.database
    held = () if context.replicas is None else ("copies-held",)
    worked_in = ("no-replication-backlog",) if database.is_public_folder else ()
    looks = tuple(each for each in LAST_LOOK_GUARDS if not (held and each == "single-copy"))
    add_notice(lane, context, event="storage-offline", guards=(*looks, *held, *worked_in))
    if database.is_mount_at_startup is True:
        lane.add(
            Action.SET_MOUNT_AT_STARTUP,
            cmdlets.set_mount_at_startup(database.guid, False),
            summary="mount at startup: true -> false",
            guards=("mount-at-startup",),
            probe=property_probe(
                cmdlets.get_database(database.guid), "MountAtStartup", wanted=False
            ),
            undo="mount at startup: false -> true, exactly as it was",
            estimate_s=1,
        )
    lane.add(
        Action.DISMOUNT,
        cmdlets.dismount(database.guid),
        summary="mounted -> dismounted",
        guards=(
            "mount-at-startup", "no-backup-running", "no-other-maintenance", "window", *held,
            *worked_in,
        ),
        probe=property_probe(cmdlets.get_database(database.guid), "Mounted", wanted=False),
        undo="mount it as it was",
        **timed(context.times.of(Work.DISMOUNT, known_size(database) or 0)),
    )


def add_read_header(lane: LaneBuilder, context: LaneContext) -> str:
    """Read both headers of the dismounted file; what cannot be known while mounted is judged on
    them.
    """
    header = lane.add(
        Action.READ_HEADER,
        read_header(context, context.paths.original, with_logs=True),
        summary="shutdown state, both headers, page size, tool version",
        estimate_s=5,
    )
    for path in second_of(context, context.paths.original):
        lane.add(
            Action.READ_STREAMING_HEADER,
            read_header(context, path, with_logs=False),
            summary="streaming file: shut down cleanly, the one of this database",
            estimate_s=5,
        )
    return header


def read_header(context: LaneContext, path: str, *, with_logs: bool) -> ScriptCall:
    """The call that reads a header."""
    prefix = context.database.log_prefix
    return host_script(
        "read-header",
        {
            "path": path,
            "eseutil": context.eseutil,
            "log_folder": context.database.log_folder if with_logs else None,
            "log_prefix": prefix if with_logs and isinstance(prefix, str) else None,
            "page_bytes": page_bytes_of(context.server.generation),
        },
    )


def add_detect(lane: LaneBuilder, context: LaneContext) -> None:
    """Page checksums and integrity of the file; any error mounts it again as it was."""
    original, folder = context.paths.original, context.paths.work_folder
    estimate = context.estimate
    checksums = None if estimate is None else estimate.checksums
    integrity = None if estimate is None else estimate.integrity
    scratch = context.paths.integrity_temporary
    read = ("/k", original, *switch_of(context, original))
    for text, arguments, creates, time in (
        ("page checksums of the file", read, (), checksums),
        ("integrity of the file", ("/g", original, f"/t{scratch}", "/o"), (scratch,), integrity),
    ):
        lane.add(
            Action.DETECT_ERRORS,
            eseutil_job(
                context.eseutil,
                arguments,
                folder=folder,
                creates=creates,
                expected_bytes=known_size(context.database),
            ),
            summary=f"{text}; any error: mount as it was",
            guards=("clean-shutdown", "tool-fits"),
            postcondition=equals("ok", True),
            pass_name=PASS_PRIMARY,
            **timed(time),
            reason=Reason.PART_OF_SCRIPT,
        )


def add_measure(lane: LaneBuilder, context: LaneContext) -> None:
    """The space inside the file: what a rebuild would give back, to the page."""
    estimate = context.estimate
    lane.add(
        Action.MEASURE_SPACE,
        eseutil_job(
            context.eseutil,
            ("/ms", context.paths.original),
            folder=context.paths.work_folder,
            expected_bytes=known_size(context.database),
        ),
        summary="space inside the file: pages in use, pages that a rebuild would give back",
        guards=("clean-shutdown", "tool-fits"),
        postcondition=equals("ok", True),
        reason=Reason.ASKED_FOR,
        **timed(None if estimate is None else estimate.space),
    )
