"""Secrets that go with calls: passwords of the accounts that host jobs run as.

A plan names the account alone. Where its password is kept is read from the inventory at every
start, for a run that is resumed, and one that was read back from a host, too: a host must not say
what this machine reads or runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from goexchange.errors import AuthenticationRefused
from goexchange.model.accounts import credential_of, is_managed
from goexchange.model.configuration import Inventory, SecretReference
from goexchange.model.plan import JobCall, Plan, ScriptCall

if TYPE_CHECKING:
    from collections.abc import Iterable

NO_SECRET = "no-secret"


def secret_of(call: ScriptCall, inventory: Inventory) -> SecretReference | None:
    """What goes with a call; it was read once, so that it can be read when it is sent.

    Raises: AuthenticationRefused naming what is missing, never a value.
    """
    account = call.arguments.get("account") if call.script == "start-job" else None
    if account is None or account["is_managed"]:
        return None
    return _readable(str(account["user"]), inventory)


def check_secrets(plan: Plan, inventory: Inventory) -> None:
    """Whether every password that the plan's jobs need can be read here, before anything begins.

    Raises: AuthenticationRefused.
    """
    for account in sorted(set(_accounts(plan))):
        if not is_managed(account):
            _readable(account, inventory)


def _accounts(plan: Plan) -> Iterable[str]:
    for lane in plan.body.lanes:
        for step in lane.steps:
            if isinstance(step.call, JobCall) and step.call.account is not None:
                yield step.call.account


def _readable(account: str, inventory: Inventory) -> SecretReference:
    from goexchange.transport.secrets import resolve

    reference = credential_of(account, inventory)
    if reference is None:
        raise AuthenticationRefused(
            f"the inventory does not say where the password of {account} is kept: give the share"
            " that it writes to its `account` and `credential` there (`shares`)"
        )
    resolve(reference)
    return reference
