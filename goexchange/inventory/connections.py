"""How a server is reached: its own settings over its profile's over the built-in ones."""

from __future__ import annotations

from goexchange.errors import Place
from goexchange.model.configuration import (
    ConnectionProfile,
    ExchangeAuthentication,
    ExchangeChannel,
    Scheme,
    SecretReference,
    Timeouts,
    WindowsChannel,
    WindowsTransport,
)
from goexchange.reading import Findings, Section

_EXCHANGE_PORTS = {Scheme.HTTP: 80, Scheme.HTTPS: 443}
_WINDOWS_PORTS = {Scheme.HTTP: 5985, Scheme.HTTPS: 5986}


def read_connection(
    name: str, layers: tuple[Section, ...], findings: Findings
) -> ConnectionProfile:
    """Return the connection that layers of settings give, the strongest layer first."""
    exchange = _exchange_channel(_below(layers, "exchange"))
    windows = _windows_channel(_below(layers, "windows"))
    connection = ConnectionProfile(
        name=name,
        exchange=exchange,
        windows=windows,
        username=_strongest(layers, "username").optional_text("username"),
        password=_password(layers, findings),
        ca_file=_strongest(layers, "ca_file").optional_text("ca_file"),
        timeouts=_timeouts(_below(layers, "timeouts"), findings),
        place=layers[0].place,
    )
    _check_credentials(connection, layers, findings)
    _check_encryption(connection, layers, findings)
    return connection


def _strongest(layers: tuple[Section, ...], name: str) -> Section:
    """Return the first layer in which a key is written, or the last one for its default."""
    return next((layer for layer in layers if layer.has(name)), layers[-1])


def _below(layers: tuple[Section, ...], name: str) -> tuple[Section, ...]:
    return tuple(layer.section(name) for layer in layers)


def _exchange_channel(layers: tuple[Section, ...]) -> ExchangeChannel:
    authentication = _strongest(layers, "authentication").choice(
        "authentication", ExchangeAuthentication
    )
    needs_tls = authentication is ExchangeAuthentication.BASIC
    scheme = _scheme(layers, needs_tls=needs_tls)
    return ExchangeChannel(
        authentication=authentication,
        scheme=scheme,
        port=_port(layers, _EXCHANGE_PORTS[scheme]),
        path=_strongest(layers, "path").text("path"),
        host=_strongest(layers, "host").optional_text("host"),
    )


def _windows_channel(layers: tuple[Section, ...]) -> WindowsChannel:
    transport = _strongest(layers, "transport").choice("transport", WindowsTransport)
    needs_tls = transport in (WindowsTransport.BASIC, WindowsTransport.CERTIFICATE)
    scheme = _scheme(layers, needs_tls=needs_tls)
    return WindowsChannel(
        transport=transport,
        scheme=scheme,
        port=_port(layers, _WINDOWS_PORTS[scheme]),
        path=_strongest(layers, "path").text("path"),
        host=_strongest(layers, "host").optional_text("host"),
        certificate_file=_strongest(layers, "certificate_file").optional_text("certificate_file"),
        key_file=_strongest(layers, "key_file").optional_text("key_file"),
    )


def _scheme(layers: tuple[Section, ...], *, needs_tls: bool) -> Scheme:
    layer = _strongest(layers, "scheme")
    if layer.has("scheme"):
        return layer.choice("scheme", Scheme)
    return Scheme.HTTPS if needs_tls else Scheme.HTTP


def _port(layers: tuple[Section, ...], default: int) -> int:
    layer = _strongest(layers, "port")
    return layer.integer("port") if layer.has("port") else default


def _timeouts(layers: tuple[Section, ...], findings: Findings) -> Timeouts:
    timeouts = Timeouts(
        connect_s=_strongest(layers, "connect").duration_s("connect"),
        read_s=_strongest(layers, "read").duration_s("read"),
        operation_s=_strongest(layers, "operation").duration_s("operation"),
    )
    if timeouts.read_s <= timeouts.operation_s:
        findings.add(
            "timeouts",
            detail=f"'read' ({timeouts.read_s} s) has to be longer than 'operation' "
            f"({timeouts.operation_s} s): a host may answer 'not yet' as late as that.",
            place=_strongest(layers, "read").place_of("read"),
        )
    return timeouts


def _password(layers: tuple[Section, ...], findings: Findings) -> SecretReference | None:
    layer = _strongest(layers, "password")
    try:
        return layer.secret("password")
    except ValueError as error:
        findings.add(
            "secret-reference",
            detail=f"The reference cannot be used: {error}.",
            place=layer.place_of("password"),
        )
        return None


def _check_credentials(
    connection: ConnectionProfile, layers: tuple[Section, ...], findings: Findings
) -> None:
    has_basic = (
        connection.exchange.authentication is ExchangeAuthentication.BASIC
        or connection.windows.transport in (WindowsTransport.BASIC, WindowsTransport.NTLM)
    )
    place = layers[0].place
    if has_basic and (connection.username is None or connection.password is None):
        missing = "username" if connection.username is None else "password"
        detail = f"basic and ntlm need a username and a password; '{missing}' is missing."
        findings.add("credentials", detail=detail, place=place)
    elif connection.password is not None and connection.username is None:
        detail = "A password without a username says nothing. Write 'username' too."
        place = _strongest(layers, "password").place_of("password")
        findings.add("credentials", detail=detail, place=place)
    windows = connection.windows
    if windows.transport is WindowsTransport.CERTIFICATE and not (
        windows.certificate_file and windows.key_file
    ):
        detail = "The transport certificate needs 'certificate_file' and 'key_file'."
        findings.add("credentials", detail=detail, place=place)


def _check_encryption(
    connection: ConnectionProfile, layers: tuple[Section, ...], findings: Findings
) -> None:
    """Refuse what would send a password, or everything, readable over the network."""
    exchange, windows = connection.exchange, connection.windows
    needs_tls = (WindowsTransport.BASIC, WindowsTransport.CERTIFICATE)
    plain: list[Place] = []
    if exchange.authentication is ExchangeAuthentication.BASIC and exchange.scheme is Scheme.HTTP:
        plain.append(_strongest(_below(layers, "exchange"), "scheme").place_of("scheme"))
    if windows.transport in needs_tls and windows.scheme is Scheme.HTTP:
        plain.append(_strongest(_below(layers, "windows"), "scheme").place_of("scheme"))
    for place in plain:
        findings.add(
            "not-encrypted",
            detail="With http this would be sent readable. Write scheme: https, or use kerberos.",
            place=place,
        )
