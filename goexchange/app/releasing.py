"""The verb `release`: what a dead run left is looked at, planned, and brought back into service by
the same machine as every other run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from goexchange.app import host_record
from goexchange.app.observing import observe_server, together
from goexchange.app.planning import who
from goexchange.app.release_hosts import (
    Behind,
    Host,
    Hosts,
    Known,
    Reach,
    kept_of,
    look_around,
    nobody,
    open_records,
    reacher,
)
from goexchange.driver.left_jobs import commands_of, jobs_elsewhere, jobs_to_end, loose_jobs
from goexchange.driver.remembering import remembered, seen_files
from goexchange.errors import ExitCode, GoexchangeError, NotNow, UsageError
from goexchange.facts.answer import ExchangeAnswer
from goexchange.facts.databases import active_anywhere
from goexchange.journal.replay import replay
from goexchange.model.actual import ActualDatabase, ActualHost, ActualServer, ActualState
from goexchange.model.configuration import Inventory, ServerEntry
from goexchange.model.left import LeftOnHost, RecoveryRecord
from goexchange.model.mta import MTA_ID
from goexchange.model.plan import Plan
from goexchange.model.remembered import Remembered, Standing
from goexchange.model.server import SERVER_ID
from goexchange.model.unknown import Unknown
from goexchange.plan import sealing
from goexchange.plan.context import Pace
from goexchange.plan.release import Left, release_body
from goexchange.plan.release_hosts import JobsLeft
from goexchange.plan.release_server import ServerLeft
from goexchange.plan.standing import standing
from goexchange.powershell import cmdlets
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

    Shape: `plan` is None when there is nothing to bring back; `behind` are hosts on which something
    may be left all the same.
    """

    server: str
    plan: Plan | None
    left: tuple[Left, ...]
    undecided: tuple[Left, ...]
    runs: tuple[str, ...]
    servers: tuple[ServerLeft, ...] = ()
    jobs: tuple[JobsLeft, ...] = ()
    behind: tuple[Behind, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether nothing of these runs is left when the plan has been carried out."""
        return not self.undecided and not self.behind


def prepare(target: str, *, site: Site) -> Prepared:
    """Look at a server, or at the server of one database, and at every other host that the runs
    found there have touched, and plan; nothing is changed.

    Raises: UsageError (no such server, no open record of such a database), Locked while the
    controller of a run may live, Unreachable, AuthenticationRefused.
    """
    from goexchange.app.worker import Fleet

    name, database = _target(target, site.inventory)
    entries = [host_record.entry_of(name, site.inventory)] if name else site.inventory.servers
    with ExitStack() as stack:
        fleet = stack.enter_context(Fleet(entries))
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
        return prepare_on(
            fleet.session(entry.name),
            seen,
            _open(seen, database),
            site=site,
            reach=reacher(stack, site.inventory),
            is_whole=database is None,
        )


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
    if any(entry.name.lower() == target.lower() for entry in inventory.hosts):
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
    session: HostSession,
    left: LeftOnHost,
    records: Sequence[RecoveryRecord],
    *,
    site: Site,
    reach: Reach = nobody,
    is_whole: bool = True,
) -> Prepared:
    """What a release of these open records of one host would do, on every host of their runs.

    Shape: with `is_whole` everything that these runs left goes back, else these records alone.
    """
    for each in records:
        _refuse_mta(each, left.server)
    home = Host(session=session, left=left)
    hosts = look_around(
        home, records, inventory=site.inventory, reach=reach, is_whole=is_whole
    )
    guids = None if is_whole else {each.database_guid for each in records}
    looks = [_of_host(home, records, hosts, site)]
    behind = list(hosts.behind)
    for other in hosts.others.values():
        theirs = open_records(other.left, runs=hosts.runs, guids=guids)
        try:
            for each in theirs:
                _refuse_mta(each, other.server)
            looks.append(_of_host(other, theirs, hosts, site))
        except GoexchangeError as error:
            behind.append(Behind(server=other.server, why=str(error)))
    loose = [each for each in _loose(hosts, looks) if is_whole and each.jobs]
    behind += [each for look in looks for each in look.behind]
    behind += [each for each in _commands(hosts) if is_whole]
    every = [each for look in looks for each in look.left]
    servers = tuple(each for look in looks for each in look.servers)
    decided = [each for each in every if each.standing is not Standing.UNDECIDED]
    wanted: list[Left | ServerLeft | JobsLeft] = [*servers, *decided, *loose]
    return Prepared(
        server=left.server,
        plan=_plan(wanted, looks, site) if wanted else None,
        left=tuple(decided),
        servers=servers,
        undecided=tuple(each for each in every if each.standing is Standing.UNDECIDED),
        runs=tuple(sorted(hosts.runs)),
        jobs=tuple(loose),
        behind=tuple(behind),
    )


@frozen(kw_only=True)
class _Look:
    """What is to be brought back on one host, and how the host stands."""

    host: Host
    actual: ActualServer
    left: tuple[Left, ...]
    servers: tuple[ServerLeft, ...]
    behind: tuple[Behind, ...]


def _of_host(
    host: Host, records: Sequence[RecoveryRecord], hosts: Hosts, site: Site
) -> _Look:
    """Raises: NotReleased when the files there cannot be looked at; NotNow while a command of a run
    that took the server down still runs there.
    """
    databases = [each for each in records if each.database_guid != SERVER_ID]
    memory = {
        run: known if host is hosts.home else kept_of(host, run, site.inventory)
        for run, known in hosts.runs.items()
        if any(each.run == run for each in records)
    }
    paths = [
        str(each.content[name])
        for each in databases
        for name in ("original", "kept", "temporary", "set_aside")
    ]
    seen = host_record.look(host.session, host.server, site.inventory, paths=paths)
    if isinstance(seen.looked_at, Unknown):
        raise NotReleased(
            f"the files on {host.server} could not be looked at: {seen.looked_at.reason}"
        )
    actual = observe_server(host.session, host.server, site.inventory)
    left: list[Left] = []
    behind: list[Behind] = []
    for each in databases:
        try:
            database = _database(each, actual, host)
            known = _remembered(memory[each.run], each.database_guid)
            left.append(
                evolve(
                    _left(each, seen, actual, (database, known)),
                    jobs=jobs_to_end(seen, each.run, plan=_plan_of(memory[each.run])),
                    elsewhere=_elsewhere(each, memory[each.run], hosts),
                    absent=hosts.absent(each.run, each.database_guid),
                )
            )
        except NotReleased as error:  # it keeps no other one down
            behind.append(Behind(server=host.server, why=str(error)))
    return _Look(
        host=host,
        actual=actual,
        left=tuple(left),
        behind=tuple(behind),
        servers=tuple(
            _server_left(each, seen, _remembered(memory[each.run], each.database_guid))
            for each in records
            if each.database_guid == SERVER_ID
        ),
    )


def _plan_of(known: Known | None) -> Plan | None:
    return None if known is None else known[0]


def _elsewhere(
    record: RecoveryRecord, known: Known | None, hosts: Hosts
) -> tuple[tuple[str, str], ...]:
    """Jobs of a record's lane on the hosts that were looked at."""
    if known is None:
        return ()
    seen = {each.server: each.left for each in hosts.all}
    return jobs_elsewhere(known[0], record.database_guid, run=record.run, seen=seen)


def _loose(hosts: Hosts, looks: Sequence[_Look]) -> Iterator[JobsLeft]:
    """Jobs of the runs on hosts that were looked at and have no record of theirs, but for those
    that the lane of a database ends.
    """
    ended = {job for look in looks for each in look.left for _, job in each.elsewhere}
    for look in looks:
        jobs = [
            job
            for run in _without_record(look.host, hosts)
            for job in loose_jobs(look.host.left, run, known=ended)
        ]
        yield JobsLeft(server=look.host.server, jobs=tuple(jobs))


def _commands(hosts: Hosts) -> Iterator[Behind]:
    """Operators' programs that still run where nothing of their run is brought back."""
    for host in hosts.all:
        for run in _without_record(host, hosts):
            for job in commands_of(host.left, run):
                why = f"a command of run {run} still runs there (job {job}); end it, or wait"
                yield Behind(server=host.server, why=why)


def _without_record(host: Host, hosts: Hosts) -> list[str]:
    """The runs of which nothing is brought back on that host."""
    records = {each.run for each in open_records(host.left, runs=hosts.runs, guids=None)}
    return sorted(set(hosts.runs) - records)


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


def _remembered(known: Known | None, guid: str) -> Remembered | None:
    if known is None:
        return None
    plan, copy = known
    return remembered(plan, replay(copy.reading.records), guid)


def _left(
    record: RecoveryRecord,
    seen: LeftOnHost,
    actual: ActualServer,
    of: tuple[ActualDatabase, Remembered | None],
) -> Left:
    database, known = of
    files = seen_files(record.content, seen)
    if isinstance(database.is_mounted, Unknown):
        raise NotReleased(
            f"whether {database.name} is mounted is not known: {database.is_mounted.reason}"
        )
    which, evidence = standing(known, files, is_mounted=database.is_mounted)
    host = actual.host if isinstance(actual.host, ActualHost) else None
    records = host.records if host is not None and isinstance(host.records, tuple) else ()
    return Left(
        server=seen.server,
        database=database,
        recovery=record,
        remembered=known,
        files=files,
        standing=which,
        evidence=evidence,
        jobs=(),  # by who knows the plan
        record=next(
            (one for one in records if one.database_guid.lower() == record.database_guid), None
        ),
    )


def _database(record: RecoveryRecord, actual: ActualServer, host: Host) -> ActualDatabase:
    """The database of a record. One that was only looked at on a copy may have become active on
    another member meanwhile: its copy goes back all the same.

    Raises: NotReleased when nobody tells of it, or it was taken down here and is elsewhere now.
    """
    known = () if isinstance(actual.databases, Unknown) else actual.databases
    for each in known:
        if each.guid.lower() == record.database_guid:
            return each
    why = actual.databases.reason if isinstance(actual.databases, Unknown) else "it is not there"
    if "suspended_copy" in record.content and isinstance(actual.databases, tuple):
        call = cmdlets.get_database(record.database_guid)
        answer = host.session.exchange([call], time_limit_s=host_record.LOOK_LIMIT_S)
        moved = active_anywhere(ExchangeAnswer(answer))
        if isinstance(moved, ActualDatabase):
            return moved
        why = moved.reason
    raise NotReleased(
        f"{actual.name} does not tell of the database {record.content['database']}"
        f" ({record.database_guid}): {why}"
    )


def _plan(
    left: Sequence[Left | ServerLeft | JobsLeft], looks: Sequence[_Look], site: Site
) -> Plan:
    now = SystemClock().now()
    settings = site.settings
    pace = Pace(lease_s=settings.lease_expires_after_s, heartbeat_s=settings.heartbeat_every_s)
    servers = tuple(each.actual for each in looks)
    state = ActualState(observed_at_utc=servers[0].observed_at_utc, servers=servers)
    body = release_body(left, site.inventory, state, at=now, pace=pace)
    return sealing.seal(body, now, who())
