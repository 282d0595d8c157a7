"""Certificates as Get-ExchangeCertificate told them: literal values of its printed output."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goexchange.facts.certificates import certificate_calls, decode_certificates
from goexchange.model.actual import Generation
from goexchange.model.certificates import Certificate
from goexchange.model.unknown import Unknown

TYPE = "Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate"
ROW: dict[str, Any] = {
    "$type": TYPE,
    "Thumbprint": "BBA9F942B32F3E0F6E0C4E735BD1F38D4C06612E",
    "Subject": "CN=MOS-MAIL",
    "Services": "IMAP, POP, IIS, SMTP",
    "Status": "Valid",
    "NotAfter": "2028-02-02T03:09:22+03:00",
}


def answer(*rows: dict[str, Any], errors: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"objects": list(rows), "errors": list(errors), "warnings": []}


def one(**differs: Any) -> Certificate:
    found = decode_certificates(answer({**ROW, **differs}))
    assert not isinstance(found, Unknown), found
    return found[0]


def test_what_exchange_says_of_a_certificate() -> None:
    assert one() == Certificate(
        thumbprint="BBA9F942B32F3E0F6E0C4E735BD1F38D4C06612E",
        subject="CN=MOS-MAIL",
        services=("IMAP", "POP", "IIS", "SMTP"),
        status="Valid",
        expires_at_utc=datetime(2028, 2, 2, 0, 9, 22, tzinfo=UTC),
    )
    assert one(Services="None").services == ()
    assert one(Services="SMTP").services == ("SMTP",)
    assert decode_certificates(answer()) == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NotAfter", "02.02.2028 3:09:22"),  # as a console prints it: no zone, any culture
        ("NotAfter", None),
        ("Services", 29),
        ("Services", "IMAP,POP"),
        ("Services", ""),
        ("Status", None),
        ("Status", 1),
        ("Subject", ""),
    ],
)
def test_what_does_not_have_the_form_of_the_reference_is_unknown(name: str, value: Any) -> None:
    members = {
        "NotAfter": "expires_at_utc",
        "Services": "services",
        "Status": "status",
        "Subject": "subject",
    }
    assert isinstance(getattr(one(**{name: value}), members[name]), Unknown)


@pytest.mark.parametrize(
    "given_answer",
    [
        answer({"$type": TYPE, "RawData": "MIIC"}),  # known to arrive so in some sessions
        answer({**ROW, "Thumbprint": "short"}),
        answer(ROW, {"$type": "System.String"}),
        answer(ROW, errors=({"message": "The RPC server is unavailable", "id": "x",
                             "category": "", "target": ""},)),
        answer(errors=({"message": "not recognized", "id": "CommandNotFoundException",
                        "category": "", "target": "Get-ExchangeCertificate"},)),
        Unknown("lost"),
        None,
    ],
    ids=["no properties", "no thumbprint", "another type", "an error", "no right", "lost",
         "not asked"],
)  # fmt: skip
def test_without_a_whole_answer_all_of_them_are_unknown(given_answer: Any) -> None:
    assert isinstance(decode_certificates(given_answer), Unknown)


@given(
    st.dictionaries(
        st.sampled_from(["Thumbprint", "Subject", "Services", "Status", "NotAfter"]),
        st.one_of(st.none(), st.text(max_size=50), st.integers(), st.lists(st.text())),
    )
)
def test_whatever_comes_is_known_or_unknown_and_never_a_crash(values: dict[str, Any]) -> None:
    found = decode_certificates(answer({"$type": TYPE, **values}))
    if not isinstance(found, Unknown):
        assert len(found) == 1 and len(found[0].thumbprint) == 40


@pytest.mark.parametrize(
    ("generation", "is_asked"),
    [
        (Generation.EXCHANGE_2010, True),
        (Generation.SUBSCRIPTION_EDITION, True),
        (Generation.EXCHANGE_2007, False),
        (Generation.EXCHANGE_2003, False),
        (Unknown("not seen"), False),
    ],
)
def test_versions_that_tell_them_by_server_are_asked(
    generation: Generation | Unknown, is_asked: bool
) -> None:
    assert bool(certificate_calls("EX01", generation)) is is_asked
