"""Whom host jobs run as that touch a share, and where the password of that account is kept."""

from __future__ import annotations

from goexchange.model.configuration import Inventory, SecretReference, Share


def is_managed(account: str) -> bool:
    """Whether it is a group managed service account, by its name."""
    return account.endswith("$")


def share_at(path: str, inventory: Inventory) -> Share | None:
    """The share that a path is on, the deepest of several; None where the inventory has none."""
    wanted = _comparable(path)
    fits = [each for each in inventory.shares if wanted.startswith(_comparable(each.path))]
    return max(fits, key=lambda each: len(_comparable(each.path)), default=None)


def account_at(path: str | None, inventory: Inventory) -> str | None:
    """Whom jobs run as that touch the path; None for SYSTEM, which is the computer account."""
    share = share_at(path, inventory) if path is not None else None
    return None if share is None else share.account


def credential_of(account: str, inventory: Inventory) -> SecretReference | None:
    """Where the password of an account is kept; None where the inventory does not say."""
    for share in inventory.shares:
        is_it = share.account is not None and share.account.lower() == account.lower()
        if is_it and share.credential is not None:
            return share.credential
    return None


def _comparable(path: str) -> str:
    return path.replace("/", "\\").rstrip("\\").lower() + "\\"
