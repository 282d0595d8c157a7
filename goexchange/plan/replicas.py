"""The other copies of a database that is rebuilt on its active copy, and why none is rebuilt where
they may not be suspended and seeded anew (`procedure.md` 8).
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from goexchange.model.actual import ActualDatabase, ActualServer
from goexchange.model.copies import ActualCopy
from goexchange.model.desired import DesiredState
from goexchange.model.history import Work
from goexchange.model.plan import Reason
from goexchange.model.unknown import Unknown
from goexchange.plan import words
from goexchange.plan.copy_back import unknown_activation
from goexchange.plan.estimates import Times, result_size
from goexchange.plan.finding import Needed, fact_unknown, not_possible
from goexchange.plan.moving import move_mailboxes
from goexchange.plan.passive import well_copies

CIRCULAR = (
    "turn it off for the rebuild (Set-MailboxDatabase -CircularLoggingEnabled $false), and plan"
    " again"
)
ACTIVATION = "plan again when Get-MailboxDatabaseCopyStatus tells it: a seed would end it"


@frozen(kw_only=True)
class Replicas:
    """The other copies, in the order in which they are seeded: the one that is activated first
    comes first, lagged ones come last.
    """

    copies: tuple[ActualCopy, ...]

    @property
    def lagged(self) -> tuple[ActualCopy, ...]:
        """Those whose logs are replayed only after a while."""
        return tuple(each for each in self.copies if is_lagged(each))


def is_lagged(copy: ActualCopy) -> bool:
    """Whether the copy is lagged; its lag has been made sure of before."""
    return isinstance(copy.replay_lag_s, float | int) and copy.replay_lag_s > 0


def choose_replicas(
    database: ActualDatabase,
    server: ActualServer,
    seen: Sequence[ActualServer],
    *,
    spec: DesiredState,
) -> Replicas | Needed:
    """Return the copies that are suspended and seeded anew, or the refusal with its reason."""
    found = well_copies(database, server, seen, spec=spec)
    if isinstance(found, Needed):
        return found
    place = spec.script.rebuild.place
    circular = database.is_circular_logging
    if isinstance(circular, Unknown):
        return fact_unknown("whether its logging is circular", circular, origin=place)
    if circular:
        return not_possible(
            Reason.BLOCKED_BY_GUARD,
            "its logging is circular: after a rebuild there would be nothing to recover it with",
            origin=place,
            instead=CIRCULAR,
        )
    for copy in found.passive:
        if isinstance(copy.replay_lag_s, Unknown):
            fact = f"whether the copy on {copy.server} is lagged"
            return fact_unknown(fact, copy.replay_lag_s, origin=place)
        why = unknown_activation(copy)
        if why is not None:
            return not_possible(
                Reason.COPIES_UNKNOWN,
                f"of the copy on {copy.server}, {why}",
                origin=place,
                instead=ACTIVATION,
            )
    return Replicas(copies=tuple(sorted(found.passive, key=_order)))


def what_is_lost(database: ActualDatabase, replicas: Replicas, times: Times) -> str:
    """What a person consents to, with its figures."""
    where = words.listed(each.server for each in replicas.copies)
    size = result_size(database)
    each_s = times.of(Work.SEED, size).duration
    count = len(replicas.copies)
    copies = "its copy" if count == 1 else f"its {count} other copies"
    text = (
        f"{copies} ({where}) {'is' if count == 1 else 'are'} suspended before the rebuild and"
        " seeded anew after it, one at a time: until then nothing can be activated in its place."
        f" {words.size(size)} each, about {words.span(count * each_s.p50_s)} in all, p90"
        f" {words.span(count * each_s.p90_s)}"
    )
    for each in replicas.lagged:
        assert not isinstance(each.replay_lag_s, Unknown)
        span = words.span(int(each.replay_lag_s))
        text += f"; the history of the lagged copy on {each.server} ({span}) is lost"
    return f"{text}. Instead: {move_mailboxes(database)}"


def _order(copy: ActualCopy) -> tuple[bool, int, str]:
    known = copy.activation_preference
    return is_lagged(copy), 0 if isinstance(known, Unknown) else known, copy.server
