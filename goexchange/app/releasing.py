"""The verb `release`: what a dead run left is looked at, planned, and brought back into service by
the same machine as every other run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from goexchange.app import host_record
from goexchange.app.observing import observe_server, together
from goexchange.app.planning import who
from goexchange.driver.remembering import remembered, seen_files
from goexchange.errors import ExitCode, GoexchangeError, NotNow, UsageError
from goexchange.guard.holder import LEASE_UNKNOWN_S
from goexchange.journal.replay import replay
from goexchange.model.actual import ActualDatabase, ActualHost, ActualServer, ActualState
from goexchange.model.configuration import Inventory, ServerEntry
from goexchange.model.left import KeptRun, LeftOnHost, RecoveryRecord
from goexchange.model.mta import MTA_ID
from goexchange.model.plan import Plan
from goexchange.model.remembered import Remembered, Standing
from goexchange.model.server import SERVER_ID
from goexchange.model.unknown import Unknown
from goexchange.plan import sealing
from goexchange.plan.context import Pace
from goexchange.plan.release import Left, release_body
from goexchange.plan.release_server import ServerLeft
from goexchange.plan.standing import standing
from goexchange.store.clock import SystemClock

if TYPE_CHECKING:  # importing it would load the HTTP libraries before gevent's patch
    from goexchange.app.running import Ended, Site, Watch
    from goexchange.store.runs import RunFolder
    from goexchange.transport.session import HostSession


class NotReleased(GoexchangeError):
    """Looking cannot tell which file belongs in a database's place, or what there is: nothing was
    moved.
    """

    exit_code = ExitCode.ROLLBACK_FAILED
    id = "not-released"


@frozen(kw_only=True)
class Prepared:
    """What a release would do: the databases it brings back, and those that looking cannot decide.

    Shape: `plan` is None when there is nothing to bring back.
    """

    server: str
    plan: Plan | None
    left: tuple[Left, ...]
    undecided: tuple[Left, ...]
    runs: tuple[str, ...]
    servers: tuple[ServerLeft, ...] = ()


def prepare(target: str, *, site: Site) -> Prepared:
    """Look at a server, or at the server of one database, and plan; nothing is changed.

    Raises: UsageError (no such server, no open record of such a database), Locked while the
    controller of a run may live, Unreachable, AuthenticationRefused.
    """
    from goexchange.app.worker import Fleet

    name, database = _target(target, site.inventory)
    entries = [host_record.entry_of(name, site.inventory)] if name else site.inventory.servers
    with Fleet(entries) as fleet:
        if name and fleet.failures:
            raise together(list(fleet.failures.values()))
        found: list[tuple[ServerEntry, LeftOnHost]] = []
        for entry in entries:
            if entry.name in fleet.failures:
                continue  # the database is looked for where somebody answers
            seen = host_record.look(fleet.session(entry.name), entry.name, site.inventory)
            if _open(seen, database) or name:
                found.append((entry, seen))
        if not found:
            silent = ", ".join(sorted(fleet.failures))
            where = f"; {silent} could not be asked" if silent else ""
            raise UsageError(
                f"no server of the inventory has an open recovery record of a database"
                f" '{database}'{where}"
            )
        entry, seen = found[0]
        records = _open(seen, database)
        return prepare_on(fleet.session(entry.name), seen, records, site=site)


def carry_out(
    prepared: Prepared, *, site: Site, watch: Callable[[Plan, RunFolder], Watch]
) -> Ended:
    """Run the plan of a release."""
    from goexchange.app import running

    assert prepared.plan is not None
    content = sealing.dump(prepared.plan)
    return running.bring_back(
        prepared.plan, content, site=site, watch=watch, proved_dead=prepared.runs
    )


def recovery_text_path(left: Left, inventory: Inventory) -> str:
    """Where the text for people lies on the host."""
    parts = (inventory.host_root, "recovery", left.recovery.database_guid, left.recovery.run)
    return "\\".join((*parts, "RECOVERY.txt"))


def _target(target: str, inventory: Inventory) -> tuple[str | None, str | None]:
    """Server and database of `EX01`, `EX01/DB05` or `DB05`."""
    server, slash, database = target.partition("/")
    if slash:
        return server, database
    if any(entry.name.lower() == target.lower() for entry in inventory.servers):
        return target, None
    return None, target


def _open(left: LeftOnHost, database: str | None) -> list[RecoveryRecord]:
    if isinstance(left.recoveries, Unknown):
        if database is None:
            raise NotNow(f"the records of {left.server} are not known: {left.recoveries.reason}")
        return []
    return [
        each
        for each in left.recoveries
        if each.is_open
        and (database is None or str(each.content["database"]).lower() == database.lower())
    ]


def prepare_on(
    session: HostSession, left: LeftOnHost, records: Sequence[RecoveryRecord], *, site: Site
) -> Prepared:
    """What a release of these open records of one host would do."""
    server = left.server
    for each in records:
        _refuse_mta(each, server)
    memory = {
        each.run: _kept(session, server, left, each.run, inventory=site.inventory)
        for each in records
    }
    for run, known in memory.items():
        lease_s = LEASE_UNKNOWN_S if known is None else known[0].body.rules.lease_s
        host_record.require_dead(left, run, lease_s=lease_s)
    whole = [each for each in records if each.database_guid == SERVER_ID]
    databases = [each for each in records if each.database_guid != SERVER_ID]
    paths = [
        str(each.content[name])
        for each in databases
        for name in ("original", "kept", "temporary", "set_aside")
    ]
    seen = host_record.look(session, server, site.inventory, paths=paths)
    if isinstance(seen.looked_at, Unknown):
        raise NotReleased(f"the files on {server} could not be looked at: {seen.looked_at.reason}")
    actual = observe_server(session, server, site.inventory)
    every = [
        _left(each, seen, actual, _remembered(memory[each.run], each.database_guid))
        for each in databases
    ]
    servers = tuple(
        _server_left(each, seen, _remembered(memory[each.run], each.database_guid))
        for each in whole
    )
    decided = [each for each in every if each.standing is not Standing.UNDECIDED]
    return Prepared(
        server=server,
        plan=_plan([*servers, *decided], actual, site) if servers or decided else None,
        left=tuple(decided),
        servers=servers,
        undecided=tuple(each for each in every if each.standing is Standing.UNDECIDED),
        runs=tuple(sorted(memory)),
    )


def _refuse_mta(record: RecoveryRecord, server: str) -> None:
    """A stopped message transfer agent is no database: the run itself brings it back."""
    if record.database_guid == MTA_ID:
        raise NotReleased(
            f"run {record.run} left the message transfer agent of {server}, which a release does"
            f" not start: goexchange resume {record.run}, or goexchange resume --from-host"
            f" {server}; by hand, the RECOVERY.txt there"
        )


def _server_left(
    record: RecoveryRecord, seen: LeftOnHost, known: Remembered | None
) -> ServerLeft:
    """A whole server. What an operator's command has begun nobody else can end well: it is waited
    for.

    Raises: NotNow while a command of the run still runs on the host.
    """
    jobs = () if isinstance(seen.jobs, Unknown) else seen.jobs
    for each in jobs:
        is_command = each.job.startswith(f"{record.run}-") and each.kind == "command"
        if is_command and each.state == "running":
            raise NotNow(
                f"a command of run {record.run} still runs on {seen.server} (job {each.job}): wait"
                " until it has ended, or end it yourself, and release again"
            )
    undoing = () if known is None else known.undoing
    return ServerLeft(
        server=seen.server,
        recovery=record,
        undoing=tuple(each for each in undoing if each.call.kind == "command"),
    )


def _kept(
    session: HostSession, server: str, left: LeftOnHost, run: str, *, inventory: Inventory
) -> tuple[Plan, host_record.HostCopy] | None:
    """Plan and journal of a run as the host keeps them; None when it keeps none."""
    kept: Sequence[KeptRun] = () if isinstance(left.runs, Unknown) else left.runs
    names = {host_record.PLAN, host_record.JOURNAL}
    for one in kept:
        if one.run == run and names <= set(one.sizes):
            plan = sealing.load(host_record.read_kept(session, inventory, one, host_record.PLAN))
            return plan, host_record.copy_of(session, server, inventory, one)
    return None


def _remembered(known: tuple[Plan, host_record.HostCopy] | None, guid: str) -> Remembered | None:
    if known is None:
        return None
    plan, copy = known
    return remembered(plan, replay(copy.reading.records), guid)


def _left(
    record: RecoveryRecord, seen: LeftOnHost, actual: ActualServer, known: Remembered | None
) -> Left:
    database = _database(record, actual)
    files = seen_files(record.content, seen)
    if isinstance(database.is_mounted, Unknown):
        raise NotReleased(
            f"whether {database.name} is mounted is not known: {database.is_mounted.reason}"
        )
    which, evidence = standing(known, files, is_mounted=database.is_mounted)
    host = actual.host if isinstance(actual.host, ActualHost) else None
    records = host.records if host is not None and isinstance(host.records, tuple) else ()
    jobs = () if isinstance(seen.jobs, Unknown) else seen.jobs
    return Left(
        server=seen.server,
        database=database,
        recovery=record,
        remembered=known,
        files=files,
        standing=which,
        evidence=evidence,
        jobs=tuple(
            each.job
            for each in jobs
            if each.job.startswith(f"{record.run}-") and each.state != "ended"
        ),
        record=next(
            (one for one in records if one.database_guid.lower() == record.database_guid), None
        ),
    )


def _database(record: RecoveryRecord, actual: ActualServer) -> ActualDatabase:
    known = () if isinstance(actual.databases, Unknown) else actual.databases
    for each in known:
        if each.guid.lower() == record.database_guid:
            return each
    why = actual.databases.reason if isinstance(actual.databases, Unknown) else "it is not there"
    raise NotReleased(
        f"{actual.name} does not tell of the database {record.content['database']}"
        f" ({record.database_guid}): {why}"
    )


def _plan(left: Sequence[Left | ServerLeft], actual: ActualServer, site: Site) -> Plan:
    now = SystemClock().now()
    settings = site.settings
    pace = Pace(lease_s=settings.lease_expires_after_s, heartbeat_s=settings.heartbeat_every_s)
    state = ActualState(observed_at_utc=actual.observed_at_utc, servers=(actual,))
    body = release_body(left, site.inventory, state, at=now, pace=pace)
    return sealing.seal(body, now, who())
