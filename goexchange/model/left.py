"""What runs have left on a host: kept runs, recovery records, sentinels, jobs, files.

Shape: every list is Unknown when the host could not say it. All times are of the host's clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

from goexchange.model.unknown import Unknown

RELEASED = "released"  # the phase of a record that a release has closed


@frozen(kw_only=True)
class KeptRun:
    """A run as the host keeps it; `sizes` by file name. The sign of life may be missing."""

    run: str
    holder: str | None
    alive_at_utc: datetime | None
    sizes: Mapping[str, int]


@frozen(kw_only=True)
class RecoveryRecord:
    """A recovery record with what was written into it before the first change."""

    run: str
    database_guid: str
    is_open: bool
    opened_at_utc: datetime
    written_at_utc: datetime
    phase: str
    content: Mapping[str, Any]


@frozen(kw_only=True)
class HeldCopy:
    """A passive copy, `DB07\\EX03`, that the run suspends, as its recovery record names it.

    Shape: where somebody had suspended its activation, that is so again afterwards, with the
    comment of then.
    """

    identity: str
    is_lagged: bool = False
    is_activation_suspended: bool = False
    activation_comment: str | None = None

    @property
    def server(self) -> str:
        """The member that holds it; a database's name may have any other character in it."""
        return self.identity.rpartition("\\")[2]


def held_copies_of(content: Mapping[str, Any]) -> tuple[HeldCopy, ...]:
    """The copies that a recovery record names, in their order: the one that is looked at, or every
    other one of a database that is rebuilt.
    """
    looked_at = content.get("suspended_copy")
    if isinstance(looked_at, str):
        return (_held(looked_at, content),)
    return tuple(
        _held(str(each["identity"]), each, is_lagged=each["is_lagged"] is True)
        for each in content.get("held_copies", ())
    )


def activation_of(copy: HeldCopy) -> dict[str, Any]:
    """What a recovery record says of a copy's activation; nothing where it was not suspended."""
    if not copy.is_activation_suspended:
        return {}
    return {"is_activation_suspended": True, "activation_comment": copy.activation_comment}


def _held(identity: str, plain: Mapping[str, Any], *, is_lagged: bool = False) -> HeldCopy:
    comment = plain.get("activation_comment")  # a record of an earlier version says nothing of it
    return HeldCopy(
        identity=identity,
        is_lagged=is_lagged,
        is_activation_suspended=plain.get("is_activation_suspended") is True,
        activation_comment=comment if isinstance(comment, str) else None,
    )


@frozen(kw_only=True)
class SentinelLeft:
    """A sentinel's state file, and whether its scheduled task is there."""

    database_guid: str
    run: str
    fed_at_utc: datetime
    is_task_present: bool


@frozen(kw_only=True)
class JobLeft:
    """A host job's folder; `state` is one of the words of poll-job."""

    job: str
    kind: str
    state: str
    begun_at_utc: datetime
    size_bytes: int


@frozen(kw_only=True)
class ShellLeft:
    """A WinRM shell of our account that this process does not hold; the host ends it by itself when
    it was not used for its idle limit, where that is known.
    """

    shell: str
    owner: str
    idle_limit_s: float | None


@frozen(kw_only=True)
class FileSeen:
    """A file that was asked for and is there. An open file says nothing of its header."""

    path: str
    size_bytes: int
    modified_at_utc: datetime
    is_open: bool
    header_sha256: str | None
    start: bytes | None


@frozen(kw_only=True)
class Listed:
    """A file or folder beside a database; of the tool's own folders also what is in them."""

    path: str
    is_folder: bool
    size_bytes: int
    modified_at_utc: datetime
    is_link: bool
    files: int


@frozen(kw_only=True)
class LeftOnHost:
    """One look at everything that runs have left on a host."""

    server: str
    clock_utc: datetime
    boot_id: str
    fence: int
    fence_holder: str | None
    recoveries: tuple[RecoveryRecord, ...] | Unknown
    runs: tuple[KeptRun, ...] | Unknown
    sentinels: tuple[SentinelLeft, ...] | Unknown
    jobs: tuple[JobLeft, ...] | Unknown
    looked_at: tuple[FileSeen, ...] | Unknown
    listed: tuple[Listed, ...] | Unknown

    @property
    def released(self) -> frozenset[str]:
        """Runs whose records are all closed, one of them by a release: nobody goes on with them."""
        known = () if isinstance(self.recoveries, Unknown) else self.recoveries
        still_open = {each.run for each in known if each.is_open}
        closed = {each.run for each in known if each.phase == RELEASED}
        return frozenset(closed - still_open)

    def seen(self, path: str) -> FileSeen | None:
        """A file that was asked for; None when it is not there. Only where `looked_at` is known."""
        known = () if isinstance(self.looked_at, Unknown) else self.looked_at
        return next((one for one in known if one.path.lower() == path.lower()), None)
