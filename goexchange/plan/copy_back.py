"""What suspends and resumes one passive copy is looked for in Exchange's own words."""

from __future__ import annotations

from typing import Any

from goexchange.model.actual import ActualServer
from goexchange.model.copies import ATTENDED_SEEDS, ActualCopy
from goexchange.model.left import HeldCopy
from goexchange.model.plan import Action, Poll, Probe
from goexchange.model.unknown import Unknown
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import equals, one_of
from goexchange.powershell import cmdlets
from goexchange.spec.scripts import OLD

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
SEEN_AGAIN_S = 5.0


def seeds_of(server: ActualServer) -> dict[str, bool]:
    """What a lane's last look says of how copies are seeded by hand there."""
    return {ATTENDED_SEEDS: True} if server.generation in OLD else {}


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


def add_activation_back(
    lane: LaneBuilder, copy: HeldCopy, *, undo_of: str | None = None, **differs: Any
) -> None:
    """Somebody had suspended the copy's activation: it is so again, with the comment of then.

    It is sent again where an answer was lost: the status says *suspended* all the time, as the
    resume has left that; only the comment may not be back.
    """
    if not copy.is_activation_suspended:
        return
    said = f' ("{copy.activation_comment}")' if copy.activation_comment else ""
    lane.add(
        Action.SUSPEND_ACTIVATION,
        cmdlets.suspend_activation(copy.identity, copy.activation_comment),
        summary=f"copy {copy.identity}: activation suspended, as somebody had it{said}",
        poll=Poll(
            call=cmdlets.get_copy(copy.identity),
            until=equals("objects.0.ActivationSuspended", True),
            failed=None,
            interval_s=SEEN_AGAIN_S,
        ),
        attempts_max=RESUMES_MAX,
        undo_of=undo_of,
        **{"estimate_s": 5, **differs},
    )


def held_copy(copy: ActualCopy, *, is_lagged: bool = False) -> HeldCopy:
    """The copy as a recovery record names it: what it was, and goes back to."""
    is_blocked = copy.is_activation_suspended is True
    comment = copy.suspend_comment if is_blocked else None
    return HeldCopy(
        identity=copy.identity,
        is_lagged=is_lagged,
        is_activation_suspended=is_blocked,
        activation_comment=comment if isinstance(comment, str) else None,
    )


def activation_commands(copy: HeldCopy) -> list[str]:
    """What a person types for it, after the copy was resumed or seeded."""
    if not copy.is_activation_suspended:
        return []
    quoted = copy.identity.replace("'", "''")
    said = (copy.activation_comment or "").replace("'", "''")
    comment = f" -SuspendComment '{said}'" if said else ""
    return [f"Suspend-MailboxDatabaseCopy -Identity '{quoted}' -ActivationOnly{comment}"]


def unknown_activation(copy: ActualCopy) -> str | None:
    """Why nobody could put the copy's activation back to what it is, or None."""
    if isinstance(copy.is_activation_suspended, Unknown):
        why = copy.is_activation_suspended.reason
        return f"whether its activation is suspended is unknown: {why}"
    if copy.is_activation_suspended and isinstance(copy.suspend_comment, Unknown):
        why = copy.suspend_comment.reason
        return f"its activation is suspended, and the comment is unknown: {why}"
    return None


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
