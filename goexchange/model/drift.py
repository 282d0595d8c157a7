"""How a site differs from its specifications, and from what the last run left there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from attrs import frozen

from goexchange.errors import Place
from goexchange.model.actual import ActualServer

Json = Any


class DriftKind(Enum):
    """What a difference is; the first three count."""

    UNMET = "unmet"  # a condition of the specification does not hold
    CHANGED = "changed"  # somebody else changed what the last run left
    UNKNOWN = "unknown"  # what was known cannot be read any more
    TOLERATED = "tolerated"  # not met, by no more than the tolerance
    NOT_POSSIBLE = "not-possible"  # not met, and no plan could mend it


COUNTED = (DriftKind.UNMET, DriftKind.CHANGED, DriftKind.UNKNOWN)


@frozen(kw_only=True)
class Drift:
    """One difference.

    Shape: `fact` is the id of a fact, or `decision` for what the planner says; `was` and `now` are
    plain values; `since_run` the run that left the old value, None for a specification's condition.
    """

    kind: DriftKind
    address: str
    fact: str
    was: Json
    now: Json
    text: str
    since_run: str | None = None
    place: Place | None = None


@frozen(kw_only=True)
class Baseline:
    """What a run knew of a server, and when the run ended (or was last heard of)."""

    run: str
    ended_at_utc: datetime
    server: ActualServer
    records: Mapping[str, str]  # database GUID -> the run that wrote its record last


@frozen(kw_only=True)
class DriftReport:
    """All differences, those that count first."""

    observed_at_utc: datetime
    specifications: tuple[str, ...]
    databases: int
    baselines: tuple[tuple[str, str], ...]
    items: tuple[Drift, ...]

    @property
    def has_drifted(self) -> bool:
        """Whether anything counts."""
        return any(each.kind in COUNTED for each in self.items)
