"""A full backup by diskshadow on a host: shadow copies of volumes, a copy out of them that is
verified, the end of the backup that truncates.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from goexchange.codec import time_text
from goexchange.world.backup_engine import BackupRun, begin_other_run, is_covered
from goexchange.world.chance import guid
from goexchange.world.disk import MemoryDisk
from goexchange.world.eseutil import Bench, run_eseutil
from goexchange.world.faults import ShadowTrouble
from goexchange.world.files import HostFiles, join
from goexchange.world.hosts import Host
from goexchange.world.jobs import HostJob
from goexchange.world.transfers import damaged
from goexchange.world.work import Ending, Work, Write

if TYPE_CHECKING:
    from goexchange.world.world import World

_PROCESS = "diskshadow"
_BANNER = ("Microsoft DiskShadow version 1.0", "Copyright (C) 2013 Microsoft Corporation", "")
_STOPPED = 1


@frozen(kw_only=True)
class _Copied:
    """What was copied out of the shadow copies: the files, and what `/k` said of each database."""

    files: tuple[dict[str, Any], ...]
    checks: tuple[dict[str, Any], ...]
    writes: tuple[Write, ...]
    seconds: float

    @property
    def is_sound(self) -> bool:
        """Whether every copy is what was read, and its pages are sound."""
        is_same = all(one["sha256"] == one["read_sha256"] for one in self.files)
        return is_same and all(one["exit_code"] == 0 for one in self.checks)


def shadow_backup(world: World, host: Host, job: HostJob, *, bench: Bench) -> Work:
    """The job: the script of diskshadow with the copy inside it."""
    request = job.request
    if any(run.host == host.name and run.is_running for run in world.backups):
        return _nothing_created("Another shadow copy operation is already in progress.")
    trouble = world.faults.take_shadow()
    if trouble is ShadowTrouble.WRITER_FAILS:
        return _nothing_created("The component is excluded, or the writer has failed.")
    target = join(request["target"], job.job)
    copied = _copy(world, host, {**request, "target": target}, bench)
    run = _begin(world, host, job, trouble)
    seconds = max((run.ends_at - run.started_at).total_seconds(), copied.seconds)
    run.ends_at = run.started_at + timedelta(seconds=seconds)
    is_whole = copied.is_sound and trouble is not ShadowTrouble.COPY_FAILS
    is_ended = is_whole and trouble is not ShadowTrouble.NOT_ENDED
    run.is_failing = not is_ended
    made = {
        "at": time_text(run.ends_at),
        "files": list(copied.files) if is_whole else list(copied.files[:1]),
        "checks": list(copied.checks) if trouble is not ShadowTrouble.COPY_FAILS else [],
        "message": None if is_whole else _why(copied),
    }
    stays = trouble is ShadowTrouble.STAYS
    result = {
        "ended": is_ended,
        "copied": made,
        "left": [join(job.folder, "shadow-1")] if stays else [],
        "error_output": "",
    }
    exit_code = 0 if is_ended else _STOPPED
    return Work(
        process=_PROCESS,
        seconds=seconds,
        writes=copied.writes,
        spoken=((0.0, _text(_BANNER)), (0.05, _text(_created(world, host, job)))),
        ending=Ending(exit_code=exit_code, output=b"", result=result),
    )


def _begin(world: World, host: Host, job: HostJob, trouble: ShadowTrouble | None) -> BackupRun:
    """The writer takes the databases that are mounted there with file and logs on the volumes."""
    volumes = tuple(host.files.volume_of(each) for each in job.request["volumes"])
    covered = tuple(
        each
        for each in world.databases.values()
        if each.mounted_on == host.name
        and is_covered(each, host.files, volumes)
        and trouble is not ShadowTrouble.LEAVES_OUT
    )
    is_fake = trouble is ShadowTrouble.FAKE_STAMP
    return begin_other_run(world, host, job=job.job, covered=covered, is_fake=is_fake)


def _copy(world: World, host: Host, request: Mapping[str, Any], bench: Bench) -> _Copied:
    """Copy every database with its logs as they are now; damage is what nobody notices but the
    look afterwards.
    """
    damage = world.faults.take_copy()
    files, checks, writes = [], [], []
    for database in request["databases"]:
        for path in _files_of(database, host.files):
            content = host.files.read(path)
            target = join(request["target"], path.replace(":", "").lstrip("\\"))
            is_hit = damage is not None and path == database["path"]
            on_disk = damaged(content, damage) if is_hit and damage is not None else content
            damage = None if is_hit else damage
            files.append(_entry(target, content, on_disk))
            writes.append(Write(path=f"{target}.partial", renamed_to=target, content=on_disk))
            if path == database["path"]:
                checks.append(_checked(world, host, (target, on_disk), bench))
    size = sum(len(each.content) for each in writes)
    seconds = size / world.site.rates.copy + size / world.site.rates.hash
    return _Copied(files=tuple(files), checks=tuple(checks), writes=tuple(writes), seconds=seconds)


def _files_of(database: Mapping[str, Any], files: HostFiles) -> list[str]:
    stem = join(database["log_folder"], database["log_prefix"]).lower()
    logs = [
        path
        for path in files.names_in(database["log_folder"])
        if path.lower().startswith(stem) and path.lower().endswith((".log", ".chk"))
    ]
    return [database["path"], *logs]


def _checked(world: World, host: Host, copy: tuple[str, bytes], bench: Bench) -> dict[str, Any]:
    """What `eseutil /k` says of a copy, as it lies on the disk."""
    path, content = copy
    scratch = HostFiles(host.name, MemoryDisk(), world)
    for volume in host.description.volumes:
        scratch.add_volume(evolve(volume, free_bytes=volume.size_bytes))
    for share in world.site.shares:
        scratch.add_share(share)
    scratch.write(path, content)
    ending = run_eseutil(("/k", path), evolve(bench, files=scratch)).ending
    output = base64.b64encode(ending.output).decode()
    return {"path": path, "exit_code": ending.exit_code, "output": output}


def _entry(path: str, content: bytes, on_disk: bytes) -> dict[str, Any]:
    return {
        "path": path,
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "read_sha256": hashlib.sha256(on_disk).hexdigest(),
    }


def _why(copied: _Copied) -> str:
    bad = [one["path"] for one in copied.files if one["sha256"] != one["read_sha256"]]
    if bad:
        return f"the copy is not what was read: {bad[0]}"
    unsound = [one["path"] for one in copied.checks if one["exit_code"] != 0]
    if unsound:
        return f"its pages are not sound: {unsound[0]}"
    return "There is not enough space on the disk."


def _nothing_created(words: str) -> Work:
    result: dict[str, Any] = {"ended": False, "copied": None, "left": [], "error_output": ""}
    ending = Ending(exit_code=_STOPPED, output=_text((*_BANNER, words)), result=result)
    return Work(process=_PROCESS, seconds=0.5, ending=ending)


def _created(world: World, host: Host, job: HostJob) -> list[str]:
    lines = []
    volumes = job.request["volumes"]
    for index in range(1, len(volumes) + 1):
        shadow = guid(world.seed, "shadow", job.job, index)
        lines.append(f"Alias gx{index} for shadow ID {{{shadow}}} set as environment variable.")
    shadow_set = guid(world.seed, "shadow-set", job.job)
    lines.append(
        f"Alias VSS_SHADOW_SET for shadow set ID {{{shadow_set}}} set as environment variable."
    )
    lines.append(f"Number of shadow copies listed: {len(volumes)}")
    lines += [
        f"The shadow copy was successfully exposed as {join(job.folder, f'shadow-{index}')}\\."
        for index in range(1, len(volumes) + 1)
    ]
    return lines


def _text(lines: Sequence[str]) -> bytes:
    return "".join(line + "\r\n" for line in lines).encode("cp437", "replace")
