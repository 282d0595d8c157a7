"""What a simulated site answers with: Exchange objects, errors, command output."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from uuid import UUID

from attrs import field, frozen


@frozen
class Size:
    """A ByteQuantifiedSize: Exchange sends it as text only, "10.5 GB (11,274,289,152 bytes)"."""

    text: str

    @staticmethod
    def of(size_bytes: int) -> Size:
        """The text that Exchange prints for a number of bytes."""
        amount, unit = float(size_bytes), "B"
        for larger in ("KB", "MB", "GB", "TB"):
            if amount < 1024:
                break
            amount, unit = amount / 1024, larger
        return Size(f"{amount:.4g} {unit} ({size_bytes:,} bytes)")


@frozen
class UnlimitedSize:
    """An Unlimited<ByteQuantifiedSize>; no size means unlimited."""

    size: Size | None = None


@frozen
class EnumValue:
    """An enumeration value; clients must compare the text, never the number."""

    type_name: str
    text: str
    number: int


@frozen
class Reference:
    """An ADObjectId: short name for people, guid as key."""

    name: str
    distinguished_name: str
    guid: UUID


@frozen
class LongPath:
    """A LocalLongFullPath such as EdbFilePath or LogFolderPath."""

    path: str


@frozen
class TimeSpan:
    """An EnhancedTimeSpan.

    Units: ticks of 100 nanoseconds; may be negative.
    """

    ticks: int

    @staticmethod
    def of(*, days: int = 0, hours: int = 0, minutes: int = 0, seconds: float = 0) -> TimeSpan:
        """A span from its parts."""
        whole_s = (days * 24 + hours) * 3600 + minutes * 60
        return TimeSpan(whole_s * 10_000_000 + round(seconds * 10_000_000))


@frozen
class ServerVersion:
    """An AdminDisplayVersion, "Version 15.2 (Build 986.5)"."""

    major: int
    minor: int
    build: int
    revision: int

    def __str__(self) -> str:
        return f"Version {self.major}.{self.minor} (Build {self.build}.{self.revision})"


@frozen
class KeyValuePair:
    """An element of a list such as ActivationPreference, "[SRV1, 1]"."""

    key: Value
    value: Value


@frozen
class Credential:
    """A PSCredential parameter as a client sent it."""

    user: str
    password: str = field(repr=False)


@frozen(kw_only=True)
class ExchangeObject:
    """One object of a cmdlet's output.

    Shape: `type_names` from the most derived to System.Object.
    Unknown: a property with the value None goes out as Nil, which means unknown and not False.
    """

    type_names: tuple[str, ...]
    to_string: str
    properties: Mapping[str, Value]


Value = (
    str | bool | int | float | None | datetime | UUID | Size | UnlimitedSize | EnumValue
    | Reference | LongPath | TimeSpan | ServerVersion | KeyValuePair | Credential
    | ExchangeObject | tuple["Value", ...]
)


class ErrorCategory(Enum):
    """PowerShell's error categories, by PowerShell's own names."""

    NOT_SPECIFIED = "NotSpecified"
    INVALID_ARGUMENT = "InvalidArgument"
    INVALID_DATA = "InvalidData"
    INVALID_OPERATION = "InvalidOperation"
    INVALID_RESULT = "InvalidResult"
    INVALID_TYPE = "InvalidType"
    LIMITS_EXCEEDED = "LimitsExceeded"
    OBJECT_NOT_FOUND = "ObjectNotFound"
    OPERATION_STOPPED = "OperationStopped"
    OPERATION_TIMEOUT = "OperationTimeout"
    PARSER_ERROR = "ParserError"
    PERMISSION_DENIED = "PermissionDenied"
    READ_ERROR = "ReadError"
    RESOURCE_BUSY = "ResourceBusy"
    RESOURCE_EXISTS = "ResourceExists"
    RESOURCE_UNAVAILABLE = "ResourceUnavailable"
    WRITE_ERROR = "WriteError"


@frozen(kw_only=True)
class CmdletError:
    """An error record.

    Shape: `exception_type` is the short .NET name (the record's reason); `error_id` the whole
    fully qualified id, Exchange's "[Server=...] [FailureCategory=...] ..." included.
    """

    message: str
    exception_type: str = "Exception"
    category: ErrorCategory = ErrorCategory.NOT_SPECIFIED
    error_id: str
    target: str | None = None


@frozen(kw_only=True)
class CmdletAnswer:
    """What one cmdlet call gives: output, non-terminating errors, warnings, perhaps a last error.

    Units: `duration_s` passes before anything is sent.
    """

    objects: tuple[ExchangeObject, ...] = ()
    errors: tuple[CmdletError, ...] = ()
    warnings: tuple[str, ...] = ()
    terminating: CmdletError | None = None
    duration_s: float = 0.0


class Stream(Enum):
    """An output stream of a Windows command."""

    STDOUT = "stdout"
    STDERR = "stderr"


@frozen
class OutputChunk:
    """A piece of output that comes `delay_s` after the piece before it (or the start)."""

    delay_s: float
    stream: Stream
    content: bytes


@frozen(kw_only=True)
class CommandAnswer:
    """What one Windows command gives.

    Shape: first `chunks`, each after its delay; then, `duration_s` later, `stdout`, `stderr` and
    the exit code together.
    """

    stdout: bytes = b""
    stderr: bytes = b""
    exit_code: int = 0
    duration_s: float = 0.0
    chunks: tuple[OutputChunk, ...] = ()


@frozen(kw_only=True)
class SiteHost:
    """A machine of the site; `address` is its own loopback address (127.x.y.z)."""

    name: str
    fqdn: str
    address: str
    has_exchange: bool


@frozen(kw_only=True)
class SiteUser:
    """An account of the site; the password is a lab secret that only the lab's acceptors see."""

    name: str
    domain: str
    password: str = field(repr=False)
    may_use_exchange: bool
