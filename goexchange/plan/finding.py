"""Conditions that do not hold, and what is decided about a database because of them."""

from __future__ import annotations

from attrs import frozen

from goexchange.errors import Place
from goexchange.model.plan import Need, Reason
from goexchange.model.unknown import Unknown
from goexchange.plan.treatment import Treatment


@frozen(kw_only=True)
class Finding:
    """One condition that does not hold (or a brake that holds), in words with figures.

    Shape: `need` is the work that would make it hold; None where it is only told.
    """

    reason: Reason
    text: str
    place: Place
    need: Need | None = None


@frozen(kw_only=True)
class Needed:
    """The decision for one database.

    Shape: `need` is the heaviest work, `treatment` what its lane does; `is_backed_up_too` says that
    an online backup is part of it.
    """

    need: Need
    reasons: tuple[Reason, ...]
    explanation: str
    instead: str | None = None
    origin: Place | None = None
    is_backed_up_too: bool = False
    treatment: Treatment = Treatment()


def not_possible(
    reason: Reason, text: str, *, origin: Place | None, instead: str | None = None
) -> Needed:
    """A decision that nothing can be done, with what to do instead."""
    return Needed(
        need=Need.NOT_POSSIBLE, reasons=(reason,), explanation=text, instead=instead, origin=origin
    )


def fact_unknown(fact: str, value: Unknown, *, origin: Place) -> Needed:
    """A decision that cannot be made."""
    return not_possible(
        Reason.FACT_UNKNOWN,
        f"{fact} is unknown: {value.reason}",
        origin=origin,
        instead="see `goexchange observe`, mend what it names, and plan again",
    )
