"""What each script needs to see, when it is done, and what it is refused for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from goexchange.model import actual, desired
from goexchange.model.actual import Look, LookKind
from goexchange.model.desired import Script, VerifyMode
from goexchange.model.plan import Action, Decision, JobCall, Need, PlanBody, Reason
from goexchange.model.unknown import Unknown
from goexchange.plan.check import breaches
from goexchange.plan.planner import make_draft
from goexchange.spec.scripts import Condition, is_served
from tests.unit.plan.builders import (
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
    volume,
    with_record,
)

DAY = 86400
ASKS = {
    "white_space_max": None,
    "verified_within_s": None,
    "online_full_backup_within_s": None,
}
FILE = (LookKind.PAGES, LookKind.STRUCTURE)
DUE: dict[Script, tuple[dict[str, Any], tuple[LookKind, ...], Need]] = {
    Script.ONLINE_ERROR_DIAGNOSTIC: (
        {"verified_within_s": 30 * DAY}, (LookKind.LOGICAL,), Need.VERIFY,
    ),
    Script.ONLINE_ERROR_CORRECTION: (
        {"verified_within_s": 30 * DAY}, (LookKind.CORRECTED,), Need.CORRECT,
    ),
    Script.STORE_ERROR_CORRECTION: (
        {"verified_within_s": 30 * DAY}, (LookKind.CORRECTED, *FILE), Need.CORRECT,
    ),
    Script.OFFLINE_DIAGNOSTIC_REPORT: (
        {"verified_within_s": 30 * DAY, "measured_within_s": 90 * DAY},
        (*FILE, LookKind.SPACE),
        Need.VERIFY,
    ),
    Script.OFFLINE_SPACE_DIAGNOSTIC: (
        {"measured_within_s": 90 * DAY}, (LookKind.SPACE,), Need.MEASURE,
    ),
}  # fmt: skip
EVERY = pytest.mark.parametrize("one", list(DUE))
OFFLINE = (
    Script.STORE_ERROR_CORRECTION,
    Script.OFFLINE_DIAGNOSTIC_REPORT,
    Script.OFFLINE_SPACE_DIAGNOSTIC,
)


def wanted(one: Script, **differs: Any) -> desired.DesiredState:
    asks = DUE[one][0] if one in DUE else {"offline_backup_within_s": 30 * DAY}
    choice = {"script": one, "verify": VerifyMode.OFFLINE, **differs}
    return spec(conditions=conditions(**{**ASKS, **asks}), script=script(**choice))


def drafted(
    one: actual.ActualDatabase, want: desired.DesiredState, *looks: Look, **kept: Any
) -> PlanBody:
    seen = server(databases=(one,))
    if looks or kept:
        seen = with_record(seen, record(one, verified_days_ago=None, looks=looks, **kept))
    return make_draft([want], inventory(), state(seen), now=NOW)


def decided(
    one: actual.ActualDatabase, want: desired.DesiredState, *looks: Look, **kept: Any
) -> Decision:
    (found,) = drafted(one, want, *looks, **kept).decisions
    return found


def look(kind: LookKind, *, days_ago: int = 1, errors: int = 0) -> Look:
    return Look(kind=kind, at_utc=NOW - timedelta(days=days_ago), errors=errors)


@EVERY
def test_what_was_never_looked_at_is_due(one: Script) -> None:
    found = decided(database(), wanted(one))
    assert found.need is DUE[one][2]
    assert found.origin is not None


@EVERY
def test_what_was_seen_lately_without_errors_is_done(one: Script) -> None:
    found = decided(database(), wanted(one), *(look(kind) for kind in DUE[one][1]))
    assert (found.need, found.reasons) == (Need.NOTHING, (Reason.MEETS_SPECIFICATION,))


@EVERY
@pytest.mark.parametrize("missing", [0, -1])
def test_one_look_less_or_too_old_is_due_again(one: Script, missing: int) -> None:
    kinds = DUE[one][1]
    rest = [look(kind) for kind in kinds if kind is not kinds[missing]]
    # A record without any look is not the same as one of an older version: both are due.
    assert decided(database(), wanted(one), *rest, run="r-1").need in (DUE[one][2], Need.MEASURE)
    old = [*rest, look(kinds[missing], days_ago=91)]
    assert decided(database(), wanted(one), *old).need in (DUE[one][2], Need.MEASURE)


@pytest.mark.parametrize("one", [Script.ONLINE_ERROR_DIAGNOSTIC, Script.OFFLINE_DIAGNOSTIC_REPORT])
def test_a_look_that_found_errors_does_not_count_and_is_told(one: Script) -> None:
    looks = [look(kind, errors=3 if kind is DUE[one][1][0] else 0) for kind in DUE[one][1]]
    found = decided(database(), wanted(one), *looks)
    assert (found.need, found.reasons) == (Need.VERIFY, (Reason.ERRORS_FOUND,))
    assert found.explanation.startswith("3 errors found by")


def test_a_file_with_errors_is_never_repaired_and_the_plan_says_what_to_do() -> None:
    bad = look(LookKind.PAGES, errors=2)
    found = decided(database(), wanted(Script.STORE_ERROR_CORRECTION), bad)
    assert (found.need, found.reasons) == (Need.NOT_POSSIBLE, (Reason.REPAIR_MAY_LOSE_DATA,))
    assert "repair that may lose data" in found.explanation
    assert found.instead is not None and "goexchange restore" in found.instead
    assert "evidence" in found.instead and "offline-diagnostic-report" in found.instead


@pytest.mark.parametrize("one", OFFLINE[1:])
def test_nothing_is_taken_down_only_to_be_looked_at_unless_it_is_said(one: Script) -> None:
    found = decided(database(), wanted(one, verify=VerifyMode.ONLINE))
    assert (found.need, found.reasons) == (Need.NOT_POSSIBLE, (Reason.OUTAGE_NOT_ASKED_FOR,))
    assert found.instead is not None and "`script.verify: offline`" in found.instead


@pytest.mark.parametrize("one", [*OFFLINE, Script.EXCHANGE_BACKUP])
def test_a_database_with_a_second_copy_lagged_or_not_is_not_taken_down(one: Script) -> None:
    replicated = database(copies=("EX01", "EX02"), is_replicated=True)
    found = decided(replicated, wanted(one))
    looks_alone = one is Script.OFFLINE_DIAGNOSTIC_REPORT  # on a copy, if its group were known
    reason = Reason.COPIES_UNKNOWN if looks_alone else Reason.MORE_THAN_ONE_COPY
    assert (found.need, found.reasons) == (Need.NOT_POSSIBLE, (reason,))
    assert found.instead


@pytest.mark.parametrize("one", [*DUE, Script.EXCHANGE_BACKUP, Script.OFFLINE_DEFRAG])
def test_a_recovery_database_is_refused_by_every_script(one: Script) -> None:
    found = decided(database(is_recovery=True), wanted(one))
    assert found.reasons == (Reason.RECOVERY_DATABASE,)


@EVERY
def test_an_unknown_record_is_no_permission(one: Script) -> None:
    seen = server(host=host(records=Unknown("the folder is not readable")))
    (found,) = make_draft([wanted(one)], inventory(), state(seen), now=NOW).decisions
    assert (found.need, found.reasons) == (Need.NOT_POSSIBLE, (Reason.FACT_UNKNOWN,))


def test_white_space_over_the_limit_is_told_by_a_script_that_does_not_rebuild() -> None:
    want = wanted(Script.ONLINE_ERROR_DIAGNOSTIC)
    want = evolve(want, conditions=evolve(want.conditions, white_space_max=0.2))
    assert not is_served(Script.ONLINE_ERROR_DIAGNOSTIC, Condition.WHITE_SPACE)
    found = decided(database(), want, look(LookKind.LOGICAL))
    assert (found.need, found.reasons) == (Need.NOTHING, (Reason.NOT_IN_SCRIPT,))
    assert found.explanation.endswith("online-error-diagnostic does not rebuild")


def test_a_defragmentation_has_no_passes_and_everything_else_of_a_rebuild() -> None:
    want = spec(script=script(script=Script.OFFLINE_DEFRAG))
    body = make_draft([want], inventory(), state(server()), now=NOW)
    actions = [step.action for step in body.lanes[0].steps]
    assert Action.REPAIR_REQUEST not in actions
    assert {Action.SEAL_SET, Action.SWAP, Action.SWAP_BACK, Action.PROVE_BACKUP} <= set(actions)
    assert actions.count(Action.DETECT_ERRORS) == 2


def test_a_set_alone_leaves_out_what_is_of_a_rebuild_and_is_still_verified() -> None:
    body = drafted(database(), wanted(Script.EXCHANGE_BACKUP))
    actions = {step.action for step in body.lanes[0].steps}
    left_out = {Action.REBUILD, Action.DETECT_ERRORS_TEMPORARY, Action.SWAP, Action.DETECT_ERRORS,
                Action.REPAIR_REQUEST, Action.ONLINE_BACKUP}  # fmt: skip
    assert not actions & left_out
    assert {Action.COPY_SET, Action.VERIFY_SET_ON_HOST, Action.HASH_SET, Action.SEAL_SET,
            Action.VERIFY_SET, Action.MOUNT_ORIGINAL} <= actions  # fmt: skip
    assert "space" in {each for step in body.lanes[0].steps for each in step.guards}


def test_a_set_needs_a_target() -> None:
    want = evolve(wanted(Script.EXCHANGE_BACKUP), backup_before=desired.BackupActions(
        offline=None, online=None, place=spec().place))  # fmt: skip
    found = decided(database(), want)
    assert found.need is Need.NOT_POSSIBLE
    assert found.instead is not None and "backup.before.offline" in found.instead


NAMES = ("DB 01", "O'Brien's \"Mail\"", "[VIP] {x}!", "Größe & Söhne", "邮箱 数据库", "почта")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("one", [*OFFLINE, Script.EXCHANGE_BACKUP])
def test_any_name_and_a_mount_point_are_planned_and_travel_as_data(one: Script, name: str) -> None:
    folder = "D:\\Mounts\\M1"
    mounted = database(
        name, edb_path=f"{folder}\\Söhne's [x].edb", log_folder=f"{folder}\\Logs 1"
    )
    volumes = (volume("C:\\"), volume("D:\\"), volume("E:\\"), volume(folder + "\\"))
    seen = server(databases=(mounted,), host=host(volumes=volumes))
    body = make_draft([wanted(one)], inventory(), state(seen), now=NOW)
    (lane,) = body.lanes
    assert lane.id == f"EX01/{name}" and not list(breaches(body))
    jobs = [step.call for step in lane.steps if isinstance(step.call, JobCall)]
    paths = [each.request["arguments"][1] for each in jobs if each.kind == "eseutil"]
    assert paths and all(isinstance(each, str) for each in paths)
    assert mounted.edb_path in paths or one is Script.EXCHANGE_BACKUP
