"""Error correction of Exchange 2007: the store's own isinteg, on the dismounted database.

It changes the file, so that it comes after a set of that very file was sealed and verified; its
passes end at the first one without errors. Source: `procedure.md` 2.
"""

from __future__ import annotations

from ntpath import dirname, join

from goexchange.model.actual import Generation
from goexchange.model.plan import Action, Repeat
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import equals, host_job
from goexchange.plan.context import LaneContext
from goexchange.plan.estimates import known_size
from goexchange.plan.phase_before import COUNTED, ERRORS, PASS_PRIMARY, TROUBLES
from goexchange.plan.treatment import Passes


def corrects_offline(context: LaneContext) -> bool:
    """Whether the passes of the lane are those of isinteg."""
    is_old = context.server.generation is Generation.EXCHANGE_2007
    treatment = context.treatment
    return is_old and treatment.passes is Passes.CORRECT and not treatment.repairs


def add_integrity_passes(lane: LaneBuilder, context: LaneContext) -> None:
    """The passes over the dismounted database; what they leave fails the lane, which mounts it."""
    correction = context.spec.script.error_correction
    times = correction.primary_passes_max
    if not times:
        return
    none_left = equals(TROUBLES if correction.treat_warnings_as_errors else ERRORS, 0)
    lane.add(
        Action.STORE_INTEGRITY,
        host_job(
            "isinteg",
            {
                "tool": join(dirname(context.eseutil), "isinteg.exe"),
                "server": context.server.name,
                "group": context.database.storage_group,
                "database": context.database.name,
                "fix": True,
            },
            expected_bytes=known_size(context.database),
        ),
        summary=f"isinteg: detect and correct what lies inside the store, {times} passes at most",
        guards=("clean-shutdown", "verified-set"),
        postcondition=COUNTED,
        repeat=Repeat(times_max=times, until=none_left),
        pass_name=PASS_PRIMARY,
        undo="the set that was made before it",
        origin=correction.place,
    )
