"""What the resource check says of certificates."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from goexchange.guard.certificates import certificate_findings
from goexchange.model.certificates import Certificate
from goexchange.model.resource_check import ResourceFinding, Subject, Weight
from goexchange.model.unknown import Unknown
from tests.unit.plan.builders import NOW, server

DAY_S = 86400
NOT_READ = Unknown("Exchange did not give it")


def certificate(*, days: float = 400, **differs: Any) -> Certificate:
    values: dict[str, Any] = {
        "thumbprint": "BBA9F942B32F3E0F6E0C4E735BD1F38D4C06612E",
        "subject": "CN=mail.contoso.example",
        "services": ("IIS", "SMTP"),
        "status": "Valid",
        "expires_at_utc": NOW + timedelta(days=days),
    }
    return Certificate(**{**values, **differs})


def findings(*held: Certificate, within_s: int = 30 * DAY_S) -> list[ResourceFinding]:
    seen = server(certificates=held)
    return list(certificate_findings(seen, now=NOW, within_s=within_s))


def only(*held: Certificate, within_s: int = 30 * DAY_S) -> ResourceFinding:
    (found,) = findings(*held, within_s=within_s)
    assert (found.subject, found.address) == (Subject.CERTIFICATES, "EX01")
    return found


def test_certificates_far_from_their_end_are_one_good_line() -> None:
    found = only(certificate(), certificate(days=300), certificate(days=2, services=()))
    assert found.weight is Weight.GOOD
    ends = NOW + timedelta(days=300)
    assert f"2 of 3 certificates are used by services; the next one ends at {ends:%Y-%m-%d}" in (
        found.text
    )
    assert only().text == "no service uses any of its 0 certificates"


@pytest.mark.parametrize(
    ("days", "weight"),
    [(30.5, Weight.GOOD), (30, Weight.WARNING), (1, Weight.WARNING), (0, Weight.PROBLEM),
     (-5, Weight.PROBLEM)],
)  # fmt: skip
def test_one_that_a_service_uses_is_told_before_and_after_its_end(
    days: float, weight: Weight
) -> None:
    found = only(certificate(days=days))
    assert found.weight is weight
    if weight is not Weight.GOOD:
        assert "BBA9F942 CN=mail.contoso.example (IIS, SMTP)" in found.text
        assert found.remedy is not None and "Enable-ExchangeCertificate" in found.remedy


def test_how_long_before_is_the_inventory_s() -> None:
    assert only(certificate(days=45)).weight is Weight.GOOD
    assert only(certificate(days=45), within_s=60 * DAY_S).weight is Weight.WARNING


def test_one_that_nothing_uses_may_end() -> None:
    assert only(certificate(days=-5, services=())).weight is Weight.GOOD
    requested = certificate(days=-5, status="PendingRequest")
    assert only(requested).weight is Weight.GOOD


def test_a_word_of_exchange_other_than_valid_is_a_warning() -> None:
    found = only(certificate(status="RevocationCheckFailure"))
    assert found.weight is Weight.WARNING and "RevocationCheckFailure" in found.text
    assert "-Thumbprint BBA9F942" in (found.remedy or "")
    # one that has ended is told so once
    assert only(certificate(days=-5, status="DateInvalid")).weight is Weight.PROBLEM


@pytest.mark.parametrize(
    ("differs", "said"),
    [
        ({"expires_at_utc": NOT_READ}, "when certificate BBA9F942"),
        ({"services": NOT_READ}, "what uses certificate BBA9F942"),
        ({"status": NOT_READ}, "the state of certificate BBA9F942"),
        ({"expires_at_utc": NOT_READ, "status": "Untrusted"}, "Exchange calls"),
    ],
)
def test_what_could_not_be_read_is_said_and_keeps_no_run_back(
    differs: dict[str, Any], said: str
) -> None:
    found = findings(certificate(**differs))
    assert {each.weight for each in found} == {Weight.WARNING}
    assert any(said in each.text for each in found)


def test_one_that_has_ended_and_may_be_used_is_a_warning() -> None:
    found = findings(certificate(days=-1, services=NOT_READ, subject=NOT_READ))
    assert [each.weight for each in found] == [Weight.WARNING, Weight.WARNING]
    assert "without a known subject has ended" in found[0].text


def test_certificates_that_could_not_be_read_at_all_are_a_warning() -> None:
    seen = server(certificates=Unknown("Get-ExchangeCertificate failed: not recognized"))
    (found,) = certificate_findings(seen, now=NOW, within_s=DAY_S)
    assert found.weight is Weight.WARNING and "not recognized" in found.text


def test_moments_are_shown_in_utc() -> None:
    found = only(certificate(expires_at_utc=datetime.fromisoformat("2026-11-01T00:00:00+00:00")))
    assert "2026-11-01 00:00 UTC" in found.text
