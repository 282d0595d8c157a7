"""Host scripts that start, poll and cancel host jobs."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from goexchange.codec import time_text
from goexchange.powershell.checking import problems
from goexchange.powershell.contracts_jobs import JOB_REQUESTS
from goexchange.world import jobs
from goexchange.world.accounts import check_logon, is_beyond_session
from goexchange.world.files import FileProblem, FileRefused, join
from goexchange.world.hosts import Host
from goexchange.world.refusals import ScriptFailed
from goexchange.world.scripts_records import TASK_FOLDER, folder_name
from goexchange.world.tasks import TaskState

if TYPE_CHECKING:
    from goexchange.world.world import World


def start_job(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Make a job's folder and start its child; of a job that exists only the start is made sure
    of.
    """
    job_id, kind, request = arguments["job"], arguments["kind"], arguments["request"]
    name = folder_name(job_id)
    folder = join(arguments["root"], "jobs", name)
    starts_at = world.now() + timedelta(seconds=world.site.times.job_start)
    task = f"{TASK_FOLDER}job-{name}"
    action = (
        "powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -File"
        f' "{folder}\\runner.ps1"'
    )
    account = arguments.get("account")
    existing = world.jobs.get((host.name, job_id))
    is_to_start = existing is None or existing.state == jobs.REQUESTED
    if account is not None and is_to_start:
        check_logon(world.site, host, account=account, secret=world.given_secret)
    if existing is not None:
        if existing.state == jobs.REQUESTED and existing.starts_at is None:
            existing.starts_at = starts_at
            host.tasks[task] = TaskState(task, "Running", (action,), None)
        return {"state": "exists", "folder": folder}
    wrong = list(problems(request, JOB_REQUESTS[kind]))
    if wrong:
        raise ScriptFailed("internal", f"request: {'; '.join(wrong[:5])}")
    for path in request.get("must_not_exist", ()):
        if host.files.exists(path):
            raise FileRefused(FileProblem.EXISTS, path)
    job = jobs.HostJob(
        job=job_id,
        kind=kind,
        folder=folder,
        task=task,
        boot_id=host.boot_id,
        starts_at=starts_at,
        request=request,
        account=None if account is None else account["user"],
    )
    jobs.write_request(job, host)
    host.tasks[task] = TaskState(task, "Running", (action,), None)
    world.jobs[host.name, job_id] = job
    return {"state": "started", "folder": folder}


def poll_job(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """State, new output, and sizes of the files that a job writes."""
    job = world.jobs.get((host.name, arguments["job"]))
    offset, watch = arguments["offset"], tuple(arguments["watch"])
    polled = jobs.poll(job, host=host, offset=offset, watch=watch, now=world.now())
    for each in polled["watched"]:
        each["size_bytes"] = None if is_beyond_session(each["path"]) else each["size_bytes"]
    polled["output"] = base64.b64encode(polled["output"]).decode()
    return {**polled, "boot_id": host.boot_id, "clock": time_text(world.now())}


def cancel_job(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """End a job's processes; one that ended stays as it is."""
    job = world.jobs.get((host.name, arguments["job"]))
    if job is None:
        return {"state": "absent"}
    if job.state == jobs.ENDED:
        host.tasks.pop(job.task, None)
        return {"state": "cancelled" if job.is_cancelled else "ended"}
    jobs.cancel(job, host, world.now())
    host.tasks.pop(job.task, None)
    world.abort_backup_of(job)
    world.note("job-cancelled", host=host.name, detail=job.job)
    return {"state": "cancelled"}
