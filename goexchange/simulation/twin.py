"""A twin of the hosts of a plan, built from the facts in the plan alone.

Shape: files are scaled down to a few pages and the rates with them, so that everything lasts as
long as the plan estimates. What the plan saw of a server is what the twin's observation says of it,
but for what changes in the night.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from attrs import define, evolve

from goexchange.model.accounts import is_managed
from goexchange.model.actual import (
    ActualDatabase,
    ActualHost,
    ActualMta,
    ActualServer,
    Generation,
)
from goexchange.model.machines import is_machine
from goexchange.model.plan import Action, JobCall, Plan, ScriptCall
from goexchange.model.unknown import Unknown
from goexchange.simulation.night import Night, night_of
from goexchange.simulation.trouble import TroubledPerformer, servers_of
from goexchange.world.chance import number
from goexchange.world.clock import ManualClock
from goexchange.world.disk import MemoryDisk
from goexchange.world.site import (
    PAGE_BYTES,
    AccountDescription,
    DatabaseDescription,
    GroupDescription,
    MtaDescription,
    Rates,
    ServerDescription,
    ShareDescription,
    SiteDescription,
    TimeConstants,
    VolumeDescription,
    machine,
)
from goexchange.world.world import World

PAGES_MAX, PAGES_MIN = 96, 40
LOG_BYTES = 64 * 1024
WORLD_SEED = 1  # files of every run are the same: they are built once in a process
SLOWEST, FASTEST = 1.6, 0.7  # of the plan's estimates, by scenario
_RATES: Mapping[str, tuple[Action, ...]] = {
    "rebuild": (Action.REBUILD,),
    "copy": (Action.COPY_SET,),
    "checksum": (Action.DETECT_ERRORS,),
    "integrity": (Action.DETECT_ERRORS,),
    "hash": (Action.HASH_SET,),
    "backup": (Action.ONLINE_BACKUP,),
}


@define(kw_only=True)
class TwinPerformer(TroubledPerformer):
    """Performs on the twin, and sees its servers as the plan saw the real ones."""

    plan: Plan
    first: dict[str, ActualServer]

    def observe(self, server: str, databases: tuple[str, ...]) -> ActualServer:
        """The plan's facts, with what has changed on the twin since the beginning."""
        now = super().observe(server, databases)
        planned = next(one for one in self.plan.body.facts.servers if one.name == server)
        began = self.first.setdefault(server, now)
        return merged(planned, now, began)


def merged(planned: ActualServer, now: ActualServer, began: ActualServer) -> ActualServer:
    """The planned server with the twin's changes: `now` against `began`."""
    assert isinstance(now.host, ActualHost)
    databases = now.databases
    if isinstance(planned.databases, tuple) and isinstance(now.databases, tuple):
        named = {one.name: one for one in planned.databases}
        first = (
            {one.name: one for one in began.databases}
            if began is not now and isinstance(began.databases, tuple)
            else {}
        )
        databases = tuple(
            _database(named[one.name], one, first.get(one.name, one)) for one in now.databases
        )
    host = now.host
    if isinstance(planned.host, ActualHost):
        host = evolve(
            now.host,
            powershell_version=planned.host.powershell_version,
            is_elevated=planned.host.is_elevated,
            exsetup_version=planned.host.exsetup_version,
            eseutil_version=planned.host.eseutil_version,
            eseutil_path=planned.host.eseutil_path,
            services=planned.host.services,
        )
    return evolve(
        now,
        fqdn=planned.fqdn,
        generation=planned.generation,
        build=planned.build,
        edition=planned.edition,
        availability_group=planned.availability_group,
        databases=databases,
        host=host,
    )


def _database(
    planned: ActualDatabase, now: ActualDatabase, began: ActualDatabase
) -> ActualDatabase:
    """Who it is comes from the plan, how it is from the twin; sizes are scaled back."""
    return evolve(
        planned,
        is_mounted=now.is_mounted,
        mounted_on=now.mounted_on,
        is_mount_at_startup=now.is_mount_at_startup,
        is_backup_running=now.is_backup_running,
        last_full_backup_utc=planned.last_full_backup_utc
        if now.last_full_backup_utc == began.last_full_backup_utc
        else now.last_full_backup_utc,
        size_bytes=_scaled(planned.size_bytes, now.size_bytes, began.size_bytes),
        white_space_bytes=_scaled(
            planned.white_space_bytes, now.white_space_bytes, began.white_space_bytes
        ),
        has_moves=now.has_moves,
        has_repair_requests=now.has_repair_requests,
    )


def _scaled(planned: int | Unknown, now: int | Unknown, began: int | Unknown) -> int | Unknown:
    if isinstance(planned, Unknown) or isinstance(now, Unknown) or isinstance(began, Unknown):
        return now if isinstance(now, Unknown) else planned
    return planned if now == began or began == 0 else round(planned * now / began)


def twin_night(plan: Plan, *, seed: int, starts_at: datetime) -> Night:
    """A night of the plan on its twin; the seed chooses how fast everything is."""
    clock = ManualClock(starts_at)
    site = twin_site(plan, seed=seed)
    performer = TwinPerformer(
        world=World(site, clock, MemoryDisk(), WORLD_SEED),
        clock=clock,
        root=plan.body.rules.host_root or "C:\\ProgramData\\goexchange",
        servers=servers_of(plan),
        plan=plan,
        first={},
    )
    for server in (*site.servers, *site.machines):
        performer.observe(server.name, ())
    return night_of(plan, performer)


def start_of(plan: Plan) -> datetime:
    """When the rehearsed nights begin: as the window opens, or when the plan was made."""
    window = plan.body.window
    if window is None:
        return plan.created_at_utc
    return max(plan.created_at_utc, window.opens_at_utc + timedelta(minutes=1))


def twin_site(plan: Plan, *, seed: int = 0) -> SiteDescription:
    """The twin's site."""
    servers = tuple(_servers(plan))
    machines = tuple(_machines(plan))
    databases = tuple(_databases(plan, tuple(one.name for one in servers)))
    return SiteDescription(
        servers=servers,
        databases=databases,
        groups=tuple(_groups(plan, [one.name for one in servers])),
        shares=tuple(ShareDescription(path=path) for path in _shares(plan)),
        accounts=tuple(_accounts(plan, servers)),
        machines=machines,
        rates=_rates(plan, databases, seed),
        times=TimeConstants(mount=8.0, dismount=5.0, repair_request=60.0, boot=240.0),
        log_bytes=LOG_BYTES,
    )


def _servers(plan: Plan) -> Iterator[ServerDescription]:
    wanted = _wanted(plan)
    for index, server in enumerate(plan.body.facts.servers):
        if server.name not in wanted or is_machine(server):
            continue
        host = server.host if isinstance(server.host, ActualHost) else None
        generation = server.generation
        yield ServerDescription(
            name=server.name,
            address=f"192.0.2.{index % 250 + 1}",
            generation=Generation.EXCHANGE_2019 if isinstance(generation, Unknown) else generation,
            version=_version(host, server.build),
            edition=server.edition if isinstance(server.edition, str) else "Standard",
            volumes=tuple(_volumes(host)),
            installed_in=_installed_in(host),
            mta=_mta(server),
            availability_group=server.availability_group
            if isinstance(server.availability_group, str)
            else None,
        )


def _machines(plan: Plan) -> Iterator[ServerDescription]:
    """The machines without Exchange that steps of the plan run on, with the files that are tried
    there.
    """
    for index, seen in enumerate(plan.body.facts.servers):
        mine = [
            step for lane in plan.body.lanes for step in lane.steps if step.server == seen.name
        ]
        if mine and is_machine(seen):
            tried = [
                path
                for step in mine
                if step.action is Action.TRY_TARGET and isinstance(step.call, JobCall)
                for path in step.call.request.get("files", ())
            ]
            address = f"192.0.2.{index % 250 + 1}"
            yield machine(seen.name, address=address, programs=tuple(dict.fromkeys(tried)))


def _mta(server: ActualServer) -> MtaDescription | None:
    """Its message transfer agent, where it was seen to have one; something is damaged in it."""
    seen = server.mta
    if not isinstance(seen, ActualMta):
        return None
    damaged = MtaDescription()
    return evolve(
        damaged,
        broken_queues=damaged.queues[:1],
        damaged_objects=damaged.objects[:1],
        is_running=seen.service.state == "Running",
        folder=seen.data_folder if isinstance(seen.data_folder, str) else None,
        tool=seen.tool if isinstance(seen.tool, str) else None,
    )


def _wanted(plan: Plan) -> set[str]:
    """The servers that a step runs on, and those that hold a copy of their databases."""
    found = {step.server for lane in plan.body.lanes for step in lane.steps}
    for server in plan.body.facts.servers:
        if server.name in found and isinstance(server.databases, tuple):
            listed = [each.copies for each in server.databases]
            found |= {name for each in listed if isinstance(each, tuple) for name in each}
    return found


def _groups(plan: Plan, servers: Sequence[str]) -> Iterator[GroupDescription]:
    group_of = {
        each.name: each.availability_group
        for each in plan.body.facts.servers
        if each.name in servers and isinstance(each.availability_group, str)
    }
    for group in sorted(set(group_of.values())):
        yield GroupDescription(
            name=group,
            servers=tuple(name for name in sorted(group_of) if group_of[name] == group),
            witness_server="witness",
        )


def _version(host: ActualHost | None, build: str | Unknown) -> tuple[int, int, int, int]:
    """By the setup program; of Exchange 2003, which has none, by the build of the store."""
    known = host.exsetup_version if host is not None else "15.2.0.0"
    text = build if isinstance(known, Unknown) else known
    parts = [int(part) for part in str(text).split(".") if part.isdigit()]
    major, minor, third, revision = (*parts, 15, 2, 0, 0)[:4] if len(parts) >= 4 else (15, 2, 0, 0)
    return major, minor, third, revision


def _installed_in(host: ActualHost | None) -> str | None:
    path = host.eseutil_path if host is not None else None
    if not isinstance(path, str) or not path.lower().endswith("\\bin\\eseutil.exe"):
        return None
    return path[: -len("Bin\\eseutil.exe")]


def _volumes(host: ActualHost | None) -> Iterator[VolumeDescription]:
    if host is None or isinstance(host.volumes, Unknown):
        return
    for each in host.volumes:
        yield VolumeDescription(
            mount_point=each.mount_point,
            label=each.label,
            size_bytes=each.size_bytes,
            free_bytes=each.free_bytes,
        )


def _databases(plan: Plan, servers: Sequence[str]) -> Iterator[DatabaseDescription]:
    largest = max(_sizes(plan), default=1)
    for server in plan.body.facts.servers:
        if server.name not in servers or isinstance(server.databases, Unknown):
            continue
        for each in server.databases:
            held = each.copies if isinstance(each.copies, tuple) else ()
            others = (name for name in held if name in servers and name != server.name)
            yield evolve(
                _database_of(each, server, largest), copies=(server.name, *sorted(others))
            )


def _database_of(each: ActualDatabase, server: ActualServer, largest: int) -> DatabaseDescription:
    size = each.size_bytes if isinstance(each.size_bytes, int) else largest
    white = each.white_space_bytes if isinstance(each.white_space_bytes, int) else 0
    pages = max(PAGES_MIN, round(PAGES_MAX * size / max(largest, 1)))
    backup = each.last_full_backup_utc
    hours = None
    if isinstance(backup, datetime):
        hours = max(0.1, (server.observed_at_utc - backup).total_seconds() / 3600)
    return DatabaseDescription(
        name=each.name,
        copies=(server.name,),
        edb_path=each.edb_path,
        log_folder=each.log_folder,
        log_prefix=each.log_prefix if isinstance(each.log_prefix, str) else "E00",
        pages=pages,
        free_pages=min(pages - 12, round(pages * white / max(size, 1))),
        full_backup_hours_ago=hours,
        is_mounted=each.is_mounted is True,
        is_recovery=each.is_recovery is True,
        is_mount_at_startup=each.is_mount_at_startup is True,
        closed_logs=2,
        guid=UUID(each.guid),
    )


def _sizes(plan: Plan) -> Iterator[int]:
    for server in plan.body.facts.servers:
        if not isinstance(server.databases, Unknown):
            yield from (
                each.size_bytes for each in server.databases if isinstance(each.size_bytes, int)
            )


def _shares(plan: Plan) -> tuple[str, ...]:
    """Every share that a call of the plan names."""
    found: set[str] = set()
    for lane in plan.body.lanes:
        for step in lane.steps:
            if isinstance(step.call, JobCall):
                found.update(_unc(step.call.request))
            elif isinstance(step.call, ScriptCall):
                found.update(_unc(step.call.arguments))
    return tuple(sorted(found))


def _accounts(plan: Plan, servers: Sequence[ServerDescription]) -> Iterator[AccountDescription]:
    """Every account that a job of the plan runs as; each has its rights."""
    found = {
        step.call.account
        for lane in plan.body.lanes
        for step in lane.steps
        if isinstance(step.call, JobCall) and step.call.account is not None
    }
    for user in sorted(found):
        yield AccountDescription(
            user=user,
            password=None if is_managed(user) else "known to the twin",
            logs_on_at=tuple(each.name for each in servers),
        )


def _unc(value: object) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("\\\\"):
        parts = value.split("\\")
        if len(parts) > 3:
            yield "\\".join(parts[:4]) + "\\"
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _unc(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _unc(each)


def _rates(plan: Plan, databases: Sequence[DatabaseDescription], seed: int) -> Rates:
    """Rates at which the scaled files last as long as the plan estimates, a little more or less by
    scenario.
    """
    bytes_of = {each.name: (each.pages + 2) * PAGE_BYTES for each in databases}
    lasts: dict[str, float] = {}
    for name, actions in _RATES.items():
        for lane in plan.body.lanes:
            for step in lane.steps:
                if step.action in actions and step.estimate_s and step.database in bytes_of:
                    rate = bytes_of[step.database] / step.estimate_s
                    lasts[name] = min(rate, lasts.get(name, rate))
    spread = SLOWEST - FASTEST
    return Rates(
        **{
            name: rate / (FASTEST + spread * number(seed, "pace", name, below=1000) / 1000)
            for name, rate in lasts.items()
        }
    )
