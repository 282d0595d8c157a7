"""Accounts of shares in the plan: which steps run as them, what is tried, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.codec import from_plain, to_plain
from goexchange.model.accounts import account_at, credential_of, share_at
from goexchange.model.actual import ActualHost, Generation
from goexchange.model.configuration import Inventory, SecretKind, SecretReference, Share
from goexchange.model.desired import BackupActions, DesiredState, Script, VerifyMode
from goexchange.model.plan import (
    Action,
    ControllerCall,
    JobCall,
    Lane,
    Need,
    PlanBody,
    Reason,
    ScriptCall,
    Step,
)
from goexchange.plan.accounts import refuse_account
from goexchange.plan.planner import make_draft
from tests.unit.plan.builders import (
    NOW,
    PLACE,
    at,
    conditions,
    host,
    inventory,
    offline_backup,
    script,
    server,
    spec,
    state,
)

SHARE = "\\\\backup01\\exchange$"
OTHER = "\\\\backup02\\rebuilt"
STORED, MANAGED = "CONTOSO\\gx-backup", "CONTOSO\\gx-jobs$"
SECRET = SecretReference(kind=SecretKind.ENVIRONMENT, locator="SHARE")


def share(path: str = SHARE, **differs: Any) -> Share:
    values: dict[str, Any] = {"mounted_at": "/mnt/b", "account": STORED, "credential": SECRET}
    return Share(path=path, place=PLACE, **{**values, **differs})


def with_shares(*shares: Share, **differs: Any) -> Inventory:
    return evolve(inventory(), shares=shares, **differs)


def lane_of(of: Inventory, want: DesiredState | None = None) -> Lane:
    body = make_draft([want or spec()], of, state(), now=NOW)
    (decision,) = [each for each in body.decisions if each.database == "DB05"]
    assert decision.need is Need.REBUILD, decision.explanation
    return next(lane for lane in body.lanes if lane.database == "DB05")


def accounts(lane: Lane) -> dict[Action, str]:
    return {
        step.action: step.call.account
        for step in lane.steps
        if isinstance(step.call, JobCall) and step.call.account is not None
    }


def the(lane: Lane, action: Action) -> Step:
    return next(step for step in lane.steps if step.action is action)


def test_every_job_that_touches_the_share_runs_as_its_account_and_no_other() -> None:
    lane = lane_of(with_shares(share()))
    assert accounts(lane) == dict.fromkeys(
        (
            Action.TRY_TARGET, Action.EXPORT_CONFIGURATION, Action.COPY_SET,
            Action.VERIFY_SET_ON_HOST, Action.HASH_SET, Action.SEAL_SET, Action.COPY_BACK,
        ),
        STORED,
    )  # fmt: skip
    for step in lane.steps:
        if isinstance(step.call, JobCall) and step.call.account is None:
            assert SHARE not in str(step.call.request) + str(step.call.watch), step.id
    assert the(lane, Action.COPY_SET).summary.endswith(f", as {STORED}")
    seal = the(lane, Action.SEAL_SET)
    assert isinstance(seal.call, JobCall) and seal.call.kind == "seal-set"
    assert str(seal.call.request["folder"]).startswith(SHARE)


def test_a_set_on_a_share_is_sealed_by_a_job_and_any_other_by_the_session() -> None:
    lane = lane_of(with_shares(share(account=None, credential=None)))
    assert accounts(lane) == {}
    assert isinstance(the(lane, Action.SEAL_SET).call, JobCall)
    target = evolve(offline_backup().target, path="E:\\sets")
    local = evolve(spec().backup_before, offline=offline_backup(target=target))
    lane = lane_of(with_shares(share()), spec(backup_before=local))
    assert isinstance(the(lane, Action.SEAL_SET).call, ScriptCall) and accounts(lane) == {}
    assert Action.TRY_TARGET not in {step.action for step in lane.steps}, "no share, no trial"


def test_the_computer_account_is_tried_on_the_share_and_on_nothing_of_its_own() -> None:
    lane = lane_of(with_shares(share(account=None, credential=None)))
    actions = [step.action for step in lane.steps]
    assert actions.index(Action.TRY_TARGET) < actions.index(Action.DISMOUNT)
    trial = the(lane, Action.TRY_TARGET)
    assert isinstance(trial.call, JobCall)
    assert trial.call.request == {"folders": [SHARE], "files": []}
    assert (trial.call.account, trial.call.kind) == (None, "try-folders")
    assert "the computer account of EX01" in trial.summary


def test_the_trial_stands_before_the_outage_and_tries_what_the_night_needs() -> None:
    lane = lane_of(with_shares(share()))
    actions = [step.action for step in lane.steps]
    assert actions.index(Action.TRY_TARGET) < actions.index(Action.DISMOUNT)
    trial = the(lane, Action.TRY_TARGET).call
    original = "D:\\DB05\\DB05.edb"
    assert isinstance(trial, JobCall)
    assert trial.request == {"folders": [SHARE, "D:\\DB05"], "files": [original]}


def test_the_set_of_the_rebuilt_file_has_the_account_of_its_own_target() -> None:
    target = evolve(offline_backup().target, path=OTHER)
    after = BackupActions(
        offline=offline_backup(target=target, parts=()),
        online=spec().backup_after.online,
        place=at(24),
    )
    shares = (share(account=None, credential=None), share(OTHER, account=MANAGED, credential=None))
    lane = lane_of(with_shares(*shares), spec(backup_after=after))
    assert accounts(lane) == dict.fromkeys(
        (
            Action.TRY_TARGET, Action.COPY_REBUILT, Action.VERIFY_REBUILT_ON_HOST,
            Action.HASH_REBUILT, Action.SEAL_REBUILT,
        ),
        MANAGED,
    )  # fmt: skip
    trials = [step.call for step in lane.steps if step.action is Action.TRY_TARGET]
    tried = [(each.account, each.request) for each in trials if isinstance(each, JobCall)]
    assert tried == [
        (None, {"folders": [SHARE], "files": []}),
        (MANAGED, {"folders": [OTHER], "files": []}),
    ]


def test_no_secret_and_no_reference_is_in_a_plan() -> None:
    body = make_draft([spec()], with_shares(share()), state(), now=NOW)
    assert "env:SHARE" not in str(to_plain(body.lanes))
    assert "gx-backup" in str(to_plain(body.lanes))


def test_a_job_of_an_older_plan_has_no_account() -> None:
    plain = {"kind": "hash-files", "digest": "d", "request": {"files": []}}
    assert from_plain(JobCall, plain).account is None


OLD = (Generation.EXCHANGE_2003, Generation.EXCHANGE_2007)


def refused(account: str, generation: Generation, powershell: str = "5.1") -> str | None:
    credential = None if account.endswith("$") else SECRET
    of = with_shares(share(account=account, credential=credential))
    found = refuse_account(
        spec(), generation, evolve(host(), powershell_version=powershell), inventory=of
    )
    return None if found is None else found.explanation


@pytest.mark.parametrize(
    ("account", "generation", "powershell", "words"),
    [
        (STORED, Generation.EXCHANGE_2003, "2.0", "run as SYSTEM only"),
        (MANAGED, Generation.EXCHANGE_2003, "2.0", "run as SYSTEM only"),
        (MANAGED, Generation.EXCHANGE_2007, "2.0", "Windows Server 2012"),
        (MANAGED, Generation.EXCHANGE_2010, "2.0", "Windows Server 2012"),
    ],
)
def test_an_account_that_no_task_there_can_run_as_is_refused(
    account: str, generation: Generation, powershell: str, words: str
) -> None:
    assert words in (refused(account, generation, powershell) or "")


@pytest.mark.parametrize("account", [STORED, MANAGED])
def test_an_account_is_fine_where_tasks_can_run_as_it(account: str) -> None:
    assert refused(account, Generation.EXCHANGE_2016) is None
    assert refused(STORED, Generation.EXCHANGE_2007, "2.0") is None


def test_a_credential_of_the_specification_is_held_to_the_inventory() -> None:
    before = spec().backup_before
    target = evolve(offline_backup().target, credential=SECRET)
    want = spec(backup_before=evolve(before, offline=offline_backup(target=target)))
    assert accounts(lane_of(with_shares(share()), want))[Action.COPY_SET] == STORED
    for of in (with_shares(), with_shares(share(account=None, credential=None))):
        body = make_draft([want], of, state(), now=NOW)
        (decision,) = [each for each in body.decisions if each.database == "DB05"]
        assert decision.reasons == (Reason.BLOCKED_BY_GUARD,)
        assert "the inventory nothing" in decision.explanation


def test_a_verdict_beside_the_set_is_waited_for_by_a_job_of_the_same_account() -> None:
    of = with_shares(share(mounted_at=None), verifier="BACKUP01")
    (step,) = [each for each in lane_of(of).steps if each.action is Action.VERIFY_SET]
    assert isinstance(step.call, JobCall)
    assert (step.call.kind, step.call.account) == ("await-verdict", STORED)
    (seen,) = [each for each in lane_of(with_shares(share(), verifier="B")).steps
               if each.action is Action.VERIFY_SET]  # fmt: skip
    assert isinstance(seen.call, ControllerCall), "this machine sees the share itself"


def _host() -> ActualHost:
    found = server().host
    assert isinstance(found, ActualHost)
    return found


def test_a_specification_without_sets_needs_no_account() -> None:
    nothing = BackupActions(offline=None, online=None, place=at(21))
    want = spec(backup_before=nothing, backup_after=nothing)
    found = refuse_account(want, Generation.EXCHANGE_2003, _host(), inventory=with_shares(share()))
    assert found is None


def test_the_deepest_share_counts_and_case_does_not() -> None:
    of = with_shares(share(), share(f"{SHARE}\\Special", account=MANAGED, credential=None))
    assert account_at(f"{SHARE.upper()}\\special\\EX01", of) == MANAGED
    assert account_at(f"{SHARE}\\other", of) == STORED
    assert account_at("E:\\sets", of) is None and account_at(None, of) is None
    assert share_at(f"{SHARE}x", of) is None
    assert credential_of(STORED.lower(), of) == SECRET
    assert credential_of(MANAGED, of) is None


@pytest.mark.parametrize(("account", "kept"), [(STORED, "that job's task"), (MANAGED, "Windows")])
def test_the_chapter_of_backups_says_who_writes(account: str, kept: str) -> None:
    credential = None if account.endswith("$") else SECRET
    of = with_shares(share(account=account, credential=credential))
    said = [each for each in _draft(of).backups if f"run as {account}" in each]
    assert len(said) == 1 and kept in said[0]
    assert not [each for each in _draft(with_shares()).backups if "run as" in each]


def _draft(of: Inventory) -> PlanBody:
    return make_draft([spec()], of, state(), now=NOW)


def test_a_lane_that_keeps_no_set_tries_no_account() -> None:
    want = spec(
        script=script(script=Script.OFFLINE_DIAGNOSTIC_REPORT, verify=VerifyMode.OFFLINE),
        conditions=conditions(verified_within_s=30 * 86400, white_space_max=None),
    )
    body = make_draft([want], with_shares(share()), state(), now=NOW)
    lane = next(lane for lane in body.lanes if lane.database == "DB05")
    assert Action.DISMOUNT in {step.action for step in lane.steps}
    assert accounts(lane) == {}
    assert not [each for each in body.backups if "run as" in each]
