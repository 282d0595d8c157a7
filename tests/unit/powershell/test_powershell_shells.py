"""A host's list of its WinRM shells: whose they are, and what is no list at all."""

from __future__ import annotations

import xml.etree.ElementTree as xml

import pytest

from goexchange.model.left import ShellLeft
from goexchange.model.unknown import Unknown
from goexchange.powershell.shells import Enumerated, enumeration, other_shells

END = "<w:EndOfSequence/>"
OWN = "0D7A4C0E-0000-0000-0000-000000000001"
OTHER = "0D7A4C0E-0000-0000-0000-000000000002"


def shell(name: str, *, owner: str | None = "LAB\\admin", idle: str | None = "PT7200.000S") -> str:
    parts = [f"<rsp:ShellId>{name}</rsp:ShellId>"]
    parts += [] if owner is None else [f"<rsp:Owner>{owner}</rsp:Owner>"]
    parts += [] if idle is None else [f"<rsp:IdleTimeOut>{idle}</rsp:IdleTimeOut>"]
    return f"<rsp:Shell>{''.join(parts)}</rsp:Shell>"


def answer(*shells: str, end: str = END) -> Enumerated:
    envelope = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
        ' xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration"'
        ' xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"'
        ' xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell"><s:Body>'
        f"<n:EnumerateResponse><w:Items>{''.join(shells)}</w:Items>{end}</n:EnumerateResponse>"
        "</s:Body></s:Envelope>"
    )
    return Enumerated(envelope=envelope, own=OWN.lower())


def test_the_shells_of_our_account_but_for_our_own() -> None:
    found = other_shells(
        answer(shell(OTHER, owner="lab\\ADMIN"), shell("C", owner="LAB\\somebody"), shell(OWN))
    )
    assert found == (ShellLeft(shell=OTHER, owner="lab\\ADMIN", idle_limit_s=7200.0),)


@pytest.mark.parametrize(
    ("idle", "seconds"),
    [("PT2H", 7200), ("P1DT1M0.5S", 86_460.5), ("", None), ("P", None), ("soon", None)],
)
def test_an_idle_limit_is_read_or_not_known(idle: str, seconds: float | None) -> None:
    found = other_shells(answer(shell(OWN), shell(OTHER, idle=idle)))
    assert not isinstance(found, Unknown)
    assert [each.idle_limit_s for each in found] == [seconds]


def test_an_idle_limit_that_is_not_told_is_not_known() -> None:
    found = other_shells(answer(shell(OWN), shell(OTHER, idle=None)))
    assert not isinstance(found, Unknown) and found[0].idle_limit_s is None


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (answer(shell(OWN), shell(OTHER), end=""), "only a part"),
        (answer(shell(OTHER)), "does not say whose ours is"),
        (answer(shell(OWN, owner=None), shell(OTHER)), "does not say whose ours is"),
        (Enumerated(envelope="<s:Envelope>", own=OWN), "cannot be read"),
        (Enumerated(envelope="", own=OWN), "cannot be read"),
    ],
)
def test_what_is_not_the_list_that_was_asked_for_is_unknown(told: Enumerated, why: str) -> None:
    found = other_shells(told)
    assert isinstance(found, Unknown) and why in found.reason


def test_the_request_is_well_formed_and_names_what_it_asks_for() -> None:
    root = xml.fromstring(enumeration("5e0f", 20))
    told = [(each.text or "").strip() for each in root.iter()]
    assert "uuid:5e0f" in told and "PT20S" in told
    assert "http://schemas.microsoft.com/wbem/wsman/1/windows/shell" in told
