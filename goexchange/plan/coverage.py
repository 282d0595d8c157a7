"""Which volumes an online backup takes, and every database that is on them.

Source: Windows Server Backup takes whole volumes, and so does diskshadow; a full backup of a volume
truncates the logs of all its databases.
"""

from __future__ import annotations

from ntpath import join

from attrs import frozen

from goexchange.facts.places import volume_of
from goexchange.model.actual import ActualDatabase, ActualHost, ActualServer
from goexchange.model.unknown import Unknown
from goexchange.plan import words
from goexchange.plan.paths import comparable, is_share


@frozen(kw_only=True)
class Coverage:
    """What one online backup takes.

    Shape: `volumes` are mount points in order; `databases` are all databases of the server whose
    file or logs lie on them, in order of their names; `partly` are those of them that have only
    one of the two there. Where it is not known what the backup takes (`is_known`), there are no
    volumes, and `databases` are all that it may take. One of a whole storage group (`group`) takes
    no volumes; `public` are the public folder stores in it.
    """

    target: str
    volumes: tuple[str, ...]
    databases: tuple[ActualDatabase, ...]
    partly: tuple[str, ...]
    is_known: bool = True
    group: str = ""
    public: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        """What is backed up, in words."""
        return f"the storage group {self.group}" if self.group else words.listed(self.volumes)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all that it covers."""
        return (*(each.name for each in self.databases), *self.public)

    @property
    def target_is_inside(self) -> bool:
        """Whether the target is one of the volumes that are backed up, which the tool refuses."""
        wanted = comparable(self.target).rstrip("\\") + "\\"
        inside = (comparable(each).rstrip("\\") + "\\" for each in self.volumes)
        return not is_share(self.target) and wanted in inside


def coverage_of(
    database: ActualDatabase, server: ActualServer, *, target: str
) -> Coverage | Unknown:
    """Return what a backup of the database's volumes covers.

    Unknown: when the volumes are, or when a path lies on none of them.
    """
    if isinstance(server.host, Unknown):
        return server.host
    if isinstance(server.databases, Unknown):
        return server.databases
    host = server.host
    wanted = _volumes_of(database, host)
    if isinstance(wanted, Unknown):
        return wanted
    covered: list[ActualDatabase] = []
    partly: list[str] = []
    for other in sorted(server.databases, key=lambda each: each.name):
        theirs = _volumes_of(other, host)
        if isinstance(theirs, Unknown):
            return theirs
        if theirs & wanted:
            covered.append(other)
            if not theirs <= wanted:
                partly.append(other.name)
    return Coverage(
        target=target,
        volumes=tuple(sorted(wanted)),
        databases=tuple(covered),
        partly=tuple(partly),
    )


def coverage_of_agent(server: ActualServer) -> Coverage | Unknown:
    """What a vendor's agent may take: it chooses by itself, so every database of the server.

    Unknown: when the databases are.
    """
    if isinstance(server.databases, Unknown):
        return server.databases
    found = sorted(server.databases, key=lambda each: each.name)
    return Coverage(
        target="",
        volumes=(),
        databases=tuple(each for each in found if each.is_recovery is not True),
        partly=(),
        is_known=False,
    )


def fresh_target(path: str, server: str, *, stamp: str) -> str:
    """A share gets a fresh folder per plan, because the newest backup replaces the one before in
    the same place.
    """
    return own_folder(path, server, stamp=stamp) if is_share(path) else path


def own_folder(path: str, server: str, *, stamp: str) -> str:
    """A folder that no other plan writes to."""
    return join(path, server, "online", stamp)


def is_on_volumes(path: str, coverage: Coverage, host: ActualHost) -> bool | Unknown:
    """Whether a path lies on one of the volumes that are backed up.

    Unknown: where its own volume is.
    """
    if is_share(path):
        return False
    volume = volume_of(host, path.rstrip("\\") + "\\")
    return volume if isinstance(volume, Unknown) else volume.mount_point in coverage.volumes


def covered_bytes(coverage: Coverage) -> int | None:
    """The sizes of the covered databases together, which is what the backup reads at least; None
    when one is not known, or what it covers.
    """
    if not coverage.is_known:
        return None
    sizes = [each.size_bytes for each in coverage.databases]
    known = [size for size in sizes if isinstance(size, int)]
    return sum(known) if len(known) == len(sizes) else None


def include_argument(mount_point: str) -> str:
    """A volume as the backup tool names it: `D:`, or the mount point without its last backslash."""
    return mount_point.rstrip("\\")


def _volumes_of(database: ActualDatabase, host: ActualHost) -> frozenset[str] | Unknown:
    found: set[str] = set()
    for path in (database.edb_path, database.log_folder):
        volume = volume_of(host, path.rstrip("\\") + "\\")
        if isinstance(volume, Unknown):
            return volume
        found.add(volume.mount_point)
    return frozenset(found)
