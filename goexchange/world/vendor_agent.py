"""A backup vendor's agent on a host: a program that starts a backup of every database, tells its
state in words of its own, and lists the copies that it has. On a machine without Exchange it is
told of which server.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from goexchange.codec import time_text
from goexchange.world.backup_engine import BackupRun, abort_run, begin_other_run
from goexchange.world.faults import AgentTrouble
from goexchange.world.files import join
from goexchange.world.hosts import Host
from goexchange.world.jobs import HostJob
from goexchange.world.site import AGENT_PROGRAM
from goexchange.world.work import Ending, Work, Write

if TYPE_CHECKING:
    from goexchange.world.world import World

PROGRAM = AGENT_PROGRAM
IDLE, RUNNING, SUCCESS, FAILED, STRANGE = "Idle", "Running", "Success", "Failed", "Waiting for tape"
STORE = "C:\\agent\\store"
HOLD, RELEASE = [PROGRAM, "hold"], [PROGRAM, "release"]
TASK = "\\Vendor\\Nightly backup"
_PROCESS = "backup"


def hold_backups(world: World, host: Host, command: Sequence[str]) -> Work:
    """Suspend the agent's own schedule and whatever backup runs, or let the schedule go on."""
    is_held = list(command) == HOLD
    if TASK in host.tasks:
        host.tasks[TASK].state = "Disabled" if is_held else "Ready"
    for run in world.backups if is_held else ():
        if run.host == host.name and run.is_running and run.job is None:
            abort_run(world, run, world.now())
    world.note("backups-held" if is_held else "backups-released", host=host.name)
    result = {"error_output": "", "left_out_bytes": 0, "followed": 0}
    return Work(process=_PROCESS, seconds=0.5, ending=Ending(exit_code=0, result=result))


def watch_agent(world: World, host: Host, job: HostJob) -> Work:
    """The job that starts the agent's backup and watches it."""
    request = job.request
    if request["state"][0].lower() != PROGRAM.lower():
        return _ended(
            _result("not-started", looks=[_look(world.now(), "", None)], start=None), seconds=0.5
        )
    trouble = world.faults.take_agent()
    server = _server(world, host, request["start"])
    is_busy = trouble is AgentTrouble.RUNNING or any(
        server is not None and run.host == server.name and run.is_running for run in world.backups
    )
    if is_busy:
        looks = [_look(world.now(), RUNNING)]
        return _ended(_result("running-already", looks=looks, start=None), seconds=0.5)
    if server is None or trouble is AgentTrouble.REFUSES:
        looks = [_look(world.now(), IDLE), _look(world.now(), IDLE)]
        return _ended(_result("not-started", looks=looks, start=5), seconds=0.5)
    return _backed_up(world, (host, server), job, trouble)


def _server(world: World, host: Host, command: Sequence[str]) -> Host | None:
    """Whose databases a start command is about; None for words that the agent does not know."""
    if list(command[:2]) != [PROGRAM, "start"]:
        return None
    if host.description.has_exchange:
        return host if len(command) == 2 else None
    named = [each for each in world.exchange_hosts if [each.name] == list(command[2:])]
    return named[0] if named else None


def _backed_up(
    world: World, hosts: tuple[Host, Host], job: HostJob, trouble: AgentTrouble | None
) -> Work:
    """`hosts` are that of the agent and that of the databases; mostly they are the same."""
    (host, _), request = hosts, job.request
    run = _run(world, hosts, job, trouble)
    run.is_failing = trouble is AgentTrouble.FAILS
    poll_s = request["poll_every_s"]
    seconds = max((run.ends_at - run.started_at).total_seconds(), poll_s)
    last, ended, stop = SUCCESS, "state", None
    if run.is_failing:
        last = FAILED
    if trouble in (AgentTrouble.STRANGE_WORD, AgentTrouble.NEVER_ENDS):
        last = STRANGE if trouble is AgentTrouble.STRANGE_WORD else RUNNING
        seconds, ended = float(request["limit_s"]), "limit"
        stop = 0 if request["stop"] else None
        run.is_failing = True
    run.ends_at = run.started_at + timedelta(seconds=seconds)
    before = _copies(host)
    has_copy = last == SUCCESS and trouble not in (AgentTrouble.FAKE_STAMP, AgentTrouble.FAKE_COPY)
    after = [*before, time_text(run.ends_at)] if has_copy else before
    is_asked = bool(request["copies"])
    looks = [
        _look(run.started_at, IDLE),
        _look(run.started_at + timedelta(seconds=seconds / 2), RUNNING),
        _look(run.ends_at, last),
    ]
    result = _result(ended, looks=looks, start=0, stop=stop)
    result["copies_before"] = _lines(before if is_asked else [])
    result["copies_after"] = _lines(after if is_asked else [])
    writes = (
        [Write(path=join(STORE, f"{_name(run.ends_at)}.bak"), content=b"a copy")]
        if has_copy
        else []
    )
    return _ended(result, seconds=seconds, writes=writes)


def _run(
    world: World, hosts: tuple[Host, Host], job: HostJob, trouble: AgentTrouble | None
) -> BackupRun:
    """The agent takes every database that is mounted on the host."""
    own, host = hosts
    covered = tuple(
        each
        for each in world.databases.values()
        if each.mounted_on == host.name and trouble is not AgentTrouble.LEAVES_OUT
    )
    is_fake = trouble is AgentTrouble.FAKE_STAMP
    return begin_other_run(
        world,
        host,
        job=job.job,
        covered=covered,
        is_fake=is_fake,
        begun_from=None if own is host else own.name,
    )


def _result(
    ended: str, *, looks: list[dict[str, Any]], start: int | None, stop: int | None = None
) -> dict[str, Any]:
    return {
        "ended": ended,
        "start_exit_code": start,
        "stop_exit_code": stop,
        "looks": looks,
        "copies_before": "",
        "copies_after": "",
        "error_output": "",
    }


def _ended(result: Mapping[str, Any], *, seconds: float, writes: Sequence[Write] = ()) -> Work:
    return Work(
        process=_PROCESS,
        seconds=seconds,
        ending=Ending(exit_code=0, result=dict(result)),
        writes=tuple(writes),
        spoken=((0.0, b"The backup was queued.\r\n"),),
    )


def _look(at: datetime, word: str, exit_code: int | None = 0) -> dict[str, Any]:
    return {"at": time_text(at), "exit_code": exit_code, "output": _lines([word] if word else [])}


def _copies(host: Host) -> list[str]:
    """The times of the copies that the agent keeps, from the names of its files."""
    names = sorted(path.rpartition("\\")[2] for path in host.files.names_in(STORE))
    return [
        time_text(datetime.strptime(name, "%Y%m%dT%H%M%S.%f%z.bak"))
        for name in names
        if name.endswith(".bak")
    ]


def _name(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%S.%f%z")


def _lines(lines: Sequence[str]) -> str:
    return base64.b64encode("".join(f"{line}\r\n" for line in lines).encode()).decode()
