"""The steps while the database is still mounted: records on the host, online passes, last look."""

from __future__ import annotations

from typing import Any

from goexchange.codec import time_text
from goexchange.model.actual import Generation
from goexchange.model.desired import BackupPart, OfflineBackup
from goexchange.model.history import Work
from goexchange.model.plan import (
    Action,
    Condition,
    ExchangeCall,
    Need,
    OnDoubt,
    Operator,
    Poll,
    Probe,
    Reason,
    Repeat,
    RunsWhen,
    ScriptCall,
)
from goexchange.model.unknown import Unknown
from goexchange.plan.builder import LaneBuilder, timed
from goexchange.plan.calls import controller, equals, host_job, host_script
from goexchange.plan.context import LaneContext
from goexchange.plan.copy_back import seeds_of
from goexchange.plan.estimates import known_size
from goexchange.plan.host_records import (
    COPIES,
    add_open_record,
    add_sentinel,
    keeper_of,
)
from goexchange.plan.pair import is_pair
from goexchange.plan.phase_copies import held_copies
from goexchange.plan.recovery_text import recovery_text
from goexchange.plan.treatment import Passes
from goexchange.powershell import cmdlets
from goexchange.powershell.repair_events import REPAIRS_OF_HOURS

_REGISTRY_KEYS = (
    "HKLM\\SOFTWARE\\Microsoft\\ExchangeServer",
    "HKLM\\SYSTEM\\CurrentControlSet\\Services",
)
_REGISTRY_KEYS_2003 = ("HKLM\\SOFTWARE\\Microsoft\\Exchange", _REGISTRY_KEYS[1])
ERRORS = "ours.errors"  # of the requests that this very step asked for
TROUBLES = "ours.troubles"  # errors and warnings together
COUNTED = Condition(path=ERRORS, operator=Operator.GREATER_OR_EQUAL, value=0)
EVENT_LOG_EVERY_S = 30.0
PASS_PRIMARY = "primary"
PASS_DEFRAGMENTED = "defragmented"


def add_records(lane: LaneBuilder, context: LaneContext) -> None:
    """Open the recovery record and place the sentinel: nothing depends on the controller's disk
    from here on.
    """
    keeper = keeper_of(context)
    add_open_record(lane, keeper, says=(recovery_content(context), recovery_text(context)))
    add_sentinel(lane, keeper, holding="the database down")


def add_copies_sentinel(lane: LaneBuilder, context: LaneContext, **differs: Any) -> None:
    """From here on it is suspended copies that nobody would speak of."""
    add_sentinel(lane, keeper_of(context), holding="a copy suspended", what=COPIES, **differs)


def add_export(lane: LaneBuilder, context: LaneContext, backup: OfflineBackup) -> None:
    """Registry, system state and configuration, where the specification asks for them."""
    if not backup.parts and not backup.paths:
        return
    paths = list(backup.paths)
    if (
        BackupPart.EXCHANGE_CONFIGURATION in backup.parts
        or BackupPart.EXCHANGE_DIRECTORIES in backup.parts
    ):
        paths += _exchange_folders(context, backup)
    # Windows Server 2003 has no wbadmin, which is what saves a system state.
    is_left_out = is_pair(context) and BackupPart.SYSTEM_STATE in backup.parts
    copied = [e for e in backup.parts if not (is_left_out and e is BackupPart.SYSTEM_STATE)]
    names = [each.value.replace("-", " ") for each in copied]
    left_out = "; no system state: this Windows has no wbadmin" if is_left_out else ""
    lane.add(
        Action.EXPORT_CONFIGURATION,
        host_job(
            "export-configuration",
            {
                "folder": f"{context.paths.set_folder}\\configuration",
                "registry_keys": list(_REGISTRY_KEYS_2003 if is_pair(context) else _REGISTRY_KEYS)
                if BackupPart.REGISTRY in backup.parts
                else [],
                "paths": paths,
                "system_state": BackupPart.SYSTEM_STATE in copied,
            },
        ),
        summary=f"copy {', '.join([*names, *backup.paths])}, while mounted{left_out}",
        reason=Reason.ASKED_FOR,
        origin=backup.place,
    )


def add_passes(
    lane: LaneBuilder, context: LaneContext, *, pass_name: str, runs_when: RunsWhen
) -> None:
    """Error correction with the store mounted: one request per kind of corruption, repeated until
    none is found. What it finds for ever fails a lane that is there to correct it, and is told
    where it is a part of more.
    """
    detect_only = context.treatment.passes is Passes.DETECT
    correction = context.spec.script.error_correction
    is_primary = pass_name == PASS_PRIMARY
    times = correction.primary_passes_max if is_primary else correction.defragmented_passes_max
    none_left = equals(TROUBLES if correction.treat_warnings_as_errors else ERRORS, 0)
    guid = context.database.guid
    standing = _standing_of_requests(context)
    size = known_size(context.database)
    for kind in cmdlets.CORRUPTION_TYPES if times or detect_only else ():
        lane.add(
            Action.REPAIR_REQUEST,
            cmdlets.new_repair_request(guid, kind, detect_only),
            summary=f"{'detect' if detect_only else 'detect and correct'} {kind} errors,"
            " store mounted",
            reason=Reason.ASKED_FOR,
            guards=("identity",),
            runs_when=runs_when,
            on_doubt=OnDoubt.PROBE,
            probe=Probe(
                call=standing,
                done=Condition(path="ours.count", operator=Operator.GREATER, value=0),
                not_done=equals("ours.count", 0),
            ),
            poll=Poll(
                call=standing,
                until=equals("ours.is_over", True),
                failed=equals("ours.has_failed", True),
                interval_s=_interval_s(context, standing),
            ),
            # what a detection finds is a finding; the lane's end says it, after every kind
            postcondition=COUNTED if detect_only else None,
            repeat=None if detect_only else Repeat(times_max=times, until=none_left),
            pass_name=pass_name,
            may_fail=context.needed.need not in (Need.VERIFY, Need.CORRECT),
            origin=correction.place,
            **timed(None if size is None else context.times.of(Work.REPAIR_REQUEST, size)),
        )


def _standing_of_requests(context: LaneContext) -> ExchangeCall | ScriptCall:
    """How the store's requests are looked at: Exchange 2010 has no cmdlet for it."""
    if context.server.generation is Generation.EXCHANGE_2010:
        return host_script("read-repairs", {"hours": REPAIRS_OF_HOURS})
    return cmdlets.get_repair_requests(context.database.guid)


def _interval_s(context: LaneContext, call: ExchangeCall | ScriptCall) -> float:
    """Searching an event log costs the host more than a cmdlet."""
    own = context.pace.poll_interval_s
    return own if isinstance(call, ExchangeCall) else max(own, EVENT_LOG_EVERY_S)


def add_last_look(lane: LaneBuilder, context: LaneContext, *, guards: tuple[str, ...] = ()) -> None:
    """Observe again right before the outage; it carries the limits that guards measure what is
    seen against.
    """
    lane.add(
        Action.LAST_LOOK,
        controller(
            "observe",
            {
                "server": context.server.name,
                "databases": [context.database.guid],
                "low_space_threshold_bytes": context.inventory.low_space_threshold_bytes,
                "gain_min_bytes": context.spec.script.rebuild.gain_min_bytes,
                **({} if context.passive is None else seeds_of(context.server)),
            },
        ),
        summary="conflicts, space and window, seen again",
        guards=guards,
        estimate_s=5,
    )


def add_notice(lane: LaneBuilder, context: LaneContext, *, event: str, **differs: Any) -> None:
    """Raise a notification event, once for each audience that the specification names."""
    declared = [each for each in context.spec.notifications if each.event.value == event]
    readers = [(each.audience.value, list(each.to), list(each.channels)) for each in declared]
    for audience, to, channels in readers or [("operators", [], [])]:
        lane.add(
            Action.NOTIFY,
            controller(
                "notify",
                {
                    "event": event,
                    "audience": audience,
                    "recipients": to,
                    "channels": channels,
                    "variables": {
                        "server": context.server.name,
                        "database": context.database.name,
                        "specification": context.spec.name,
                    },
                },
            ),
            summary=f"notice {event.replace('-', ' ')} to {audience}",
            may_fail=True,
            **differs,
        )


def _exchange_folders(context: LaneContext, backup: OfflineBackup) -> list[str]:
    folder = context.eseutil.rpartition("\\")[0]
    folders = [folder] if BackupPart.EXCHANGE_CONFIGURATION in backup.parts else []
    if BackupPart.EXCHANGE_DIRECTORIES in backup.parts:
        folders.append(folder.rpartition("\\")[0])
    return folders


def recovery_content(context: LaneContext) -> dict[str, Any]:
    """Everything that was so before the first change, and where files are and will be."""
    database, host = context.database, context.host
    services = () if isinstance(host.services, Unknown) else host.services
    return {
        "server": context.server.name,
        "database": database.name,
        "database_guid": database.guid,
        "specification": context.spec.name,
        "planned_at": time_text(context.at),
        "is_mounted": database.is_mounted if isinstance(database.is_mounted, bool) else None,
        "is_mount_at_startup": database.is_mount_at_startup
        if isinstance(database.is_mount_at_startup, bool)
        else None,
        "original": context.paths.original,
        "log_folder": database.log_folder,
        "work_folder": context.paths.work_folder,
        "temporary": context.paths.temporary,
        "kept": context.paths.kept,
        "set_aside": context.paths.set_aside,
        "set_folder": context.paths.set_folder,
        "boot_id": host.boot_id,
        **({"held_copies": held_copies(context)} if context.replicas is not None else {}),
        "services": [
            {"name": each.name, "state": each.state, "start_type": each.start_type}
            for each in services
        ],
    }
