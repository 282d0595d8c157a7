"""Exchange 2010: by consent, its own way to tell of repair requests, its own file format."""

from __future__ import annotations

from typing import Any

import pytest

from goexchange.driver import effects
from goexchange.errors import ExitCode
from goexchange.ese.header import read_database_header
from goexchange.guard.approval import check_approval
from goexchange.model.actual import Generation
from goexchange.model.desired import Consent
from goexchange.model.plan import ExchangeCall, Need, ScriptCall, VerdictKind
from goexchange.powershell.header_dump import HeaderDump, parse_header_dump
from goexchange.simulation.performer import Performer
from goexchange.world import repairs
from goexchange.world.eseutil import run_eseutil
from goexchange.world.hosts import Host
from goexchange.world.job_kinds import bench_for
from tests.reliability.scenarios import night_of
from tests.simulation.night.test_scripts import again, scenario_for, summary_of

OLD = Generation.EXCHANGE_2010


def sent(monkeypatch: pytest.MonkeyPatch) -> list[effects.Send]:
    found: list[effects.Send] = []
    send = Performer._send

    def noted(self: Performer, effect: effects.Send) -> object:
        found.append(effect)
        return send(self, effect)

    monkeypatch.setattr(Performer, "_send", noted)
    return found


def test_nothing_runs_without_the_consent() -> None:
    plan = night_of(scenario_for("rebuild", OLD)).plan
    needed = [each.consent for each in plan.body.consents]
    assert Consent.UNCONFIRMED_GENERATION in needed
    verdict = check_approval(plan, None, plan.body.evaluated_at_utc)
    assert verdict.kind is VerdictKind.BLOCK and "unconfirmed-generation" in verdict.evidence


def test_corrections_are_followed_in_the_event_log(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = sent(monkeypatch)
    night = night_of(scenario_for("correct", OLD))
    assert night.run_to_end().exit_code == ExitCode.OK
    calls = [each.call for each in seen]
    scripts = [each.script for each in calls if isinstance(each, ScriptCall)]
    cmdlets = {each.cmdlet for each in calls if isinstance(each, ExchangeCall)}
    assert "read-repairs" in scripts and "Get-MailboxRepairRequest" not in cmdlets
    (phase,) = summary_of(night).passes
    assert [errors for errors, _ in phase.passes] == [4, 1, 0]


def test_a_request_that_fails_fails_its_step_and_is_wanted_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scenario = scenario_for("diagnose", OLD)
    night = night_of(scenario)
    monkeypatch.setitem(repairs._EVENTS, repairs.SUCCEEDED, 10050)
    result = night.run_to_end()
    assert result.exit_code in (ExitCode.PARTIAL, ExitCode.STOPPED)
    assert "ended badly" in result.databases[0].why
    assert again(night, scenario) == [Need.VERIFY]


def test_an_event_in_an_unknown_form_is_never_taken_for_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The store names no database in what it writes: what is ours cannot be told."""
    write = Host.log

    def elsewhere(self: Host, provider: str, event_id: int, **told: Any) -> None:
        if provider.endswith("Mailbox Store"):
            told["text"] = "Datenbank DB11"
        write(self, provider, event_id, **told)

    night = night_of(scenario_for("diagnose", OLD))
    monkeypatch.setattr(Host, "log", elsewhere)
    result = night.run_to_end()
    assert result.exit_code in (ExitCode.PARTIAL, ExitCode.STOPPED)
    assert "cannot be told" in result.databases[0].why
    assert not summary_of(night).passes


def test_a_request_of_a_later_version_that_failed_is_no_pass_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(repairs, "SUCCEEDED", repairs.FAILED)
    night = night_of(scenario_for("diagnose", Generation.EXCHANGE_2019))
    result = night.run_to_end()
    assert result.exit_code in (ExitCode.PARTIAL, ExitCode.STOPPED)
    assert "ended badly" in result.databases[0].why


def test_a_header_is_of_its_own_revision_and_printed_in_its_own_form() -> None:
    night = night_of(scenario_for("rebuild", OLD))
    assert night.run_to_end().exit_code == ExitCode.OK
    world = night.performer.world
    host, path = world.hosts["EX01"], "D:\\DB11\\DB11.edb"
    assert not [each for each in host.files.below("D:\\DB11") if each.endswith(".jfm")]
    host.files.release_all()
    header = read_database_header(host.files.read(path, 0, 65536)).header
    assert header is not None and (header.format_update_major, header.page_size) == (17, 32768)
    printed = run_eseutil(("/mh", path), bench_for(world, host)).ending.output.decode()
    assert "Version 14.03" in printed and " Format ulVersion: 0x620,17\n" in printed.replace(
        "\r", "")
    dump = parse_header_dump(printed)
    assert isinstance(dump, HeaderDump) and dump.page_bytes == 32768
    assert "Flush Map" not in printed and "Pre-Redo" not in printed
