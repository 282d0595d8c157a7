"""How long a repair with possible loss adds to an outage: evidence read twice, a working copy, and
the repair itself.
"""

from __future__ import annotations

from attrs import evolve

from goexchange.model.actual import ActualDatabase, ActualHost
from goexchange.model.history import Work
from goexchange.model.unknown import known
from goexchange.plan.estimates import LaneEstimate, Times, log_bytes
from goexchange.schedule.outage import total


def with_repair(
    estimate: LaneEstimate, database: ActualDatabase, host: ActualHost, *, times: Times
) -> LaneEstimate:
    """The same with what a repair adds. A repair has no rate of its own: it reads and writes the
    whole file, as a rebuild does.
    """
    present = known(database.size_bytes)
    parts = [
        times.of(Work.HASH, present + log_bytes(database, host)),
        times.of(Work.COPY, present),
        times.of(Work.HASH, present),
        times.of(Work.REBUILD, present),
    ]
    longer = total([estimate.outage.down, *(each.duration for each in parts)])
    return evolve(
        estimate,
        outage=evolve(estimate.outage, down=longer),
        deciding=(*estimate.deciding, *parts),
    )
