"""What each kind of host job does when its child starts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import evolve

from goexchange.ese.structures import LogTime, Signature
from goexchange.model.mta import MTA_SERVICE
from goexchange.world.accounts import denied_path, is_denied
from goexchange.world.backup_engine import wbadmin
from goexchange.world.chance import number
from goexchange.world.engines import engine_of
from goexchange.world.eseutil import Bench, mode_of, run_eseutil
from goexchange.world.faults import Damage
from goexchange.world.hosts import Host
from goexchange.world.isinteg import isinteg
from goexchange.world.jobs import HostJob
from goexchange.world.mta import run_mtacheck
from goexchange.world.ntbackup import ntbackup
from goexchange.world.scripts_trial import try_folders
from goexchange.world.sealing import await_verdict, seal_by_job
from goexchange.world.service_jobs import restore_services, stop_services
from goexchange.world.shadow_backup import shadow_backup
from goexchange.world.transfers import (
    KNOWN_COMMANDS,
    copy_files,
    export_configuration,
    hash_files,
    run_command,
)
from goexchange.world.vendor_agent import HOLD, RELEASE, hold_backups, watch_agent
from goexchange.world.work import Work, failure

if TYPE_CHECKING:
    from goexchange.world.world import World


def make_work(world: World, host: Host, job: HostJob) -> Work:
    """The work of a job, by its kind."""
    request, files, rates = job.request, host.files, world.site.rates
    if job.kind == "try-folders":
        return try_folders(
            request, files, is_denied=lambda path: is_denied(world, host, job.account, path)
        )
    denied = denied_path(world, host, job)
    if denied is not None:
        return failure(f"Access to the path '{denied}' is denied.")
    if job.kind == "seal-set":
        return seal_by_job(world, host, request)
    if job.kind == "await-verdict":
        return await_verdict(request)
    if job.kind == "eseutil":
        return _eseutil(world, host, job)
    if job.kind == "copy-files":
        held = min(rates.copy, request.get("bytes_per_s", rates.copy))
        rates = evolve(rates, copy=held)
        return copy_files(request, files, rates, damage=_damage(world, job))
    if job.kind == "hash-files":
        return hash_files(request["files"], files, rates)
    if job.kind == "export-configuration":
        return export_configuration(request, files, rates)
    if job.kind == "wbadmin":
        work = wbadmin(
            world, host, job=job.job, target=request["target"], volumes=request["volumes"]
        )
        return _as_captured(work)
    if job.kind == "agent":
        return watch_agent(world, host, job)
    if job.kind == "diskshadow":
        return _as_captured(shadow_backup(world, host, job, bench=bench_for(world, host)))
    if job.kind == "ntbackup":
        return ntbackup(world, host, job)
    if job.kind == "isinteg":
        return isinteg(world, host, request)
    if job.kind == "mtacheck":
        return run_mtacheck(host, request, words=world.faults.other_words.get(job.kind, ("", "")))
    if job.kind in ("stop-services", "restore-services"):
        return _services(world, host, job)
    if request["command"] in (HOLD, RELEASE):
        return hold_backups(world, host, request["command"])
    known = KNOWN_COMMANDS.get(tuple(request["command"]))
    if known is not None and known.restarts_after is not None:
        at = world.now() + timedelta(seconds=known.restarts_after)
        world.faults.reboot(host.name, at=at)
    return run_command(request["command"], request["follow"])


def _services(world: World, host: Host, job: HostJob) -> Work:
    """Stopped or put back; that the message transfer agent changed is remembered."""
    before = _is_mta_running(host)
    play = stop_services if job.kind == "stop-services" else restore_services
    work = play(host, job.request)
    if _is_mta_running(host) != before:
        kind = "mta-stopped" if before else "mta-started"
        world.note(kind, host=host.name, detail=job.job)
    return work


def _is_mta_running(host: Host) -> bool:
    return MTA_SERVICE in host.services and host.services[MTA_SERVICE].state == "Running"


def bench_for(world: World, host: Host, *, fault: int | None = None) -> Bench:
    """What the database utility works with on a host, now."""
    now = world.now()
    random = number(world.seed, "defragmented", host.name, now.isoformat(), len(world.effects))
    return Bench(
        files=host.files,
        rates=world.site.rates,
        floor_s=world.site.times.job_floor,
        new_signature=Signature(random=random, created=LogTime.at(now)),
        engine=engine_of(host.description.generation),
        fault=fault,
        at=now,
    )


def _eseutil(world: World, host: Host, job: HostJob) -> Work:
    arguments, tool = job.request["arguments"], job.request["eseutil"]
    for path in job.request["must_not_exist"]:
        if host.files.exists(path):
            return failure(f"already there: {path}")
    if tool.lower() != host.description.eseutil_path.lower():
        return failure(f"could not be started: {tool}")
    fault = world.faults.take_eseutil(mode_of(arguments))
    work = run_eseutil(arguments, bench_for(world, host, fault=fault))
    if mode_of(arguments) == "/d" and work.writes:
        world.note("rebuild", host=host.name, detail=job.job)
    return _as_captured(work, world.faults.other_words.get(mode_of(arguments), ("", "")))


def _as_captured(work: Work, words: tuple[str, str] = ("", "")) -> Work:
    """The output as the job runner writes it down: read line by line in the OEM code page, written
    as UTF-8; a build with other `words` prints the second for the first.
    """

    def captured(text: bytes) -> bytes:
        lines = text.decode("cp437").replace("\r\r\n", "\n\n").replace("\r\n", "\n")
        lines = lines.replace(*words) if words[0] else lines
        return lines.replace("\n", "\r\n").encode()

    return evolve(
        work,
        ending=evolve(work.ending, output=captured(work.ending.output)),
        disk_full=evolve(work.disk_full, output=captured(work.disk_full.output)),
        spoken=tuple((moment, captured(text)) for moment, text in work.spoken),
    )


def _damage(world: World, job: HostJob) -> Damage | None:
    has_database = any(
        each["destination"].lower().endswith(".edb") for each in job.request["files"]
    )
    return world.faults.take_copy() if has_database else None
