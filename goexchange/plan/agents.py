"""Backup agents: what their commands say of the database, and the machine where they run.

A machine that is not the Exchange server is tried before anything is taken down: what the backup
after the outage needs of it is there while mail still flows.
"""

from __future__ import annotations

from collections.abc import Sequence
from ntpath import isabs

from goexchange.model.actual import ActualServer
from goexchange.model.desired import BackupAgent, DesiredState, OnlineBackup
from goexchange.model.plan import Action, Reason
from goexchange.model.unknown import Unknown
from goexchange.plan import words
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import equals, host_job
from goexchange.plan.context import LaneContext
from goexchange.plan.finding import Needed, fact_unknown, not_possible
from goexchange.spec.machines import machine_of

SERVER_WORD, DATABASE_WORD = "%server%", "%database%"
_BATCH = (".cmd", ".bat")
_READ_BY_SHELL = frozenset('"%')


def agent_words(command: Sequence[str], *, server: str, database: str) -> list[str]:
    """The words of an agent's command, with the Exchange server and the database that it is about,
    wherever the command runs.
    """
    return [
        each.replace(SERVER_WORD, server).replace(DATABASE_WORD, database) for each in command
    ]


def refuse_agents(
    spec: DesiredState, needed: Needed, *, servers: Sequence[ActualServer], database: str
) -> Needed | None:
    """An agent whose machine was not seen, or whose commands cannot say the database's name."""
    after = spec.backup_after.online if needed.is_backed_up_too else None
    for declared in (spec.backup_before.online, after):
        refused = _refuse(declared, servers, database)
        if refused is not None:
            return refused
    return None


def add_trial_of_machine(lane: LaneBuilder, context: LaneContext) -> None:
    """A job on the machine whose agent backs up after the outage: it is reached, our account may
    start jobs there in the tool's own folder, and the agent's programs are where they are said.
    """
    declared = context.spec.backup_after.online if context.coverage is not None else None
    machine = machine_of(declared)
    if declared is None or declared.agent is None or machine is None:
        return
    programs = _programs(declared.agent)
    reads = f", {words.listed(programs)} can be read" if programs else ""
    lane.add(
        Action.TRY_TARGET,
        host_job("try-folders", {"folders": [], "files": list(programs)}),
        summary=f"trial on {machine}, while mounted: a job of ours starts there{reads}",
        reason=Reason.PART_OF_SCRIPT,
        postcondition=equals("ok", True),
        server=machine,
        estimate_s=5,
        origin=declared.agent.place,
    )


def _programs(agent: BackupAgent) -> tuple[str, ...]:
    """The programs of the agent that have a whole path, each once; others are found by Windows."""
    commands = (agent.start, agent.state, agent.copies or ())
    return tuple(dict.fromkeys(each[0] for each in commands if each and isabs(each[0])))


def _refuse(
    declared: OnlineBackup | None, servers: Sequence[ActualServer], database: str
) -> Needed | None:
    agent = None if declared is None else declared.agent
    if agent is None:
        return None
    for command in (agent.start, agent.state, agent.stop or (), agent.copies or ()):
        names_it = any(DATABASE_WORD in word for word in command)
        is_batch = names_it and command[0].lower().endswith(_BATCH)
        if is_batch and _READ_BY_SHELL.intersection(database):
            return not_possible(
                Reason.BLOCKED_BY_GUARD,
                f"the agent's {command[0]} would be given its name, whose quote or per cent sign"
                " cmd.exe reads as its own",
                origin=agent.place,
                instead="call a program that is no batch file, or leave out %database%",
            )
    if agent.runs_on is None:
        return None
    fact = f"the state of {agent.runs_on}, where the backup agent runs,"
    seen = next((each for each in servers if each.name == agent.runs_on), None)
    host = Unknown("it was not observed") if seen is None else seen.host
    return fact_unknown(fact, host, origin=agent.place) if isinstance(host, Unknown) else None
