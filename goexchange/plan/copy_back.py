"""What suspends and resumes one passive copy is looked for in Exchange's own words."""

from __future__ import annotations

from goexchange.model.plan import Poll, Probe
from goexchange.plan.calls import equals, one_of
from goexchange.powershell import cmdlets

STATUS = "objects.0.Status"
SUSPENDED = "Suspended"
NOT_SUSPENDED = (
    "Healthy",
    "Initializing",
    "Resynchronizing",
    "Failed",
    "FailedAndSuspended",
    "DisconnectedAndHealthy",
    "DisconnectedAndResynchronizing",
)
"""Exchange's words for a copy that is not suspended, or is so by a fault of its own; any other word
tells nothing, and a person is asked.
"""
UNSEEDED = (SUSPENDED, "FailedAndSuspended", "Failed")
SEEDED = (
    "Seeding",
    "Healthy",
    "Initializing",
    "Resynchronizing",
    "DisconnectedAndHealthy",
    "DisconnectedAndResynchronizing",
    "Mounted",  # it was activated meanwhile, which only a healthy copy can be
)
RESUMES_MAX = 3


def suspended_probe(identity: str) -> Probe:
    """Whether the copy is suspended."""
    return Probe(
        call=cmdlets.get_copy(identity),
        done=equals(STATUS, SUSPENDED),
        not_done=one_of(STATUS, *NOT_SUSPENDED),
    )


def resumed_probe(identity: str) -> Probe:
    """Whether the copy is not suspended any more."""
    return Probe(
        call=cmdlets.get_copy(identity),
        done=one_of(STATUS, *NOT_SUSPENDED),
        not_done=equals(STATUS, SUSPENDED),
    )


def seeded_probe(identity: str) -> Probe:
    """Whether a seed of the copy has begun, or is over already."""
    return Probe(
        call=cmdlets.get_copy(identity),
        done=one_of(STATUS, *SEEDED),
        not_done=one_of(STATUS, *UNSEEDED),
    )


def well_poll(identity: str, *, interval_s: float, is_lagged: bool = False) -> Poll:
    """Until the copy is healthy and its queues are short; a lagged one's replay queue is long on
    purpose.
    """
    return Poll(
        call=cmdlets.get_copy(identity),
        until=equals("copy.is_healthy" if is_lagged else "copy.is_well", True),
        failed=equals("copy.has_failed", True),
        interval_s=interval_s,
    )
