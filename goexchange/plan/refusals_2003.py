"""What is refused on Exchange 2003 by name: logs that other stores use, files that lie
apart, and what is not executed there.
"""

from __future__ import annotations

from collections.abc import Iterator

from goexchange.model.actual import ActualDatabase, ActualServer, Generation, PublicStore
from goexchange.model.desired import DesiredState, OnlineBackup, OnlineBackupMethod
from goexchange.model.plan import Reason
from goexchange.model.streaming_file import streaming_beside
from goexchange.model.unknown import Unknown
from goexchange.plan import words
from goexchange.plan.finding import Needed, fact_unknown, not_possible
from goexchange.plan.paths import comparable
from goexchange.plan.refusals_2007 import writes_same_logs
from goexchange.plan.treatment import Passes

_METHODS = (OnlineBackupMethod.AGENT, OnlineBackupMethod.NTBACKUP)
BY_NTBACKUP = (
    "backup.after.online with `method: ntbackup`, or `method: agent`, which starts a program on the"
    " server and reads its state"
)


def refuse_on_2003(
    server: ActualServer, database: ActualDatabase, needed: Needed, spec: DesiredState
) -> Needed | None:
    """Why the work cannot be planned there, if something is in its way."""
    if server.generation is not Generation.EXCHANGE_2003:
        return None
    return next(_refusals(server, database, needed, spec), None)


def _refusals(
    server: ActualServer, database: ActualDatabase, needed: Needed, spec: DesiredState
) -> Iterator[Needed]:
    treatment, place = needed.treatment, spec.script.place
    if treatment.repairs:
        yield _not_executed(
            "repair with possible loss is not executed on Exchange 2003", spec,
            instead="goexchange restore by hand from a set, or the version's own tools on a copy",
        )  # fmt: skip
    yield from _of_methods(needed, spec)
    if treatment.passes is not Passes.NONE:
        yield from _of_passes(database, needed, spec)
    if not treatment.is_offline:
        return
    yield from _of_files(database, spec)
    if database.is_mount_at_startup is False:
        yield not_possible(
            Reason.BLOCKED_BY_GUARD,
            "it is not mounted at startup: Exchange 2003 mounts only what is, so that it could not"
            " be brought back as it was",
            origin=place,
            instead="let it be mounted at startup, or leave it as it is",
        )
    if treatment.copies:
        yield from _of_logs(server, database, spec)
    if treatment.rebuilds and spec.backup_after.offline is not None:
        yield _not_executed(
            "a set of the rebuilt file is not executed on Exchange 2003", spec,
            instead="delete `backup.after.offline`: the set before it and the online backup stay",
        )  # fmt: skip


def _of_methods(needed: Needed, spec: DesiredState) -> Iterator[Needed]:
    """What Windows Server 2003 has: ntbackup, and a declared agent."""
    after = spec.backup_after.online if needed.is_backed_up_too else None
    declared: tuple[OnlineBackup | None, ...] = (spec.backup_before.online, after)
    for each in declared:
        if each is not None and each.method not in _METHODS:
            yield not_possible(
                Reason.BLOCKED_BY_GUARD,
                f"there is no {each.method.value} on Windows Server 2003, where Exchange 2003 runs:"
                " it has ntbackup",
                origin=each.place,
                instead=BY_NTBACKUP,
            )


def _of_passes(
    database: ActualDatabase, needed: Needed, spec: DesiredState
) -> Iterator[Needed]:
    """Errors inside a store are isinteg's, on the dismounted database."""
    correction = spec.script.error_correction
    if not needed.treatment.is_offline:
        yield not_possible(
            Reason.SCRIPT_NOT_FOR_VERSION,
            f"{needed.explanation}; the store of Exchange 2003 looks for no errors while it is"
            " mounted",
            origin=spec.script.place,
            instead="`script.verify: offline`, which takes it down and looks at its files",
        )
        return
    after = correction.defragmented_passes_max if needed.treatment.rebuilds else 0
    if not database.storage_group and (correction.primary_passes_max or after):
        unknown = Unknown("the management objects did not give it")
        yield fact_unknown("its storage group", unknown, origin=spec.script.place)


def _of_files(database: ActualDatabase, spec: DesiredState) -> Iterator[Needed]:
    """Both files move together only where they lie together, under one name."""
    path = database.streaming_path
    if path is None:
        unknown = Unknown("the management objects did not give it")
        yield fact_unknown("its streaming file", unknown, origin=spec.script.place)
    elif comparable(path) != comparable(streaming_beside(database.edb_path)):
        yield not_possible(
            Reason.BLOCKED_BY_GUARD,
            f"its streaming file is {path}, and not {streaming_beside(database.edb_path)}: a swap"
            " takes both files of a database, and would not be a rename of one folder",
            origin=spec.script.place,
            instead="move the streaming file beside the database, under the same name",
        )


def _of_logs(
    server: ActualServer, database: ActualDatabase, spec: DesiredState
) -> Iterator[Needed]:
    """A set needs all logs of the stream, and a way back may move them: both only when no other
    store of the storage group uses them.
    """
    stores = server.public_stores
    if isinstance(stores, Unknown):
        yield fact_unknown(
            "which public folder stores share its logs", stores, origin=spec.script.place
        )
    sharing = others_on_logs(server, database)
    if sharing:
        yield not_possible(
            Reason.BLOCKED_BY_GUARD,
            f"its logs in {database.log_folder} are those of {words.listed(sharing)} too (one"
            " storage group): while another store of it is mounted they can neither be copied"
            " whole nor be moved aside on a way back",
            origin=spec.script.place,
            instead="dismount the others for that time, or use offline-diagnostic-report or"
            " offline-space-diagnostic, which touch no log",
        )


def others_on_logs(server: ActualServer, database: ActualDatabase) -> tuple[str, ...]:
    """The names of all other stores that write into its logs, or may."""
    stores = server.public_stores
    databases = () if isinstance(server.databases, Unknown) else server.databases
    others: list[ActualDatabase | PublicStore] = [
        *(() if isinstance(stores, Unknown) else stores),
        *(each for each in databases if each.guid != database.guid),
    ]
    return tuple(
        each.name
        for each in others
        if each.is_mounted is not False and writes_same_logs(each, database)
    )


def _not_executed(what: str, spec: DesiredState, *, instead: str) -> Needed:
    return not_possible(
        Reason.NOT_YET_EXECUTED, what, origin=spec.script.place, instead=instead
    )
