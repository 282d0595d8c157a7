"""Which passive copy of a replicated database is looked at, and why none where none may be."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from goexchange.facts.copies_of import CopiesOf, copies_of
from goexchange.model.actual import ActualDatabase, ActualHost, ActualServer
from goexchange.model.copies import ActualCopy
from goexchange.model.desired import DesiredState
from goexchange.model.left import HeldCopy
from goexchange.model.plan import Reason
from goexchange.model.unknown import Unknown
from goexchange.plan import words
from goexchange.plan.copy_back import held_copy, unknown_activation
from goexchange.plan.finding import Needed, fact_unknown, not_possible

MEND_COPIES = (
    "bring every copy and member back to health (Get-MailboxDatabaseCopyStatus), and plan again"
)
OBSERVE_MEMBERS = (
    "write every member of the group into `availability_groups` of the inventory, make it"
    " reachable, and plan again"
)


@frozen(kw_only=True)
class Passive:
    """The passive copy that is looked at, and the member that holds it.

    Shape: `well_left` is how many copies stay in service and replicated meanwhile.
    """

    copy: ActualCopy
    server: ActualServer
    host: ActualHost
    eseutil: str
    well_left: int

    @property
    def held(self) -> HeldCopy:
        """The copy as it was, and goes back to."""
        return held_copy(self.copy)


def choose_passive(
    database: ActualDatabase,
    server: ActualServer,
    seen: Sequence[ActualServer],
    *,
    spec: DesiredState,
) -> Passive | Needed:
    """Return the copy that would be activated last, or the refusal with its reason."""
    found = well_copies(database, server, seen, spec=spec)
    if isinstance(found, Needed):
        return found
    fit = [each for each in found.passive if _against(each) is None]
    if not fit:
        why = "; ".join(f"{each.server}: {_against(each)}" for each in found.passive)
        return not_possible(
            Reason.NO_COPY_TO_LOOK_AT,
            f"none of its passive copies may be suspended: {why or 'there is none'}",
            origin=spec.targets.place,
            instead="online-error-diagnostic detects errors with the store mounted",
        )
    # what somebody has set by hand is touched only where nothing else can be looked at
    copy = max(
        fit,
        key=lambda each: (
            each.is_activation_suspended is False,
            _preference(each),
            each.server,
        ),
    )
    return _on_member(copy, seen, left=len(found.copies) - 1, spec=spec)


def well_copies(
    database: ActualDatabase,
    server: ActualServer,
    seen: Sequence[ActualServer],
    *,
    spec: DesiredState,
) -> CopiesOf | Needed:
    """Return its copies when every one of them and every member of the group is known to be well,
    else the refusal.
    """
    found = copies_of(database, server, seen)
    if isinstance(found, Unknown):
        return not_possible(
            Reason.COPIES_UNKNOWN,
            f"how its copies stand is unknown: {found.reason}",
            origin=spec.targets.place,
            instead=OBSERVE_MEMBERS,
        )
    if found.ailing:
        return not_possible(
            Reason.COPY_NOT_WELL,
            f"no copy is suspended while its group is not well: {'; '.join(found.ailing)}",
            origin=spec.targets.place,
            instead=MEND_COPIES,
        )
    return found


def _against(copy: ActualCopy) -> str | None:
    """Why the copy itself is left alone."""
    if isinstance(copy.replay_lag_s, Unknown):
        return f"whether it is lagged is unknown: {copy.replay_lag_s.reason}"
    if copy.replay_lag_s > 0:
        span = words.span(int(copy.replay_lag_s))
        return f"it is a lagged copy ({span}), kept for going back in time"
    return unknown_activation(copy)


def _preference(copy: ActualCopy) -> int:
    return 0 if isinstance(copy.activation_preference, Unknown) else copy.activation_preference


def _on_member(
    copy: ActualCopy, seen: Sequence[ActualServer], *, left: int, spec: DesiredState
) -> Passive | Needed:
    member = next((each for each in seen if each.name.lower() == copy.server.lower()), None)
    if member is None:
        return not_possible(
            Reason.COPIES_UNKNOWN,
            f"{copy.server} holds the copy and was not observed",
            origin=spec.targets.place,
            instead=OBSERVE_MEMBERS,
        )
    host = member.host
    if isinstance(host, Unknown):
        return fact_unknown(f"the state of {copy.server}", host, origin=spec.targets.place)
    if isinstance(host.eseutil_path, Unknown):
        return fact_unknown(
            f"where eseutil is on {copy.server}", host.eseutil_path, origin=spec.targets.place
        )
    return Passive(
        copy=copy, server=member, host=host, eseutil=host.eseutil_path, well_left=left
    )
