"""Every guard by its id; two of one name are refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from goexchange.guard.backlog import NO_BACKLOG
from goexchange.guard.clean_shutdown import CLEAN
from goexchange.guard.conflicts import NO_BACKUP_RUNNING, NO_OPEN_RUN, NO_OTHER_MAINTENANCE
from goexchange.guard.copies_held import COPIES_HELD
from goexchange.guard.copies_well import COPIES_WELL
from goexchange.guard.declared_work import NO_DECLARED_WORK
from goexchange.guard.evidence import EVIDENCE
from goexchange.guard.guard import Guard
from goexchange.guard.identity import IDENTITY, MOUNT_AT_STARTUP, NOT_RECOVERY, SINGLE_COPY
from goexchange.guard.members import AS_PLANNED, MEMBERS_WELL, NOTHING_ACTIVE
from goexchange.guard.same_node import SAME_NODE
from goexchange.guard.space import GAIN, SPACE
from goexchange.guard.tools import ELEVATED, STORAGE_HEALTHY, TEMPORARY_PATH, TOOL_FITS
from goexchange.guard.verified_set import VERIFIED_SET
from goexchange.guard.window import WINDOW


def registered(guards: Iterable[Guard]) -> Mapping[str, Guard]:
    """Guards by id.

    Raises: ValueError when two have one id.
    """
    found: dict[str, Guard] = {}
    for guard in guards:
        if guard.id in found:
            raise ValueError(f"two guards are called {guard.id}")
        found[guard.id] = guard
    return found


GUARDS: Mapping[str, Guard] = registered(
    (
        IDENTITY,
        NOT_RECOVERY,
        SINGLE_COPY,
        COPIES_WELL,
        COPIES_HELD,
        MEMBERS_WELL,
        AS_PLANNED,
        NOTHING_ACTIVE,
        MOUNT_AT_STARTUP,
        NO_BACKUP_RUNNING,
        NO_OTHER_MAINTENANCE,
        NO_BACKLOG,
        SAME_NODE,
        NO_OPEN_RUN,
        NO_DECLARED_WORK,
        SPACE,
        GAIN,
        STORAGE_HEALTHY,
        TOOL_FITS,
        ELEVATED,
        TEMPORARY_PATH,
        WINDOW,
        CLEAN,
        VERIFIED_SET,
        EVIDENCE,
    )
)
