"""Whether the holder of a run is dead, as its hosts see it: nobody else can say it when the store
is lost.

A living controller gives a sign of life on every host that it acts on once per heartbeat, and no
request of its own outlasts its lease. One that has been silent for longer than its lease sends
nothing more: it would have to renew the lease first, and the host refuses its number by then.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import frozen

from goexchange.model.left import LeftOnHost
from goexchange.model.unknown import Unknown

LEASE_UNKNOWN_S = 900  # of a run whose plan is not known: longer than any lease that is declared


@frozen(kw_only=True)
class SignOfLife:
    """The newest sign of life of a run on a host; None when there is none."""

    server: str
    run: str
    at_utc: datetime | None
    silent_for: timedelta | None


def sign_of_life(left: LeftOnHost, run: str) -> SignOfLife | Unknown:
    """When the run's holder was last heard of on that host, by the host's own clock.

    Unknown: when the host could not say one of the places where signs of life are.
    """
    moments: list[datetime] = []
    for part in (left.runs, left.sentinels, left.recoveries):
        if isinstance(part, Unknown):
            return part
    assert isinstance(left.runs, tuple) and isinstance(left.sentinels, tuple)
    assert isinstance(left.recoveries, tuple)
    moments += [one.alive_at_utc for one in left.runs if one.run == run and one.alive_at_utc]
    moments += [one.fed_at_utc for one in left.sentinels if one.run == run]
    moments += [one.written_at_utc for one in left.recoveries if one.run == run]
    last = max(moments, default=None)
    return SignOfLife(
        server=left.server,
        run=run,
        at_utc=last,
        silent_for=None if last is None else left.clock_utc - last,
    )


def is_dead(sign: SignOfLife | Unknown, *, lease_s: int) -> bool:
    """Whether the holder is proved dead: unknown is not dead, and no sign at all is."""
    if isinstance(sign, Unknown):
        return False
    return sign.silent_for is None or sign.silent_for > timedelta(seconds=lease_s)


def words(sign: SignOfLife | Unknown, *, lease_s: int) -> str:
    """Why a holder that is not proved dead is not, and until when to wait."""
    if isinstance(sign, Unknown):
        return f"whether its controller still lives is not known: {sign.reason}"
    silent = 0 if sign.silent_for is None else max(0, round(sign.silent_for.total_seconds()))
    return (
        f"run {sign.run} gave a sign of life on {sign.server} {silent} s ago; it counts as dead"
        f" after {lease_s} s without one"
    )
