"""How long work took in earlier runs: what is measured, kept on the host and in the store.

Units: sizes are bytes, times are seconds.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from attrs import frozen


class Work(Enum):
    """What is measured and estimated; a closed list."""

    PAGE_CHECKSUMS = "page-checksums"
    INTEGRITY = "integrity"
    SPACE = "space"
    COPY = "copy"
    REBUILD = "rebuild"
    HASH = "hash"
    VERIFY_SET = "verify-set"
    REPAIR_REQUEST = "repair-request"
    STORE_INTEGRITY = "store-integrity"
    ONLINE_BACKUP = "online-backup"
    BACKUP_PROOF = "backup-proof"
    SEED = "seed"
    DISMOUNT = "dismount"
    MOUNT = "mount"
    WAIT = "wait"  # for other people's backups and declared work


@frozen(kw_only=True)
class Timing:
    """One piece of work of one run; `size_bytes` is what it worked on, 0 where size says nothing.
    """

    work: Work
    size_bytes: int
    seconds: float
    run: str
    at_utc: datetime


@frozen(kw_only=True)
class Measurement:
    """A timing with where it was taken.

    Shape: `folder` is the folder of the database's file, which says on which volume it is.
    """

    server: str
    database: str
    database_guid: str
    folder: str
    timing: Timing
