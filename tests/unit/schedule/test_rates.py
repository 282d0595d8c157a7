from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from goexchange.schedule.outage import Outage, fits, latest_swap, total
from goexchange.schedule.rates import Duration, percentile


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
