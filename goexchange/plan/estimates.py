"""How long each part of a database's lane takes, from its sizes and from earlier runs."""

from __future__ import annotations

from ntpath import dirname

from attrs import evolve, frozen

from goexchange.model.actual import ActualDatabase, ActualHost, ActualServer
from goexchange.model.configuration import Inventory
from goexchange.model.history import Measurement, Work
from goexchange.model.unknown import Unknown, known
from goexchange.plan.treatment import Treatment
from goexchange.schedule.history import Estimate, History, Where, merged, volume_of
from goexchange.schedule.outage import Outage, total
from goexchange.schedule.rates import Duration, fixed

SWAP = fixed(5)
HEADER = fixed(5)
SEAL = fixed(5)

Stored = tuple[Measurement, ...]


@frozen(kw_only=True)
class Times:
    """The one evaluator of durations, for one database; `copy_rate_max` in bytes a second."""

    history: History
    where: Where
    copy_rate_max: int | None = None

    def of(self, work: Work, size_bytes: int) -> Estimate:
        """How long a piece of work takes there."""
        estimate = self.history.estimate(work, size_bytes, where=self.where)
        if work is not Work.COPY or self.copy_rate_max is None:
            return estimate
        least_s = -(-size_bytes // self.copy_rate_max)
        duration = estimate.duration
        if least_s <= duration.p50_s:
            return estimate
        return evolve(
            estimate,
            duration=Duration(p50_s=least_s, p90_s=max(least_s, duration.p90_s)),
            source=f"held back to {self.copy_rate_max / 1024**2:g} MiB/s",
        )


@frozen(kw_only=True)
class RebuiltSetEstimate:
    """The set of the rebuilt file: its copy, and what proves it."""

    copy: Estimate
    verify_on_host: Estimate
    hash: Estimate
    verify_set: Estimate


@frozen(kw_only=True)
class IntegrityPasses:
    """The passes of isinteg over the present file and over the rebuilt one; None where there are
    none.
    """

    before: Estimate | None
    after: Estimate | None

    def of(self, pass_name: str) -> Estimate | None:
        """Those of one of the two phases."""
        return self.before if pass_name == "primary" else self.after


@frozen(kw_only=True)
class LaneEstimate:
    """The long parts of a lane, and the outage that they add up to.

    Shape: `deciding` are those parts of the outage that follow from a size.
    """

    checksums: Estimate
    integrity: Estimate
    space: Estimate
    copy: Estimate
    rebuild: Estimate
    checksums_temporary: Estimate
    integrity_temporary: Estimate
    verify_on_host: Estimate
    hash: Estimate
    verify_set: Estimate
    dismount: Estimate
    mount: Estimate
    outage: Outage
    deciding: tuple[Estimate, ...]
    rebuilt_set: RebuiltSetEstimate | None = None
    integrity_passes: IntegrityPasses | None = None

    @property
    def parts(self) -> tuple[Estimate, ...]:
        """Every part of the outage that takes time worth showing."""
        return (self.dismount, *self.deciding, self.mount)

    @property
    def earlier_runs(self) -> int:
        """How many earlier runs the least known part rests on."""
        return min(each.earlier_runs for each in self.deciding)

    @property
    def is_measured(self) -> bool:
        """Whether the whole outage can be planned from earlier runs, without a consent."""
        return all(each.is_measured for each in self.deciding)


def times_of(
    database: ActualDatabase, server: ActualServer, *, inventory: Inventory, stored: Stored
) -> Times:
    """The evaluator for a database: what its host remembers, and what the store has measured."""
    host, folder = server.host, dirname(database.edb_path)
    volumes = () if isinstance(host, Unknown) or isinstance(host.volumes, Unknown) else host.volumes
    volume = volume_of(folder, [each.mount_point for each in volumes])
    known_there = () if isinstance(host, Unknown) else _remembered(server, host)
    history = History(measurements=merged(stored, known_there), rates=inventory.rates)
    return Times(history=history, where=Where(server=server.name, volume=volume))


def _remembered(server: ActualServer, host: ActualHost) -> tuple[Measurement, ...]:
    """What the database records of a host say."""
    records = () if isinstance(host.records, Unknown) else host.records
    databases = () if isinstance(server.databases, Unknown) else server.databases
    folders = {each.guid: dirname(each.edb_path) for each in databases}
    return tuple(
        Measurement(
            server=server.name,
            database=record.database,
            database_guid=record.database_guid,
            folder=folders.get(record.database_guid, ""),
            timing=timing,
        )
        for record in records
        for timing in record.timings
    )


def known_size(database: ActualDatabase) -> int | None:
    """The size of the file; None when it was not seen."""
    return database.size_bytes if isinstance(database.size_bytes, int) else None


def set_size(database: ActualDatabase, host: ActualHost) -> int | None:
    """The size of a set of the database: its file and its logs; None when the file was not seen."""
    size = known_size(database)
    return None if size is None else size + log_bytes(database, host)


def result_size(database: ActualDatabase) -> int:
    """The size a rebuild should end with."""
    return max(known(database.size_bytes) - known(database.white_space_bytes), 0)


def log_bytes(database: ActualDatabase, host: ActualHost) -> int:
    """The size of the database's log folder as seen, 0 when it was not seen."""
    folders = () if isinstance(host.log_folders, Unknown) else host.log_folders
    wanted = database.log_folder.rstrip("\\").lower()
    return sum(each.total_bytes for each in folders if each.folder.rstrip("\\").lower() == wanted)


def with_rebuilt_set(
    estimate: LaneEstimate, database: ActualDatabase, *, times: Times, is_read: bool
) -> LaneEstimate:
    """The same with a set of the rebuilt file, which is made while the database is down; `is_read`
    when our own verifier reads it too.
    """
    size = result_size(database)
    found = RebuiltSetEstimate(
        copy=times.of(Work.COPY, size),
        verify_on_host=times.of(Work.PAGE_CHECKSUMS, size),
        hash=times.of(Work.HASH, size),
        verify_set=times.of(Work.VERIFY_SET, size),
    )
    parts = [found.copy, found.verify_on_host, found.hash]
    parts += [found.verify_set] if is_read else []
    longer = total([estimate.outage.down, *(each.duration for each in parts), SEAL])
    return evolve(
        estimate,
        rebuilt_set=found,
        outage=evolve(estimate.outage, down=longer),
        deciding=(*estimate.deciding, *parts),
    )


def estimate_lane(
    database: ActualDatabase,
    host: ActualHost,
    *,
    times: Times,
    treatment: Treatment,
    is_set_read: bool,
) -> LaneEstimate:
    """Estimate the outage of a database whose sizes are known; `is_set_read` when our own verifier
    reads the set too.
    """
    present, result = known(database.size_bytes), result_size(database)
    copied = present + log_bytes(database, host)
    checksums, integrity, space = (
        times.of(work, present) for work in (Work.PAGE_CHECKSUMS, Work.INTEGRITY, Work.SPACE)
    )
    copy, rebuilt = times.of(Work.COPY, copied), times.of(Work.REBUILD, present)
    after = [times.of(work, result) for work in (Work.PAGE_CHECKSUMS, Work.INTEGRITY)]
    proofs = [
        times.of(Work.PAGE_CHECKSUMS, present),
        times.of(Work.HASH, copied),
        times.of(Work.VERIFY_SET, copied),
    ]
    dismount, mount = times.of(Work.DISMOUNT, present), times.of(Work.MOUNT, present)
    deciding = [checksums, integrity] if treatment.detects else []
    deciding += [space] if treatment.measures else []
    deciding += [copy] if treatment.copies else []
    deciding += [rebuilt, *after] if treatment.rebuilds else []
    short: list[Duration] = [dismount.duration, HEADER]
    after_swap = [mount.duration]
    if treatment.copies:
        deciding += proofs if is_set_read else proofs[:-1]
        short.append(SEAL)
    if treatment.rebuilds:
        short.append(HEADER)
        after_swap = [SWAP, mount.duration]
    return LaneEstimate(
        checksums=checksums,
        integrity=integrity,
        space=space,
        copy=copy,
        rebuild=rebuilt,
        checksums_temporary=after[0],
        integrity_temporary=after[1],
        verify_on_host=proofs[0],
        hash=proofs[1],
        verify_set=proofs[2],
        dismount=dismount,
        mount=mount,
        outage=Outage(
            down=total([*short, *(each.duration for each in deciding), *after_swap]),
            after_swap=total(after_swap),
            way_back=total([SWAP, mount.duration]),
        ),
        deciding=tuple(deciding),
    )
