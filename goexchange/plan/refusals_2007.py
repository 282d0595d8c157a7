"""What is refused on Exchange 2007 by name: copies of its kinds, logs that others use."""

from __future__ import annotations

from goexchange.model.actual import ActualDatabase, ActualServer, Generation, PublicStore
from goexchange.model.desired import DesiredState
from goexchange.model.plan import Reason
from goexchange.model.unknown import Unknown
from goexchange.plan import words
from goexchange.plan.finding import Needed, fact_unknown, not_possible
from goexchange.plan.treatment import Passes


def refuse_on_2007(
    server: ActualServer, database: ActualDatabase, needed: Needed, spec: DesiredState
) -> Needed | None:
    """Why the work cannot be planned there, if something is in its way."""
    if server.generation is not Generation.EXCHANGE_2007:
        return None
    if needed.treatment.repairs:
        return _repair(spec)
    passes = _passes(database, needed, spec)
    if passes is not None or not needed.treatment.is_offline:
        return passes
    return _shared_stream(server, database, needed, spec)


def refuse_copies_on_2007(
    server: ActualServer, database: ActualDatabase, needed: Needed, spec: DesiredState
) -> Needed | None:
    """No outage of a database with a copy there, and no look at the copy either, whatever consent
    is given.
    """
    treatment = needed.treatment
    is_meant = (
        treatment.is_offline
        or treatment.is_on_copy
        or Reason.MORE_THAN_ONE_COPY in needed.reasons
    )
    is_2007 = server.generation is Generation.EXCHANGE_2007
    if not (is_2007 and is_meant and database.is_replicated is True):
        return None
    return not_possible(
        Reason.MORE_THAN_ONE_COPY,
        "its storage group has another copy (local, standby or cluster continuous replication): a"
        " rebuilt file has a signature that the copy's logs do not fit, and how such copies are"
        " suspended and seeded again is not executed",
        origin=spec.script.place,
        instead="move its mailboxes to a fresh database, or end the replication first",
    )


def _repair(spec: DesiredState) -> Needed:
    """What is left to be done inside a repaired file is isinteg's there, before it is mounted."""
    return not_possible(
        Reason.NOT_YET_EXECUTED,
        "repair with possible loss is not executed on Exchange 2007: what it leaves inside the file"
        " is for isinteg to correct before anybody uses it",
        origin=spec.script.place,
        instead="goexchange restore, from a set taken before the damage; or the version's own tools"
        " by hand, on a copy",
    )


def _passes(
    database: ActualDatabase, needed: Needed, spec: DesiredState
) -> Needed | None:
    """Errors inside a database are looked for by the store from Exchange 2010 SP1 on."""
    correction = spec.script.error_correction
    if needed.treatment.passes is Passes.NONE:
        return None
    if not needed.treatment.is_offline:
        return not_possible(
            Reason.SCRIPT_NOT_FOR_VERSION,
            f"{needed.explanation}; the store of Exchange 2007 looks for no errors while it is"
            " mounted",
            origin=spec.script.place,
            instead="`script.verify: offline`, which takes it down and looks at its file",
        )
    after = correction.defragmented_passes_max if needed.treatment.rebuilds else 0
    set_after = spec.backup_after.offline
    if after and set_after is not None:
        return not_possible(
            Reason.NOT_YET_EXECUTED,
            f"{needed.explanation}; a set of the rebuilt file is made before the swap, and on"
            " Exchange 2007 isinteg changes that file after it: the set would be of another one",
            origin=set_after.place,
            instead="`error_correction.defragmented_passes_max: 0`, or no `backup.after.offline`:"
            " the online backup after it is of the file as it is",
        )
    if not correction.primary_passes_max and not after:
        return None
    return _group(database, spec)


def _group(database: ActualDatabase, spec: DesiredState) -> Needed | None:
    """isinteg lists databases by group and name, and is told which one is meant by both."""
    if database.storage_group:
        return None
    return fact_unknown(
        "its storage group", Unknown("Exchange did not give it"), origin=spec.script.place
    )


def _shared_stream(
    server: ActualServer, database: ActualDatabase, needed: Needed, spec: DesiredState
) -> Needed | None:
    """A set needs all logs of the stream, and a way back may move them: both only when no other
    database of the storage group uses them.
    """
    if not needed.treatment.copies or isinstance(server.databases, Unknown):
        return None
    sharing = [
        each.name
        for each in server.databases
        if each.guid != database.guid
        and each.is_mounted is not False
        and writes_same_logs(each, database)
    ]
    if not sharing:
        return None
    return not_possible(
        Reason.BLOCKED_BY_GUARD,
        f"its logs in {database.log_folder} are those of {words.listed(sharing)} too (one storage"
        " group): while another database of it is mounted they can neither be copied whole nor be"
        " moved aside on a way back",
        origin=spec.script.place,
        instead="offline-diagnostic-report or offline-space-diagnostic, which touch no log; or give"
        " it a storage group of its own",
    )


def sharing_logs(server: ActualServer, database: ActualDatabase) -> tuple[str, ...]:
    """Other databases and stores of its storage group, mounted or not."""
    databases = () if isinstance(server.databases, Unknown) else server.databases
    stores = () if isinstance(server.public_stores, Unknown) else server.public_stores
    others: tuple[ActualDatabase | PublicStore, ...]
    others = (*(each for each in databases if each.guid != database.guid), *stores)
    return tuple(each.name for each in others if writes_same_logs(each, database))


def writes_same_logs(one: ActualDatabase | PublicStore, other: ActualDatabase) -> bool:
    """Whether they may write one log stream; a prefix that is not known may be any."""
    prefixes = (one.log_prefix, other.log_prefix)
    may_be = any(isinstance(each, Unknown) for each in prefixes) or (
        str(prefixes[0]).casefold() == str(prefixes[1]).casefold()
    )
    return may_be and _key(one.log_folder) == _key(other.log_folder)


def _key(folder: str) -> str:
    return folder.rstrip("\\").casefold()
