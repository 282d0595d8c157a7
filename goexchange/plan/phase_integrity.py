"""Error correction of Exchange 2007 and 2003: the store's own isinteg, on the dismounted database.

It changes the file, so that it comes after a set of that very file was sealed and verified; its
passes end at the first one without errors. Around a rebuild it is run twice: on the original
before, whose header is then read again, and on the new file after the swap, before anybody mounts
it. Source: `procedure.md` 2.
"""

from __future__ import annotations

from ntpath import dirname, join

from goexchange.model.actual import Generation
from goexchange.model.plan import Action, Reason, Repeat, RunsWhen
from goexchange.plan.builder import LaneBuilder, timed
from goexchange.plan.calls import equals, host_job, host_script
from goexchange.plan.context import LaneContext
from goexchange.plan.estimates import LaneEstimate, known_size, result_size
from goexchange.plan.pair import second_of
from goexchange.plan.phase_before import (
    COUNTED,
    ERRORS,
    PASS_DEFRAGMENTED,
    PASS_PRIMARY,
    TROUBLES,
)
from goexchange.plan.phase_offline import read_header
from goexchange.plan.phase_rebuild import RebuildSteps, add_rebuild, add_set, prove_temporary
from goexchange.plan.treatment import Passes


def corrects_offline(context: LaneContext) -> bool:
    """Whether the passes of the lane are those of isinteg."""
    is_old = context.server.generation in (Generation.EXCHANGE_2003, Generation.EXCHANGE_2007)
    treatment = context.treatment
    return is_old and treatment.passes is Passes.CORRECT and not treatment.repairs


def primary_passes(context: LaneContext) -> int:
    """How often isinteg goes over the present file at most."""
    correction = context.spec.script.error_correction
    return correction.primary_passes_max if corrects_offline(context) else 0


def defragmented_passes(context: LaneContext) -> int:
    """How often it goes over the rebuilt one at most."""
    correction = context.spec.script.error_correction
    is_meant = corrects_offline(context) and context.treatment.rebuilds
    return correction.defragmented_passes_max if is_meant else 0


def add_integrity_passes(lane: LaneBuilder, context: LaneContext) -> None:
    """The passes over the dismounted database; what they leave fails the lane, which mounts it."""
    times = primary_passes(context)
    if times:
        _add_passes(
            lane,
            context,
            times=times,
            pass_name=PASS_PRIMARY,
            guards=("clean-shutdown", "verified-set"),
            undo="the set that was made before it",
        )


def add_corrected_rebuild(
    lane: LaneBuilder, context: LaneContext, *, header: str, estimate: LaneEstimate
) -> RebuildSteps:
    """The set first, for isinteg changes the original in its place; the corrected file is what is
    rebuilt, and kept beside the new one. The set stays what the users left at the dismount.
    """
    copy, seal = add_set(lane, context, header=header, estimate=estimate)
    add_integrity_passes(lane, context)
    corrected = lane.add(
        Action.READ_CORRECTED_HEADER,
        read_header(context, context.paths.original, with_logs=True),
        summary="header of the corrected file: clean, the same signature",
        undo="mount as it was left; the set from before isinteg by hand",
        estimate_s=5,
    )
    _read_second(
        lane,
        context,
        Action.READ_CORRECTED_STREAMING,
        undo="mount as it was left; the set from before isinteg by hand",
    )
    add_rebuild(lane, context, estimate, source=context.paths.original)
    temporary_header = prove_temporary(lane, context, estimate)
    return RebuildSteps(
        header=corrected, copy=copy, temporary_header=temporary_header, seal=seal
    )


def add_passes_over_new_file(lane: LaneBuilder, context: LaneContext) -> None:
    """The passes over the file that was swapped in, before its first mount: what they leave puts
    the original back.
    """
    times = defragmented_passes(context)
    if not times:
        return
    _add_passes(
        lane,
        context,
        times=times,
        pass_name=PASS_DEFRAGMENTED,
        guards=("verified-set",),
        undo="rename the original back, in seconds",
    )
    lane.add(
        Action.READ_NEW_HEADER,
        read_header(context, context.paths.original, with_logs=False),
        summary="header of the new file after isinteg: clean, the signature of the rebuild",
        undo="rename the original back, in seconds",
        estimate_s=5,
    )
    _read_second(
        lane, context, Action.READ_NEW_STREAMING, undo="rename the original back, in seconds"
    )


def add_stop_over_new_file(lane: LaneBuilder, context: LaneContext) -> None:
    """On the way back after the swap: nothing may have the new file open any more."""
    if defragmented_passes(context):
        lane.add(
            Action.CANCEL_JOBS,
            host_script("cancel-job", {"root": context.root}),
            summary="way back: stop what still runs on the host for this database",
            reason=Reason.WAY_BACK,
            runs_when=RunsWhen.AWAY_AFTER_SWAP,
            may_fail=True,
            estimate_s=5,
        )


def _read_second(lane: LaneBuilder, context: LaneContext, action: Action, *, undo: str) -> None:
    """isinteg was given a pair on Exchange 2003: the two still belong together."""
    for path in second_of(context, context.paths.original):
        lane.add(
            action,
            read_header(context, path, with_logs=False),
            summary="its streaming file after isinteg: shut down cleanly, the one of this database",
            undo=undo,
            estimate_s=5,
        )


def _add_passes(
    lane: LaneBuilder,
    context: LaneContext,
    *,
    times: int,
    pass_name: str,
    guards: tuple[str, ...],
    undo: str,
) -> None:
    correction, estimate = context.spec.script.error_correction, context.estimate
    none_left = equals(TROUBLES if correction.treat_warnings_as_errors else ERRORS, 0)
    is_new = pass_name == PASS_DEFRAGMENTED
    what = "the new file, before anybody mounts it" if is_new else "the store"
    passes = None if estimate is None else estimate.integrity_passes
    lane.add(
        Action.STORE_INTEGRITY,
        host_job(
            "isinteg",
            {
                "tool": join(dirname(context.eseutil), "isinteg.exe"),
                "server": context.server.name,
                "group": context.database.storage_group,
                "database": context.database.name,
                "fix": True,
            },
            expected_bytes=result_size(context.database) if is_new
            else known_size(context.database),
        ),
        summary=f"isinteg: detect and correct what lies inside {what}, {times} passes at most",
        guards=guards,
        postcondition=COUNTED,
        repeat=Repeat(times_max=times, until=none_left),
        pass_name=pass_name,
        undo=undo,
        origin=correction.place,
        **timed(None if passes is None else passes.of(pass_name)),
    )
