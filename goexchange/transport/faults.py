"""Exceptions of the client libraries become ours at the edge, chained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests.exceptions
from pypsrp import exceptions as psrp
from winrm import exceptions as winrm

from goexchange.errors import (
    AnswerLost,
    AuthenticationRefused,
    GoexchangeError,
    HostRefused,
    Unreachable,
)

SHELL_NOT_FOUND = (2150858843, 2150859147, 2150858844)
OPERATION_TIMEOUT = 2150858793
QUOTA = (2150859174, 2150859173, 2150859177)

LIBRARY_ERRORS = (
    requests.exceptions.RequestException,
    winrm.WinRMError,
    winrm.WinRMTransportError,
    winrm.WinRMOperationTimeoutError,
    psrp.WinRMError,
    psrp.InvalidRunspacePoolStateError,
    psrp.InvalidPipelineStateError,
    OSError,
    ValueError,
)


class SessionGone(GoexchangeError):
    """The shell or runspace is no longer known to the host (idle limit, restart): nothing of ours
    ran in it.
    """

    id = "session-gone"


@contextmanager
def opening(server: str, channel: str) -> Iterator[None]:
    """Errors while a session is opened: nothing of ours has run yet."""
    try:
        yield
    except GoexchangeError:
        raise
    except LIBRARY_ERRORS as error:
        raise _of_opening(server, channel, error) from error
    except Exception as error:  # gssapi, pykerberos and spnego raise classes of their own
        if not _is_authentication(error):
            raise
        raise _refused(server, channel, str(error)) from error


@contextmanager
def calling(server: str, channel: str) -> Iterator[None]:
    """Errors while a request is under way: it may have reached the host."""
    try:
        yield
    except GoexchangeError:
        raise
    except LIBRARY_ERRORS as error:
        raise _of_calling(server, channel, error) from error
    except Exception as error:  # gssapi, pykerberos and spnego raise classes of their own
        if not _is_authentication(error):
            raise
        raise AnswerLost(
            f"{server}, {channel}: authentication failed under way: {error}"
        ) from error


def fault_code(error: BaseException) -> int | None:
    """The WS-Management fault code of an exception of either library."""
    if isinstance(error, winrm.WSManFaultError):
        return error.wsman_fault_code
    if isinstance(error, psrp.WSManFaultError):
        return int(error.code) if error.code else None
    return None


def _of_opening(server: str, channel: str, error: Exception) -> GoexchangeError:
    if (
        isinstance(error, winrm.AuthenticationError | psrp.AuthenticationError)
        or _http_status(error) == 401
    ):
        return _refused(server, channel, "the host refused user name or password")
    if isinstance(error, requests.exceptions.SSLError):
        return Unreachable(
            f"{server}, {channel}: the certificate is not trusted ({_last_words(error)}); name the certificate "
            "authority's file as ca_file in the connection profile"
        )
    if isinstance(error, requests.exceptions.Timeout):
        return Unreachable(
            f"{server}, {channel}: no answer in time; check address, port and firewall"
        )
    if isinstance(error, requests.exceptions.ConnectionError):
        return Unreachable(
            f"{server}, {channel}: no connection ({_last_words(error)}); check address and port"
        )
    if fault_code(error) in QUOTA or "concurrent shells" in str(error):
        return Unreachable(f"{server}, {channel}: the host's quota of sessions is used up: {error}")
    if _is_authentication(error):
        return _refused(server, channel, str(error))
    return Unreachable(f"{server}, {channel}: {error}")


def _of_calling(server: str, channel: str, error: Exception) -> GoexchangeError:
    code = fault_code(error)
    if code in SHELL_NOT_FOUND or isinstance(error, psrp.InvalidRunspacePoolStateError):
        return SessionGone(f"{server}, {channel}: the session is gone ({error})")
    if code is not None:
        return HostRefused(f"{server}, {channel}: {error}", code=f"wsman-{code}")
    return AnswerLost(
        f"{server}, {channel}: the answer was lost ({type(error).__name__}: {_last_words(error)})"
    )


def _refused(server: str, channel: str, why: str) -> AuthenticationRefused:
    return AuthenticationRefused(
        f"{server}, {channel}: not let in: {why}; check user, secret and their rights there"
    )


def _http_status(error: Exception) -> int | None:
    if isinstance(error, winrm.WinRMTransportError | psrp.WinRMTransportError):
        return int(error.code)
    return None


def _is_authentication(error: BaseException) -> bool:
    name = f"{type(error).__module__}.{type(error).__name__}".lower()
    return any(word in name for word in ("kerberos", "gss", "krb", "spnego", "ntlm"))


def _last_words(error: BaseException) -> str:
    text = str(error)
    for mark in ("certificate verify failed: ", "Failed to establish a new connection: ", "Errno "):
        if mark in text:
            return text.split(mark, 1)[1].split("(_ssl")[0].rstrip("'\") ")[:160]
    return text[:160]
