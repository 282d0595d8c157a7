from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from goexchange.model.configuration import Rates
from goexchange.model.history import Measurement, Timing, Work
from goexchange.schedule.history import FIXED_S, History, Where, merged, runs_of, volume_of

GIB = 1024**3
MIB = 1024**2
NOW = datetime(2026, 11, 22, tzinfo=UTC)
RATES = Rates(
    copy_bytes_per_s=100 * MIB,
    rebuild_bytes_per_s=6 * MIB,
    verify_bytes_per_s=200 * MIB,
    repair_bytes_per_s=20 * MIB,
    backup_bytes_per_s=100 * MIB,
)
HERE = Where(server="EX01", volume="D:\\")


def measured(run: int, mib_s: float, **differs: Any) -> Measurement:
    size = differs.pop("size", 100 * GIB)
    work = differs.pop("work", Work.REBUILD)
    timing = Timing(
        work=work,
        size_bytes=size,
        seconds=differs.pop("seconds", size / (mib_s * MIB)),
        run=f"r-{run}",
        at_utc=NOW - timedelta(days=run),
    )
    values = {"server": "EX01", "database": "DB05", "database_guid": "g", "folder": "D:\\DB05"}
    return Measurement(**{**values, **differs}, timing=timing)


def of(*measurements: Measurement, size: int = 100 * GIB, work: Work = Work.REBUILD) -> Any:
    return History(measurements=measurements, rates=RATES).estimate(work, size, where=HERE)


def test_without_history_twice_the_stated_rate_is_planned_and_said() -> None:
    found = of(measured(1, 50), measured(2, 50))
    assert (found.duration.p50_s, found.duration.p90_s) == (17067, 34134)
    assert not found.is_measured
    assert found.source == "stated rate 6 MiB/s, twice for p90 (2 earlier runs)"


def test_p90_comes_from_the_slow_runs() -> None:
    found = of(*(measured(run, rate) for run, rate in enumerate((10, 20, 40))))
    assert found.duration.p50_s == 5120  # 20 MiB/s
    assert found.duration.p90_s == 8534  # 12 MiB/s
    assert found.is_measured


def test_several_measurements_of_one_run_are_one_run() -> None:
    found = of(*(measured(1, 10) for _ in range(5)))
    assert (found.earlier_runs, found.is_measured) == (1, False)


@pytest.mark.parametrize(
    ("others", "scope"),
    [
        ({}, "EX01 D:, databases of about this size"),
        ({"size": 5 * GIB}, "EX01 D:"),
        ({"folder": "L:\\DB07"}, "EX01"),
    ],
)
def test_the_nearest_runs_that_are_enough_count(others: dict[str, Any], scope: str) -> None:
    far = [measured(run, 99, folder="L:\\DB07") for run in (7, 8, 9)]
    near = [measured(run, 10, **others) for run in (1, 2, 3)]
    found = of(*near, *(far if scope != "EX01" else []))
    assert found.source == f"3 earlier runs on {scope}"
    assert found.duration.p50_s == 10240


def test_another_server_says_nothing() -> None:
    assert not of(*(measured(run, 10, server="EX02") for run in range(5))).is_measured


@pytest.mark.parametrize("differs", [{"seconds": 0.0}, {"size": 0, "seconds": 5.0}])
def test_what_is_no_measurement_does_not_count(differs: dict[str, Any]) -> None:
    assert of(*(measured(run, 10, **differs) for run in range(5))).earlier_runs == 0


def test_work_without_a_size_is_taken_as_long_as_it_took() -> None:
    found = of(
        *(
            measured(run, 1, work=Work.MOUNT, size=0, seconds=seconds)
            for run, seconds in enumerate((10.0, 20.0, 120.0))
        ),
        work=Work.MOUNT,
    )
    assert (found.duration.p50_s, found.duration.p90_s) == (20, 100)
    assert of(work=Work.MOUNT).duration.p50_s == FIXED_S[Work.MOUNT]


@pytest.mark.parametrize("work", list(Work))
def test_every_kind_of_work_has_a_stated_default(work: Work) -> None:
    found = of(work=work)
    assert found.duration.p90_s == 2 * found.duration.p50_s > 0


def test_a_run_told_by_host_and_store_is_there_once() -> None:
    one, two = measured(1, 10), measured(2, 10)
    assert merged([one], [two, one]) == merged([two, one])
    assert runs_of(merged([one], [one])) == 1


def test_the_volume_of_a_folder_is_the_deepest_mount_point() -> None:
    volumes = ["D:\\", "D:\\DB05\\", "L:\\"]
    assert volume_of("D:\\DB05\\files", volumes) == "D:\\DB05\\"
    assert volume_of("D:\\DB050", volumes) == "D:\\"
    assert volume_of("X:\\DB", volumes) == "X:\\DB"
