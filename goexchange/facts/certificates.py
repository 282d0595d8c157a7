"""The certificates of a server, as Get-ExchangeCertificate describes them.

Source: the cmdlet's reference and printed output of Exchange 2013 to 2019. Its serialised form is
not confirmed, and is known to arrive without properties in some sessions: what is not there in the
form that the reference says is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from goexchange.facts.answer import ExchangeAnswer, Json
from goexchange.model.actual import Generation
from goexchange.model.certificates import Certificate
from goexchange.model.plan import ExchangeCall
from goexchange.model.unknown import Unknown
from goexchange.powershell.cmdlets import get_certificates

CMDLET = "Get-ExchangeCertificate"
# Exchange 2007 lists only those of the server on which the cmdlet itself runs.
_WITHOUT = (Generation.EXCHANGE_2003, Generation.EXCHANGE_2007)
_THUMBPRINT = re.compile(r"[0-9A-Fa-f]{40}\Z")
_SERVICES = re.compile(r"[A-Za-z]+(?:, [A-Za-z]+)*\Z")
_NO_SERVICE = "None"


def certificate_calls(server: str, generation: Generation | Unknown) -> tuple[ExchangeCall, ...]:
    """The one statement that asks for them; none where a version has none that could."""
    if isinstance(generation, Unknown) or generation in _WITHOUT:
        return ()
    return (get_certificates(server),)


def decode_certificates(
    answer: Mapping[str, Any] | Unknown | None,
) -> tuple[Certificate, ...] | Unknown:
    """The certificates in the order in which they came; `answer` is None when nothing was asked.

    Unknown: all of them when the cmdlet failed, or when one does not even say which it is.
    """
    if answer is None:
        return Unknown("this version does not tell them over its cmdlets")
    if isinstance(answer, Unknown):
        return answer
    told = ExchangeAnswer(answer)
    failure = told.failure_of(CMDLET)
    if failure is not None:
        return failure
    rows = told.of_type("ExchangeCertificate")
    if len(rows) != len(answer["objects"]):
        return Unknown(f"{CMDLET} gave objects of another type")
    found = [_certificate(told, row) for row in rows]
    named = tuple(each for each in found if each is not None)
    if len(named) != len(found):
        return Unknown(f"{CMDLET} gave a certificate without a thumbprint")
    return named


def _certificate(answer: ExchangeAnswer, row: Json) -> Certificate | None:
    thumbprint = answer.text(row, "Thumbprint")
    if isinstance(thumbprint, Unknown) or not _THUMBPRINT.match(thumbprint):
        return None
    return Certificate(
        thumbprint=thumbprint.upper(),
        subject=answer.text(row, "Subject"),
        services=_services(answer.text(row, "Services")),
        status=answer.text(row, "Status"),
        expires_at_utc=answer.moment(row, "NotAfter"),
    )


def _services(text: str | Unknown) -> tuple[str, ...] | Unknown:
    if isinstance(text, Unknown):
        return text
    if not _SERVICES.match(text):
        return Unknown(f"Services is neither names nor None: {text[:40]}")
    return () if text == _NO_SERVICE else tuple(text.split(", "))
