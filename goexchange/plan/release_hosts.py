"""The lane that ends what a dead run still does on a host where nothing else of it is brought back.
"""

from __future__ import annotations

from attrs import frozen

from goexchange.model.configuration import Inventory
from goexchange.model.plan import Action, Direction, Lane, Reason, RunsWhen
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import host_script


@frozen(kw_only=True)
class JobsLeft:
    """Jobs of dead runs that still run on a host; each names its run."""

    server: str
    jobs: tuple[str, ...]


def jobs_left_lane(left: JobsLeft, inventory: Inventory) -> Lane:
    """Return the lane; one that does not end keeps none of the others running."""
    lane = LaneBuilder(f"{left.server}:jobs", left.server, database=None, database_guid=None)
    for job in left.jobs:
        lane.add(
            Action.CANCEL_JOBS,
            host_script("cancel-job", {"root": inventory.host_root, "job": job}),
            summary=f"end the job {job}",
            reason=Reason.WAY_BACK,
            direction=Direction.BACK,
            runs_when=RunsWhen.ALWAYS,
            estimate_s=2,
        )
    return lane.lane()
