"""Shares as the inventory declares them."""

from __future__ import annotations

from goexchange.model.accounts import is_managed
from goexchange.model.configuration import SecretReference, Share
from goexchange.reading import Findings, Section


def share_of(part: Section, findings: Findings) -> Share:
    """Read one; what is declared by half is reported."""
    share = Share(
        path=part.text("path"),
        mounted_at=part.optional_text("mounted_at"),
        account=part.optional_text("account"),
        credential=_credential(part, findings),
        place=part.place,
    )
    for detail in _contradictions(share, part):
        findings.add("share", detail=detail, place=share.place)
    return share


def _contradictions(share: Share, part: Section) -> list[str]:
    found = []
    if share.account is None and part.has("credential"):
        found.append("A credential needs its 'account' too: the user whose password it is.")
    elif share.account is not None and is_managed(share.account) and part.has("credential"):
        found.append(
            f"Windows itself knows the password of the managed account {share.account}:"
            " take 'credential' out."
        )
    elif share.account is not None and not is_managed(share.account) and share.credential is None:
        found.append(
            f"Say where the password of {share.account} is kept ('credential'). A group managed"
            " service account needs none; its name ends with '$'."
        )
    if share.account is not None and not share.path.startswith("\\\\"):
        found.append(
            f"{share.path} is no share: an account is for what a host reaches over the network."
        )
    return found


def _credential(part: Section, findings: Findings) -> SecretReference | None:
    try:
        return part.secret("credential")
    except ValueError as error:
        detail = f"The reference cannot be used: {error}."
        findings.add("secret-reference", detail=detail, place=part.place_of("credential"))
        return None
