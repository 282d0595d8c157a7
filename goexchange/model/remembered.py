"""What is known of a database that a dead run left: what its kept journal says, and which files lie
where.
"""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from goexchange.model.plan import JobCall, ScriptCall


@frozen(kw_only=True)
class Undoing:
    """An operator's program that undoes another one which was begun."""

    summary: str
    call: JobCall
    time_limit_s: int
    allowed_exit_codes: tuple[int, ...]


@frozen(kw_only=True)
class Remembered:
    """What the kept journal of a run says of one of its databases.

    Shape: digests are of both header slots; `was_mounted` of the rebuilt file: it took effect or is
    in doubt; `has_mount_failed` that its mount is known to have failed and never succeeded;
    `tried_logs` is the plan's call that moves aside what a tried mount of the rebuilt file has
    written, None when no mount was tried or that is done; `is_stream_new` that it is done.
    `is_corrected_in_place` that isinteg was begun on the rebuilt file in its place, and neither was
    its header read after that nor a mount sent.
    """

    original_sha256: str | None
    original_signature: str | None
    rebuilt_sha256: str | None
    rebuilt_signature: str | None
    was_mounted: bool
    has_mount_failed: bool
    is_proved: bool
    undoing: tuple[Undoing, ...]
    tried_logs: ScriptCall | None = None
    is_stream_new: bool = False
    is_corrected_in_place: bool = False


@frozen(kw_only=True)
class SeenFile:
    """A file where the record says one may lie; of an open one neither digest nor signature."""

    path: str
    exists: bool
    is_open: bool
    sha256: str | None
    signature: str | None


@frozen(kw_only=True)
class SeenFiles:
    """The files of a database that a run moves."""

    original: SeenFile
    kept: SeenFile
    temporary: SeenFile
    set_aside: SeenFile


class Standing(Enum):
    """Which file belongs in the database's place."""

    IN_PLACE = "in-place"  # the original, and it is there
    BACK = "back"  # the original, and it has to be renamed back
    NEW = "new"  # the rebuilt one: it was mounted, nothing older takes its place
    UNDECIDED = "undecided"  # looking cannot tell: nothing is moved, a person decides
