"""Outage arithmetic: from dismount to mount, the way back included, against a window."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from attrs import frozen

from goexchange.schedule.rates import NO_TIME, Duration


@frozen(kw_only=True)
class Outage:
    """How long one database is down, and what the way back would add. Units: seconds.

    Shape: `after_swap` is the part of `down` from the swap on; `way_back` is renaming back and
    mounting the original; both have to fit between the latest swap and the end of the window.
    """

    down: Duration
    after_swap: Duration
    way_back: Duration

    @property
    def with_way_back_p90_s(self) -> int:
        """What has to fit the window."""
        return self.down.p90_s + self.way_back.p90_s


def total(durations: Iterable[Duration]) -> Duration:
    """One after the other."""
    result = NO_TIME
    for each in durations:
        result = result + each
    return result


def latest_swap(limit: datetime, outage: Outage) -> datetime:
    """The latest moment for a swap that still leaves time to mount, or to put the original back
    and mount that.
    """
    return limit - timedelta(seconds=outage.after_swap.p90_s + outage.way_back.p90_s)


def fits(start: datetime, limit: datetime, outage: Outage) -> bool:
    """Whether an outage that starts then has ended by the limit, way back included, by its p90."""
    return start + timedelta(seconds=outage.with_way_back_p90_s) <= limit
