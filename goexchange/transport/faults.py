"""Exceptions of the client libraries become ours at the edge, chained.

What an error means depends on the stage: while a session is opened nothing of ours has run; while
a command is sent it ran, or not, or nobody knows; while its answer is received it has begun.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import requests.exceptions
import urllib3.exceptions
from pypsrp import exceptions as psrp
from winrm import exceptions as winrm

from goexchange.errors import (
    AnswerLost,
    AuthenticationRefused,
    GoexchangeError,
    HostRefused,
    Unreachable,
)

SHELL_NOT_FOUND = (2150858843, 2150859147)
COMMAND_NOT_FOUND = 2150858844
QUOTA = (2150859173, 2150859174, 2150859177)
ACCESS_DENIED = 5
# access denied, unknown resource, not supported or not valid, too large: refused before it began
REFUSALS = (ACCESS_DENIED, COMMAND_NOT_FOUND, 2150858811, 2150858817, 2150859025, *QUOTA)
# the HTTP service turned the message away: stale sealing keys (400), a stale ticket (401), ...
NOT_TAKEN = (400, 401, 403, 404, 503)

LIBRARY_ERRORS = (
    requests.exceptions.RequestException,
    winrm.WinRMError,
    winrm.WinRMTransportError,
    winrm.WinRMOperationTimeoutError,
    psrp.WinRMError,
    OSError,
    ValueError,
)


class NotTaken(GoexchangeError):
    """A request was turned away before the host looked at it: nothing of ours ran. It may be sent
    once more over a new connection.
    """

    id = "not-taken"


class SessionGone(NotTaken):
    """The host no longer knows the shell or runspace: idle limit, or a restart."""

    id = "session-gone"


@contextmanager
def opening(server: str, channel: str) -> Iterator[None]:
    """Errors while a session is opened: nothing of ours has run yet."""
    with _translated(lambda error: _of_opening(f"{server}, {channel}", error)):
        yield


@contextmanager
def sending(server: str, channel: str) -> Iterator[None]:
    """Errors while a command and its input are sent: unless the host said no, it may have run."""
    with _translated(lambda error: _of_sending(f"{server}, {channel}", error)):
        yield


@contextmanager
def receiving(server: str, channel: str) -> Iterator[None]:
    """Errors while an answer is received: the command has begun, so all of them leave a doubt."""
    with _translated(lambda error: _lost(f"{server}, {channel}", error)):
        yield


def fault_code(error: BaseException) -> int | None:
    """The WS-Management fault code of an exception of either library."""
    if isinstance(error, winrm.WSManFaultError):
        return error.wsman_fault_code
    if isinstance(error, psrp.WSManFaultError):
        return int(error.code) if error.code else None
    return None


@contextmanager
def _translated(ours: Callable[[Exception], GoexchangeError]) -> Iterator[None]:
    try:
        yield
    except GoexchangeError:
        raise
    except LIBRARY_ERRORS as error:
        raise ours(error) from error
    except Exception as error:  # gssapi, pykerberos and spnego raise classes of their own
        if not _is_authentication(error):
            raise
        raise ours(error) from error


def _of_opening(where: str, error: Exception) -> GoexchangeError:
    if _is_authentication(error) or "is not installed" in str(error):
        return _without_ticket(where, error)
    if _http_status(error) == 401:
        return _refused(where, "the host does not accept this user name and secret")
    if _http_status(error) == 404:
        return Unreachable(f"{where}: no such endpoint there; check its port and path")
    if fault_code(error) == ACCESS_DENIED:
        return _refused(where, "the host knows the user, who has no right to this endpoint")
    if fault_code(error) in QUOTA:
        return Unreachable(
            f"{where}: the quota of sessions of this user is used up; close other sessions, wait "
            f"for their idle limit, or raise the quota ({_words(error)})"
        )
    return Unreachable(f"{where}: {_why_not_reached(error)}")


def _why_not_reached(error: Exception) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return (
            f"the certificate is not trusted ({_words(error)}); name the certificate authority's "
            "file as ca_file in the connection profile"
        )
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time; check address, port and firewall"
    if isinstance(error, requests.exceptions.ConnectionError):
        return f"no connection ({_words(error)}); check address and port"
    return f"the session could not be opened ({_words(error)})"


def _of_sending(where: str, error: Exception) -> GoexchangeError:
    code = fault_code(error)
    if code in SHELL_NOT_FOUND or isinstance(error, psrp.InvalidRunspacePoolStateError):
        return SessionGone(f"{where}: the host no longer knows the session")
    if code in REFUSALS:
        return HostRefused(f"{where}: the host refused: {_words(error)}", code=f"wsman-{code}")
    if code is None and _http_status(error) in NOT_TAKEN:
        return NotTaken(f"{where}: the host turned the request away ({_words(error)})")
    if _is_unsent(error):
        return Unreachable(f"{where}: {_why_not_reached(error)}")
    return _lost(where, error)


def _lost(where: str, error: Exception) -> AnswerLost:
    return AnswerLost(f"{where}: the answer was lost ({type(error).__name__}: {_words(error)})")


def _refused(where: str, why: str) -> AuthenticationRefused:
    return AuthenticationRefused(f"{where}: not let in: {why}; check user, secret and rights there")


def _without_ticket(where: str, error: Exception) -> AuthenticationRefused:
    return AuthenticationRefused(
        f"{where}: no Kerberos or NTLM authentication ({_words(error)}); for Kerberos get a ticket "
        "(kinit), address the server by its full name and install goexchange[kerberos]"
    )


def _http_status(error: Exception) -> int | None:
    if isinstance(error, winrm.AuthenticationError | psrp.AuthenticationError):
        return 401
    if isinstance(error, winrm.WinRMTransportError | psrp.WinRMTransportError):
        return int(error.code)
    return None


def _is_unsent(error: Exception) -> bool:
    """Whether not even a connection came about, so that nothing can have been sent."""
    if isinstance(error, requests.exceptions.SSLError | requests.exceptions.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", None)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _is_authentication(error: BaseException) -> bool:
    name = f"{type(error).__module__}.{type(error).__name__}".lower()
    return any(word in name for word in ("kerberos", "gss", "krb", "spnego", "ntlm"))


def _words(error: BaseException) -> str:
    """The part of a library's message that says something to an operator."""
    text = " ".join(str(error).split())
    for mark in ("certificate verify failed: ", "Failed to establish a new connection: "):
        if mark in text:
            return text.split(mark, 1)[1].split(" (_ssl")[0].rstrip("'\") ")[:200]
    for mark in ("Reason: ", "[Errno "):
        if mark in text:
            return text[text.index(mark) :].split(" (extended fault")[0].rstrip("'\") ")[:200]
    return text.split(" (extended fault")[0][:200]
