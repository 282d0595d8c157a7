"""Backups on a host: the writer's event trail, truncation and the stamp of a full backup; and
Windows Server Backup, which takes whole volumes.

Shape: the job (wbadmin) ends first; log truncation and the stamp follow a moment later, as they do
on real servers.
Source: Exchange documentation (Windows Server Backup), ESE source jetmsg.mc (event ids).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from attrs import define

from goexchange.codec import time_text
from goexchange.ese.header import BackupKind
from goexchange.ese.structures import BackupRecord
from goexchange.world.backup_2003 import begun, completed, is_streamed, stopped, truncated
from goexchange.world.databases import MailboxDatabase, backup_record, change_header
from goexchange.world.events import WINDOWS_BACKUP
from goexchange.world.files import FileProblem, FileRefused, HostFiles, VolumeState, join
from goexchange.world.hosts import Host
from goexchange.world.work import Ending, Work, Write

if TYPE_CHECKING:
    from goexchange.world.world import World

_BANNER = (
    "wbadmin 1.0 - Backup command-line tool",
    "(C) Copyright Microsoft Corporation. All rights reserved.",
    "",
)
_FAILED_EXIT = -3
_ENGINE_PROCESS = "wbengine"
_FREEZE_EVENTS = (
    (2005, "Shadow copy instance 1 starting. This will be a Full shadow copy."),
    (2001, "Shadow copy instance 1 freeze started."),
    (2003, "Shadow copy instance 1 freeze ended."),
)
_STEPS = (12, 37, 61, 88, 100)


@define(kw_only=True)
class BackupRun:
    """One run: `covered` are the mounted databases whose file and logs lie on the volumes; `job` is
    ours, or None; a `is_fake` one only moves the stamp.
    """

    host: str
    job: str | None
    volumes: tuple[str, ...]
    covered: tuple[UUID, ...]
    target: str
    started_at: datetime
    ends_at: datetime
    is_failing: bool = False
    completes_at: datetime | None = None
    process_id: int = 0
    is_over: bool = False
    is_windows_backup: bool = True
    is_fake: bool = False
    group: str | None = None  # of Exchange 2003: a storage group that ntbackup streams out
    leaves_out: str = ""  # files of this kind are not read
    begun_from: str | None = None  # the machine of our job, where that is not the host itself

    @property
    def job_host(self) -> str:
        """Where the job is that began it."""
        return self.begun_from or self.host

    @property
    def snapshot_at(self) -> datetime:
        """When the shadow copy was made: a little after the start; this is the time of the
        backup.
        """
        tenth = (self.ends_at - self.started_at) / 10
        return self.started_at + max(tenth, timedelta(milliseconds=10))

    @property
    def is_running(self) -> bool:
        """Whether the job itself is still going on."""
        return self.completes_at is None and not self.is_over


def wbadmin(
    world: World, host: Host, *, job: str | None, target: str, volumes: Sequence[str]
) -> Work:
    """`wbadmin start backup ... -vssFull -quiet`: begins a run, or says why not."""
    if any(run.host == host.name and run.is_running for run in world.backups):
        words = (
            "ERROR - Another backup or recovery operation is in progress. Wait for the current"
            " operation to finish."
        )
        return _refused(words)
    try:
        included = tuple(_volume(host.files, each) for each in volumes)
        target_volume = _volume(host.files, target)
    except FileRefused as refusal:
        return _refused(f"ERROR - The specified volume cannot be found: {refusal.path}")
    if target_volume in included:
        return _refused("ERROR - The backup storage location is one of the volumes to back up.")
    run = _begin(world, host, job=job, target=target, volumes=included)
    seconds = (run.ends_at - run.started_at).total_seconds()
    content = _image(world, run, host)
    spoken = tuple(
        (percent / 100 * 0.98, _text(_progress(run, host, target, percent))) for percent in _STEPS
    )
    exit_code = _FAILED_EXIT if run.is_failing else 0
    ending = Ending(
        exit_code=exit_code,
        output=_text(_summary(run, host)),
        result={"error_output": ""},
    )
    writes = () if run.is_failing else (Write(path=_image_path(run), content=content),)
    return Work(
        process="wbadmin",
        seconds=seconds,
        ending=ending,
        writes=writes,
        spoken=((0.0, _text((*_BANNER, "Retrieving volume information..."))), *spoken),
    )


def end_run(world: World, run: BackupRun, moment: datetime) -> None:
    """The job of a run has ended: well, or as the run was to fail."""
    host = world.hosts[run.host]
    host.end_process(run.process_id)
    if not run.is_windows_backup:
        if run.is_failing:
            abort_run(world, run, moment)
        elif run.group is not None:
            complete_run(world, run, moment)  # the engine is told before the program ends
        else:
            run.completes_at = moment + timedelta(seconds=world.site.times.backup_completion)
        return
    if run.is_failing:
        host.windows_backup.last_result = -2139619228
        text = f"The backup operation that started at '{time_text(run.started_at)}' has failed."
        host.log(WINDOWS_BACKUP, 5, at=moment, text=text, log=WINDOWS_BACKUP)
        abort_run(world, run, moment)
        return
    host.windows_backup.last_success = moment
    host.windows_backup.last_result = 0
    host.windows_backup.versions += 1
    host.log(
        WINDOWS_BACKUP,
        4,
        at=moment,
        text="The backup operation has finished successfully.",
        log=WINDOWS_BACKUP,
    )
    host.log(
        WINDOWS_BACKUP,
        14,
        at=moment,
        text="The backup operation has completed.",
        log=WINDOWS_BACKUP,
    )
    run.completes_at = moment + timedelta(seconds=world.site.times.backup_completion)


def complete_run(world: World, run: BackupRun, moment: datetime) -> None:
    """The writer has heard that the backup is complete: truncate, stamp, say so."""
    host = world.hosts[run.host]
    run.is_over = True
    covered = _covered(world, run)
    if run.group is not None and covered and not run.is_fake:
        completed(covered, host, at=moment, leaves_out=run.leaves_out)
    for database in covered:
        if database.mounted_on != run.host or not database.is_backup_running:
            continue
        stream = database.stream
        if run.group is not None:
            pass
        elif is_streamed(host) and not run.is_fake:
            completed((database,), host, at=moment)
        elif not run.is_fake:
            _engine_event(
                host,
                database,
                event_id=2006,
                at=moment,
                text="Shadow copy instance 1 completed successfully.",
            )
        change_header(
            host.files,
            database.edb_path,
            previous_full_backup=backup_record(stream.position, run.snapshot_at),
            previous_full_backup_kind=BackupKind.OS_SNAPSHOT,
            current_snapshot_backup=BackupRecord(),
        )
        database.is_backup_running = False
        if run.is_fake:
            continue
        deleted = stream.truncate(host.files)
        event_id, text = 225, "No log files can be truncated."
        if deleted is not None:
            first, last = (stream.path_of(each) for each in deleted)
            event_id, text = 224, f"Deleting log files {first} to {last}."
        if is_streamed(host):
            truncated(database, host, at=moment, told=(event_id, text))
        else:
            _engine_event(host, database, event_id=event_id, at=moment, text=text)
        world.note(
            "full-backup", host=run.host, database=database.name, detail=run.job or "foreign"
        )


def abort_run(world: World, run: BackupRun, moment: datetime) -> None:
    """A run ends without its end: failed, cancelled, or lost with the host."""
    host = world.hosts[run.host]
    host.end_process(run.process_id)
    run.is_over = True
    for database in _covered(world, run):
        if database.is_backup_running:
            database.is_backup_running = False
            if is_streamed(host):
                if run.group is None or database.guid == run.covered[0]:
                    stopped(database, host, at=moment)
                continue
            _engine_event(
                host, database, event_id=2007, at=moment, text="Shadow copy instance 1 aborted."
            )


def is_covered(database: MailboxDatabase, files: HostFiles, volumes: Sequence[VolumeState]) -> bool:
    """Whether file and logs both lie on the volumes: only then a backup of them is one of the
    database.
    """
    return (
        files.volume_of(database.edb_path) in volumes
        and files.volume_of(database.stream.folder) in volumes
    )


def _begin(
    world: World, host: Host, *, job: str | None, target: str, volumes: tuple[VolumeState, ...]
) -> BackupRun:
    now = world.now()
    covered = tuple(
        database
        for database in world.databases.values()
        if database.mounted_on == host.name and is_covered(database, host.files, volumes)
    )
    size = sum(_used_bytes(host.files, volume) for volume in volumes)
    run = BackupRun(
        host=host.name,
        job=job,
        volumes=tuple(volume.mount_point for volume in volumes),
        covered=tuple(database.guid for database in covered),
        target=target,
        started_at=now,
        ends_at=now + timedelta(seconds=_seconds(world, size)),
        is_failing=world.faults.take_backup(),
    )
    run.process_id = host.start_process(_ENGINE_PROCESS, now)
    host.log(
        WINDOWS_BACKUP, 1, at=now, text="The backup operation has started.", log=WINDOWS_BACKUP
    )
    return _freeze(world, host, run)


def begin_other_run(
    world: World,
    host: Host,
    *,
    job: str,
    covered: Sequence[MailboxDatabase],
    is_fake: bool,
    group: str | None = None,
    begun_from: str | None = None,
) -> BackupRun:
    """A vendor's agent, diskshadow, or ntbackup of a storage group, begins a backup of these; a job
    on another machine may be what begins it.
    """
    now = world.now()
    size = sum(host.files.size(each.edb_path) for each in covered)
    run = BackupRun(
        host=host.name,
        job=job,
        volumes=(),
        covered=tuple(each.guid for each in covered),
        target="",
        started_at=now,
        ends_at=now + timedelta(seconds=_seconds(world, size)),
        is_windows_backup=False,
        is_fake=is_fake,
        group=group,
        begun_from=begun_from,
    )
    return _freeze(world, host, run)


def _seconds(world: World, size: int) -> float:
    return max(world.site.times.job_floor, size / world.site.rates.backup)


def _freeze(world: World, host: Host, run: BackupRun) -> BackupRun:
    """The writer freezes and thaws what is covered; a fake one asks for nothing of the sort."""
    now = world.now()
    world.backups.append(run)
    for database in _covered(world, run):
        database.is_backup_running = True
        if is_streamed(host):
            is_first = run.group is None or database.guid == run.covered[0]
            if not run.is_fake and is_first:
                begun(database, host, at=now)
            continue
        for event_id, text in () if run.is_fake else _FREEZE_EVENTS:
            _engine_event(host, database, event_id=event_id, at=now, text=text)
    world.note("backup-started", host=host.name, detail=",".join(run.volumes))
    return run


def _covered(world: World, run: BackupRun) -> tuple[MailboxDatabase, ...]:
    return tuple(world.databases[each] for each in run.covered)


def _volume(files: HostFiles, text: str) -> VolumeState:
    """The volume of `D:`, of a mount point, or the share of a path on it."""
    wanted = text.rstrip("\\") + "\\"
    volume = files.volume_of(wanted)
    if volume.is_local and volume.mount_point.lower() != wanted.lower():
        raise FileRefused(FileProblem.NOT_FOUND, text)
    return volume


def _used_bytes(files: HostFiles, volume: VolumeState) -> int:
    return sum(
        files.size(path)
        for path in files.below(volume.mount_point)
        if files.volume_of(path) is volume
    )


def _image_path(run: BackupRun) -> str:
    stamp = f"{run.started_at:%Y-%m-%d %H%M%S}"
    return join(run.target, "WindowsImageBackup", run.host, f"Backup {stamp}", "catalog.json")


def _image(world: World, run: BackupRun, host: Host) -> bytes:
    """What a restore could bring back: the databases with size and signature, as they were at the
    snapshot.
    """
    databases = [
        {
            "database": database.name,
            "path": database.edb_path,
            "size_bytes": host.files.size(database.edb_path),
            "signature": database.attached_signature.random,
        }
        for database in _covered(world, run)
    ]
    content = {
        "started_at": time_text(run.started_at),
        "volumes": run.volumes,
        "databases": databases,
    }
    return json.dumps(content, sort_keys=True, ensure_ascii=False).encode()


def _progress(run: BackupRun, host: Host, target: str, percent: int) -> tuple[str, ...]:
    first = (
        ()
        if percent > _STEPS[0]
        else (
            f"This will back up {', '.join(_labels(run, host))} to {target}.",
            f"The backup operation to {target} is starting.",
            "Creating a shadow copy of the volumes specified for backup...",
        )
    )
    return (
        *first,
        *(
            f"Creating a backup of volume {label}, copied ({percent}%)."
            for label in _labels(run, host)
        ),
    )


def _labels(run: BackupRun, host: Host) -> tuple[str, ...]:
    labels = {each.mount_point: each.label for each in host.files.volumes}
    return tuple(f"{labels[point]}({point.rstrip(chr(92))})" for point in run.volumes)


def _summary(run: BackupRun, host: Host) -> tuple[str, ...]:
    if run.is_failing:
        return (
            "Summary of the backup operation:",
            "------------------",
            "",
            "The backup operation stopped before completing.",
            "Detailed error: The device is not ready.",
            "",
        )
    log = f"C:\\Windows\\Logs\\WindowsServerBackup\\Backup-{run.ends_at:%d-%m-%Y_%H-%M-%S}.log"
    return (
        "Summary of the backup operation:",
        "------------------",
        "",
        "The backup operation successfully completed.",
        *(f"The backup of volume {label} completed successfully." for label in _labels(run, host)),
        "Log of files successfully backed up:",
        log,
        "",
    )


def _refused(words: str) -> Work:
    output = _text((*_BANNER, words, ""))
    ending = Ending(exit_code=_FAILED_EXIT, output=output, result={"error_output": ""})
    return Work(process="wbadmin", seconds=0.1, ending=ending)


def _engine_event(
    host: Host, database: MailboxDatabase, *, event_id: int, at: datetime, text: str
) -> None:
    instance = f"Information Store - {database.name} (4711) {database.name}: "
    host.log("ESE", event_id, at=at, text=instance + text)


def _text(lines: Sequence[str]) -> bytes:
    return "".join(line + "\r\n" for line in lines).encode("cp437", "replace")
