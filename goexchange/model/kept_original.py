"""An original that a run has kept beside the rebuilt file that it put in place."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from goexchange.model.plan import Lane, Plan


@frozen(kw_only=True)
class KeptOriginal:
    """A database that a run has rebuilt and mounted, as the run's own record says it."""

    plan: Plan
    lane: Lane
    run: str
    mounted_at_utc: datetime
    header_sha256: str
    original: str
    kept: str
    set_aside: str
    mount_at_startup: bool
