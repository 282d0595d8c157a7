"""What a specification may say and this version cannot execute yet.

The planner refuses it by name, with the place. Rows are deleted as their subjects learn to run;
nothing that stands here is ever ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import frozen

from goexchange.errors import Place
from goexchange.model.desired import (
    DesiredState,
    OnlineBackup,
)


@frozen(kw_only=True)
class Unsupported:
    """One part of a specification that this version cannot execute."""

    name: str
    place: Place


def unsupported_parts(desired: DesiredState) -> tuple[Unsupported, ...]:
    """Return everything that cannot be executed yet, in the order of the document."""
    found = (
        Unsupported(name=name.format(value=value), place=place)
        for name, find in _ROWS
        for value, place in find(desired)
    )
    return tuple(sorted(found, key=lambda part: (part.place.line, part.place.column, part.name)))


_Finds = Iterable[tuple[str, Place]]


def _credentials(desired: DesiredState) -> _Finds:
    for online in _online_backups(desired):
        if online.target is not None and online.target.credential is not None:
            yield online.target.path, online.target.place


def _online_backups(desired: DesiredState) -> Iterable[OnlineBackup]:
    sides = (desired.backup_before, desired.backup_after)
    return (side.online for side in sides if side.online is not None)


# a name as the refusal prints it, and where in a desired state it is asked for
_ROWS: tuple[tuple[str, Callable[[DesiredState], _Finds]], ...] = (
    # on purpose: others on the host can read the words of a command line
    (
        "a credential for the online backup to {value} (no tool takes one but on its command line)",
        _credentials,
    ),
)
