"""What `doctor` looked at on a server: what was seen, what is missing, and what mends it."""

from __future__ import annotations

from enum import Enum

from attrs import frozen


class Health(Enum):
    """How one look ended."""

    OK = "ok"
    WARNING = "warning"  # it works; something is worth mending
    MISSING = "missing"
    UNKNOWN = "unknown"  # it could not be looked at


@frozen(kw_only=True)
class Look:
    """One look; `remedy` says what to do, None only where nothing is to do."""

    check: str
    health: Health
    seen: str
    remedy: str | None = None


class Reach(Enum):
    """How far a server could be spoken with."""

    SPOKEN = "spoken"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"


@frozen(kw_only=True)
class Examination:
    """Every look at one server; `left` is what could not be removed again."""

    server: str
    reach: Reach
    looks: tuple[Look, ...]
    left: tuple[str, ...] = ()
