"""Inventory entries that lead to a lab."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from goexchange.errors import Place
from goexchange.model.configuration import (
    ConnectionProfile,
    ExchangeAuthentication,
    ExchangeChannel,
    Scheme,
    SecretKind,
    SecretReference,
    ServerEntry,
    Timeouts,
    WindowsChannel,
    WindowsTransport,
)
from tests.transport.lab.lab_process import Lab

SECRET_VARIABLE = "GOEXCHANGE_TEST_PASSWORD"
NOWHERE = Place(file="inventory.yaml", line=1, column=1)


def entry(lab: Lab, name: str = "EX001", **changed: Any) -> ServerEntry:
    """Basic over TLS for Exchange and sealed NTLM for Windows; `changed`: of the profile."""
    profile = ConnectionProfile(
        name="default",
        exchange=ExchangeChannel(
            authentication=ExchangeAuthentication.BASIC,
            scheme=Scheme.HTTPS,
            host=lab.address(name),
            port=lab.port("exchange_https"),
            path="PowerShell",
        ),
        windows=WindowsChannel(
            transport=WindowsTransport.NTLM,
            scheme=Scheme.HTTP,
            host=lab.address(name),
            port=lab.port("windows_http"),
            path="wsman",
        ),
        username="LAB\\admin",
        password=SecretReference(kind=SecretKind.ENVIRONMENT, locator=SECRET_VARIABLE),
        ca_file=lab.ca_file,
        timeouts=Timeouts(connect_s=2, read_s=4, operation_s=2),
        place=NOWHERE,
    )
    return ServerEntry(
        name=name,
        address=f"{name.lower()}.lab.test",
        site=None,
        availability_group=None,
        generation=None,
        connection=evolve(profile, **changed),
        place=NOWHERE,
    )


def windows_over_tls(lab: Lab, name: str = "EX001") -> WindowsChannel:
    """The Windows channel with Basic over TLS."""
    return WindowsChannel(
        transport=WindowsTransport.BASIC,
        scheme=Scheme.HTTPS,
        host=lab.address(name),
        port=lab.port("windows_https"),
        path="wsman",
    )
