"""Specifications become desired states: defaults explicit, every key of the example read."""

from __future__ import annotations

import pytest

from goexchange.model.configuration import SecretKind, SecretReference
from goexchange.model.desired import (
    Audience,
    BackupPart,
    BackupState,
    ConflictPolicy,
    Consent,
    MissedPolicy,
    NotificationEvent,
    OnlineBackupMethod,
    OverrunPolicy,
    ProcessLimit,
    ProcessScope,
    ReportFormat,
    Script,
    Variable,
    VerifyMode,
)
from goexchange.spec import load_specification
from goexchange.spec.scripts import Condition, own_conditions
from tests.unit.documents.examples import SPECS, documents_of
from tests.unit.spec.specification import MINIMAL, desired, document, with_lines

DAY = 86400


def test_defaults_are_explicit() -> None:
    state = desired(MINIMAL)
    assert (state.name, state.owner, state.description) == ("compact", None, None)
    assert state.targets.servers == ("EX01",)
    assert (state.targets.include, state.targets.exclude) == (("*",), ())
    conditions = state.conditions
    assert conditions.mounted is True
    assert conditions.white_space_max is None
    assert conditions.verified_within_s is None
    assert conditions.online_full_backup_within_s is None
    assert state.script.script is Script.PREVENTATIVE_MAINTENANCE
    assert state.script.error_correction.primary_passes_max == 2
    assert state.script.error_correction.defragmented_passes_max == 2
    assert state.script.error_correction.treat_warnings_as_errors is False
    assert state.script.verify is VerifyMode.ONLINE
    assert state.script.rebuild.not_again_within_s == 180 * DAY
    assert state.script.rebuild.gain_min_bytes == 10 << 30
    assert state.script.forbid == ()
    assert state.conflicts.running is state.conflicts.scheduled is ConflictPolicy.REFUSE
    assert state.conflicts.wait_max_s == 3600
    assert state.schedule.window is None
    assert state.schedule.missed is MissedPolicy.NEXT_WINDOW
    assert state.schedule.overrun is OverrunPolicy.BACK_TO_ORIGINAL
    assert state.schedule.resource_check is None
    assert state.strategy.servers_at_once == 1
    assert (state.strategy.canary, state.strategy.failures_max) == (None, 0)
    assert state.reports.formats == ()
    offline = state.backup_before.offline
    assert offline is not None
    assert offline.target.path == "E:\\goexchange"
    assert offline.target.credential is None
    assert offline.parts == (
        BackupPart.REGISTRY,
        BackupPart.SYSTEM_STATE,
        BackupPart.EXCHANGE_CONFIGURATION,
    )
    assert (offline.paths, offline.keep_last, offline.timeout_s) == ((), 3, 12 * 3600)
    assert (state.backup_before.online, state.backup_after.offline) == (None, None)


def test_places_are_those_of_the_values_or_of_what_is_above_them() -> None:
    state = desired(with_lines("desired:\n  verified_within: 30d\nstrategy: {canary: EX01}\n"))
    assert str(state.targets.server_places[0]) == "s.yaml:4:21"
    assert str(state.targets.include_places[0]) == "s.yaml:4:10"
    assert str(state.conditions.verified_within_place) == "s.yaml:10:20"
    assert str(state.conditions.white_space_max_place) == "s.yaml:10:3"
    assert str(state.script.place) == "s.yaml:5:16"
    assert str(state.strategy.canary_place) == "s.yaml:11:20"
    assert str(state.schedule.place) == "s.yaml:1:1"
    assert state.backup_after.online is not None
    assert str(state.backup_after.online.place) == "s.yaml:8:19"


def test_the_complete_example_is_read_key_by_key() -> None:
    state, diagnostics = load_specification(documents_of(SPECS / "weekly-preventative.yaml")[0])
    assert diagnostics == ()
    assert state is not None
    assert state.owner == "messaging@contoso.example"
    assert state.targets.servers == ("group:berlin-mailbox",)
    assert state.targets.exclude == ("Archive*",)
    assert state.conditions.white_space_max == 0.2
    assert state.conditions.verified_within_s == 30 * DAY
    assert state.conditions.online_full_backup_within_s == 7 * DAY
    assert state.script.forbid == (Consent.REPAIR_MAY_LOSE_DATA,)
    offline, online = state.backup_before.offline, state.backup_after.online
    assert offline is not None
    assert offline.target.path == "\\\\backup01\\exchange$"
    assert offline.target.credential == SecretReference(
        kind=SecretKind.KEYRING, locator="goexchange/backup01"
    )
    assert offline.paths == ("C:\\Windows\\System32\\inetsrv\\config",)
    assert online is not None
    assert online.method is OnlineBackupMethod.WINDOWS_SERVER_BACKUP
    assert online.timeout_s == 6 * 3600
    assert (state.conflicts.running, state.conflicts.wait_max_s) == (ConflictPolicy.WAIT, 2700)
    before, after = state.processes_before[0], state.processes_after[0]
    assert before.run == ("C:\\ops\\av.cmd", "suspend")
    assert (before.limit, before.timeout_s) == (ProcessLimit.COMPLETION_OR_TIMEOUT, 600)
    assert before.treat_failure_as_error is True
    assert after.undoes == before.name
    assert (after.per, after.success_exit_codes) == (ProcessScope.SERVER, (0,))
    schedule = state.schedule
    assert (schedule.window, schedule.due, schedule.every_s) == (
        "berlin-night",
        "SAT 22:00",
        28 * DAY,
    )
    assert (schedule.missed, schedule.run_time_max_s) == (MissedPolicy.NEXT_WINDOW, 6 * 3600)
    assert (state.strategy.canary, state.strategy.servers_at_once) == ("EX01", 2)
    outage, _, failed = state.notifications
    assert outage.event is NotificationEvent.SCHEDULED_MAINTENANCE_OUTAGE
    assert (outage.audience, outage.before_s) == (Audience.USERS, (3 * DAY, 7200))
    assert outage.variables == (Variable(name="hotline", value="+49 30 1234"),)
    assert (failed.audience, failed.channels) == (Audience.OPERATORS, ("pager", "mail"))
    assert ReportFormat.JUNIT in state.reports.formats


@pytest.mark.parametrize("script", list(Script))
def test_every_script_can_be_asked_for(script: Script) -> None:
    text = MINIMAL.replace("preventative-maintenance", script.value)
    for condition in own_conditions(script)[:1]:
        value = "20%" if condition is Condition.WHITE_SPACE else "30d"
        text += f"desired: {{{condition.value}: {value}}}\n"
    if script is Script.SERVER_MAINTENANCE:
        text = MINIMAL.partition("backup:")[0].replace("preventative-maintenance", script.value)
        text += "desired: {maintained_within: 30d}\n"
        text += "custom_processes: {takes_server_down: [{name: a, run: ['C:\\a.exe']}]}\n"
    assert desired(text).script.script is script


def test_an_agent_is_commands_and_words() -> None:
    state = desired(
        with_lines(
            "  after:\n    online:\n      method: agent\n      agent:\n"
            "        start: ['C:\\a.exe', /start]\n        state: ['C:\\a.exe', /state]\n"
            "        states: {Done: succeeded, 'In Progress': running}\n"
            "        runs_on: BACKUP01\n",
            without=("  after",),
        )
    )
    assert state.backup_after.online is not None
    agent = state.backup_after.online.agent
    assert agent is not None
    assert (agent.start, agent.stop) == (("C:\\a.exe", "/start"), None)
    assert [(each.prints, each.means) for each in agent.states] == [
        ("Done", BackupState.SUCCEEDED),
        ("In Progress", BackupState.RUNNING),
    ]
    assert (agent.poll_every_s, agent.runs_on) == (30, "BACKUP01")


@pytest.mark.parametrize(
    ("limit", "expected", "timeout_s"),
    [
        ("", ProcessLimit.COMPLETION_OR_TIMEOUT, 600),
        (", limit: {timeout: 5m}", ProcessLimit.COMPLETION_OR_TIMEOUT, 300),
        (", limit: {timeout: null}", ProcessLimit.COMPLETION, None),
        (", limit: {completion: false}", ProcessLimit.TIMEOUT, 600),
        (", limit: {completion: false, timeout: PT1M}", ProcessLimit.TIMEOUT, 60),
    ],
)
def test_the_limits_of_a_process(limit: str, expected: ProcessLimit, timeout_s: int | None) -> None:
    state = desired(
        with_lines(f"custom_processes:\n  after:\n    - {{name: a, run: [b]{limit}}}\n")
    )
    process = state.processes_after[0]
    assert (process.limit, process.timeout_s) == (expected, timeout_s)


def test_a_process_that_waits_for_nothing_is_refused() -> None:
    text = with_lines(
        "custom_processes:\n  after:\n"
        "    - {name: a, run: [b], limit: {completion: false, timeout: null}}\n"
    )
    state, found = load_specification(document(text))
    assert state is None
    assert [each.id for each in found] == ["wrong-type"]


def test_null_is_nothing_where_nothing_is_the_default() -> None:
    state = desired(
        with_lines(
            "desired: {white_space_max: null}\nschedule: {resource_check: null, window: ~}\n"
        )
    )
    assert state.conditions.white_space_max is None
    assert (state.schedule.resource_check, state.schedule.window) == (None, None)


def test_the_digest_is_that_of_the_values() -> None:
    assert desired(MINIMAL).document_digest == desired("# x\n" + MINIMAL).document_digest
    changed = MINIMAL.replace("EX01", "EX02")
    assert desired(MINIMAL).document_digest != desired(changed).document_digest


def test_a_document_of_another_kind_is_refused() -> None:
    text = "apiVersion: goexchange/v1\nkind: Inventory\n"
    state, found = load_specification(document(text))
    assert state is None
    assert [each.id for each in found] == ["kind"]
