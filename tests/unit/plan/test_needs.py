from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from goexchange.errors import InvalidDocument, Severity
from goexchange.model import actual, desired
from goexchange.model.configuration import SecretKind, SecretReference
from goexchange.model.plan import Decision, Need, Reason
from goexchange.model.unknown import Unknown
from goexchange.plan.planner import make_draft
from tests.unit.plan.builders import (
    GIB,
    NOW,
    conditions,
    database,
    host,
    inventory,
    record,
    script,
    server,
    spec,
    state,
    targets,
    with_record,
)

WELL = {"white_space_bytes": 2 * GIB}


def decide(
    one: actual.ActualDatabase,
    *,
    records: tuple[actual.DatabaseRecord, ...] | None = None,
    want: desired.DesiredState | None = None,
) -> Decision:
    kept = (record(one),) if records is None else records
    seen = with_record(server(databases=(one,)), *kept)
    body = make_draft([want or spec()], inventory(), state(seen), now=NOW)
    assert len(body.decisions) == 1
    assert (body.lanes == ()) == (body.decisions[0].need in (Need.NOTHING, Need.NOT_POSSIBLE))
    return body.decisions[0]


def test_too_much_white_space_is_a_rebuild_with_figures() -> None:
    found = decide(database())
    assert found.need is Need.REBUILD
    assert found.reasons == (Reason.WHITE_SPACE_OVER_MAXIMUM,)
    assert found.explanation == "white space 41 GiB, 42% > 20%"
    assert found.outage_s is not None and found.outage_p90_s == 2 * found.outage_s


def test_what_meets_the_specification_gets_no_step() -> None:
    found = decide(database(**WELL))
    assert (found.need, found.reasons) == (Need.NOTHING, (Reason.MEETS_SPECIFICATION,))


@pytest.mark.parametrize(
    ("differs", "reason"),
    [
        ({"rebuilt_at_utc": NOW - timedelta(days=179)}, Reason.REBUILT_RECENTLY),
        (
            {"rebuilt_at_utc": NOW - timedelta(days=900), "rebuild_goal_met": False},
            Reason.REBUILD_MISSED_GOAL,
        ),
    ],
)
def test_the_brake_holds_a_rebuild(differs: dict[str, object], reason: Reason) -> None:
    one = database()
    found = decide(one, records=(record(one, **differs),))
    assert (found.need, found.reasons) == (Need.NOTHING, (reason,))
    assert found.explanation.startswith("white space 41 GiB, 42% > 20%, but ")


def test_after_the_brake_a_rebuild_is_planned_again() -> None:
    one = database()
    earlier = record(one, rebuilt_at_utc=NOW - timedelta(days=181), rebuild_goal_met=True)
    assert decide(one, records=(earlier,)).need is Need.REBUILD


def test_a_small_gain_is_not_worth_an_outage() -> None:
    found = decide(database(size_bytes=20 * GIB, white_space_bytes=9 * GIB))
    assert (found.need, found.reasons) == (Need.NOTHING, (Reason.GAIN_TOO_SMALL,))


def test_verification_and_backup_are_needed_by_age() -> None:
    one = database(**WELL, last_full_backup_utc=NOW - timedelta(days=8))
    found = decide(one, records=(record(one, verified_days_ago=31),))
    assert found.need is Need.VERIFY
    assert found.reasons == (Reason.VERIFICATION_TOO_OLD, Reason.BACKUP_TOO_OLD)
    assert found.outage_s is None


def test_no_record_means_not_met_and_never_backed_up_is_a_need() -> None:
    one = database(**WELL)
    assert decide(one, records=()).reasons == (Reason.NEVER_VERIFIED,)
    found = decide(database(**WELL, last_full_backup_utc=None))
    assert (found.need, found.reasons) == (Need.ONLINE_BACKUP, (Reason.NEVER_BACKED_UP,))


def test_a_dismounted_database_is_mounted_first() -> None:
    down = database(is_mounted=False, size_bytes=Unknown("dismounted"))
    assert decide(down).need is Need.MOUNT
    left = decide(down, want=spec(conditions=conditions(mounted=False)))
    assert (left.need, left.reasons) == (Need.NOT_POSSIBLE, (Reason.DISMOUNTED,))


def test_more_than_one_copy_is_refused_with_the_better_tool_and_the_place() -> None:
    want = spec()
    found = decide(database(copies=("EX01", "EX02"), is_replicated=True), want=want)
    assert (found.need, found.reasons) == (Need.NOT_POSSIBLE, (Reason.MORE_THAN_ONE_COPY,))
    assert found.instead is not None and "move its mailboxes to a fresh database" in found.instead
    assert found.origin == want.conditions.white_space_max_place


def test_several_copies_that_need_nothing_are_no_refusal() -> None:
    one = database(copies=("EX01", "EX02"), is_replicated=True, **WELL)
    assert decide(one).need is Need.NOTHING


def test_offline_verification_of_several_copies_needs_all_of_them_known() -> None:
    one = database(copies=("EX01", "EX02"), is_replicated=True, **WELL)
    want = spec(script=script(verify=desired.VerifyMode.OFFLINE))
    found = decide(one, records=(), want=want)
    assert found.need is Need.NOT_POSSIBLE
    assert found.reasons == (Reason.COPIES_UNKNOWN,)
    assert found.instead is not None and "`availability_groups`" in found.instead


def test_a_recovery_database_is_refused() -> None:
    assert decide(database(is_recovery=True)).reasons == (Reason.RECOVERY_DATABASE,)


@pytest.mark.parametrize(
    "fact",
    [
        "is_recovery",
        "is_mounted",
        "copies",
        "is_replicated",
        "size_bytes",
        "white_space_bytes",
        "last_full_backup_utc",
        "is_mount_at_startup",
    ],
)
def test_an_unknown_fact_that_decides_is_not_possible_and_named(fact: str) -> None:
    found = decide(database(**{fact: Unknown("the store did not answer")}))
    assert (found.need, found.reasons) == (Need.NOT_POSSIBLE, (Reason.FACT_UNKNOWN,))
    assert found.explanation.endswith("is unknown: the store did not answer")


def test_a_generation_that_the_script_is_not_for_is_refused() -> None:
    old = server(generation=actual.Generation.EXCHANGE_2003)
    want = spec(script=script(script=desired.Script.ONLINE_ERROR_CORRECTION))
    body = make_draft([want], inventory(), state(old), now=NOW)
    assert body.decisions[0].reasons == (Reason.SCRIPT_NOT_FOR_VERSION,)


def test_what_is_not_yet_executed_is_refused_by_name_with_its_place() -> None:
    after = spec().backup_after.online
    assert after is not None and after.target is not None
    secret = SecretReference(kind=SecretKind.PROMPT)
    online = evolve(after, target=evolve(after.target, credential=secret))
    want = spec(backup_after=evolve(spec().backup_after, online=online))
    found = decide(database(), want=want)
    assert found.reasons == (Reason.NOT_YET_EXECUTED,)
    assert "a credential for" in found.explanation
    assert found.origin == after.target.place


@pytest.mark.parametrize("lacking", ["backup_before", "backup_after"])
def test_a_rebuild_without_its_backups_is_refused(lacking: str) -> None:
    nothing = desired.BackupActions(offline=None, online=None, place=spec().place)
    found = decide(database(), want=spec(**{lacking: nothing}))
    assert (found.need, found.reasons) == (Need.NOT_POSSIBLE, (Reason.BLOCKED_BY_GUARD,))
    assert found.instead is not None and "backup." in found.instead


def test_a_consent_that_the_specification_forbids_refuses_the_work() -> None:
    want = spec(script=script(forbid=(desired.Consent.OUTAGE_WITHOUT_HISTORY,)))
    found = decide(database(), want=want)
    assert found.need is Need.NOT_POSSIBLE
    assert found.origin == want.script.forbid_place


def test_a_backup_into_a_volume_that_is_backed_up_is_refused() -> None:
    found = decide(database(edb_path="E:\\DB05\\DB05.edb"))
    assert found.need is Need.NOT_POSSIBLE
    assert "one of the volumes it backs up" in found.explanation


def test_an_open_run_on_the_database_is_resumed_not_planned_over() -> None:
    one = database()
    left = actual.OpenRecovery(
        run="r-7", database_guid=one.guid, opened_at_utc=NOW, phase="dismounted"
    )
    seen = server(databases=(one,), host=host(open_recoveries=(left,)))
    found = make_draft([spec()], inventory(), state(seen), now=NOW).decisions[0]
    assert found.need is Need.NOT_POSSIBLE
    assert found.instead is not None and "resume r-7" in found.instead


def test_a_server_that_could_not_be_seen_is_a_decision_of_its_own() -> None:
    blind = server(databases=Unknown("no answer"))  # type: ignore[arg-type]
    found = make_draft([spec()], inventory(), state(blind), now=NOW).decisions[0]
    assert (found.address, found.database, found.need) == ("EX01", "*", Need.NOT_POSSIBLE)
    missing = make_draft([spec()], inventory("EX01", "EX09"), state(), now=NOW)
    assert [each.address for each in missing.decisions] == ["EX01/DB05", "EX09"]


def test_two_specifications_for_one_database_are_refused() -> None:
    body = make_draft([spec("b"), spec("a")], inventory(), state(), now=NOW)
    assert "more than one specification means it: a and b" in body.decisions[0].explanation


def test_a_named_database_that_exists_nowhere_is_an_error_with_its_place() -> None:
    want = spec(targets=targets("DB05", "DB99"))
    with pytest.raises(InvalidDocument) as error:
        make_draft([want], inventory(), state(), now=NOW)
    assert [each.place for each in error.value.diagnostics] == [want.targets.include_places[1]]


def test_a_pattern_that_matches_nothing_is_a_warning() -> None:
    body = make_draft([spec(targets=targets("X*"))], inventory(), state(), now=NOW)
    assert [(each.id, each.severity) for each in body.diagnostics] == [
        ("nothing-selected", Severity.WARNING)
    ]


def test_the_scope_narrows_and_makes_the_plan_partial() -> None:
    seen = server(databases=(database("DB01"), database("DB05")))
    body = make_draft([spec()], inventory(), state(seen), now=NOW, scope=("EX01/DB05",))
    assert [each.address for each in body.decisions] == ["EX01/DB05"]
    assert body.is_partial


def test_different_windows_are_planned_apart() -> None:
    other = evolve(spec("other"), schedule=evolve(spec().schedule, window=None))
    with pytest.raises(InvalidDocument, match="different windows"):
        make_draft([spec(), other], inventory(), state(), now=NOW)


def _with_credential() -> desired.DesiredState:
    after = spec().backup_after
    assert after.online is not None and after.online.target is not None
    target = evolve(after.online.target, credential=SecretReference(kind=SecretKind.PROMPT))
    return spec(backup_after=evolve(after, online=evolve(after.online, target=target)))


@pytest.mark.parametrize(
    ("want", "words"),
    [
        (_with_credential(), "a credential for the online backup"),
    ],
)
def test_no_option_is_ignored(want: desired.DesiredState, words: str) -> None:
    found = decide(database(), want=want)
    assert found.reasons == (Reason.NOT_YET_EXECUTED,)
    assert words in found.explanation
    body = make_draft([want], inventory(), state(), now=NOW)
    assert [each.id for each in body.diagnostics] == ["not-yet-executed"]
