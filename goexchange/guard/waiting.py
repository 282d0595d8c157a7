"""What other people's backups and work are in the way of a lane, and what its specification wants
done about it: refuse, wait, or suspend them and put them back.
"""

from __future__ import annotations

from goexchange.guard.conflicts import hard_signs, scheduled_signs
from goexchange.guard.declared_work import works_in_the_way
from goexchange.guard.guard import FactUnknown, Question


def in_the_way(question: Question) -> tuple[str, ...]:
    """Everything that is in the way now, in words; what cannot be seen is in the way too."""
    found: list[str] = []
    for look in (hard_signs, scheduled_signs, works_in_the_way):
        try:
            found += look(question)
        except FactUnknown as unknown:
            found.append(str(unknown))
    return tuple(dict.fromkeys(found))
