"""How long work takes: from earlier runs of this server, else from a stated default.

The nearest earlier runs count: those of databases of about the size on the same folder's volume
first, then all of that volume, then all of the server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from attrs import frozen

from goexchange.model.configuration import Rates
from goexchange.model.history import Measurement, Work
from goexchange.schedule.rates import (
    DEFAULT_RATE_FACTOR,
    EARLIER_RUNS_MIN,
    Duration,
    percentile,
)

SIMILAR_FACTOR = 4
"""Sizes up to this many times larger or smaller are about the same."""

KEPT_MAX = 10
"""How many timings of one kind of work a database record keeps."""

FIXED_S: Mapping[Work, int] = {
    Work.DISMOUNT: 60,
    Work.MOUNT: 60,
    Work.BACKUP_PROOF: 30,
    Work.WAIT: 1800,
}
"""Work whose length does not follow from a size: its stated default."""


@frozen(kw_only=True)
class Where:
    """Where work is to be done: a server, and the volume of the database's file."""

    server: str
    volume: str


@frozen(kw_only=True)
class Estimate:
    """A duration with what it rests on."""

    work: Work
    size_bytes: int
    duration: Duration
    earlier_runs: int
    source: str

    @property
    def is_measured(self) -> bool:
        """Whether it rests on enough earlier runs."""
        return self.earlier_runs >= EARLIER_RUNS_MIN


@frozen(kw_only=True)
class History:
    """What is known of earlier runs, and the rates that are stated for where nothing is."""

    measurements: tuple[Measurement, ...]
    rates: Rates

    def estimate(self, work: Work, size_bytes: int, *, where: Where) -> Estimate:
        """How long `work` on `size_bytes` takes there. p90 comes from the slowest tenth."""
        for scope, chosen in _scopes(self.measurements, work, size_bytes, where):
            if runs_of(chosen) >= EARLIER_RUNS_MIN:
                return Estimate(
                    work=work,
                    size_bytes=size_bytes,
                    duration=_measured(work, size_bytes, chosen),
                    earlier_runs=runs_of(chosen),
                    source=f"{runs_of(chosen)} earlier runs on {scope}",
                )
        here = [each for each in self.measurements if _is_of(each, work, where.server)]
        return _stated(work, size_bytes, self.rates, runs=runs_of(here))


def runs_of(measurements: Iterable[Measurement]) -> int:
    """How many runs they come from."""
    return len({each.timing.run for each in measurements})


def volume_of(folder: str, volumes: Iterable[str]) -> str:
    """The volume (mount point) that a folder lies on; the folder itself when none fits."""
    wanted = folder.lower().rstrip("\\") + "\\"
    fits = [each for each in volumes if wanted.startswith(each.lower().rstrip("\\") + "\\")]
    return max(fits, key=len, default=folder)


def merged(*sources: Iterable[Measurement]) -> tuple[Measurement, ...]:
    """Measurements of several sources, each once, in one order: the same run is told by the host
    and by the store.
    """
    found: dict[tuple[str, str, str, int, datetime], Measurement] = {}
    for source in sources:
        for each in source:
            timing = each.timing
            key = (
                each.database_guid.lower(),
                timing.run,
                timing.work.value,
                timing.size_bytes,
                timing.at_utc,
            )
            found.setdefault(key, each)
    return tuple(found[key] for key in sorted(found))


def _scopes(
    measurements: Sequence[Measurement], work: Work, size_bytes: int, where: Where
) -> Iterable[tuple[str, Sequence[Measurement]]]:
    """From the nearest to the widest, with the words for it."""
    on_server = [each for each in measurements if _is_of(each, work, where.server)]
    on_volume = [
        each for each in on_server if volume_of(each.folder, (where.volume,)) == where.volume
    ]
    similar = [each for each in on_volume if _is_similar(each.timing.size_bytes, size_bytes)]
    volume = f"{where.server} {where.volume.rstrip(chr(92))}"
    yield f"{volume}, databases of about this size", similar
    yield volume, on_volume
    yield where.server, on_server


def _is_of(measurement: Measurement, work: Work, server: str) -> bool:
    timing = measurement.timing
    is_usable = timing.seconds > 0 and (work in FIXED_S or timing.size_bytes > 0)
    return timing.work is work and is_usable and measurement.server.lower() == server.lower()


def _is_similar(one: int, other: int) -> bool:
    return one <= SIMILAR_FACTOR * other and other <= SIMILAR_FACTOR * one


def _measured(work: Work, size_bytes: int, chosen: Sequence[Measurement]) -> Duration:
    if work in FIXED_S:
        seconds = [each.timing.seconds for each in chosen]
        return Duration(p50_s=_up(percentile(seconds, 0.5)), p90_s=_up(percentile(seconds, 0.9)))
    rates = [each.timing.size_bytes / each.timing.seconds for each in chosen]
    return Duration(
        p50_s=_up(size_bytes / percentile(rates, 0.5)),
        p90_s=_up(size_bytes / percentile(rates, 0.1)),
    )


def _stated(work: Work, size_bytes: int, rates: Rates, *, runs: int) -> Estimate:
    if work in FIXED_S:
        seconds, said = FIXED_S[work], f"stated {FIXED_S[work]} s"
    else:
        rate = _RATES[work](rates)
        seconds, said = _up(size_bytes / rate), f"stated rate {rate / 1024**2:g} MiB/s"
    return Estimate(
        work=work,
        size_bytes=size_bytes,
        duration=Duration(p50_s=seconds, p90_s=DEFAULT_RATE_FACTOR * seconds),
        earlier_runs=runs,
        source=f"{said}, twice for p90 ({runs} earlier run{'' if runs == 1 else 's'})",
    )


def _up(seconds: float) -> int:
    return -int(-seconds // 1)


_RATES: Mapping[Work, Callable[[Rates], int]] = {
    Work.PAGE_CHECKSUMS: lambda rates: rates.verify_bytes_per_s,
    Work.INTEGRITY: lambda rates: rates.verify_bytes_per_s,
    Work.SPACE: lambda rates: rates.verify_bytes_per_s,
    Work.COPY: lambda rates: rates.copy_bytes_per_s,
    Work.REBUILD: lambda rates: rates.rebuild_bytes_per_s,
    Work.HASH: lambda rates: rates.verify_bytes_per_s,
    Work.VERIFY_SET: lambda rates: rates.verify_bytes_per_s,
    Work.REPAIR_REQUEST: lambda rates: rates.repair_bytes_per_s,
    Work.STORE_INTEGRITY: lambda rates: rates.repair_bytes_per_s,
    Work.ONLINE_BACKUP: lambda rates: rates.backup_bytes_per_s,
    Work.SEED: lambda rates: rates.copy_bytes_per_s,
}
