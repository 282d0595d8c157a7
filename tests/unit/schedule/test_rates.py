from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from goexchange.schedule.outage import Outage, fits, latest_swap, total
from goexchange.schedule.rates import Duration, duration, has_history, percentile


def test_without_history_twice_the_default_rate_is_planned() -> None:
    assert duration(1000, (7.0, 9.0), default_rate=10) == Duration(p50_s=100, p90_s=200)
    assert not has_history((7.0, 9.0))


def test_history_gives_p50_from_the_middle_and_p90_from_the_slow_runs() -> None:
    assert duration(1000, (5.0, 10.0, 20.0), default_rate=1) == Duration(p50_s=100, p90_s=167)
    assert has_history((5.0, 10.0, 20.0))


def test_a_rate_of_nothing_is_no_measurement() -> None:
    assert not has_history((0.0, 10.0, 20.0))


def test_percentile_of_nothing_is_refused() -> None:
    assert percentile((1.0, 3.0), 0.5) == 2.0
    with pytest.raises(ValueError, match="no values"):
        percentile((), 0.5)


def test_an_outage_fits_with_its_way_back_only() -> None:
    outage = Outage(
        down=Duration(p50_s=3000, p90_s=3600),
        after_swap=Duration(p50_s=60, p90_s=120),
        way_back=Duration(p50_s=60, p90_s=180),
    )
    start = datetime(2026, 11, 28, 21, tzinfo=UTC)
    assert fits(start, start + timedelta(seconds=3780), outage)
    assert not fits(start, start + timedelta(seconds=3779), outage)
    assert latest_swap(start + timedelta(hours=8), outage) == start + timedelta(hours=7, minutes=55)
    assert total([outage.down, outage.way_back]) == Duration(p50_s=3060, p90_s=3780)
