"""The set of the rebuilt file, made before it takes the original's place (`backup.after.offline`).

A cold copy needs the file closed, and the temporary file is closed and proved already: so the set
costs no second outage, and one that cannot be made ends with the original in service.
"""

from __future__ import annotations

from goexchange.model.plan import Action, Binding, BindingKind
from goexchange.plan import words
from goexchange.plan.builder import LaneBuilder, timed
from goexchange.plan.calls import copy_job, equals, eseutil_job, host_job, host_script
from goexchange.plan.context import LaneContext
from goexchange.plan.estimates import LaneEstimate, result_size
from goexchange.plan.phase_rebuild import (
    COPY_SET_ATTEMPTS,
    RebuildSteps,
    SealedSet,
    prove_elsewhere,
)

_UNDO = "stop, delete the temporary file, mount the original"


def add_rebuilt_set(
    lane: LaneBuilder, context: LaneContext, steps: RebuildSteps, *, estimate: LaneEstimate
) -> None:
    """Copy the rebuilt file, prove the copy and seal it; nothing where none is asked for."""
    declared, times = context.spec.backup_after.offline, estimate.rebuilt_set
    paths, folder = context.paths, context.paths.rebuilt_set_folder
    if declared is None or times is None or folder is None:
        return
    size, copy = result_size(context.database), paths.rebuilt_set_database
    rate = declared.rate_max_bytes_per_s
    copied = lane.add(
        Action.COPY_REBUILT,
        copy_job(
            ({"source": paths.temporary, "destination": copy},),
            watch=copy,
            expected_bytes=size,
            rate=rate,
        ),
        summary=f"set of the rebuilt file, about {words.size(size)} -> {folder}"
        f"{words.held_to(rate)}",
        attempts_max=COPY_SET_ATTEMPTS,
        time_limit_s=declared.timeout_s,
        undo=_UNDO,
        origin=declared.place,
        **timed(times.copy),
    )
    lane.add(
        Action.VERIFY_REBUILT_ON_HOST,
        eseutil_job(
            context.eseutil, ("/k", copy), folder=paths.work_folder, expected_bytes=size
        ),
        summary="every page checksum of the copied rebuilt file, on the host",
        postcondition=equals("ok", True),
        undo=_UNDO,
        **timed(times.verify_on_host),
    )
    hashed = lane.add(
        Action.HASH_REBUILT,
        host_job("hash-files", {"files": [copy]}, expected_bytes=size),
        summary="digest of the copied rebuilt file, read past the cache",
        binds=(Binding(argument="files", kind=BindingKind.SET_FILES, step=copied),),
        undo=_UNDO,
        **timed(times.hash),
    )
    sealed = lane.add(
        Action.SEAL_REBUILT,
        host_script("seal-set", {"root": context.root, "folder": folder, "manifest": ""}),
        summary="manifest of the rebuilt file's set, written last",
        binds=(Binding(argument="manifest", kind=BindingKind.SET_MANIFEST, step=hashed),),
        undo=_UNDO,
        estimate_s=2,
    )
    written = SealedSet(
        folder=folder,
        header=steps.temporary_header,
        seal=sealed,
        action=Action.VERIFY_REBUILT,
    )
    prove_elsewhere(lane, context, written, times.verify_set)
