"""Windows paths of a database's lane: where the temporary file, the kept original and the set will
be.

Paths of hosts are text here; nothing touches a file system.
"""

from __future__ import annotations

from datetime import UTC, datetime
from ntpath import basename, dirname, join, normcase, normpath, splitext

from attrs import frozen

from goexchange.model.actual import ActualDatabase
from goexchange.model.configuration import Inventory
from goexchange.model.flush_map import flush_map_beside


@frozen(kw_only=True)
class LanePaths:
    """Every path that the lane of one database names."""

    original: str
    work_folder: str
    temporary: str
    integrity_temporary: str
    kept: str
    set_aside: str
    logs_aside: str
    set_folder: str | None
    rebuilt_set_folder: str | None = None

    @property
    def working_copy(self) -> str:
        """The copy of the present file that a repair works on."""
        return join(self.work_folder, f"repair-{basename(self.original)}")

    @property
    def repair_temporary(self) -> str:
        """The scratch file of a repair."""
        return join(self.work_folder, "repair.tmp.edb")

    @property
    def temporary_flush_map(self) -> str:
        """The flush map that the tool writes beside the temporary file."""
        return flush_map_beside(self.temporary)

    @property
    def rebuilt_set_database(self) -> str:
        """The rebuilt file in its own set; only asked for where there is one."""
        assert self.rebuilt_set_folder is not None
        return join(self.rebuilt_set_folder, basename(self.original))

    @property
    def set_database(self) -> str:
        """The database file in the set; only asked for where there is a set."""
        assert self.set_folder is not None
        return join(self.set_folder, basename(self.original))


def lane_paths(
    database: ActualDatabase,
    *,
    at: datetime,
    set_target: str | None,
    rebuilt_target: str | None = None,
    is_evidence: bool = False,
) -> LanePaths:
    """Return the paths; `at` is the planner's moment, so that every plan has fresh names.

    Shape: `set_target` is where the set of the present file goes, `rebuilt_target` where that of
    the rebuilt one; what is kept as evidence says so in the name of its folder.
    """
    stamp = stamp_text(at)
    taken = f"{stamp}-evidence" if is_evidence else stamp
    name = splitext(basename(database.edb_path))[0]
    work = join(dirname(database.edb_path), f"gx-{database.guid[:8]}")
    return LanePaths(
        original=database.edb_path,
        work_folder=work,
        temporary=join(work, f"{name}.tmp.edb"),
        integrity_temporary=join(work, "integ.edb"),
        kept=f"{database.edb_path}.before-{stamp}",
        set_aside=f"{database.edb_path}.rebuilt-{stamp}",
        logs_aside=join(database.log_folder, f"gx-logs-{stamp}"),
        set_folder=None if set_target is None else join(set_target, database.server, name, taken),
        rebuilt_set_folder=None
        if rebuilt_target is None
        else join(rebuilt_target, database.server, name, f"{stamp}-rebuilt"),
    )


def stamp_text(at: datetime) -> str:
    """`20261122T101500Z`."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def is_share(path: str) -> bool:
    """Whether a path is on a share (`\\\\server\\share`)."""
    return path.startswith("\\\\")


def comparable(path: str) -> str:
    """The path as Windows compares it: no case, one kind of separator, no dots."""
    return normcase(normpath(path))


def reached_at(set_folder: str | None, inventory: Inventory) -> str | None:
    """Where the controller sees a set, by the longest share of the inventory that it lies below;
    None when it does not.
    """
    folder = set_folder or ""
    wanted = folder.lower()
    fits = [
        share
        for share in inventory.shares
        if share.mounted_at is not None
        and wanted.startswith(share.path.rstrip("\\").lower() + "\\")
    ]
    if not fits:
        return None
    share = max(fits, key=lambda each: len(each.path))
    below = folder[len(share.path.rstrip("\\")) + 1 :]
    return f"{(share.mounted_at or '').rstrip('/')}/{below.replace(chr(92), '/')}"


def verifier_of(set_folder: str | None, inventory: Inventory) -> str | None:
    """The machine that reads the set in our place; None where there is none, or where the set is
    on a disk of the server itself, which no other machine reaches.
    """
    is_on_share = (set_folder or "").startswith("\\\\")
    return inventory.verifier if is_on_share else None
