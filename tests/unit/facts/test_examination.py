"""What a host's answers mean to whoever wants to maintain it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from goexchange.errors import ExitCode
from goexchange.facts.examination import (
    exit_code_of,
    look_at_job,
    looks_at_folders,
    looks_at_host,
    looks_at_trial,
    refused_root,
)
from goexchange.facts.observation import decode_server
from goexchange.model.examination import Examination, Health, Look, Reach
from goexchange.model.unknown import Unknown
from goexchange.report.examination_text import render_examinations
from tests.unit.facts.samples import ASKED, NOW, exchange, host

TRIAL = {
    "had_root": True,
    "is_same": True,
    "wbadmin_version": "10.0.17763.1",
    "diskshadow_version": "10.0.17763.1",
}


def looks(**changes: Any) -> dict[str, Look]:
    seen = decode_server(exchange(), host(**changes), asked=ASKED, observed_at=NOW)
    found = looks_at_host(seen, now=NOW)
    return {look.check: look for look in found}


def test_a_host_that_has_everything() -> None:
    found = looks()
    assert {look.health for look in found.values()} == {Health.OK}
    assert {look.remedy for look in found.values()} == {None}
    assert "1 database listed" in found["Exchange endpoint"].seen


@pytest.mark.parametrize(
    ("member", "value", "check", "health"),
    [
        ("is_elevated", False, "elevate", Health.MISSING),
        ("powershell", "2.0", "PowerShell", Health.WARNING),
        ("powershell", "1.0", "PowerShell", Health.MISSING),
        ("clock", "2026-11-22T09:00:00Z", "clock", Health.WARNING),
    ],
)
def test_each_thing_that_is_missing_has_its_remedy(
    member: str, value: object, check: str, health: Health
) -> None:
    plain = host()
    found = looks(host={**plain["host"], member: value})[check]
    assert found.health is health and found.remedy


def test_what_the_host_could_not_say_is_unknown_and_never_well() -> None:
    found = looks(
        failures=[
            {"part": "tasks", "message": "access denied"},
            {"part": "exchange", "message": "access denied"},
        ]
    )
    assert found["tasks"].health is found["eseutil"].health is Health.UNKNOWN
    silent = decode_server(Unknown("no role"), host(), asked=ASKED, observed_at=NOW)
    endpoint = {each.check: each for each in looks_at_host(silent, now=NOW)}["Exchange endpoint"]
    assert (endpoint.health, endpoint.seen) == (Health.UNKNOWN, "no role")


def test_folder_tools_and_job() -> None:
    seen = decode_server(exchange(), host(), asked=ASKED, observed_at=NOW)
    found = looks_at_trial(TRIAL, "C:\\gx", seen)
    assert {each.health for each in found} == {Health.OK}
    nothing = {"is_same": False, "wbadmin_version": None, "diskshadow_version": None}
    found = looks_at_trial({**TRIAL, **nothing}, "C:\\gx", seen)
    wanted = [Health.MISSING, Health.WARNING, Health.WARNING]
    assert [each.health for each in found] == wanted
    assert "private" in (refused_root("root-not-private", "S-1-1-0", "C:\\gx").remedy or "")
    assert look_at_job({"state": "ended", "exit_code": 0}, 1.0).health is Health.OK
    for poll in (None, {"state": "requested"}, {"state": "ended", "exit_code": -1}):
        assert look_at_job(poll, 120.0).health is Health.MISSING
    folders = [
        {"path": "E:\\sets", "can_write": True, "message": None},
        {"path": "\\\\b\\x$", "can_write": False, "message": "access denied"},
    ]
    good, bad = looks_at_folders(folders)
    assert good.health is Health.OK and bad.health is Health.MISSING
    assert "access denied" in bad.seen and "computer account" in (bad.remedy or "")


def examined(
    *health: Health, reach: Reach = Reach.SPOKEN, left: tuple[str, ...] = ()
) -> Examination:
    found = tuple(
        Look(check=f"look {number}", health=one, seen="it", remedy="mend it" if number else None)
        for number, one in enumerate(health)
    )
    return Examination(server="EX01", reach=reach, looks=found, left=left)


@pytest.mark.parametrize(
    ("examination", "code", "words"),
    [
        (examined(Health.OK), ExitCode.OK, "EX01  ready"),
        (examined(Health.OK, Health.WARNING), ExitCode.OK, "worth mending: look 1"),
        (examined(Health.OK, Health.MISSING), ExitCode.NOT_NOW, "not ready: look 1"),
        (examined(Health.OK, Health.UNKNOWN), ExitCode.NOT_NOW, "? look 1"),
        (examined(Health.MISSING, reach=Reach.UNREACHABLE), ExitCode.UNREACHABLE, "not ready"),
        (examined(Health.MISSING, reach=Reach.REFUSED), ExitCode.AUTH, "not ready"),
        (examined(Health.OK, left=("C:\\gx",)), ExitCode.PARTIAL, "LEFT BEHIND: C:\\gx"),
    ],
)
def test_the_end_says_what_to_do_next(examination: Examination, code: ExitCode, words: str) -> None:
    assert exit_code_of([examined(Health.OK), examination]) is code
    text = render_examinations([examination], width=80)
    assert words in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_clock_within_a_minute_is_well() -> None:
    seen = decode_server(exchange(), host(), asked=ASKED, observed_at=NOW)
    later = {each.check: each for each in looks_at_host(seen, now=NOW + timedelta(seconds=59))}
    assert later["clock"].health is Health.OK
