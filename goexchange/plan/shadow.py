"""A full backup by diskshadow: what it copies out of the shadow copies, and what it cannot be made
with.

Source: the end of a backup by diskshadow truncates the logs and moves the time stamp whether
anything was copied or not; so every database whose logs it truncates is copied and verified before.
"""

from __future__ import annotations

import re

from goexchange.model.actual import ActualDatabase, ActualHost
from goexchange.model.desired import BackupTarget
from goexchange.model.plan import JobCall, Reason
from goexchange.model.unknown import Unknown
from goexchange.plan.calls import host_job
from goexchange.plan.context import LaneContext
from goexchange.plan.coverage import Coverage, covered_bytes, is_on_volumes
from goexchange.plan.finding import Needed, fact_unknown, not_possible

# How diskshadow reads quoted words is not known: a path that needs quotes is refused.
_PLAIN = re.compile(r"[A-Za-z]:\\(?:[A-Za-z0-9_.-]+\\?)*\Z")


def shadow_job(context: LaneContext, coverage: Coverage) -> JobCall:
    """The host job: shadow copies of the volumes, a verified copy of the databases, the end."""
    request = {
        "target": coverage.target,
        "volumes": list(coverage.volumes),
        "eseutil": context.eseutil,
        "databases": [
            {"path": each.edb_path, "log_folder": each.log_folder, "log_prefix": each.log_prefix}
            for each in copied_databases(coverage)
        ],
    }
    return host_job("diskshadow", request, expected_bytes=covered_bytes(coverage))


def copied_databases(coverage: Coverage) -> tuple[ActualDatabase, ...]:
    """The databases that the writer takes: file and logs are on the volumes."""
    return tuple(
        each
        for each in coverage.databases
        if each.name not in coverage.partly and each.is_recovery is not True
    )


def refuse_shadow(
    host: ActualHost, coverage: Coverage, *, target: BackupTarget, host_root: str
) -> Needed | None:
    """Why a backup by diskshadow cannot be planned there; None when it can."""
    if isinstance(host.eseutil_path, Unknown):
        return fact_unknown("where eseutil is", host.eseutil_path, origin=target.place)
    for each in copied_databases(coverage):
        if isinstance(each.log_prefix, Unknown):
            return fact_unknown(
                f"the log prefix of {each.name}", each.log_prefix, origin=target.place
            )
    return _refuse_target(host, coverage, target=target) or _refuse_paths(
        (*coverage.volumes, host_root), target
    )


def _refuse_target(host: ActualHost, coverage: Coverage, *, target: BackupTarget) -> Needed | None:
    is_inside = is_on_volumes(target.path, coverage, host)
    if isinstance(is_inside, Unknown):
        return fact_unknown(f"the volume of {target.path}", is_inside, origin=target.place)
    if not is_inside:
        return None
    return not_possible(
        Reason.BLOCKED_BY_GUARD,
        f"the online backup's target {target.path} is on one of the volumes it backs up",
        origin=target.place,
        instead="name a folder of another volume, or a share",
    )


def _refuse_paths(paths: tuple[str, ...], target: BackupTarget) -> Needed | None:
    strange = [path for path in paths if not _PLAIN.match(path)]
    if not strange:
        return None
    return not_possible(
        Reason.BLOCKED_BY_GUARD,
        f"how diskshadow reads a path such as {strange[0]} is not known",
        origin=target.place,
        instead="back up with windows-server-backup, or by an agent",
    )
