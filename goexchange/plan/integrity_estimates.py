"""How long the passes of isinteg hold a database down: the usual night needs one pass, the worst
all that are allowed.
"""

from __future__ import annotations

from attrs import evolve

from goexchange.model.actual import ActualDatabase
from goexchange.model.history import Work
from goexchange.model.unknown import known
from goexchange.plan.estimates import IntegrityPasses, LaneEstimate, Times, result_size
from goexchange.schedule.history import Estimate
from goexchange.schedule.outage import total
from goexchange.schedule.rates import Duration


def with_integrity(
    estimate: LaneEstimate, database: ActualDatabase, *, times: Times, passes: tuple[int, int]
) -> LaneEstimate:
    """The same with the passes over the present file, and over the rebuilt one: how many of each
    are allowed.
    """
    sizes = (known(database.size_bytes), result_size(database))
    before, after = (
        _of(times.of(Work.STORE_INTEGRITY, size), most) if most else None
        for size, most in zip(sizes, passes, strict=True)
    )
    found = [each for each in (before, after) if each is not None]
    outage = estimate.outage
    late = [] if after is None else [after.duration]
    return evolve(
        estimate,
        integrity_passes=IntegrityPasses(before=before, after=after),
        outage=evolve(
            outage,
            down=total([outage.down, *(each.duration for each in found)]),
            after_swap=total([outage.after_swap, *late]),
        ),
        deciding=(*estimate.deciding, *found),
    )


def _of(one: Estimate, most: int) -> Estimate:
    p50, p90 = one.duration.p50_s, one.duration.p90_s
    said = one.source if most == 1 else f"{one.source}; {most} passes at most"
    return evolve(one, duration=Duration(p50_s=p50, p90_s=most * p90), source=said)
