"""The lane of MTA Error Correction: a copy of the queue database, `mtacheck`, and the service as it
was. No store is dismounted.
"""

from __future__ import annotations

from datetime import datetime
from ntpath import join
from typing import Any

from goexchange.codec import time_text
from goexchange.model.desired import BackupPart, MtaMessages
from goexchange.model.mta import MTA_ID, MTA_NAME, MTA_SERVICE
from goexchange.model.plan import Action, Binding, BindingKind, Lane, Reason, Repeat
from goexchange.model.unknown import known
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import controller, equals, host_job, host_script
from goexchange.plan.context import ServerSite
from goexchange.plan.host_records import (
    add_close_record,
    add_database_record,
    add_open_record,
    add_remove_sentinel,
    add_sentinel,
    keeper_at,
)
from goexchange.plan.mta import MtaWork
from goexchange.plan.processes import add_after_lane, add_before_lane

_OWN_KEY = f"HKLM\\SYSTEM\\CurrentControlSet\\Services\\{MTA_SERVICE}"
_EXCHANGE_KEY = "HKLM\\SOFTWARE\\Microsoft\\Exchange"
_SWITCHES = {
    MtaMessages.DIRECTORY_REPLICATION: "rd",
    MtaMessages.PUBLIC_FOLDER_REPLICATION: "rp",
    MtaMessages.LINK_MONITOR: "rl",
}
_SINCE_EVER = "1980-01-01T00:00:00Z"
PASS_PRIMARY = "primary"
WAY_BACK = "each service as it was, by the host's record"


def mta_lane(work: MtaWork, site: ServerSite, *, needs: tuple[str, ...]) -> Lane:
    """Return the lane of one server's message transfer agent."""
    lane = LaneBuilder(work.address, work.server_name, database=MTA_NAME, database_guid=MTA_ID)
    keeper = keeper_at(site, MTA_ID, name=MTA_NAME)
    says = (_content(work, site.at), mta_text(work, site.root))
    add_open_record(lane, keeper, says=says)
    add_sentinel(lane, keeper, holding="the MTA stopped")
    undone = add_before_lane(lane, work.spec)
    _add_last_look(lane, work, site)
    stopped = lane.add(
        Action.STOP_MTA,
        host_job(
            "stop-services", {"root": site.root, "record": MTA_ID, "services": _stopped(work)}
        ),
        summary=f"stop {', '.join(_stopped(work))} and what depends on it, recorded on the host"
        " before; the stores stay mounted",
        reason=Reason.ASKED_FOR,
        guards=("no-open-run", "window"),
        undo=WAY_BACK,
        estimate_s=30,
        origin=work.spec.script.place,
    )
    _add_copy(lane, work)
    _add_check(lane, work, site)
    _add_back(lane, work, site, stopped=stopped)
    add_remove_sentinel(lane, keeper, watches="while it is stopped")
    add_after_lane(lane, work.spec, undone=undone, has_outage=True)
    read_back = "record of the queue database on the host, read back as facts"
    add_database_record(lane, keeper, summary=read_back)
    add_close_record(lane, keeper)
    return lane.lane(needs=needs)


def _add_last_look(lane: LaneBuilder, work: MtaWork, site: ServerSite) -> None:
    lane.add(
        Action.LAST_LOOK,
        controller(
            "observe",
            {
                "server": work.server_name,
                "databases": [],
                "low_space_threshold_bytes": site.inventory.low_space_threshold_bytes,
                "gain_min_bytes": 0,
            },
        ),
        summary="conflicts and window, seen again",
        guards=("no-open-run", "elevated", "no-declared-work", "window"),
        estimate_s=5,
    )


def _stopped(work: MtaWork) -> list[str]:
    """Other products' services that the specification names, and the MTA."""
    named = [each for each in work.spec.services_stopped if each.lower() != MTA_SERVICE.lower()]
    return [*named, MTA_SERVICE]


def _add_copy(lane: LaneBuilder, work: MtaWork) -> None:
    assert work.mta is not None
    offline, size = work.spec.backup_before.offline, work.mta.size_bytes
    assert offline is not None
    keys = [_OWN_KEY, *([_EXCHANGE_KEY] if BackupPart.REGISTRY in offline.parts else ())]
    copied = lane.add(
        Action.COPY_MTA,
        host_job(
            "export-configuration",
            {
                "folder": join(work.evidence, "before"),
                "registry_keys": keys,
                "paths": [known(work.mta.data_folder), *offline.paths],
                "system_state": False,
            },
            expected_bytes=size,
        ),
        summary=f"copy the queue database and its registry keys to {work.evidence}\\before",
        time_limit_s=offline.timeout_s,
        origin=offline.place,
    )
    lane.add(
        Action.HASH_MTA,
        host_job("hash-files", {"files": []}, expected_bytes=size),
        summary="digest of the copy, read past the cache, is that of its source",
        binds=(Binding(argument="files", kind=BindingKind.SET_FILES, step=copied),),
    )


def _add_check(lane: LaneBuilder, work: MtaWork, site: ServerSite) -> None:
    assert work.mta is not None
    choice = work.spec.script
    removes = [each for each in MtaMessages if each in choice.mta_removes]
    also = f", removing {', '.join(each.value for each in removes)} messages" if removes else ""
    lane.add(
        Action.CHECK_MTA,
        host_job(
            "mtacheck",
            {
                "mtacheck": known(work.mta.tool),
                "data_folder": known(work.mta.data_folder),
                "evidence": join(work.evidence, "taken-out"),
                "removes": [_SWITCHES[each] for each in removes],
            },
        ),
        summary=f"mtacheck: detect and correct errors of the queue database{also}; what it takes"
        f" out is kept in {work.evidence}\\taken-out",
        reason=Reason.ASKED_FOR,
        pass_name=PASS_PRIMARY,
        repeat=Repeat(
            times_max=choice.error_correction.primary_passes_max,
            until=equals("verdict", "clean"),
        ),
        origin=choice.place,
    )
    lane.add(
        Action.CANCEL_JOBS,
        host_script("cancel-job", {"root": site.root}),
        summary="way back: stop what still runs on the host for it",
        reason=Reason.WAY_BACK,
        may_fail=True,
        estimate_s=5,
    )


def _add_back(lane: LaneBuilder, work: MtaWork, site: ServerSite, *, stopped: str) -> None:
    assert work.mta is not None
    delay_s = site.inventory.mount_confirm_after_s
    lane.add(
        Action.START_MTA,
        host_job("restore-services", {"root": site.root, "record": MTA_ID}),
        summary=f"{', '.join(_stopped(work))} as they were, by the host's record",
        reason=Reason.ASKED_FOR,
        undo_of=stopped,
        attempts_max=3,
        estimate_s=30,
    )
    state = work.mta.service.state
    lane.add(
        Action.CONFIRM_MTA,
        host_script("observe-mta", {"events_since": _SINCE_EVER}),
        summary=f"{MTA_SERVICE} seen {state.lower()}, as it was, after {delay_s} s",
        postcondition=equals("mta.service.state", state),
        delay_s=delay_s,
        estimate_s=delay_s + 1,
    )


def mta_text(work: MtaWork, root: str) -> str:
    """RECOVERY.txt: what a person with nothing but a console does."""
    assert work.mta is not None
    services = (work.mta.service, *work.mta.dependents)
    lines = [
        f"Maintenance of the message transfer agent on {work.server_name} stopped.",
        "The mailbox and public folder stores were not touched: they stay mounted.",
        "",
        "1. What ran before is written down here, and in",
        f"   {root}\\services\\{MTA_ID}.json (if a service was stopped):",
        *(f"   {each.name}: {each.state}, {each.start_type}" for each in services),
        "",
        "2. End any mtacheck.exe that still runs. Then start what is Running above:",
        *(f"   net start {each.name}" for each in services if each.state == "Running"),
        "",
        "3. If the service does not start, its queue database as it was before is copied in",
        f"   {work.evidence}\\before (if complete), and what mtacheck took out of it in",
        f"   {work.evidence}\\taken-out.",
        "",
        "Delete nothing: no file of either folder.",
    ]
    return "\r\n".join(lines) + "\r\n"


def _content(work: MtaWork, at: datetime) -> dict[str, Any]:
    assert work.mta is not None
    services = (work.mta.service, *work.mta.dependents)
    return {
        "server": work.server_name,
        "database": MTA_NAME,
        "database_guid": MTA_ID,
        "specification": work.spec.name,
        "planned_at": time_text(at),
        "services": [
            {"name": each.name, "state": each.state, "start_type": each.start_type}
            for each in services
        ],
    }
