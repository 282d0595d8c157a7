"""Backup agents: words of their commands, the machine where they run, and what is tried there."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.guard.evaluate import at_plan
from goexchange.model import actual
from goexchange.model.desired import (
    BackupAgent,
    BackupState,
    DesiredState,
    OnlineBackupMethod,
    StateMapping,
)
from goexchange.model.machines import machine_as_seen
from goexchange.model.plan import Action, JobCall, Need, PlanBody, Step, VerdictKind
from goexchange.model.unknown import Unknown
from goexchange.plan.agents import agent_words
from goexchange.plan.planner import make_draft
from goexchange.spec.machines import machines_of
from tests.unit.plan.builders import (
    NOW,
    PLACE,
    database,
    host,
    inventory,
    online_backup,
    server,
    spec,
    state,
)

MACHINE = "BKUP01"
PROGRAM = "C:\\agent\\backup.exe"


def agent(**differs: Any) -> BackupAgent:
    values: dict[str, Any] = {
        "start": (PROGRAM, "start", "%server%"),
        "state": (PROGRAM, "state", "%server%/%database%"),
        "stop": ("stop-backup",),
        "states": (StateMapping(prints="Ok", means=BackupState.SUCCEEDED, place=PLACE),),
        "poll_every_s": 30,
        "runs_on": MACHINE,
        "place": PLACE,
        "copies": ("C:\\agent\\list.exe",),
    }
    return BackupAgent(**{**values, **differs})


def by(declared: BackupAgent, *, before: bool = False) -> DesiredState:
    online = online_backup(method=OnlineBackupMethod.AGENT, target=None, agent=declared)
    wanted = spec()
    after = evolve(wanted.backup_after, online=online)
    sides = {"backup_after": after}
    if before:
        sides["backup_before"] = evolve(wanted.backup_before, online=online)
    return evolve(wanted, **sides)


def seen(**of_machine: Any) -> actual.ActualServer:
    return machine_as_seen(MACHINE, host(MACHINE, **of_machine), observed_at=NOW)


def body(
    wanted: DesiredState,
    *machines: actual.ActualServer,
    databases: tuple[actual.ActualDatabase, ...] | None = None,
) -> PlanBody:
    return make_draft(
        [wanted], inventory(), state(server(databases=databases), *machines), now=NOW
    )


def trials(made: PlanBody) -> list[Step]:
    """Those on machines; the share of the sets has its own."""
    return [step for step in steps(made, Action.TRY_TARGET) if step.server != "EX01"]


def steps(made: PlanBody, action: Action) -> list[Step]:
    return [step for lane in made.lanes for step in lane.steps if step.action is action]


def test_words_of_a_command_name_the_exchange_server_wherever_it_runs() -> None:
    words = ("a.exe", "%server%", "/db:%database% of %server%", "%other%")
    found = agent_words(words, server="EX01", database="DB 05")
    assert found == ["a.exe", "EX01", "/db:DB 05 of EX01", "%other%"]
    [backup] = steps(body(by(agent()), seen()), Action.ONLINE_BACKUP)
    assert backup.server == MACHINE
    assert isinstance(backup.call, JobCall)
    assert backup.call.request["start"] == [PROGRAM, "start", "EX01"]
    assert backup.call.request["state"] == [PROGRAM, "state", "EX01/DB05"]
    assert f"{PROGRAM} on {MACHINE}" in backup.summary


def test_the_proof_is_the_exchange_servers() -> None:
    [proof] = steps(body(by(agent()), seen()), Action.PROVE_BACKUP)
    assert proof.server == "EX01"


def test_the_machine_is_tried_right_before_the_outage_and_only_for_the_backup_after_it() -> None:
    made = body(by(agent(), before=True), seen())
    [trial] = trials(made)
    assert trial.server == MACHINE
    assert isinstance(trial.call, JobCall)
    programs = [PROGRAM, "C:\\agent\\list.exe"]
    assert trial.call.request == {"folders": [], "files": programs}
    before, look, down = (
        steps(made, action)[0].number
        for action in (Action.ONLINE_BACKUP_BEFORE, Action.LAST_LOOK, Action.DISMOUNT)
    )
    assert before < trial.number < look < down


def test_programs_that_windows_looks_for_are_not_tried() -> None:
    plain = agent(start=("backup",), state=("backup",), copies=None)
    [trial] = trials(body(by(plain), seen()))
    assert isinstance(trial.call, JobCall)
    assert trial.call.request["files"] == []
    assert trial.summary.endswith("a job of ours starts there")


def test_an_agent_on_the_exchange_server_itself_needs_no_trial() -> None:
    made = body(by(agent(runs_on=None)))
    assert trials(made) == []
    assert steps(made, Action.ONLINE_BACKUP)[0].server == "EX01"
    assert machines_of([by(agent(runs_on=None)), spec()]) == ()
    assert machines_of([by(agent()), by(agent(), before=True)]) == (MACHINE,)


@pytest.mark.parametrize(
    ("machines", "words"),
    [
        ((), "it was not observed"),
        (
            (machine_as_seen(MACHINE, Unknown("the script was refused"), observed_at=NOW),),
            "the script was refused",
        ),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_a_machine_that_was_not_seen_is_refused_by_name(
    machines: tuple[actual.ActualServer, ...], words: str, before: bool
) -> None:
    made = body(by(agent(), before=before), *machines)
    [decision] = made.decisions
    assert (decision.need, made.lanes) == (Need.NOT_POSSIBLE, ())
    assert MACHINE in decision.explanation and words in decision.explanation


def test_a_batch_file_is_given_no_name_that_cmd_reads_as_its_own() -> None:
    odd = database("100% mail")
    for declared, is_refused in (
        (agent(start=("C:\\a.CMD", "%database%")), True),
        (agent(stop=("C:\\a.bat", "x%database%")), True),
        (agent(start=("C:\\a.cmd", "%server%")), False),
        (agent(start=("C:\\a.exe", "%database%")), False),
    ):
        [decision] = body(by(declared), seen(), databases=(odd,)).decisions
        assert (decision.need is Need.NOT_POSSIBLE) is is_refused, declared
    [decision] = body(by(agent(start=("a.cmd", "%database%"))), seen()).decisions
    assert decision.need is not Need.NOT_POSSIBLE, "DB05 can be given to anything"


@pytest.mark.parametrize(
    ("machine", "kind", "words"),
    [
        (seen(), VerdictKind.PASS, f"on the host and on {MACHINE}"),
        (seen(is_elevated=False), VerdictKind.BLOCK, f"our session on {MACHINE}"),
        (
            machine_as_seen(MACHINE, Unknown("silent"), observed_at=NOW),
            VerdictKind.UNKNOWN,
            "silent",
        ),
        (None, VerdictKind.UNKNOWN, "it was not observed"),
    ],
)
def test_rights_on_the_machine_are_guarded_like_those_on_the_server(
    machine: actual.ActualServer | None, kind: VerdictKind, words: str
) -> None:
    made = body(by(agent()), seen())
    now = state(server(), *(() if machine is None else (machine,)))
    [verdict] = [each for each in at_plan(made, now, NOW) if each.guard == "elevated"]
    assert verdict.kind is kind and words in verdict.evidence


def test_a_lane_that_needs_no_machine_does_not_ask_for_its_rights() -> None:
    made = body(spec(), seen(is_elevated=False))
    [verdict] = [each for each in at_plan(made, made.facts, NOW) if each.guard == "elevated"]
    assert verdict.kind is VerdictKind.PASS
