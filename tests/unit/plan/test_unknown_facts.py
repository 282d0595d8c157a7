"""Facts that are not known, or not good enough: refused by name, and nothing is planned."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.model import actual, desired
from goexchange.model.plan import Need, PlanBody, Reason
from goexchange.model.unknown import Unknown
from goexchange.plan.coverage import coverage_of, coverage_of_agent
from goexchange.plan.planner import make_draft
from tests.unit.plan.builders import (
    NOW,
    PLACE,
    at,
    conditions,
    database,
    host,
    inventory,
    offline_backup,
    record,
    script,
    server,
    spec,
    state,
    with_record,
)

SILENT = Unknown("the host did not answer")


def planned(seen: actual.ActualServer | None = None, **differs: Any) -> PlanBody:
    return make_draft([spec(**differs)], inventory(), state(seen or server()), now=NOW)


def refused(body: PlanBody) -> tuple[tuple[Reason, ...], str]:
    (decision,) = body.decisions
    assert not body.lanes and decision.need is Need.NOT_POSSIBLE, decision
    return decision.reasons, decision.explanation


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (server(host=SILENT), "the host did not answer"),
        (server(databases=SILENT), "the host did not answer"),  # type: ignore[arg-type]
        (server(generation=SILENT), "the Exchange version of its server"),
        (server(host=host(windows_backup=SILENT)), "Windows Server Backup"),
        (server(host=host(volumes=SILENT)), "the host did not answer"),
        (server(host=host(eseutil_path=SILENT)), "the host did not answer"),
    ],
)
def test_nothing_is_planned_on_what_is_not_known(seen: actual.ActualServer, words: str) -> None:
    reasons, explanation = refused(planned(seen))
    assert reasons == (Reason.FACT_UNKNOWN,)
    assert words in explanation


def test_a_host_without_the_declared_backup_tool_is_refused() -> None:
    there = host().windows_backup
    assert isinstance(there, actual.WindowsBackup)
    absent = host(windows_backup=evolve(there, is_installed=False))
    reasons, explanation = refused(planned(server(host=absent)))
    assert reasons == (Reason.BLOCKED_BY_GUARD,)
    assert "Windows Server Backup is not installed on EX01" in explanation


def test_an_agents_cover_is_every_database_and_unknown_without_them() -> None:
    assert coverage_of_agent(server(databases=SILENT)) is SILENT  # type: ignore[arg-type]
    found = coverage_of_agent(server(databases=(database("DB06"), database("DB05"))))
    assert not isinstance(found, Unknown)
    assert [each.name for each in found.databases] == ["DB05", "DB06"] and not found.is_known


def test_what_a_backup_covers_is_unknown_when_its_volumes_are() -> None:
    mine = database()
    assert coverage_of(mine, server(host=SILENT), target="E:") is SILENT
    silent = server(databases=SILENT)  # type: ignore[arg-type]
    assert coverage_of(mine, silent, target="E:") is SILENT
    nowhere = database("DB06", edb_path="Q:\\DB06\\DB06.edb")
    both = server(databases=(mine, nowhere))
    assert isinstance(coverage_of(mine, both, target="E:"), Unknown)
    half = database("DB07", edb_path="E:\\DB07\\DB07.edb")
    found = coverage_of(mine, server(databases=(mine, half)), target="E:")
    assert not isinstance(found, Unknown) and found.partly == ("DB07",)


def test_the_age_of_a_set_decides_and_its_absence_is_not_its_youth() -> None:
    wanted = conditions(
        white_space_max=None,
        verified_within_s=None,
        online_full_backup_within_s=None,
        offline_backup_within_s=7 * 86400,
        offline_backup_within_place=PLACE,
    )
    choice = script(script=desired.Script.EXCHANGE_BACKUP)
    one = database()

    def need(seen: actual.ActualServer) -> tuple[Need, tuple[Reason, ...]]:
        (decision,) = planned(seen, conditions=wanted, script=choice).decisions
        return decision.need, decision.reasons

    young = record(one, set_taken_at_utc=NOW)
    old = record(one, set_taken_at_utc=NOW.replace(month=10))
    assert need(with_record(server(databases=(one,)), young))[0] is Need.NOTHING
    assert Reason.OFFLINE_SET_TOO_OLD in need(with_record(server(databases=(one,)), old))[1]
    unread = server(databases=(one,), host=host(records=SILENT))
    assert need(unread) == (Need.NOT_POSSIBLE, (Reason.FACT_UNKNOWN,))


def test_a_dismounted_database_that_meets_all_that_is_asked_is_left_alone() -> None:
    nothing = conditions(
        mounted=False,
        white_space_max=None,
        verified_within_s=None,
        online_full_backup_within_s=None,
    )
    down = server(databases=(database(is_mounted=False),))
    (decision,) = planned(down, conditions=nothing).decisions
    assert decision.need is Need.NOTHING


def test_an_unknown_white_space_is_not_shown_as_a_figure() -> None:
    nothing = conditions(white_space_max=None, verified_within_s=None)
    seen = server(databases=(database(white_space_bytes=SILENT),))
    (decision,) = planned(seen, conditions=nothing).decisions
    assert (decision.need, decision.explanation) == (Need.NOTHING, "it meets the specification")


def test_exchange_directories_are_exported_with_the_rest_when_asked_for() -> None:
    parts = (desired.BackupPart.EXCHANGE_DIRECTORIES, desired.BackupPart.EXCHANGE_CONFIGURATION)
    before = desired.BackupActions(
        offline=offline_backup(parts=parts), online=None, place=at(20)
    )
    body = planned(backup_before=before)
    calls = str([step.call for lane in body.lanes for step in lane.steps])
    home = "'C:\\\\Program Files\\\\Microsoft\\\\Exchange Server\\\\V15'"
    assert home in calls and home[:-1] + "\\\\Bin'" in calls
