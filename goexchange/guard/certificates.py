"""What the resource check says of certificates: those that services use, and when they end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from goexchange.model.actual import ActualServer
from goexchange.model.certificates import Certificate
from goexchange.model.resource_check import ResourceFinding, Subject, Weight
from goexchange.model.unknown import Unknown

_VALID = "Valid"
_REQUESTED = "PendingRequest"  # a request that no authority has answered: nothing uses it yet
_RENEW = "renew it, and give the new one its services (Enable-ExchangeCertificate)"


def certificate_findings(
    server: ActualServer, *, now: datetime, within_s: int
) -> Iterator[ResourceFinding]:
    """Findings about the certificates of a server; `within_s` is how long before its end one is
    warned of.

    Unknown: what could not be read is a warning: no run rests on a certificate.
    """
    every = server.certificates
    if isinstance(every, Unknown):
        text = f"its certificates could not be read: {every.reason}"
        yield _finding(server, Weight.WARNING, text)
        return
    used = [each for each in every if _may_be_used(each)]
    found = [one for each in used for one in _of_one(server, each, now=now, within_s=within_s)]
    yield from found
    if not found:
        yield _finding(server, Weight.GOOD, _all_well(used, len(every)))


def _may_be_used(certificate: Certificate) -> bool:
    """Whether a service uses it, or none is known not to."""
    if certificate.status == _REQUESTED:
        return False
    return isinstance(certificate.services, Unknown) or bool(certificate.services)


def _of_one(
    server: ActualServer, each: Certificate, *, now: datetime, within_s: int
) -> Iterator[ResourceFinding]:
    name, ends = _name(each), each.expires_at_utc
    if isinstance(ends, Unknown):
        yield _finding(server, Weight.WARNING, f"when {name} ends could not be read: {ends.reason}")
    elif ends <= now:
        weight = Weight.WARNING if isinstance(each.services, Unknown) else Weight.PROBLEM
        yield _finding(server, weight, f"{name} has ended at {_text(ends)}", _RENEW)
    elif ends <= now + timedelta(seconds=within_s):
        days = (ends - now).days
        yield _finding(server, Weight.WARNING, f"{name} ends at {_text(ends)}, in {days} d", _RENEW)
    if isinstance(each.services, Unknown):
        text = f"what uses {name} could not be read: {each.services.reason}"
        yield _finding(server, Weight.WARNING, text)
    is_ended = not isinstance(ends, Unknown) and ends <= now
    if isinstance(each.status, Unknown):
        text = f"the state of {name} could not be read: {each.status.reason}"
        yield _finding(server, Weight.WARNING, text)
    elif each.status != _VALID and not is_ended:
        yield _finding(
            server,
            Weight.WARNING,
            f"Exchange calls {name} {each.status}",
            f"Get-ExchangeCertificate -Server {server.name} -Thumbprint {each.thumbprint}",
        )


def _all_well(used: list[Certificate], count: int) -> str:
    if not used:
        return f"no service uses any of its {count} certificates"
    ends = [each.expires_at_utc for each in used if isinstance(each.expires_at_utc, datetime)]
    return (
        f"{len(used)} of {count} certificates are used by services; the next one ends at"
        f" {_text(min(ends))}"
    )


def _name(each: Certificate) -> str:
    subject = each.subject if isinstance(each.subject, str) else "without a known subject"
    services = each.services if isinstance(each.services, tuple) else ()
    used = f" ({', '.join(services)})" if services else ""
    return f"certificate {each.thumbprint[:8]} {subject}{used}"


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _finding(
    server: ActualServer, weight: Weight, text: str, remedy: str | None = None
) -> ResourceFinding:
    return ResourceFinding(
        address=server.name,
        subject=Subject.CERTIFICATES,
        weight=weight,
        text=text,
        remedy=remedy,
    )
