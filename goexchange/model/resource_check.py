"""What the resource check found: what would keep a run from starting, and what is worth knowing."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from attrs import frozen


class Weight(Enum):
    """How much a finding matters to the next run."""

    PROBLEM = "problem"  # a run would be refused, or mail is at risk now
    UNKNOWN = "unknown"  # it could not be seen, and no guard passes on it
    WARNING = "warning"
    GOOD = "good"


class Subject(Enum):
    """What a finding is about; a closed list."""

    SPACE = "space"
    SERVICES = "services"
    EVENTS = "events"
    BACKUP = "backup"
    PROTECTION = "protection"
    RECOVERY = "recovery"
    TOOLS = "tools"
    CERTIFICATES = "certificates"
    WINDOW = "window"
    GUARD = "guard"
    SCRIPT = "script"  # what the specification asks for cannot be done there
    SERVER = "server"


@frozen(kw_only=True)
class ResourceFinding:
    """One finding; `address` is a server or a database, `remedy` what would change it."""

    address: str
    subject: Subject
    weight: Weight
    text: str
    remedy: str | None = None


@frozen(kw_only=True)
class ResourceCheck:
    """The check of one specification; findings by address, the heaviest of each first.

    Shape: `silent` are servers that did not answer, `refused` those that refused the account; each
    has a finding, and `servers` names them too.
    """

    specification: str
    checked_at_utc: datetime
    servers: tuple[str, ...]
    findings: tuple[ResourceFinding, ...]
    silent: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[ResourceFinding, ...]:
        """What would keep a run from starting."""
        blocking = (Weight.PROBLEM, Weight.UNKNOWN)
        return tuple(each for each in self.findings if each.weight in blocking)
