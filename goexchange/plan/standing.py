"""Which file belongs in the place of a database that a dead run left: decided by looking.

A rebuilt file whose header is not any more what it was when the rebuild had ended has been mounted,
whatever the journal says: nothing older takes its place (I17). What fits no row is not decided.
"""

from __future__ import annotations

from goexchange.model.remembered import Remembered, SeenFiles, Standing


def standing(
    remembered: Remembered | None, files: SeenFiles, *, is_mounted: bool
) -> tuple[Standing, str]:
    """The right file, and the evidence in words."""
    original, kept = files.original, files.kept
    if is_mounted:
        if kept.exists:
            return Standing.NEW, f"mounted, and the original is kept as {kept.path}"
        return Standing.IN_PLACE, "mounted, and no original is kept beside it"
    if not kept.exists:
        return _without_kept(remembered, files)
    if kept.is_open:
        return Standing.UNDECIDED, f"somebody has {kept.path} open"
    if not original.exists:
        return _between(remembered, files)
    if remembered is None or remembered.original_sha256 is None:
        why = f"{kept.path} is there, and what it should be is not on record"
        return Standing.UNDECIDED, why
    if kept.sha256 != remembered.original_sha256:
        return Standing.UNDECIDED, f"the header of {kept.path} is not the recorded original's"
    return _both(remembered, files)


def _without_kept(remembered: Remembered | None, files: SeenFiles) -> tuple[Standing, str]:
    original = files.original
    if not original.exists:
        return Standing.UNDECIDED, f"neither {original.path} nor {files.kept.path} is there"
    if original.is_open or remembered is None or remembered.original_signature is None:
        return Standing.IN_PLACE, f"{original.path} is there, and nothing was swapped"
    if original.signature == remembered.original_signature:
        return Standing.IN_PLACE, f"{original.path} has the recorded signature of the original"
    if original.signature is not None and original.signature == remembered.rebuilt_signature:
        return Standing.NEW, f"{original.path} is the rebuilt file, and no original is kept"
    return Standing.UNDECIDED, f"{original.path} is neither the original nor the rebuilt file"


def _between(remembered: Remembered | None, files: SeenFiles) -> tuple[Standing, str]:
    kept = files.kept
    wanted = None if remembered is None else remembered.original_sha256
    if wanted is not None and kept.sha256 != wanted:
        return Standing.UNDECIDED, f"the header of {kept.path} is not the recorded original's"
    if kept.signature is None:
        return Standing.UNDECIDED, f"the header of {kept.path} cannot be read"
    return Standing.BACK, f"only {kept.path} is there: the swap stopped in the middle"


def _both(remembered: Remembered, files: SeenFiles) -> tuple[Standing, str]:
    original = files.original
    if original.is_open:
        return Standing.UNDECIDED, f"somebody has {original.path} open"
    if original.sha256 is not None and original.sha256 == remembered.rebuilt_sha256:
        never = "never mounted: its header is as it was when the rebuild had ended"
        return Standing.BACK, f"{original.path} is the rebuilt file, {never}"
    if original.signature is None or original.signature != remembered.rebuilt_signature:
        return Standing.UNDECIDED, f"{original.path} is neither the original nor the rebuilt file"
    if remembered.has_mount_failed:
        return Standing.BACK, f"{original.path} is the rebuilt file, and it did not mount"
    if remembered.is_corrected_in_place:
        never = "no mount of it was sent, and isinteg has changed its header: whether it was ever"
        return Standing.UNDECIDED, f"{original.path} is the rebuilt file; {never} mounted is open"
    return Standing.NEW, f"{original.path} is the rebuilt file, and it was mounted"
