from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from goexchange.model import actual
from goexchange.model.drift import Baseline, Drift, DriftKind, DriftReport
from goexchange.model.unknown import Unknown
from goexchange.plan.drift import drift_of
from goexchange.plan.planner import make_draft
from goexchange.report.drift_text import MARKER, render_drift, render_drift_markdown, verdict
from tests.unit.plan.builders import (
    GIB,
    NOW,
    conditions,
    database,
    host,
    inventory,
    record,
    server,
    spec,
    state,
    with_record,
)

CALM = conditions(white_space_max=0.5, verified_within_s=None, online_full_backup_within_s=None)
LEFT = NOW - timedelta(days=7)


def drifted(
    now: actual.ActualServer,
    before: actual.ActualServer | None = None,
    *,
    want: Any = CALM,
    tolerance: float = 0.02,
    records: dict[str, str] | None = None,
) -> DriftReport:
    body = make_draft([spec(conditions=want)], inventory(), state(now), now=NOW)
    baselines = (
        {}
        if before is None
        else {"EX01": Baseline(run="r-1", ended_at_utc=LEFT, server=before, records=records or {})}
    )
    return drift_of(body, baselines, tolerance=tolerance)


def facts(report: DriftReport) -> list[str]:
    return [each.fact for each in report.items]


def only(report: DriftReport) -> Drift:
    assert len(report.items) == 1, report.items
    return report.items[0]


def of(**differs: Any) -> actual.ActualServer:
    return server(databases=(database(**differs),))


def test_a_quiet_site_has_no_drift() -> None:
    report = drifted(server(), server())
    assert (report.items, report.has_drifted) == ((), False)
    assert verdict(report) == "no drift: 1 database"


def test_what_always_moves_is_no_drift() -> None:
    moved = of(size_bytes=120 * GIB, white_space_bytes=50 * GIB, last_full_backup_utc=NOW)
    moved = evolve(moved, host=host(boot_id="boot-2", booted_at_utc=NOW, clock_utc=NOW))
    assert drifted(moved, server()).items == ()


def test_a_condition_that_does_not_hold_is_drift() -> None:
    report = drifted(server(), want=conditions())
    assert (only(report).kind, only(report).fact) == (DriftKind.UNMET, "decision")
    assert only(report).place is not None
    assert report.has_drifted


@pytest.mark.parametrize(("tolerance", "has_drifted"), [(0.02, False), (0.01, True)])
def test_white_space_within_the_tolerance_is_said_and_does_not_count(
    tolerance: float, has_drifted: bool
) -> None:
    little = of(size_bytes=100 * GIB, white_space_bytes=int(21.5 * GIB))
    want = conditions(verified_within_s=None, online_full_backup_within_s=None)
    report = drifted(little, want=want, tolerance=tolerance)
    assert report.has_drifted is has_drifted
    assert len(report.items) == 1


@pytest.mark.parametrize(
    ("differs", "fact"),
    [
        ({"edb_path": "D:\\elsewhere\\DB05.edb"}, "database.edb_path"),
        ({"log_folder": "L:\\elsewhere"}, "database.log_folder"),
        ({"is_mount_at_startup": False}, "database.is_mount_at_startup"),
        ({"is_circular_logging": True}, "database.is_circular_logging"),
        ({"guid": "ffffffff-1111-2222-3333-444455556666"}, "database.guid"),
    ],
)
def test_what_somebody_changed_is_named_with_then_and_now(
    differs: dict[str, Any], fact: str
) -> None:
    report = drifted(of(**differs), server())
    found = only(report)
    assert (found.kind, found.fact, found.since_run) == (DriftKind.CHANGED, fact, "r-1")
    assert found.was != found.now
    assert report.has_drifted


def test_a_patched_server_a_stopped_service_and_a_new_database() -> None:
    service = actual.Service(name="MSExchangeIS", state="Stopped", start_type="Disabled")
    now = server(
        databases=(database(), database("DB06")),
        host=host(exsetup_version="15.02.1544.011", services=(service,)),
    )
    report = drifted(now, server())
    assert facts(report) == [
        "host.exsetup_version",
        "host.services.MSExchangeIS",
        "database.exists",
    ]
    assert "Exchange was updated" in report.items[0].text


def test_a_replaced_file_is_seen_by_its_creation() -> None:
    path = database().edb_path
    for created, count in ((NOW - timedelta(days=1), 1), (LEFT - timedelta(days=1), 0)):
        file = actual.FileFacts(
            path=path, exists=True, size_bytes=1, created_at_utc=created, modified_at_utc=created
        )
        report = drifted(server(host=host(files=(file,))), server())
        assert len(report.items) == count


def test_another_controllers_run_is_named() -> None:
    one = database()
    now = with_record(server(databases=(one,)), record(one, run="r-of-another"))
    report = drifted(now, server(), records={one.guid: "r-1"})
    assert "run r-of-another of another controller" in only(report).text
    gone = drifted(server(), server(), records={one.guid: "r-1"})
    assert "is gone from the host" in only(gone).text


@pytest.mark.parametrize(
    "now",
    [
        server(databases=Unknown("no answer")),
        server(host=Unknown("no answer")),
        of(copies=Unknown("no answer")),
    ],
)
def test_what_cannot_be_read_any_more_is_never_quiet(now: actual.ActualServer) -> None:
    report = drifted(now, server())
    assert report.has_drifted
    assert DriftKind.UNKNOWN in {each.kind for each in report.items}


def test_what_the_last_run_could_not_read_is_no_change() -> None:
    blind = Unknown("no answer")
    for before in (
        server(host=blind, databases=blind),  # type: ignore[arg-type]
        server(host=host(services=blind)),
    ):
        assert drifted(server(), before).items == ()
    unread = server(host=host(services=blind))
    assert drifted(unread, server()).items == ()


def test_a_database_that_is_gone_and_another_owner_of_copies_are_named() -> None:
    gone = drifted(server(databases=()), server())
    assert [(each.fact, each.text) for each in gone.items] == [("database.exists", "it is gone")]
    twice = drifted(of(copies=("EX01", "EX02"), is_replicated=True), server(), want=CALM)
    shown = next(each.text for each in twice.items if each.fact == "database.copies")
    assert "EX01 -> EX01 and EX02" in shown


def test_white_space_of_an_unknown_share_is_never_tolerated() -> None:
    want = conditions(verified_within_s=None, online_full_backup_within_s=None)
    body = make_draft([spec(conditions=want)], inventory(), state(server()), now=NOW)
    (decision,) = body.decisions
    unsized = evolve(body, decisions=(evolve(decision, size_bytes=None),))
    assert drift_of(unsized, {}, tolerance=1.0).has_drifted
    assert not drift_of(body, {}, tolerance=1.0).has_drifted


def test_what_is_not_possible_is_said_and_does_not_count() -> None:
    twice = of(copies=("EX01", "EX02"), is_replicated=True)
    report = drifted(twice, want=conditions())
    assert only(report).kind is DriftKind.NOT_POSSIBLE
    assert not report.has_drifted


def test_text_and_markdown_say_the_same() -> None:
    report = drifted(of(is_mount_at_startup=False), server(), want=conditions())
    text = render_drift(report, width=80, colour=False)
    assert "1 not as specified · 1 changed since the last run" in text
    assert "database.is_mount_at_startup: yes -> no (since run r-1)" in " ".join(text.split())
    assert all(len(line) <= 80 for line in text.splitlines())
    markdown = render_drift_markdown(report)
    assert markdown.startswith(MARKER)
    assert "| where |" in markdown and "yes" in markdown
