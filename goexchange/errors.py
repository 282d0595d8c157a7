"""What can go wrong, sorted by what the operator does next: exit codes, diagnostics, exceptions."""

from __future__ import annotations

from enum import Enum, IntEnum

from attrs import frozen


class ExitCode(IntEnum):
    """Process exit codes; one per thing the operator does next (documented by `goexchange help
    exit-codes`).
    """

    OK = 0
    INTERNAL = 1
    CHANGES = 2
    INVALID = 10
    LOCKED = 11
    STALE = 12
    UNAPPROVED = 13
    NOT_NOW = 14
    UNREACHABLE = 15
    AUTH = 16
    PARTIAL = 20
    STOPPED = 21
    LEFT_OFFLINE = 22
    UNKNOWN = 23
    ROLLBACK_FAILED = 24
    UNPROTECTED = 25
    DAMAGED = 30
    USAGE = 64
    INTERRUPTED = 130
    TERMINATED = 143


class Severity(Enum):
    """How much a diagnostic matters."""

    ERROR = "error"
    WARNING = "warning"


@frozen(kw_only=True)
class Place:
    """A place in a document an operator wrote; line and column start at 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@frozen(kw_only=True)
class Diagnostic:
    """One message for a person.

    Shape: `id` is stable and documented (kebab-case); `summary` is fixed wording without names;
    `detail` says what,
    why it matters and what to do; `address` is what it is about (server, database, step) as text;
    `source_line`
    is the offending line of the document, for underlining.
    """

    id: str
    summary: str
    detail: str
    severity: Severity = Severity.ERROR
    address: str | None = None
    place: Place | None = None
    source_line: str | None = None


class GoexchangeError(Exception):
    """Base of everything the tool raises on purpose; never raised itself."""

    exit_code = ExitCode.INTERNAL
    id = "internal"

    def __init__(self, message: str, *, diagnostics: tuple[Diagnostic, ...] = ()) -> None:
        super().__init__(message)
        self.diagnostics = diagnostics


class InvalidDocument(GoexchangeError):
    """A specification, inventory, configuration, plan or journal that cannot be used; nothing was
    changed.
    """

    exit_code = ExitCode.INVALID
    id = "invalid-document"


class Locked(GoexchangeError):
    """The lease of a host is held by someone else; the message says who and until when."""

    exit_code = ExitCode.LOCKED
    id = "locked"


class LeaseLost(GoexchangeError):
    """Our own lease is gone (expired, taken over, or a higher fencing number was seen): nothing
    more may be sent.
    """

    exit_code = ExitCode.LOCKED
    id = "lease-lost"


class LeasesUnreachable(GoexchangeError):
    """What keeps the leases cannot be read or written: who holds which is unknown, and nothing
    starts.
    """

    exit_code = ExitCode.UNREACHABLE
    id = "leases-unreachable"


class PlanStale(GoexchangeError):
    """A premise of the plan no longer holds; diagnostics name predicate, value then, value now."""

    exit_code = ExitCode.STALE
    id = "plan-stale"


class Unapproved(GoexchangeError):
    """The plan needs an approval or a consent that is missing, expired, or given to another digest.
    """

    exit_code = ExitCode.UNAPPROVED
    id = "unapproved"


class NotNow(GoexchangeError):
    """A guard, window or rule says no; nothing was changed."""

    exit_code = ExitCode.NOT_NOW
    id = "not-now"


class Unreachable(GoexchangeError):
    """A host could not be reached before anything was changed."""

    exit_code = ExitCode.UNREACHABLE
    id = "unreachable"


class AuthenticationRefused(GoexchangeError):
    """A secret could not be resolved, or the host refused it."""

    exit_code = ExitCode.AUTH
    id = "authentication-refused"


class UsageError(GoexchangeError):
    """A flag or argument that cannot be used."""

    exit_code = ExitCode.USAGE
    id = "usage"


class Damaged(GoexchangeError):
    """A file, journal or backup set is damaged."""

    exit_code = ExitCode.DAMAGED
    id = "damaged"


class AnswerLost(GoexchangeError):
    """A request was sent and its answer was lost: the effect is in doubt and must be looked at,
    never repeated blindly.
    """

    exit_code = ExitCode.UNKNOWN
    id = "answer-lost"


class HostRefused(GoexchangeError):
    """A host answered with an error of its own: the request reached it and failed there.

    `code` is a short stable word from the contract of the host script (or the error id of the
    cmdlet).
    """

    exit_code = ExitCode.INTERNAL
    id = "host-refused"

    def __init__(
        self, message: str, *, code: str, diagnostics: tuple[Diagnostic, ...] = ()
    ) -> None:
        super().__init__(message, diagnostics=diagnostics)
        self.code = code


class UnexpectedOutput(GoexchangeError):
    """A host answered with something our decoders do not know: treated as unknown, never guessed.
    """

    exit_code = ExitCode.UNKNOWN
    id = "unexpected-output"
