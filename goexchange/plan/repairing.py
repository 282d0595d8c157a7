"""Whether a database may be repaired with possible loss: only when a person asks for it by name,
for damage that is on record, and with a consent of that one plan.
"""

from __future__ import annotations

from goexchange.facts.catalogue import record_of
from goexchange.model.actual import ActualDatabase, ActualServer
from goexchange.model.desired import DesiredState
from goexchange.model.plan import Need, Reason
from goexchange.model.unknown import Unknown, known
from goexchange.plan.finding import Needed, fact_unknown, not_possible
from goexchange.plan.looks import damage_on_record
from goexchange.plan.moving import move_out
from goexchange.plan.needs import copies, refused_identity
from goexchange.plan.treatment import REPAIR
from goexchange.spec.scripts import LIVING

_RESEED = (
    "Update-MailboxDatabaseCopy: a healthy copy is activated, and this one is seeded anew from it"
)


def decide_repair(
    database: ActualDatabase, server: ActualServer, *, spec: DesiredState
) -> Needed:
    """What a database needs that a person wants repaired; refused with what to do instead."""
    place = spec.targets.place
    refused = refused_identity(database, spec)
    if refused is not None:
        return refused
    if server.generation not in LIVING:
        return not_possible(
            Reason.SCRIPT_NOT_FOR_VERSION,
            "what a repair prints and does on this version of Exchange is not confirmed",
            origin=place,
            instead="goexchange restore, from a set taken before the damage",
        )
    if known(database.is_mounted) is False:
        return not_possible(
            Reason.DISMOUNTED,
            "it is dismounted, and only what this tool has taken down itself, cleanly, is repaired",
            origin=place,
            instead="mount it; where it does not mount: goexchange restore, from a set taken before"
            " the damage",
        )
    if copies(database) > 1:
        return not_possible(
            Reason.MORE_THAN_ONE_COPY,
            f"it has {copies(database)} copies: a repair would lose what another copy still has",
            origin=place,
            instead=_RESEED,
        )
    record = record_of(server, database.guid)
    if isinstance(record, Unknown):
        return fact_unknown("what earlier looks at it found", record, origin=place)
    damage = damage_on_record(record)
    if damage is None:
        return not_possible(
            Reason.NOT_IN_SCRIPT,
            "no damage of its file is on record: nothing is repaired on suspicion",
            origin=place,
            instead="offline-diagnostic-report looks at its file and keeps what it finds",
        )
    return Needed(
        need=Need.REPAIR,
        reasons=(Reason.REPAIR_MAY_LOSE_DATA, Reason.ERRORS_FOUND),
        explanation=f"{damage}; a repair discards what cannot be read",
        origin=place,
        instead=f"afterwards {move_out(database)}",
        is_backed_up_too=True,
        treatment=REPAIR,
    )
