"""ntbackup of Windows Server 2003: streams the mounted stores of a storage group out of the engine
into one file, tells its exit code nothing, and writes a log in words of its own.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from attrs import frozen

from goexchange.codec import time_text
from goexchange.model.streaming_file import streaming_beside
from goexchange.world.backup_2003 import begun, completed
from goexchange.world.backup_engine import BackupRun, begin_other_run
from goexchange.world.databases import MailboxDatabase
from goexchange.world.faults import NtbackupTrouble
from goexchange.world.files import FileRefused, join
from goexchange.world.hosts import Host
from goexchange.world.jobs import HostJob
from goexchange.world.objects_2007 import storage_group_of
from goexchange.world.work import Ending, Work, Write, failure

if TYPE_CHECKING:
    from goexchange.world.world import World

_PROCESS = "ntbackup"
_LINE = re.compile(r"JET ([^\\]+)\\Microsoft Information Store\\([^\\]+)\\\Z")
_HEADER = b"TAPE" + bytes(60)  # the first block of a file in Microsoft's tape format
_PROFILE = (
    "C:\\Documents and Settings\\Default User\\Local Settings\\Application Data\\Microsoft"
    "\\Windows NT\\NTBackup\\data"
)



@frozen(kw_only=True)
class _Made:
    """What a run leaves: the content of its file, None where it leaves none."""

    content: bytes | None
    seconds: float | None


def ntbackup(world: World, host: Host, job: HostJob) -> Work:
    """`ntbackup backup @selection.bks /J goexchange /F file.bkf ... /M normal`."""
    trouble = world.faults.take_ntbackup()
    others = {each.process_name for each in host.processes.values()}
    if trouble is NtbackupTrouble.RUNNING or _PROCESS in others:
        return _ended(_result(job, host, ended="running-already"), exit_code=-1)
    group = _selected(host, job.request["selection"])
    stores = [
        each
        for each in world.databases.values()
        if each.mounted_on == host.name and storage_group_of(each).lower() == group.lower()
    ]
    path = join(job.request["target"], f"{job.job}.bkf")
    try:
        host.files.volume_of(path)
    except FileRefused:
        return failure(f"Could not find a part of the path '{path}'.")
    is_taken = any(run.host == host.name and run.is_running for run in world.backups)
    if is_taken or not stores:  # the engine has one backup at a time; there is nothing to read
        return _written(job, host, path=path, made=_Made(content=_HEADER, seconds=2.0))
    return _streamed(world, host, job, path=path, stores=stores, trouble=trouble)


def _streamed(
    world: World,
    host: Host,
    job: HostJob,
    *,
    path: str,
    stores: Sequence[MailboxDatabase],
    trouble: NtbackupTrouble | None,
) -> Work:
    whole = _HEADER + b"".join(
        host.files.read(file) for each in stores for file in _files_of(each)
    )
    if trouble is NtbackupTrouble.FOREIGN:
        begun(stores[0], host, at=world.now() - timedelta(seconds=5))
        completed(stores, host, at=world.now() + timedelta(seconds=1))
        return _written(job, host, path=path, made=_Made(content=_HEADER, seconds=3.0))
    run = _begin(world, host, job, stores, trouble=trouble)
    seconds = (run.ends_at - run.started_at).total_seconds()
    content: bytes | None = whole
    if trouble is NtbackupTrouble.NO_FILE:
        content = None
    elif trouble in (NtbackupTrouble.SHORT_FILE, NtbackupTrouble.FAILS):
        content = whole[: len(whole) // 3]
    never = trouble is NtbackupTrouble.NEVER_ENDS
    return _written(
        job, host, path=path, made=_Made(content=content, seconds=None if never else seconds)
    )


def _begin(
    world: World,
    host: Host,
    job: HostJob,
    stores: Sequence[MailboxDatabase],
    *,
    trouble: NtbackupTrouble | None,
) -> BackupRun:
    is_fake = trouble is NtbackupTrouble.FAKE_FILE
    run = begin_other_run(
        world, host, job=job.job, covered=stores, is_fake=is_fake,
        group=storage_group_of(stores[0]),
    )  # fmt: skip
    run.is_failing = trouble in (NtbackupTrouble.FAILS, NtbackupTrouble.NEVER_ENDS)
    run.leaves_out = ".stm" if trouble is NtbackupTrouble.LEAVES_OUT else ""
    return run


def _selected(host: Host, lines: Sequence[str]) -> str:
    """The storage group that the selection names; nothing where it names another server."""
    match = _LINE.match(lines[0]) if len(lines) == 1 else None
    return match[2] if match and match[1].lower() == host.name.lower() else ""


def _files_of(database: MailboxDatabase) -> tuple[str, str]:
    return database.edb_path, streaming_beside(database.edb_path)


def _written(job: HostJob, host: Host, *, path: str, made: _Made) -> Work:
    """The file as far as it came; the exit code is the same whatever became of it."""
    result = _result(job, host, ended="process")
    if made.content is not None:
        at = time_text(host.booted_at if made.seconds is None else _end_of(job, made.seconds))
        result["file"] = {"path": path, "size_bytes": len(made.content), "written_at": at}
    writes = () if made.content is None else (Write(path=path, content=made.content),)
    return _ended(result, exit_code=0, seconds=made.seconds, writes=writes)


def _end_of(job: HostJob, seconds: float) -> Any:
    assert job.starts_at is not None
    return job.starts_at + timedelta(seconds=seconds)


def _result(job: HostJob, host: Host, *, ended: str) -> dict[str, Any]:
    is_running = ended == "running-already"
    words = "Backup Status\r\nOperation: Backup\r\n"
    log = {"path": join(_PROFILE, "backup01.log"), "content": _utf16(words)}
    sizes = [
        {"path": path, "size_bytes": host.files.size(path)} for path in job.request["files"]
    ]
    return {
        "ended": ended,
        "file": None,
        "sizes": [] if is_running else sizes,
        "was_other_seen": is_running,
        "log": None if is_running else log,
        "error_output": "",
    }


def _utf16(text: str) -> str:
    return base64.b64encode(text.encode("utf-16-le")).decode()


def _ended(
    result: dict[str, Any],
    *,
    exit_code: int,
    seconds: float | None = 0.5,
    writes: Sequence[Write] = (),
) -> Work:
    return Work(
        process=_PROCESS,
        seconds=seconds,
        ending=Ending(exit_code=exit_code, result=result),
        disk_full=Ending(exit_code=exit_code, result={**result, "file": None}),
        writes=tuple(writes),
    )
