"""Durations with their two figures, and the percentiles they come from."""

from __future__ import annotations

import math
from collections.abc import Sequence

from attrs import frozen

EARLIER_RUNS_MIN = 3
"""Fewer runs than this are no history: an outage planned without one needs a consent."""

DEFAULT_RATE_FACTOR = 2
"""Without history a duration is planned as twice what the stated default rate gives."""


@frozen(kw_only=True)
class Duration:
    """An estimate: the middle one and the one that nine of ten runs stay below. Units: seconds."""

    p50_s: int
    p90_s: int

    def __add__(self, other: Duration) -> Duration:
        return Duration(p50_s=self.p50_s + other.p50_s, p90_s=self.p90_s + other.p90_s)


NO_TIME = Duration(p50_s=0, p90_s=0)


def fixed(seconds: int) -> Duration:
    """A duration that does not depend on sizes; unlucky runs take twice as long."""
    return Duration(p50_s=seconds, p90_s=2 * seconds)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed, linear between neighbours.

    Raises: ValueError when there are no values.
    """
    if not values:
        raise ValueError("no values, no percentile")
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    lower = math.floor(position)
    upper = math.ceil(position)
    return ordered[lower] + (ordered[upper] - ordered[lower]) * (position - lower)
