"""The WS-Management faults that the lab answers with, each with the text of the real service."""

from __future__ import annotations

OPERATION_TIMED_OUT = 2150858793
SHELL_NOT_FOUND = 2150858843
COMMAND_NOT_FOUND = 2150858844
RESOURCE_NOT_FOUND = 2150858811
ACTION_NOT_SUPPORTED = 2150858817
SCHEMA_VIOLATION = 2150858817
ENVELOPE_TOO_LARGE = 2150859025
TOO_MANY_SHELLS = 2150859173
TOO_MANY_OPERATIONS = 2150859174
ACCESS_DENIED = 5


class Fault(Exception):
    """A fault for the client; `code` is the WSManFault code, `subcode` the SOAP subcode."""

    def __init__(self, code: int, message: str, *, subcode: str = "w:InternalError") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.subcode = subcode


def operation_timed_out() -> Fault:
    """Nothing to receive within OperationTimeout; the client asks again."""
    return Fault(
        OPERATION_TIMED_OUT,
        "The WS-Management service cannot complete the operation within the time specified in "
        "OperationTimeout.",
        subcode="w:TimedOut",
    )


def shell_not_found(shell_id: str) -> Fault:
    """The shell never was, was deleted, or was closed when it had been idle for too long."""
    return Fault(
        SHELL_NOT_FOUND,
        f"The request for the Windows Remote Shell with ShellId {shell_id} failed because the "
        "shell was not found on the server. Possible causes are: the specified ShellId is "
        "incorrect or the shell no longer exists on the server. Provide the correct ShellId or "
        "create a new shell and retry the operation.",
        subcode="w:InvalidSelectors",
    )


def command_not_found(command_id: str) -> Fault:
    """A command id that the shell does not hold (any more)."""
    return Fault(
        COMMAND_NOT_FOUND,
        f"The request for the Windows Remote Shell with CommandId {command_id} failed because "
        "the command was not found on the server.",
        subcode="w:InvalidSelectors",
    )


def resource_not_found(resource_uri: str) -> Fault:
    """A resource (shell type, session configuration) that this endpoint does not have."""
    return Fault(
        RESOURCE_NOT_FOUND,
        "The WS-Management service cannot process the request. The resource URI "
        f"({resource_uri}) was not found in the WS-Management catalog. The catalog contains the "
        "metadata that describes resources, or logical endpoints.",
        subcode="w:InvalidResourceURI",
    )


def not_simulated(what: str) -> Fault:
    """Something a real host may know and the lab does not: refused, never guessed."""
    return Fault(ACTION_NOT_SUPPORTED, f"goexchange lab: {what} is not simulated.",
                 subcode="a:ActionNotSupported")


def malformed(why: str) -> Fault:
    """A request that does not follow WS-Management."""
    return Fault(SCHEMA_VIOLATION, f"The WS-Management request is not valid: {why}.",
                 subcode="w:SchemaValidationError")


def too_many_shells(maximum: int) -> Fault:
    """WinRM's MaxShellsPerUser."""
    return Fault(
        TOO_MANY_SHELLS,
        "The WS-Management service cannot process the request. This user is allowed a maximum "
        f"number of {maximum} concurrent shells, which has been exceeded. Close existing shells "
        "or raise the quota for this user.",
        subcode="w:QuotaLimit",
    )


def too_many_exchange_shells(maximum: int) -> Fault:
    """PowerShellMaxConcurrency of the Exchange throttling policy."""
    return Fault(
        TOO_MANY_SHELLS,
        "The WS-Management service cannot process the request. This user is allowed a maximum "
        f"of {maximum} concurrent shells, which has been exceeded. Close existing shells or raise "
        "the quota for this user.",
        subcode="w:QuotaLimit",
    )


def too_many_commands(maximum: int) -> Fault:
    """WinRM's MaxProcessesPerShell."""
    return Fault(
        TOO_MANY_OPERATIONS,
        "The WS-Management service cannot process the request. The maximum number of concurrent "
        f"commands per shell ({maximum}) has been exceeded. Retry the request later or raise the "
        "Maximum Commands per Shell quota.",
        subcode="w:QuotaLimit",
    )


def envelope_too_large(maximum_bytes: int) -> Fault:
    """WinRM's MaxEnvelopeSizekb."""
    return Fault(
        ENVELOPE_TOO_LARGE,
        "The WS-Management service cannot process the request because the request size exceeded "
        f"the configured MaxEnvelopeSize quota ({maximum_bytes // 1024} KB).",
        subcode="w:EncodingLimit",
    )


def access_denied() -> Fault:
    """Authenticated, but without the right to use this endpoint."""
    return Fault(ACCESS_DENIED, "Access is denied.", subcode="w:AccessDenied")
