"""History of earlier runs: the index kept in step with the journals, and the verb `history`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from goexchange.app.planning import read_plan
from goexchange.driver.measurements import measurements
from goexchange.errors import GoexchangeError
from goexchange.journal.replay import replay
from goexchange.model.configuration import Inventory
from goexchange.model.history import Measurement, Work
from goexchange.model.pilot import is_of_pilot
from goexchange.schedule.history import History, Where, runs_of, volume_of
from goexchange.store.history import measured
from goexchange.store.journal_file import read_journal
from goexchange.store.runs import RunFolder


@frozen(kw_only=True)
class WorkHistory:
    """One kind of work on one volume of a server: rates (bytes/s), or seconds where size says
    nothing.
    """

    server: str
    volume: str
    work: Work
    earlier_runs: int
    size_bytes: int
    p50_s: int
    p90_s: int
    source: str
    measurements: tuple[Measurement, ...]


def stored_history(store: Path, servers: Sequence[str] = ()) -> tuple[Measurement, ...]:
    """What the runs of a store measured; empty where there is no store."""
    return measured(store, _of_run, servers) if (store / "runs").is_dir() else ()


def _of_run(run: RunFolder) -> tuple[Measurement, ...]:
    try:
        plan = read_plan(str(run.plan_path))
        if is_of_pilot(plan.body):
            return ()  # how fast an empty database is says nothing of one with mail
        return measurements(plan, replay(read_journal(run.journal_path).records))
    # damaged, or of a version that is not ours: it has no figures to give
    except (GoexchangeError, KeyError, ValueError):
        return ()


def summarised(found: Sequence[Measurement], inventory: Inventory) -> tuple[WorkHistory, ...]:
    """By server, volume and work: what the next estimate would say for the size seen last."""
    history = History(measurements=tuple(found), rates=inventory.rates)
    places = sorted({(each.server, _drive(each.folder)) for each in found})
    return tuple(
        _summary(history, server, volume, work)
        for server, volume in places
        for work in Work
        if any(_is(each, server, volume, work) for each in found)
    )


def _summary(history: History, server: str, volume: str, work: Work) -> WorkHistory:
    mine = tuple(each for each in history.measurements if _is(each, server, volume, work))
    size = max(mine, key=lambda each: each.timing.at_utc).timing.size_bytes
    estimate = history.estimate(work, size, where=Where(server=server, volume=volume))
    return WorkHistory(
        server=server,
        volume=volume,
        work=work,
        earlier_runs=runs_of(mine),
        size_bytes=size,
        p50_s=estimate.duration.p50_s,
        p90_s=estimate.duration.p90_s,
        source=estimate.source,
        measurements=mine,
    )


def _is(each: Measurement, server: str, volume: str, work: Work) -> bool:
    return each.server == server and each.timing.work is work and _drive(each.folder) == volume


def _drive(folder: str) -> str:
    """The drive of a folder: mount points below it are not known without asking the host."""
    return volume_of(folder, [folder[:2] + "\\"])
