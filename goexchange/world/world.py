"""A simulated Exchange site: cmdlets and host scripts change it, time moves it, and it knows the
truth.

Pure: clock and disk come in, chance comes from the seed. Same seed, same calls at the same times:
same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from attrs import define, evolve, frozen

from goexchange.model.actual import Generation
from goexchange.world import backup_engine, jobs
from goexchange.world.backup_2003 import begun, completed
from goexchange.world.backup_engine import BackupRun
from goexchange.world.certificates import setup_certificates
from goexchange.world.clock import Clock, EventClock
from goexchange.world.clusters import arrive, begin_move, comes_up_mounted
from goexchange.world.copies import (
    break_seeds,
    end_seed,
    hold_copy,
    part_ways,
    passive_copies,
)
from goexchange.world.databases import MailboxDatabase, make_database, write_files
from goexchange.world.disk import Disk
from goexchange.world.engines import engine_of, has_streaming_files, page_bytes_of
from goexchange.world.faults import Faults
from goexchange.world.files import HostFiles
from goexchange.world.hosts import Host
from goexchange.world.jobs import HostJob
from goexchange.world.log_stream import OLD_DIGITS, LogStream
from goexchange.world.mounting import MountRefused, lose, mount, write_mail
from goexchange.world.mta import as_described, start_automatic, write_queues
from goexchange.world.objects_2007 import MadeGroup, tell_space
from goexchange.world.plain import answer_as_plain
from goexchange.world.refusals import HostDown
from goexchange.world.repairs import RepairRequest, finish_request, tell
from goexchange.world.server_mode import first_mode
from goexchange.world.services import exchange_services
from goexchange.world.sharing import Shared
from goexchange.world.site import ServerDescription, SiteDescription
from goexchange.world.streaming import write_streaming
from goexchange.world.tasks import VENDOR_TASK
from goexchange.world.values import CmdletAnswer

SENTINEL_PROVIDER = "goexchange"
SENTINEL_EVENT_ID = 4110
_CONFIGURATION_FILES = (
    "EdgeTransport.exe.config",
    "MSExchangeDelivery.exe.config",
    "MSExchangeFrontEndTransport.exe.config",
    "MSExchangeMailboxReplication.exe.config",
    "Microsoft.Exchange.Store.Worker.exe.config",
)


@frozen(kw_only=True)
class Effect(Shared):
    """Something that changed, for counting: kind, host, database, and what else tells it apart.

    Shape: `by` is the account whose call it was; empty for what happens by itself (jobs among it).
    """

    at: datetime
    kind: str
    host: str
    database: str | None = None
    detail: str = ""
    by: str = ""


@define(kw_only=True)
class MoveRequest:
    """A mailbox move under way between two databases."""

    alias: str
    source: str
    target: str
    status: str = "InProgress"


@frozen(order=True)
class _Due:
    """Something that happens by itself at a moment; ordered by time, then by what and where."""

    at: datetime
    what: str
    where: str


class World:
    """The site as it is now.

    Raises: HostDown from every call to a host that is rebooting; NotModelled for what this world
    does not know.
    """

    def __init__(self, site: SiteDescription, clock: Clock, disk: Disk, seed: int) -> None:
        self.site = site
        self.seed = seed
        self._clock = EventClock(clock)
        self._disk = disk
        self.faults = Faults()
        self.effects: list[Effect] = []
        self.jobs: dict[tuple[str, str], HostJob] = {}
        self.backups: list[BackupRun] = []
        self.moves: list[MoveRequest] = []
        self._caller = ""
        self.given_secret: str | None = None
        self.repairs: list[RepairRequest] = []
        now = clock.now()
        self.hosts = {
            each.name: self._make_host(each, now) for each in (*site.servers, *site.machines)
        }
        self.groups: dict[tuple[str, str], MadeGroup] = {}  # by server and name
        self.databases: dict[UUID, MailboxDatabase] = {}
        for description in site.databases:
            made = make_database(description, seed=seed, now=now, log_bytes=site.log_bytes)
            if has_streaming_files(self.hosts[made.active_server].description.generation):
                made.stream.digits = OLD_DIGITS
            made.stream = self._stream_of_group(made) or made.stream
            self.databases[made.guid] = made
            self._place(made, now)

    def now(self) -> datetime:
        """The world's time."""
        return self._clock.now()

    def cmdlet(
        self, host: str, user: str, name: str, parameters: Mapping[str, object]
    ) -> CmdletAnswer:
        """Run an Exchange cmdlet at the endpoint of a host."""
        from goexchange.world.cmdlets import run_cmdlet

        self.advance()
        self._demand_up(host)
        self._caller = user
        try:
            return run_cmdlet(self, host, name, parameters)
        finally:
            self._caller = ""

    def script(
        self,
        host: str,
        user: str,
        script: str,
        arguments: Mapping[str, Any],
        *,
        secret: str | None = None,
    ) -> dict[str, Any]:
        """Run a host script; `secret` came with its arguments, beside them.

        Raises: ScriptFailed with a code of its contract.
        """
        from goexchange.world.scripts import run_script

        self.advance()
        self._demand_up(host)
        self._caller, self.given_secret = user, secret
        try:
            answer = run_script(self, self.hosts[host], script, arguments)
        finally:
            self._caller, self.given_secret = "", None
        self.advance()
        return answer

    def to_plain(self, answer: CmdletAnswer) -> dict[str, Any]:
        """An answer as the transport decodes it."""
        return answer_as_plain(answer)

    def mail(self, database: str, *, pages: int = 2) -> int:
        """Users write mail into a mounted database; the number of free pages that it took."""
        self.advance()
        found = self.database_named(database)
        host = self.host_of(found)
        if found.mounted_on is None:
            return 0
        return write_mail(found, host, pages=pages, now=self.now())

    def advance(self) -> None:
        """Let everything happen that was due by now, in the order of its time."""
        now = self.now()
        due = self._first_due(now)
        while due is not None:
            self._clock.happening_at = due.at
            try:
                self._happen(due)
            finally:
                self._clock.happening_at = None
            due = self._first_due(now)
        for (host, _), job in self.jobs.items():
            if job.state == jobs.RUNNING and jobs.proceed(job, self.hosts[host], now):
                self.abort_backup_of(job)  # it ended before its time: the disk is full

    def next_change(self) -> datetime | None:
        """When the next thing happens by itself; None when nothing is under way."""
        return min((each.at for each in self._coming()), default=None)

    @property
    def exchange_hosts(self) -> tuple[Host, ...]:
        """The hosts that have Exchange."""
        return tuple(each for each in self.hosts.values() if each.description.has_exchange)

    def host_of(self, database: MailboxDatabase) -> Host:
        """The host that owns the active copy."""
        return self.hosts[database.active_server]

    def database_named(self, name: str) -> MailboxDatabase:
        """A database by name or GUID.

        Raises: KeyError when there is none.
        """
        wanted = name.lower()
        for each in self.databases.values():
            if wanted in (each.name.lower(), str(each.guid)):
                return each
        raise KeyError(name)

    def note(self, kind: str, *, host: str, database: str | None = None, detail: str = "") -> None:
        """Remember an effect."""
        self.effects.append(
            Effect(
                at=self.now(),
                kind=kind,
                host=host,
                database=database,
                detail=detail,
                by=self._caller,
            )
        )

    def reboot(self, host: str) -> None:
        """Power goes, now; the host comes up again after its boot time."""
        self._go_down(self.hosts[host], self.now())

    def move_group(self, host: str) -> bool:
        """The next node of a clustered server takes it over; False where that cannot be."""
        return begin_move(self, self.hosts[host])

    def leave_free(self, host: str, path: str, *, free_bytes: int) -> None:
        """Fill the volume of a path up to so many free bytes."""
        self.hosts[host].files.volume_of(path).free_bytes = free_bytes

    def abort_backup_of(self, job: HostJob) -> None:
        """A job was cancelled: the backup that it began is aborted with it."""
        for run in self.backups:
            if run.job == job.job and not run.is_over and run.completes_at is None:
                backup_engine.abort_run(self, run, self.now())

    def _make_host(self, server: ServerDescription, now: datetime) -> Host:
        files = HostFiles(server.name, self._disk, self._clock)
        for volume in server.volumes:
            files.add_volume(volume)
        for share in self.site.shares:
            files.add_share(share)
        for path in server.programs:
            files.write(path, b"@rem a program\r\n")
        if not server.has_exchange:
            return Host(
                description=server,
                seed=self.seed,
                files=files,
                booted_at=now - timedelta(days=12),
                services={},
            )
        for node in reversed(server.nodes or ("",)):
            files.node = node
            for name in _CONFIGURATION_FILES:
                text = (
                    f'<?xml version="1.0" encoding="utf-8" ?>\r\n<!-- {name} of {server.name}'
                    " -->\r\n<configuration />\r\n"
                )
                files.write(f"{server.install_folder}Bin\\{name}", text.encode())
        write_queues(files, server)
        is_clustered = server.availability_group is not None or bool(server.nodes)
        services = exchange_services(server.generation, is_clustered=is_clustered)
        as_described(services, server)
        return Host(
            description=server,
            seed=self.seed,
            files=files,
            node=files.node,
            booted_at=now - timedelta(days=12),
            services=services,
            mode=first_mode(
                server.generation,
                server.components,
                policy=server.activation_policy,
                node=server.node_state,
            ),
            tasks={VENDOR_TASK.name: evolve(VENDOR_TASK)},
            certificates=setup_certificates(server.name, now - timedelta(days=400)),
        )

    def _place(self, database: MailboxDatabase, now: datetime) -> None:
        """Write the files of every copy, mount the active one; building them is not an effect."""
        for server in database.description.copies[1:]:
            host = self.hosts[server]
            write_files(
                self._twin(database, now),
                host.files,
                seed=self.seed,
                now=now,
                engine=engine_of(host.description.generation),
                page_size=page_bytes_of(host.description.generation),
            )
            hold_copy(database, self.hosts[server].files)
        database.passive = passive_copies(database)
        active = self.host_of(database)
        generation = active.description.generation
        write_files(
            database,
            active.files,
            seed=self.seed,
            now=now,
            engine=engine_of(generation),
            page_size=page_bytes_of(generation),
        )
        if has_streaming_files(generation):
            seed = f"{self.seed}/{database.name}".encode()
            write_streaming(active.files, database.edb_path, seed=seed)
            if database.description.full_backup_hours_ago is not None:
                ago = timedelta(hours=database.description.full_backup_hours_ago)
                begun(database, active, at=now - ago - timedelta(minutes=5))
                completed((database,), active, at=now - ago)
        for host in (self.hosts[each] for each in database.description.copies):
            _forget_growth(host, self.site)
        if database.description.is_mounted:
            mount(database, active, now=now)
        if generation in (Generation.EXCHANGE_2003, Generation.EXCHANGE_2007):
            tell_space(database, active, at=now - timedelta(hours=6))
        _forget_growth(active, self.site)

    def _stream_of_group(self, database: MailboxDatabase) -> LogStream | None:
        """The log stream of a storage group, when another database has begun it."""
        wanted = (database.active_server, database.description.log_folder, database.stream.prefix)
        for each in self.databases.values():
            if (each.active_server, each.description.log_folder, each.stream.prefix) == wanted:
                return each.stream
        return None

    def _twin(self, database: MailboxDatabase, now: datetime) -> MailboxDatabase:
        description = database.description
        return make_database(description, seed=self.seed, now=now, log_bytes=self.site.log_bytes)

    def _demand_up(self, host: str) -> None:
        if self.hosts[host].down_until is not None:
            raise HostDown(host)

    def _first_due(self, now: datetime) -> _Due | None:
        return min((each for each in self._coming() if each.at <= now), default=None)

    def _coming(self) -> list[_Due]:
        found = [_Due(each.at, "reboot", each.host) for each in self.faults.reboots]
        found += [
            _Due(each.at, "foreign-backup", each.host) for each in self.faults.foreign_backups
        ]
        for host in self.hosts.values():
            if host.down_until is not None:
                found.append(_Due(host.down_until, "up", host.name))
                continue
            found += [
                _Due(each.speaks_at, "sentinel", f"{host.name}|{each.task}")
                for each in host.sentinels.values()
                if not each.has_spoken
            ]
        for (host_name, job_id), job in self.jobs.items():
            if job.next_change is not None:
                found.append(_Due(job.next_change, "job", f"{host_name}|{job_id}"))
        for index, run in enumerate(self.backups):
            if run.completes_at is not None and not run.is_over:
                found.append(_Due(run.completes_at, "backup-complete", str(index)))
            elif run.is_running and run.job is None:
                found.append(_Due(run.ends_at, "backup-end", str(index)))
        for database in self.databases.values():
            for server, copy in database.passive.items():
                if copy.seed_ends is not None:
                    found.append(_Due(copy.seed_ends, "seed", f"{database.name}|{server}"))
        for index, request in enumerate(self.repairs):
            if request.ends_at is not None:
                found.append(_Due(request.ends_at, "repair", str(index)))
        return found

    def _happen(self, due: _Due) -> None:
        actions: Mapping[str, Callable[[_Due], None]] = {
            "reboot": self._happen_reboot,
            "up": self._happen_up,
            "sentinel": self._happen_sentinel,
            "job": self._happen_job,
            "foreign-backup": self._happen_foreign_backup,
            "backup-end": lambda each: backup_engine.end_run(
                self, self.backups[int(each.where)], each.at
            ),
            "backup-complete": lambda each: backup_engine.complete_run(
                self, self.backups[int(each.where)], each.at
            ),
            "repair": self._happen_repair,
            "seed": self._happen_seed,
        }
        actions[due.what](due)

    def _happen_repair(self, due: _Due) -> None:
        request = self.repairs[int(due.where)]
        finish_request(request, self.databases)
        database = self.databases[request.database]
        tell(request, self.host_of(database), database, at=due.at)

    def _happen_seed(self, due: _Due) -> None:
        name, _, server = due.where.rpartition("|")
        end_seed(self, self.database_named(name), server)

    def _happen_reboot(self, due: _Due) -> None:
        planned = next(
            each for each in self.faults.reboots if (each.at, each.host) == (due.at, due.where)
        )
        self.faults.reboots.remove(planned)
        self._go_down(self.hosts[due.where], due.at)

    def _go_down(self, host: Host, moment: datetime) -> None:
        for run in self.backups:
            if host.name in (run.host, run.job_host) and not run.is_over:
                backup_engine.abort_run(self, run, moment)
        for (host_name, _), job in self.jobs.items():
            if host_name == host.name and job.state in (jobs.REQUESTED, jobs.RUNNING):
                if job.state == jobs.RUNNING:
                    jobs.proceed(job, host, moment)
                if job.state != jobs.ENDED:
                    jobs.lose(job, host)
        break_seeds(self, host.name)
        for database in self.databases.values():
            if database.mounted_on == host.name:
                lose(database)
        host.go_down(moment, boot_s=self.site.times.boot)
        self.note("reboot", host=host.name)

    def _happen_up(self, due: _Due) -> None:
        host = self.hosts[due.where]
        host.come_up(due.at)
        arrive(self, host)
        start_automatic(host)
        for database in self.databases.values():
            if database.active_server != host.name:
                copy = database.passive.get(host.name)
                if copy is not None and not (copy.is_suspended or copy.has_failed):
                    hold_copy(database, host.files)
                continue
            if not comes_up_mounted(host, database) or database.description.is_recovery:
                continue
            try:
                mount(database, host, now=due.at)
            except MountRefused:
                continue  # the event log has it; the database stays down, as it would
            part_ways(self, database)
            self.note("mount-at-startup", host=host.name, database=database.name)
        host.move = None

    def _happen_sentinel(self, due: _Due) -> None:
        host_name, _, task = due.where.partition("|")
        host = self.hosts[host_name]
        sentinel = host.sentinels[task]
        host.sentinels[task] = evolve(sentinel, has_spoken=True)
        silent = round((due.at - sentinel.fed_at).total_seconds())
        stands = "has suspended copies" if sentinel.what == "copies" else "is taken down"
        what = f"database {sentinel.database}"
        if sentinel.what == "server":
            what, stands = "the server", "is out of service"
        text = (
            f"The controller of run {sentinel.run} has been silent for {silent} seconds while"
            f" {what} ({sentinel.database_guid}) {stands}. Read RECOVERY.txt"
            " below "
            f"{sentinel.root}\\recovery\\{sentinel.database_guid}."
        )
        host.log(SENTINEL_PROVIDER, SENTINEL_EVENT_ID, at=due.at, text=text)
        self.note("sentinel-spoke", host=host_name, database=sentinel.database)
        for each in (*sentinel.mail_to, *([sentinel.webhook] if sentinel.webhook else [])):
            self.note("sentinel-told", host=host_name, database=sentinel.database, detail=each)

    def _happen_job(self, due: _Due) -> None:
        from goexchange.world.job_kinds import make_work

        host_name, _, job_id = due.where.partition("|")
        job, host = self.jobs[host_name, job_id], self.hosts[host_name]
        if job.state == jobs.REQUESTED:
            work = make_work(self, host, job)
            jobs.begin(job, work, host, floor_s=self.site.times.job_floor)
            self.note("job-started", host=host_name, detail=job_id)
            return
        jobs.proceed(job, host, due.at)
        for run in self.backups:
            if run.job_host == host_name and run.job == job_id and run.is_running:
                backup_engine.end_run(self, run, due.at)

    def _happen_foreign_backup(self, due: _Due) -> None:
        planned = next(
            each
            for each in self.faults.foreign_backups
            if (each.at, each.host) == (due.at, due.where)
        )
        self.faults.foreign_backups.remove(planned)
        target = self.site.shares[0].path if self.site.shares else "E:"
        backup_engine.wbadmin(
            self, self.hosts[due.where], job=None, target=target, volumes=planned.volumes
        )


def _forget_growth(host: Host, site: SiteDescription) -> None:
    """What was there at the start is not taken from the free space that a volume claims to have."""
    declared = {each.mount_point: each.free_bytes for each in host.description.volumes}
    for volume in host.files.volumes:
        volume.free_bytes = declared[volume.mount_point]
