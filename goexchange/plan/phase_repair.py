"""Repair with possible loss: the damage seen again, evidence of the damaged file, and a repair of a
working copy of it, which is then rebuilt. The original is never written to.

Evidence is no set: what it holds is damaged. Until the first mount of the repaired file the
original goes back as after any swap, and the evidence only in its place.
Source: `procedure.md` 2 and 6; the vendor's notes on eseutil /p.
"""

from __future__ import annotations

from goexchange.model.history import Work
from goexchange.model.plan import Action, Binding, BindingKind
from goexchange.plan import words
from goexchange.plan.builder import LaneBuilder, timed
from goexchange.plan.calls import copy_job, equals, eseutil_job, host_job, host_script
from goexchange.plan.context import LaneContext
from goexchange.plan.estimates import LaneEstimate, known_size, set_size
from goexchange.plan.phase_before import PASS_PRIMARY
from goexchange.plan.phase_offline import read_header
from goexchange.plan.phase_rebuild import (
    COPY_SET_ATTEMPTS,
    RebuildSteps,
    add_rebuild,
    prove_temporary,
    swap_in,
)

_UNDO = "stop, delete the working copy, mount the original"


def add_find_damage(lane: LaneBuilder, context: LaneContext) -> None:
    """Page checksums and integrity of the file; what they find is what is repaired."""
    paths, estimate = context.paths, context.estimate
    scratch = paths.integrity_temporary
    pages = None if estimate is None else estimate.checksums
    structure = None if estimate is None else estimate.integrity
    for text, arguments, creates, time in (
        ("page checksums", ("/k", paths.original), (), pages),
        (
            "integrity",
            ("/g", paths.original, f"/t{scratch}", "/o"),
            (scratch,),
            structure,
        ),
    ):
        lane.add(
            Action.FIND_DAMAGE,
            eseutil_job(
                context.eseutil,
                arguments,
                folder=paths.work_folder,
                creates=creates,
                expected_bytes=known_size(context.database),
            ),
            summary=f"{text} of the file: the damage that is to be repaired; none: mount as it was",
            guards=("clean-shutdown", "tool-fits"),
            pass_name=PASS_PRIMARY,
            **timed(time),
        )


def add_repair(
    lane: LaneBuilder, context: LaneContext, *, header: str, estimate: LaneEstimate
) -> RebuildSteps:
    """Evidence, repair of a working copy, rebuild of the repaired copy, and its proof."""
    copy = _keep_evidence(lane, context, header, estimate)
    _repair(lane, context, estimate)
    add_rebuild(lane, context, estimate, source=context.paths.working_copy)
    temporary_header = prove_temporary(lane, context, estimate)
    _delete_working_copy(lane, context)
    return RebuildSteps(header=header, copy=copy, temporary_header=temporary_header, seal="")


def add_swap_of_repaired(lane: LaneBuilder, context: LaneContext, steps: RebuildSteps) -> str:
    """Put the repaired and rebuilt file in the original's place."""
    guards = ("evidence", "window")
    return swap_in(lane, context, steps, moved="repaired and rebuilt file", guards=guards)


def _keep_evidence(
    lane: LaneBuilder, context: LaneContext, header: str, estimate: LaneEstimate
) -> str:
    """The damaged file and every log of its stream; read twice, with the same bad pages."""
    declared = context.spec.backup_before.offline
    assert declared is not None  # refused by name where it is not
    paths, size = context.paths, set_size(context.database, context.host)
    total = "of unknown size" if size is None else words.size(size)
    rate = declared.rate_max_bytes_per_s
    copied = lane.add(
        Action.COPY_EVIDENCE,
        copy_job(
            (),
            watch=paths.set_database,
            expected_bytes=known_size(context.database),
            rate=rate,
        ),
        summary=f"evidence, not a way back: the damaged file and all logs of its stream, {total}"
        f" -> {paths.set_folder}{words.held_to(rate)}",
        binds=(Binding(argument="files", kind=BindingKind.EVIDENCE_FILES, step=header),),
        guards=("clean-shutdown",),
        attempts_max=COPY_SET_ATTEMPTS,
        time_limit_s=declared.timeout_s,
        origin=declared.place,
        **timed(estimate.copy),
    )
    lane.add(
        Action.REREAD_SOURCE,
        host_job("hash-files", {"files": []}, expected_bytes=size),
        summary="the source read a second time, past the cache: its digests are those of the first",
        binds=(Binding(argument="files", kind=BindingKind.SOURCE_FILES, step=header),),
        **timed(estimate.hash),
    )
    lane.add(
        Action.CHECK_EVIDENCE,
        eseutil_job(
            context.eseutil,
            ("/k", paths.set_database),
            folder=paths.work_folder,
            expected_bytes=known_size(context.database),
        ),
        summary="page checksums of the evidence: the bad pages of the file, and no others",
        **timed(estimate.verify_on_host),
    )
    hashed = lane.add(
        Action.HASH_EVIDENCE,
        host_job("hash-files", {"files": []}, expected_bytes=size),
        summary="digests of the evidence, read past the cache",
        binds=(Binding(argument="files", kind=BindingKind.SET_FILES, step=copied),),
        **timed(estimate.hash),
    )
    lane.add(
        Action.SEAL_EVIDENCE,
        host_script("seal-set", {"root": context.root, "folder": paths.set_folder, "manifest": ""}),
        summary="manifest of the evidence, written last; it says that it is no way back",
        binds=(Binding(argument="manifest", kind=BindingKind.SET_MANIFEST, step=hashed),),
        estimate_s=2,
    )
    return copied


def _repair(lane: LaneBuilder, context: LaneContext, estimate: LaneEstimate) -> None:
    """A working copy beside the original, proved to be the file in the evidence, and repaired."""
    paths, size = context.paths, known_size(context.database)
    working = paths.working_copy
    bytes_known = size or 0
    copied = lane.add(
        Action.COPY_FOR_REPAIR,
        copy_job(
            ({"source": paths.original, "destination": working},),
            watch=working,
            expected_bytes=size,
        ),
        summary=f"working copy {working}: the repair never touches the original",
        attempts_max=COPY_SET_ATTEMPTS,
        undo=_UNDO,
        **timed(context.times.of(Work.COPY, bytes_known)),
    )
    lane.add(
        Action.HASH_FOR_REPAIR,
        host_job("hash-files", {"files": [working]}, expected_bytes=size),
        summary="the working copy is the file that lies in the evidence",
        binds=(Binding(argument="files", kind=BindingKind.SET_FILES, step=copied),),
        undo=_UNDO,
        **timed(context.times.of(Work.HASH, bytes_known)),
    )
    scratch = paths.repair_temporary
    lane.add(
        Action.REPAIR,
        eseutil_job(
            context.eseutil,
            ("/p", working, f"/t{scratch}", "/o"),
            folder=paths.work_folder,
            creates=(scratch,),
            expected_bytes=size,
        ),
        summary="repair the working copy: pages that cannot be read are discarded, and what was in"
        " them is lost",
        guards=("evidence", "tool-fits", "temporary-path"),
        postcondition=equals("ok", True),
        undo=_UNDO,
        **timed(estimate.rebuild),
    )
    lane.add(
        Action.READ_REPAIRED_HEADER,
        read_header(context, working, with_logs=False),
        summary="header of the repaired copy: clean, and it counts the repair",
        undo=_UNDO,
        estimate_s=5,
    )


def _delete_working_copy(lane: LaneBuilder, context: LaneContext) -> None:
    lane.add(
        Action.DELETE_WORKING_COPY,
        host_script(
            "delete-temporary",
            {
                "root": context.root,
                "path": context.paths.working_copy,
                "within": context.paths.work_folder,
            },
        ),
        summary="delete the working copy: what was made of it is in the temporary file",
        estimate_s=2,
    )
