"""The resource check: every kind of finding, and that what was not seen is never well."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from goexchange.guard.evaluate import at_plan
from goexchange.guard.resources import resource_check
from goexchange.model import actual
from goexchange.model.resource_check import ResourceCheck, ResourceFinding, Subject, Weight
from goexchange.model.unknown import Unknown
from goexchange.plan.planner import make_draft
from goexchange.report.check_text import check_verdict, render_checks, render_checks_markdown
from tests.unit.plan.builders import (
    NOW,
    conditions,
    database,
    host,
    inventory,
    server,
    spec,
    state,
    volume,
)

GIB = 1024**3


def check(
    *databases: actual.ActualDatabase, bare: tuple[str, ...] = (), **of_host: Any
) -> ResourceCheck:
    seen = state(server(databases=databases or (database(),), host=host(**of_host)))
    want = spec(conditions=conditions(online_full_backup_within_s=7 * 86400))
    body = make_draft([want], inventory(), seen, now=NOW)
    body = evolve(body, guards=at_plan(body, seen, NOW))
    return resource_check(body, want, low_space_threshold_bytes=180 * GIB, unprotected=bare)


def of(found: ResourceCheck, subject: Subject) -> list[ResourceFinding]:
    return [each for each in found.findings if each.subject is subject]


def weights(found: ResourceCheck, subject: Subject) -> set[Weight]:
    return {each.weight for each in of(found, subject)}


def test_a_server_where_a_run_would_start() -> None:
    found = check()
    assert not found.problems, found.problems
    for subject in (Subject.SPACE, Subject.SERVICES, Subject.EVENTS, Subject.BACKUP, Subject.TOOLS):
        assert weights(found, subject) == {Weight.GOOD}, subject
    assert "DB05, the largest, would write 62.7 GiB" in of(found, Subject.SPACE)[0].text


STOPPED = actual.Service(name="MSExchangeTransport", state="Stopped", start_type="Automatic")
FOREIGN = actual.Service(name="gupdate", state="Stopped", start_type="Automatic")
EVENT = actual.HostEvent(
    log="System", provider="disk", event_id=7, at_utc=NOW - timedelta(hours=1), text="bad block"
)
OPEN = actual.OpenRecovery(run="r-7", database_guid=None, opened_at_utc=NOW, phase="dismounted")


@pytest.mark.parametrize(
    ("of_host", "subject", "weight", "words"),
    [
        ({"services": (STOPPED,)}, Subject.SERVICES, Weight.WARNING, "MSExchangeTransport"),
        ({"services": (FOREIGN,)}, Subject.SERVICES, Weight.GOOD, "every Exchange service"),
        ({"storage_events": (EVENT,)}, Subject.EVENTS, Weight.WARNING, "disk 7"),
        ({"open_recoveries": (OPEN,)}, Subject.RECOVERY, Weight.PROBLEM, "run r-7"),
        ({"is_elevated": False}, Subject.TOOLS, Weight.PROBLEM, "administrator"),
        ({"is_reboot_pending": True}, Subject.TOOLS, Weight.WARNING, "restart"),
        ({"volumes": (volume("D:\\", free_gib=100),)}, Subject.SPACE, Weight.PROBLEM, "below"),
        ({"volumes": (volume("D:\\", free_gib=200),)}, Subject.SPACE, Weight.WARNING, "no room"),
    ],
)
def test_each_kind_of_finding(
    of_host: dict[str, Any], subject: Subject, weight: Weight, words: str
) -> None:
    found = of(check(**of_host), subject)
    assert [each for each in found if each.weight is weight and words in each.text], found


@pytest.mark.parametrize(
    "fact",
    ["volumes", "services", "storage_events", "open_recoveries", "eseutil_version",
     "is_reboot_pending"],
)  # fmt: skip
def test_what_was_not_seen_is_a_problem(fact: str) -> None:
    found = check(**{fact: Unknown("access denied")})
    unknown = [each for each in found.problems if each.weight is Weight.UNKNOWN]
    assert any("access denied" in each.text for each in unknown)


def test_backups_that_are_old_missing_or_not_known() -> None:
    old = database("DB01", last_full_backup_utc=NOW - timedelta(days=9))
    never = database("DB02", last_full_backup_utc=None)
    unknown = database("DB03", last_full_backup_utc=Unknown("not asked"))
    rdb = database("RDB", is_recovery=True, last_full_backup_utc=None)
    found = {each.address: each for each in of(check(old, never, unknown, rdb), Subject.BACKUP)}
    assert found["EX01/DB01"].weight is found["EX01/DB02"].weight is Weight.WARNING
    assert "wants one within 7 d" in found["EX01/DB01"].text
    assert found["EX01/DB03"].weight is Weight.UNKNOWN
    assert "EX01/RDB" not in found


def test_a_database_that_a_run_left_bare() -> None:
    found = check(bare=("EX01/DB05", "EX09/DB99"))
    assert [each.address for each in of(found, Subject.PROTECTION)] == ["EX01/DB05"]
    assert found.problems


def test_the_guards_are_those_of_the_plan() -> None:
    busy = actual.RunningProcess(name="eseutil", process_id=7, started_at_utc=NOW)
    backup = database(is_backup_running=True)
    found = check(backup, processes=(busy,))
    assert any(each.text.startswith("no-backup-running") for each in of(found, Subject.GUARD))
    assert found.problems


def test_the_window_does_not_make_a_check_fail() -> None:
    """A check in the morning is not refused because the window opens in the evening."""
    assert not [each for each in check().problems if each.subject is Subject.WINDOW]


def test_text_and_markdown_say_what_mends_it() -> None:
    found = check(is_elevated=False, services=(STOPPED,))
    text = render_checks([found], width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "x tools" in text and "! services" in text and "-> Start-Service" in text
    assert "would keep a run from starting" in check_verdict(found)
    table = render_checks_markdown([found])
    assert "| x | EX01 | tools |" in table and "D:\\\\" in table
