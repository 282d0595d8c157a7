"""The report built from plan and journal alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pytest
from attrs import evolve

from goexchange.model.plan import Plan
from goexchange.model.report import Report, ReportVerdict, StepState
from goexchange.model.run import Record, RecordKind
from goexchange.model.server import SERVER_ID
from goexchange.report.databases import total_seconds
from goexchange.report.model import build_report
from goexchange.report.plan_words import without_action
from goexchange.report.report_json import read_json, render_json
from goexchange.report.report_words import backup_text, offline_text, passes_text, zone
from goexchange.resources import schema_text

Nights = Mapping[str, Callable[[Plan], tuple[Record, ...]]]
GIB = 1024**3


@pytest.mark.parametrize(
    ("night", "verdict"),
    [
        ("clean", ReportVerdict.DONE),
        ("way-back", ReportVerdict.PARTIAL),
        ("offline", ReportVerdict.LEFT_OFFLINE),
        ("unprotected", ReportVerdict.UNPROTECTED),
        ("dead", ReportVerdict.UNFINISHED),
    ],
)
def test_the_verdict_of_a_night(
    plan: Plan, nights: Nights, night: str, verdict: ReportVerdict
) -> None:
    assert build_report(plan, nights[night](plan)).verdict is verdict


def test_work_on_servers_is_counted_in_servers(plan: Plan, nights: Nights) -> None:
    records = nights["clean"](plan)
    assert "database" in build_report(plan, records).headline
    lanes = tuple(
        evolve(each, database_guid=SERVER_ID) if each.database else each
        for each in plan.body.lanes
    )
    of_servers = evolve(plan, body=evolve(plan.body, lanes=lanes))
    headline = build_report(of_servers, records).headline
    assert "server" in headline and "database" not in headline


def test_what_is_no_database_is_known_by_its_name_and_that_none_is_there(
    plan: Plan, nights: Nights
) -> None:
    records = nights["clean"](plan)
    report = build_report(plan, records)
    assert all(one.is_database for one in report.databases)
    decisions = tuple(evolve(one, database="Server") for one in plan.body.decisions)
    renamed = evolve(plan, body=evolve(plan.body, decisions=decisions))
    assert not any(one.is_database for one in build_report(renamed, records).databases)


def test_sizes_are_those_of_the_files_and_times_those_of_the_journal(
    plan: Plan, nights: Nights
) -> None:
    report = build_report(plan, nights["clean"](plan))
    first = report.databases[0]
    assert (first.size_before.size_bytes, first.size_after.size_bytes) == (
        98 * GIB,
        57 * GIB + 32_768,
    )
    assert first.size_before.source == first.size_after.source == "the dismounted file"
    assert (first.white_space_before.size_bytes, first.white_space_after.size_bytes) == (
        41 * GIB,
        GIB // 2,
    )
    assert first.signature_before == "aa" * 28 and first.signature_after == "bb" * 28
    steps = {step.action: step for step in report.lanes[0].steps}
    dismounted, mounted = steps["dismount"].ended_at_utc, steps["mount"].ended_at_utc
    assert dismounted is not None and mounted is not None
    assert total_seconds(first.offline) == (mounted - dismounted).total_seconds() == 8_686
    local = zone(report)
    assert backup_text(first.backup_before, local) == "full backup of 2026-11-21 04:12:00 CET"
    assert backup_text(first.backup_after, local) == "proved full backup of 2026-11-29 01:20:00 CET"
    assert passes_text(first) == "primary: none found; defragmented: none found"


def test_the_backup_chapter(plan: Plan, nights: Nights) -> None:
    report = build_report(plan, nights["clean"](plan))
    (found,) = report.sets
    assert found.folder == r"\\backup01\exchange$\EX01\DB05\20261128T120000Z"
    assert (found.files, found.total_bytes) == (2, 98 * GIB + 1_048_576)
    assert found.is_sealed and found.is_verified and len(found.verified) == 3
    assert found.manifest_sha256 == "33" * 32 and found.set_sha256 == "44" * 32
    (online,) = report.online_backups
    assert online.proved is True and online.retrievable is True
    assert report.superseded[0].address == "EX01/DB05"
    copy = next(one for one in report.rates if one.work == "copy set")
    assert (copy.moved_bytes, copy.seconds) == (98 * GIB + 1_048_576, 880)


def test_a_way_back_is_told_step_by_step(plan: Plan, nights: Nights) -> None:
    report = build_report(plan, nights["way-back"](plan))
    kinds = [one.kind for one in report.deviations]
    assert kinds == [
        "resumed",
        "looked at",
        "retried",
        "failed",
        "way back",
        "way back",
        "way back",
        "failed",
    ]
    assert "17 bytes of a torn last record cut" in report.deviations[0].text
    first = report.databases[0]
    assert first.signature_after is None
    assert first.size_after.source == "the original file, mounted again as it was"
    assert report.attention == () and not report.sets[0].is_verified
    assert next(step for step in report.lanes[0].steps if step.action == "rebuild").attempts == 2


def test_what_is_left_offline_comes_with_its_commands(plan: Plan, nights: Nights) -> None:
    report = build_report(plan, nights["offline"](plan))
    (mend,) = report.attention
    assert mend.address == "EX01/DB05"
    assert mend.commands == ("goexchange release EX01/DB05", "Mount-Database -Identity 'DB05'")
    assert offline_text(report.databases[0]) == "not mounted again"


def test_an_end_that_hides_a_database_that_is_down_is_not_believed(
    plan: Plan, nights: Nights, rechained: Callable[..., tuple[Record, ...]]
) -> None:
    def rosy(record: Record) -> Record:
        if record.kind is RecordKind.RUN_ENDED:
            return evolve(record, data={"exit_code": 0, "verdict": "done", "databases": []})
        if record.kind is RecordKind.LANE_ENDED:
            return evolve(record, data={**record.data, "state": "done"})
        return record

    report = build_report(plan, rechained(nights["offline"](plan), rosy))
    assert report.verdict is ReportVerdict.LEFT_OFFLINE
    assert report.attention[0].commands == ("goexchange resume 20261128T210000Z-7f3c9a1e",)


def test_a_journal_that_just_stops_names_the_step_in_doubt(plan: Plan, nights: Nights) -> None:
    report = build_report(plan, nights["dead"](plan))
    assert report.run.ended_at_utc is None and report.run.exit_code is None
    assert [(one.kind, one.text) for one in report.deviations] == [
        ("in doubt", "step 12 rebuild: no outcome recorded")
    ]
    assert report.attention[0].verdict is ReportVerdict.UNFINISHED
    states = {step.number: step.state for step in report.lanes[0].steps}
    assert states[12] is StepState.IN_DOUBT and states[13] is StepState.NOT_REACHED


def test_a_broken_chain_is_never_done(plan: Plan, nights: Nights) -> None:
    records = nights["clean"](plan)
    forged = (
        *records[:5],
        evolve(records[5], data={**records[5].data, "attempt": 9}),
        *records[6:],
    )
    report = build_report(plan, forged)
    assert report.verdict is ReportVerdict.UNKNOWN
    assert not report.journal.is_whole
    assert report.journal.problem == "record 6: its digest does not fit its content"
    missing = build_report(plan, (*records[:5], *records[6:]))
    assert missing.journal.problem == "record 6: it does not follow the record before"


def test_a_guard_decided_by_the_run_replaces_what_was_due_in_the_plan(
    plan: Plan, nights: Nights
) -> None:
    report = build_report(plan, nights["clean"](plan))
    told = [(one.verdict.guard, one.decided) for one in report.guards]
    assert told == [
        ("free-space", "in the plan"),
        ("free-space", "at the start"),
        ("no-backup-running", "before step 5 notify"),
        ("clean-shutdown", "before step 9 detect errors"),
        ("verified-set", "before step 19 swap"),
    ]


def test_what_the_journal_does_not_hold_is_not_invented(
    plan: Plan, nights: Nights, rechained: Callable[..., tuple[Record, ...]]
) -> None:
    def bare(record: Record) -> Record:
        names = {"step", "lane", "outcome", "attempt", "state"}
        return evolve(
            record, data={name: value for name, value in record.data.items() if name in names}
        )

    report = build_report(plan, rechained(nights["clean"](plan), bare))
    first = report.databases[0]
    assert first.size_after.size_bytes is None and first.white_space_after.size_bytes is None
    assert (first.size_before.size_bytes, first.size_before.source) == (98 * GIB, "Exchange")
    assert report.run.run is None and report.run.started_by is None and report.run.exit_code is None
    assert report.verdict is ReportVerdict.UNKNOWN
    assert report.sets[0].total_bytes is None and report.sets[0].folder is None
    assert report.online_backups[0].proved is None
    assert first.backup_after.words == "no proved backup of the present file"


def test_an_empty_journal_gives_a_report(plan: Plan) -> None:
    report = build_report(plan, ())
    assert report.verdict is ReportVerdict.UNFINISHED and report.journal.head is None
    assert report.databases[0].state is None


@pytest.mark.parametrize("night", ["clean", "way-back", "offline", "unprotected", "dead"])
def test_json_fits_its_schema_and_comes_back(plan: Plan, nights: Nights, night: str) -> None:
    from jsonschema import Draft7Validator

    report = build_report(plan, nights[night](plan))
    text = render_json(report)
    Draft7Validator(json.loads(schema_text("report"))).validate(json.loads(text))
    assert read_json(text) == report


def test_the_schema_names_every_member_of_the_model() -> None:
    def compare(kind: Any, schema: Mapping[str, Any]) -> None:
        names = [one.name for one in attrs.fields(kind)]
        assert list(schema["properties"]) == names == schema["required"], kind
        for one in attrs.fields(attrs.resolve_types(kind)):
            inner = next((part for part in _parts(one.type) if attrs.has(part)), None)
            if inner is not None:
                found = schema["properties"][one.name]
                compare(inner, found.get("items", found))

    compare(Report, json.loads(schema_text("report")))


def _parts(kind: Any) -> tuple[Any, ...]:
    from typing import get_args

    return (kind, *(part for inner in get_args(kind) for part in _parts(inner))) if kind else ()


def test_a_look_that_only_confirms_an_answered_step_is_no_deviation(
    plan: Plan, nights: Nights, rechained: Callable[..., tuple[Record, ...]]
) -> None:
    records = nights["clean"](plan)
    dismount = next(one for one in records if one.data.get("step", "").endswith("07-dismount"))
    data = {"step": dismount.data["step"], "seen": {}, "meaning": "done", "evidence": "seen"}

    def looked(record: Record) -> Record:
        if record.kind is RecordKind.NOTICE:
            return evolve(record, kind=RecordKind.LOOKED, data=data)
        return record

    assert build_report(plan, rechained(records, looked)).deviations == ()


def test_a_guard_is_placed_by_the_step_its_record_names(
    plan: Plan, nights: Nights, rechained: Callable[..., tuple[Record, ...]]
) -> None:
    def named(record: Record) -> Record:
        due = record.data["verdict"]["due_at_step"] if record.kind is RecordKind.GUARD else None
        if due is None:
            return record
        verdict = {**record.data["verdict"], "due_at_step": None, "address": "EX01"}
        return evolve(record, data={"step": due, "verdict": verdict})

    report = build_report(plan, rechained(nights["clean"](plan), named))
    last = report.guards[-1]
    assert (last.decided, last.lane) == ("before step 19 swap", "EX01/DB05")


def test_a_failed_step_says_why(
    plan: Plan, nights: Nights, rechained: Callable[..., tuple[Record, ...]]
) -> None:
    def explained(record: Record) -> Record:
        if record.kind is RecordKind.OUTCOME and record.data["outcome"] == "failed":
            return evolve(
                record, data={**record.data, "findings": [], "result": {"why": "no disk"}}
            )
        return record

    report = build_report(plan, rechained(nights["unprotected"](plan), explained))
    assert report.deviations[0].text == "step 29 online backup: no disk"
    assert next(one for one in report.lanes[0].steps if one.number == 29).why == "no disk"


@pytest.mark.parametrize(
    ("summary", "action", "rest"),
    [
        ("mount at startup: true -> false", "set mount at startup", "true -> false"),
        ("rebuild: to D:\\x", "rebuild", "to D:\\x"),
        ("mounted -> dismounted", "dismount", "mounted -> dismounted"),
        ("swap:", "swap", "swap:"),
    ],
)
def test_a_summary_does_not_repeat_its_action(summary: str, action: str, rest: str) -> None:
    assert without_action(summary, action) == rest
