"""Tests of specifications: what is given, and what has to come of it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from attrs import frozen

from goexchange.errors import Place
from goexchange.model.plan import Need


class GivenFault(Enum):
    """What fails on a simulated site, once."""

    FLIPPED_BIT = "flipped-bit-in-copy"
    TORN_COPY = "torn-copy"
    FAILED_BACKUP = "failed-backup"
    FAILED_MOUNT = "failed-mount"
    FAILED_ESEUTIL = "failed-eseutil"


@frozen(kw_only=True)
class Fault:
    """One fault; `of` is a database or a mode of eseutil, None where neither is needed."""

    kind: GivenFault
    of: str | None
    error: int


@frozen(kw_only=True)
class GivenSite:
    """A simulated site with some of its databases."""

    databases: tuple[str, ...]
    seed: int
    faults: tuple[Fault, ...]


@frozen(kw_only=True)
class Final:
    """How a database is afterwards. Unknown: None where it is not looked at."""

    address: str
    is_mounted: bool | None
    is_rebuilt: bool | None


@frozen(kw_only=True)
class SpecificationTest:
    """A test as written.

    Shape: paths are from the test's file on; either `facts` or `site` is given; what is expected
    of a run (`exit_code`, `events`, `final`) needs a site; `blocked_by` and `exit_code` are None
    where they are not looked at.
    """

    name: str
    file: str
    specification: str
    inventory: str | None
    at: datetime
    facts: str | None
    site: GivenSite | None
    needs: tuple[tuple[str, Need], ...]
    steps: tuple[tuple[str, tuple[str, ...]], ...]
    explanations: tuple[tuple[str, str], ...]
    plan: tuple[str, ...]
    blocked_by: tuple[str, ...] | None
    exit_code: int | None
    events: tuple[str, ...]
    final: tuple[Final, ...]
    place: Place
