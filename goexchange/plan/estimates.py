"""How long each part of a database's lane takes, from its sizes and from rates measured in earlier
runs.
"""

from __future__ import annotations

from attrs import frozen

from goexchange.model.actual import ActualDatabase, ActualHost
from goexchange.model.configuration import Inventory
from goexchange.model.unknown import Unknown, known
from goexchange.schedule.outage import Outage, total
from goexchange.schedule.rates import Duration, duration, fixed, has_history

DISMOUNT = fixed(60)
MOUNT = fixed(60)
SWAP = fixed(5)
HEADER = fixed(5)
SEAL = fixed(5)
QUICK = fixed(1)


@frozen(kw_only=True)
class History:
    """Rates measured on one host in earlier runs, slowest first."""

    rebuild_bytes_s: tuple[float, ...]
    copy_bytes_s: tuple[float, ...]

    @property
    def earlier_runs(self) -> int:
        """How many earlier runs there are to estimate an outage from."""
        return min(len(self.rebuild_bytes_s), len(self.copy_bytes_s))

    @property
    def is_enough(self) -> bool:
        """Whether an outage can be planned from history, without a consent."""
        return has_history(self.rebuild_bytes_s) and has_history(self.copy_bytes_s)


@frozen(kw_only=True)
class LaneEstimate:
    """Durations of the long parts, and the outage they add up to."""

    detect: Duration
    copy: Duration
    rebuild: Duration
    detect_temporary: Duration
    verify_set: Duration
    backup: Duration
    outage: Outage


def history_of(host: ActualHost) -> History:
    """Gather the rates of every database record on the host: the disks are the same."""
    records = () if isinstance(host.records, Unknown) else host.records
    return History(
        rebuild_bytes_s=tuple(
            sorted(rate for each in records for rate in each.rebuild_rate_bytes_s)
        ),
        copy_bytes_s=tuple(sorted(rate for each in records for rate in each.copy_rate_bytes_s)),
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


def estimate_lane(
    database: ActualDatabase, host: ActualHost, *, inventory: Inventory, is_rebuilt: bool
) -> LaneEstimate:
    """Estimate the lane of a database whose sizes are known."""
    history = history_of(host)
    rates = inventory.rates
    present = known(database.size_bytes)
    result = result_size(database)
    copied_bytes = present + log_bytes(database, host)

    def read(size_bytes: int) -> Duration:
        return duration(size_bytes, (), default_rate=rates.verify_bytes_per_s)

    def copied(size_bytes: int) -> Duration:
        return duration(size_bytes, history.copy_bytes_s, default_rate=rates.copy_bytes_per_s)

    rebuild = duration(present, history.rebuild_bytes_s, default_rate=rates.rebuild_bytes_per_s)
    detect, detect_temporary = read(2 * present), read(2 * result)
    copy, verify_set = copied(copied_bytes), read(3 * copied_bytes)
    down = [DISMOUNT, HEADER, detect]
    if is_rebuilt:
        down += [copy, rebuild, HEADER, detect_temporary, verify_set, SEAL]
    after_swap = [SWAP, MOUNT] if is_rebuilt else [MOUNT]
    return LaneEstimate(
        detect=detect,
        copy=copy,
        rebuild=rebuild,
        detect_temporary=detect_temporary,
        verify_set=verify_set,
        backup=copied(result if is_rebuilt else present),
        outage=Outage(
            down=total(down + after_swap),
            after_swap=total(after_swap),
            way_back=total([SWAP, MOUNT]),
        ),
    )
