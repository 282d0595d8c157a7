"""Host jobs: detached work with its own folder, progress by size and rate, an exit record, an end
when the host reboots.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from attrs import define

from goexchange.codec import time_text
from goexchange.world.files import FileProblem, FileRefused, HostFiles, join
from goexchange.world.hosts import Host
from goexchange.world.work import Awaited, Ending, Work

REQUESTED = "requested"
RUNNING = "running"
ENDED = "ended"
LOST = "lost"
CANCELLED_EXIT = 1223
_OUTPUT_MAX = 1024 * 1024
AWAITED_MAX = 256 * 1024


@define(kw_only=True)
class HostJob:
    """State of one job.

    Shape: `state` is one of the words of the contract of poll-job; `written` bytes have appeared so
    far; `is_cancelled` keeps a job that was ended by us apart from one that the host lost.
    """

    job: str
    kind: str
    folder: str
    task: str
    boot_id: str
    starts_at: datetime | None
    work: Work | None = None
    request: Mapping[str, Any]
    account: str | None = None
    state: str = REQUESTED
    started_at: datetime | None = None
    ended_at: datetime | None = None
    ends_at: datetime | None = None
    ending: Ending | None = None
    output: bytes = b""
    written: int = 0
    process_id: int | None = None
    is_cancelled: bool = False

    @property
    def holder(self) -> str:
        return f"job:{self.folder}"

    @property
    def next_change(self) -> datetime | None:
        """When something happens to it next."""
        if self.state == REQUESTED:
            return self.starts_at
        return self.ends_at if self.state == RUNNING else None


def begin(job: HostJob, work: Work, host: Host, *, floor_s: float) -> None:
    """The child runs: it writes its marker, opens its files, deletes what the tool deletes."""
    assert job.starts_at is not None
    moment = job.starts_at
    job.work = work
    job.state = RUNNING
    job.started_at = moment
    if work.seconds is not None:
        job.ends_at = moment + timedelta(seconds=max(work.seconds, floor_s))
    job.process_id = host.start_process(work.process, moment)
    marker = {
        "process_id": job.process_id,
        "boot_id": host.boot_id,
        "started_at": time_text(moment),
    }
    host.files.write_json(join(job.folder, "started.json"), marker)
    for path in work.deletes:
        if not host.files.is_open(path):
            host.files.delete(path)
    for path in work.holds:
        host.files.hold(path, job.holder, is_shared=True)


def proceed(job: HostJob, host: Host, now: datetime) -> bool:
    """Write as much as the time allows; True when the job has ended by it."""
    assert job.work is not None and job.started_at is not None
    fraction = 1.0
    if job.ends_at is None:
        fraction = 0.0
    elif now < job.ends_at:
        whole = (job.ends_at - job.started_at).total_seconds()
        fraction = (now - job.started_at).total_seconds() / whole
    job.output = job.work.output_at(fraction)
    try:
        _write_up_to(job, host, round(job.work.bytes_to_write * fraction))
    except FileRefused as refusal:
        if refusal.problem is not FileProblem.DISK_FULL:
            raise
        end(job, host, now, ending=job.work.disk_full)
        return True
    if job.work.awaits is not None:
        return _proceed_waiting(job, host, now, awaited=job.work.awaits)
    if job.ends_at is None or now < job.ends_at:
        return False
    end(job, host, job.ends_at, ending=job.work.ending)
    if job.work.ending.exit_code == 0:
        for source, destination in job.work.moves:
            if host.files.exists(destination):
                host.files.delete(destination)
            _move(host.files, source, destination)
    return True


def _proceed_waiting(job: HostJob, host: Host, now: datetime, *, awaited: Awaited) -> bool:
    """End when the file has come, or the time is over."""
    assert job.ends_at is not None
    there = host.files.exists(awaited.path)
    content = host.files.read(awaited.path, 0, AWAITED_MAX) if there else None
    if now < job.ends_at and (content is None or awaited.text not in content):
        return False
    packed = None if content is None else base64.b64encode(content).decode()
    result = {"exists": content is not None, "content": packed}
    end(job, host, min(now, job.ends_at), ending=Ending(exit_code=0, result=result))
    return True


def _move(files: HostFiles, source: str, destination: str) -> None:
    """As Windows moves a file: renamed on its volume, copied and deleted to another."""
    if files.volume_of(source) is files.volume_of(destination):
        files.rename(source, destination)
        return
    files.write(destination, files.read(source))
    files.delete(source)


def end(job: HostJob, host: Host, moment: datetime, *, ending: Ending) -> None:
    """The child has ended and wrote its exit record."""
    job.state = ENDED
    job.ended_at = moment
    job.ending = ending
    job.output = (job.work.output_at(1.0) if job.work else b"") + ending.output
    _close(job, host)
    record = {
        "exit_code": ending.exit_code,
        "ended_at": time_text(moment),
        "result": ending.result,
    }
    host.files.write_json(join(job.folder, "exit.json"), record)


def cancel(job: HostJob, host: Host, moment: datetime) -> None:
    """The job's processes are ended from outside, and the exit record says so."""
    job.is_cancelled = True
    job.state = ENDED
    job.ends_at = None
    job.ended_at = moment
    job.ending = Ending(exit_code=CANCELLED_EXIT)
    _close(job, host)
    record = {"exit_code": CANCELLED_EXIT, "ended_at": time_text(moment), "message": "cancelled"}
    host.files.write_json(join(job.folder, "exit.json"), record)


def lose(job: HostJob, host: Host) -> None:
    """The host went down: what ran has no exit record; what had not begun waits for another
    start.
    """
    if job.state == REQUESTED:
        job.starts_at = None
        return
    job.state = LOST
    job.ends_at = None
    _close(job, host)


def poll(
    job: HostJob | None, *, host: Host, offset: int, watch: tuple[str, ...], now: datetime
) -> dict[str, Any]:
    """What poll-job says of it, but for clock, boot id and the output's encoding."""
    output = job.output[offset : offset + _OUTPUT_MAX] if job is not None else b""
    ending = job.ending if job is not None else None
    return {
        "state": job.state if job is not None else "absent",
        "started_at": _time(job.started_at if job is not None else None),
        "started_boot_id": job.boot_id if job is not None and job.started_at else None,
        "cpu_s": _cpu_s(job, now),
        "ended_at": _time(job.ended_at if job is not None else None),
        "exit_code": ending.exit_code if ending is not None else None,
        "offset": offset + len(output),
        "output": output,
        "watched": [
            {"path": path, "size_bytes": host.files.size(path) if host.files.exists(path) else None}
            for path in watch
        ],
        "result": dict(ending.result) if ending is not None and ending.result is not None else None,
    }


def _cpu_s(job: HostJob | None, now: datetime) -> float | None:
    """Work that never ends waits for something: it uses no time."""
    if job is None or job.state != RUNNING or job.started_at is None:
        return None
    return 0.0 if job.ends_at is None else (now - job.started_at).total_seconds()


def write_request(job: HostJob, host: Host) -> None:
    """The first file of a job's folder."""
    content = {"job": job.job, "kind": job.kind, "request": job.request, "boot_id": job.boot_id}
    host.files.write(join(job.folder, "request.json"), json.dumps(content, sort_keys=True).encode())


def _close(job: HostJob, host: Host) -> None:
    host.files.release(job.holder)
    if job.process_id is not None:
        host.end_process(job.process_id)
    if job.task in host.tasks:
        host.tasks[job.task].state = "Ready"


def _write_up_to(job: HostJob, host: Host, target: int) -> None:
    assert job.work is not None
    start = 0
    for write in job.work.writes:
        size = len(write.content)
        done = min(max(job.written - start, 0), size)
        wanted = min(max(target - start, 0), size)
        if done == 0 and wanted > 0:
            host.files.write(write.path, b"")
            host.files.hold(write.path, job.holder)
        if wanted > done:
            host.files.append(write.path, write.content[done:wanted])
            job.written = start + wanted
            if wanted == size and write.renamed_to is not None:
                host.files.let_go(write.path)
                host.files.rename(write.path, write.renamed_to)
        start += size


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else time_text(moment)
