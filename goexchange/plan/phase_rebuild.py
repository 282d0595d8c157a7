"""Set, rebuild to a temporary file, proof of both, swap: the original stays untouched until the
last of them.
"""

from __future__ import annotations

from attrs import frozen

from goexchange.model.plan import Action, Binding, BindingKind, Direction, OnDoubt, Probe
from goexchange.plan import words
from goexchange.plan.builder import LaneBuilder, timed
from goexchange.plan.calls import (
    controller,
    copy_job,
    equals,
    eseutil_job,
    host_job,
    host_script,
    one_of,
)
from goexchange.plan.context import LaneContext
from goexchange.plan.estimates import LaneEstimate, known_size, result_size, set_size
from goexchange.plan.pair import is_pair, second_of, switch_of
from goexchange.plan.paths import reached_at, verifier_of
from goexchange.plan.phase_before import PASS_DEFRAGMENTED
from goexchange.plan.phase_offline import read_header
from goexchange.schedule.history import Estimate

COPY_SET_ATTEMPTS = 2  # its job may be lost with the host, in the middle of it
VERDICT_MARGIN_S = 30 * 60
JOB_ENDS_WITHIN_S = 120  # a job that waits to its own limit says so before it is ended
"""Added to the estimate's p90: a verifier machine looks for new sets every few minutes."""


@frozen(kw_only=True)
class RebuildSteps:
    """Ids of the steps that later ones take values from."""

    header: str
    copy: str
    temporary_header: str
    seal: str


@frozen(kw_only=True)
class SealedSet:
    """A set that our own verifier reads: its folder, and the steps whose values it must meet."""

    folder: str | None
    header: str
    seal: str
    action: Action = Action.VERIFY_SET


def add_set_and_rebuild(
    lane: LaneBuilder, context: LaneContext, *, header: str, estimate: LaneEstimate
) -> RebuildSteps:
    """Copy the set, rebuild beside it, and prove both."""
    copy = _copy(lane, context, header, estimate)
    add_rebuild(lane, context, estimate, source=context.paths.original)
    temporary_header = prove_temporary(lane, context, estimate)
    seal = _prove_set(lane, context, (header, copy), estimate)
    return RebuildSteps(header=header, copy=copy, temporary_header=temporary_header, seal=seal)


def add_set(
    lane: LaneBuilder, context: LaneContext, *, header: str, estimate: LaneEstimate
) -> tuple[str, str]:
    """Copy the set and prove it, for a database that is not rebuilt, or not yet; the steps that
    copied and that sealed it.
    """
    copy = _copy(lane, context, header, estimate)
    return copy, _prove_set(lane, context, (header, copy), estimate)


def add_swap(lane: LaneBuilder, context: LaneContext, steps: RebuildSteps) -> str:
    """Put the rebuilt file in the original's place."""
    held = () if context.replicas is None else ("copies-held",)
    guards = ("verified-set", "window", "gain", *held)
    return swap_in(lane, context, steps, moved="rebuilt file", guards=guards)


def swap_in(
    lane: LaneBuilder,
    context: LaneContext,
    steps: RebuildSteps,
    *,
    moved: str,
    guards: tuple[str, ...],
) -> str:
    """Rename the original beside itself and move the temporary file in, on the same volume."""
    arguments = swap_arguments(context)
    return lane.add(
        Action.SWAP,
        host_script("swap-files", {"root": context.root, **arguments}),
        summary=f"original kept as {context.paths.kept}, {moved} moved in",
        guards=guards,
        probe=Probe(
            call=host_script("swap-state", arguments),
            done=equals("state", "after"),
            not_done=one_of("state", "before", "between"),
        ),
        binds=header_bindings(steps),
        undo="rename the original back, in seconds",
        estimate_s=5,
    )


def add_forced_way_back(lane: LaneBuilder, context: LaneContext, steps: RebuildSteps) -> str:
    """A pilot's own: the swap is looked at, and must not have happened. It has, so the lane fails
    here, between swap and first mount, and its way back is taken.
    """
    return lane.add(
        Action.FORCE_WAY_BACK,
        host_script("swap-state", swap_arguments(context)),
        summary="the pilot lets the night fail here: the way back after the swap is taken",
        postcondition=equals("state", "before"),
        binds=header_bindings(steps),
        estimate_s=1,
    )


def swap_arguments(context: LaneContext) -> dict[str, str]:
    """What identifies the files of the swap; the digests are bound from the headers that were
    read.
    """
    paths = context.paths
    return {
        "original": paths.original,
        "temporary": paths.temporary,
        "kept": paths.kept,
        "original_sha256": "",
        "temporary_sha256": "",
    }


def header_bindings(steps: RebuildSteps) -> tuple[Binding, ...]:
    """Digests of both files' headers, for the calls that must find exactly these files."""
    return (
        Binding(argument="original_sha256", kind=BindingKind.HEADER_DIGEST, step=steps.header),
        Binding(
            argument="temporary_sha256",
            kind=BindingKind.HEADER_DIGEST,
            step=steps.temporary_header,
        ),
    )


def _copy(lane: LaneBuilder, context: LaneContext, header: str, estimate: LaneEstimate) -> str:
    declared = context.spec.backup_before.offline
    assert declared is not None  # refused by name where it is not
    size = set_size(context.database, context.host)
    total = "of unknown size" if size is None else words.size(size)
    rate = declared.rate_max_bytes_per_s
    return lane.add(
        Action.COPY_SET,
        copy_job(
            (),
            watch=context.paths.set_database,
            expected_bytes=known_size(context.database),
            rate=rate,
        ),
        summary=f"backup set: database and logs, {total} -> {context.paths.set_folder}"
        f"{words.held_to(rate)}",
        binds=(Binding(argument="files", kind=BindingKind.FILES_BY_RULE, step=header),),
        guards=("clean-shutdown",),
        attempts_max=COPY_SET_ATTEMPTS,
        time_limit_s=declared.timeout_s,
        **timed(estimate.copy),
        origin=declared.place,
    )


def add_rebuild(
    lane: LaneBuilder, context: LaneContext, estimate: LaneEstimate, *, source: str
) -> None:
    """Rebuild a file to the temporary one: the original, or a repaired copy of it."""
    paths = context.paths
    lane.add(
        Action.REBUILD,
        eseutil_job(
            context.eseutil,
            (
                "/d",
                source,
                *switch_of(context, source),
                f"/t{paths.temporary}",
                *switch_of(context, paths.temporary, switch="/f"),
                "/p",
                "/o",
            ),
            folder=paths.work_folder,
            creates=(
                paths.temporary,
                paths.temporary_flush_map,
                *second_of(context, paths.temporary),
            ),
            expected_bytes=result_size(context.database),
        ),
        summary=f"rebuild to {paths.temporary}, about {words.size(result_size(context.database))};"
        " the original stays untouched",
        guards=("clean-shutdown", "tool-fits", "temporary-path"),
        postcondition=equals("ok", True),
        undo="stop, delete the temporary file, mount the original",
        **timed(estimate.rebuild),
    )


def prove_temporary(lane: LaneBuilder, context: LaneContext, estimate: LaneEstimate) -> str:
    """Header, page checksums and integrity of the temporary file; the step that read the header."""
    temporary, folder = context.paths.temporary, context.paths.work_folder
    header = lane.add(
        Action.READ_TEMPORARY_HEADER,
        read_header(context, temporary, with_logs=False),
        summary="header of the temporary file: clean, another signature, the size predicted",
        estimate_s=5,
    )
    for path in second_of(context, temporary):
        lane.add(
            Action.READ_TEMPORARY_STREAMING,
            read_header(context, path, with_logs=False),
            summary="header of its streaming file: clean, the same new signature",
            estimate_s=5,
        )
    scratch = context.paths.integrity_temporary
    checksums = ("/k", temporary, *switch_of(context, temporary))
    for text, arguments, creates, time in (
        ("page checksums", checksums, (), estimate.checksums_temporary),
        (
            "integrity",
            ("/g", temporary, f"/t{scratch}", "/o"),
            (scratch,),
            estimate.integrity_temporary,
        ),
    ):
        lane.add(
            Action.DETECT_ERRORS_TEMPORARY,
            eseutil_job(
                context.eseutil,
                arguments,
                folder=folder,
                creates=creates,
                expected_bytes=result_size(context.database),
            ),
            summary=f"{text} of the temporary file",
            postcondition=equals("ok", True),
            pass_name=PASS_DEFRAGMENTED,
            undo="delete the temporary file, mount the original",
            **timed(time),
        )
    return header


def _prove_set(
    lane: LaneBuilder, context: LaneContext, sources: tuple[str, str], estimate: LaneEstimate
) -> str:
    header, copy = sources
    paths = context.paths
    lane.add(
        Action.VERIFY_SET_ON_HOST,
        eseutil_job(
            context.eseutil,
            ("/k", paths.set_database, *switch_of(context, paths.set_database)),
            folder=paths.work_folder,
            expected_bytes=known_size(context.database),
        ),
        summary="every page checksum of the copied database, on the host",
        postcondition=equals("ok", True),
        **timed(estimate.verify_on_host),
    )
    hashed = lane.add(
        Action.HASH_SET,
        host_job(
            "hash-files", {"files": []}, expected_bytes=set_size(context.database, context.host)
        ),
        summary="digests of the copied files, read past the cache",
        binds=(Binding(argument="files", kind=BindingKind.SET_FILES, step=copy),),
        **timed(estimate.hash),
    )
    sealed = lane.add(
        Action.SEAL_SET,
        host_script("seal-set", {"root": context.root, "folder": paths.set_folder, "manifest": ""}),
        summary="manifest written last: from here on it is a set",
        binds=(Binding(argument="manifest", kind=BindingKind.SET_MANIFEST, step=hashed),),
        estimate_s=2,
    )
    written = SealedSet(folder=paths.set_folder, header=header, seal=sealed)
    if not is_pair(context):  # of a streaming file only that server's own eseutil can tell
        prove_elsewhere(lane, context, written, estimate.verify_set)
    return sealed


def prove_elsewhere(
    lane: LaneBuilder, context: LaneContext, written: SealedSet, estimate: Estimate
) -> None:
    """Our own reading of the set: here where a share reaches it, else on the verifier machine."""
    folder = written.folder
    reached = reached_at(folder, context.inventory)
    verifier = verifier_of(folder, context.inventory)
    if reached is not None:
        lane.add(
            written.action,
            controller(
                "verify-set",
                {
                    "path": reached,
                    "folder": folder,
                    "signature": "",
                    "set_sha256": "",
                },
            ),
            summary="every page of the copy, read by our own verifier",
            direction=Direction.NEUTRAL,
            on_doubt=OnDoubt.REPEAT,
            postcondition=equals("ok", True),
            binds=(
                Binding(argument="signature", kind=BindingKind.SIGNATURE, step=written.header),
                Binding(
                    argument="set_sha256", kind=BindingKind.SET_DIGEST, step=written.seal
                ),
            ),
            **timed(estimate),
        )
    elif verifier is not None:
        limit_s = VERDICT_MARGIN_S + estimate.duration.p90_s
        lane.add(
            written.action,
            host_job("await-verdict", {"folder": folder, "set_sha256": "", "wait_s": limit_s}),
            summary=f"every page of the copy, read by {verifier}: its verdict over this very set"
            f" is waited for, {words.span(limit_s)} at most, then the way back",
            postcondition=equals("ok", True),
            binds=(
                Binding(
                    argument="set_sha256", kind=BindingKind.SET_DIGEST, step=written.seal
                ),
            ),
            on_doubt=OnDoubt.ATTACH,
            time_limit_s=limit_s + JOB_ENDS_WITHIN_S,
            **timed(estimate),
        )


def verified_where(context: LaneContext, folder: str | None) -> str:
    """Where a set is read after the copy, in words."""
    if is_pair(context):
        return "on the host alone: nothing else can check a streaming file"
    if reached_at(folder, context.inventory) is not None:
        return "on the host and here"
    verifier = verifier_of(folder, context.inventory)
    if verifier is not None:
        return f"on the host and by {verifier}"
    return "on the host alone: neither this machine nor a verifier reaches it"
