"""Passwords that go with calls: whose, where they are kept, and never from anywhere else."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.app.secrets import check_secrets, secret_of
from goexchange.errors import AuthenticationRefused
from goexchange.model.configuration import Inventory, SecretKind, SecretReference, Share
from goexchange.model.plan import Action, JobCall, Plan, ScriptCall
from goexchange.plan.calls import host_script
from tests.driver.plans import plan_of, rebuild_lane, with_step
from tests.unit.plan.builders import PLACE, inventory

STORED, MANAGED = "CONTOSO\\gx-backup", "CONTOSO\\gx-jobs$"
KEPT = SecretReference(kind=SecretKind.ENVIRONMENT, locator="GX_TEST_SHARE")


def site(account: str = STORED, credential: SecretReference | None = KEPT) -> Inventory:
    share = Share(
        path="\\\\b\\s", mounted_at=None, place=PLACE, account=account, credential=credential
    )
    return evolve(inventory(), shares=(share,))


def starting(account: dict[str, Any] | None) -> ScriptCall:
    return host_script("start-job", {"job": "r1"} | ({"account": account} if account else {}))


def plan(account: str | None) -> Plan:
    lane = rebuild_lane()
    step = next(each for each in lane.steps if each.action is Action.COPY_SET)
    assert isinstance(step.call, JobCall)
    call = evolve(step.call, account=account)
    return plan_of(with_step(lane, Action.COPY_SET, call=call))


def test_only_a_stored_account_has_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GX_TEST_SHARE", "pw")
    assert secret_of(starting({"user": STORED, "is_managed": False}), site()) == KEPT
    assert secret_of(starting({"user": MANAGED, "is_managed": True}), site()) is None
    assert secret_of(starting(None), site()) is None
    assert secret_of(host_script("poll-job", {}), site()) is None


def test_a_password_that_nobody_says_or_that_is_not_there_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GX_TEST_SHARE", raising=False)
    call = starting({"user": STORED, "is_managed": False})
    with pytest.raises(AuthenticationRefused, match="does not say where the password"):
        secret_of(call, inventory())
    with pytest.raises(AuthenticationRefused, match="GX_TEST_SHARE"):
        secret_of(call, site())


def test_every_password_is_read_once_before_a_run_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GX_TEST_SHARE", raising=False)
    check_secrets(plan(None), inventory())
    check_secrets(plan(MANAGED), inventory())
    with pytest.raises(AuthenticationRefused):
        check_secrets(plan(STORED), site())
    monkeypatch.setenv("GX_TEST_SHARE", "pw")
    check_secrets(plan(STORED), site())
