"""Certificates of a simulated server, and the rows of Get-ExchangeCertificate.

Source: the cmdlet's reference and printed output; which of it is serialised is not confirmed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import define

from goexchange.world.values import EnumValue, ExchangeObject, Value

_TYPE = "Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate"
_STATUS = "Microsoft.Exchange.Management.SystemConfigurationTasks.CertificateStatus"
_SERVICES = "Microsoft.Exchange.Management.SystemConfigurationTasks.AllowedServices"
_NUMBERS = {"None": 0, "IMAP": 1, "POP": 2, "UM": 4, "IIS": 8, "SMTP": 16, "Federation": 32}
_LIFE = timedelta(days=5 * 365)


@define
class CertificateState:
    """One certificate; `services` in Exchange's words."""

    thumbprint: str
    subject: str
    services: tuple[str, ...]
    expires_at: datetime
    status: str = "Valid"


def setup_certificates(server: str, installed_at: datetime) -> list[CertificateState]:
    """What setup makes on a server: its own, the one of the organisation, and that of the remote
    management of IIS, which no service of Exchange uses.
    """
    ends = installed_at + _LIFE
    return [
        CertificateState("3DAF40EC85C62DD39D98696AB5413E3EB83D6415",
                         "CN=Microsoft Exchange Server Auth Certificate", ("SMTP",), ends),
        CertificateState("BBA9F942B32F3E0F6E0C4E735BD1F38D4C06612E", f"CN={server}",
                         ("IMAP", "POP", "IIS", "SMTP"), ends),
        CertificateState("7274AA46956DFF4E80B13168A7B6B0037C99CA14",
                         f"CN=WMSvc-SHA2-{server}", (), ends + _LIFE),
    ]  # fmt: skip


def certificate_row(state: CertificateState) -> ExchangeObject:
    """One row of Get-ExchangeCertificate."""
    services = ", ".join(state.services) or "None"
    number = sum(_NUMBERS.get(each, 0) for each in state.services)
    properties: dict[str, Value] = {
        "Thumbprint": state.thumbprint,
        "Subject": state.subject,
        "Services": EnumValue(_SERVICES, services, number),
        "Status": EnumValue(_STATUS, state.status, 1 if state.status == "Valid" else 2),
        "NotAfter": state.expires_at,
        "NotBefore": state.expires_at - _LIFE,
        "IsSelfSigned": True,
        "HasPrivateKey": True,
    }
    return ExchangeObject(
        type_names=(_TYPE, "System.Object"),
        to_string=state.thumbprint,
        properties=properties,
    )
