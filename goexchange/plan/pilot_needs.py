"""What a pilot's own database needs where no figure of its white space can be had: before Exchange
2010 the store tells it once its nightly work has ended, and the database was made just now.
"""

from __future__ import annotations

from goexchange.model.actual import ActualDatabase
from goexchange.model.desired import DesiredState
from goexchange.model.pilot import is_scratch_name
from goexchange.model.plan import Need, Reason
from goexchange.model.unknown import Unknown
from goexchange.plan import words
from goexchange.plan.finding import Needed
from goexchange.plan.needs import refused_identity
from goexchange.plan.treatment import treatment_of


def is_untold(database: ActualDatabase) -> bool:
    """Whether it is a pilot's, and nobody can say how much of its file is free."""
    return is_scratch_name(database.name) and isinstance(database.white_space_bytes, Unknown)


def decide_untold(database: ActualDatabase, *, spec: DesiredState) -> Needed | None:
    """It is rebuilt whatever that gives back: its size is known, and room is asked for a new file
    of that whole size. None where it is not mounted, which is decided as for any database.

    Shape: for a pilot's own plan alone; of any other database the white space has to be known.
    """
    refused = refused_identity(database, spec)
    if refused is not None:
        return refused
    if database.is_mounted is not True:
        return None
    size = database.size_bytes
    whole = "its whole size" if isinstance(size, Unknown) else f"{words.size(size)}, its whole size"
    return Needed(
        need=Need.REBUILD,
        reasons=(Reason.ASKED_FOR,),
        explanation="a pilot's own database, which holds nobody's mail: it is rebuilt whatever that"
        " gives back. How much of a file made just now is free is not told before the store's"
        f" nightly work, so room is asked for a new file of {whole}",
        origin=spec.script.place,
        is_backed_up_too=True,
        treatment=treatment_of(Need.REBUILD, spec.script),
    )
