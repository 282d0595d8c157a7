"""The proof of an online full backup: job, time stamp, completion event and a copy that can be
fetched, all together.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from goexchange.codec import parse_time, time_text
from goexchange.driver.judgement import Subject
from goexchange.driver.lanes import happened
from goexchange.model.actual import ActualHost, ActualServer, HostEvent, WindowsBackup
from goexchange.model.plan import Action, ControllerCall
from goexchange.model.unknown import Unknown

# Source: ESE source, jetmsg.mc: 213 a backup of the instance ended, 2006 a shadow copy completed.
COMPLETION_EVENTS = frozenset({213, 2006})


def backup_proof(subject: Subject, seen: ActualServer) -> dict[str, Any]:
    """What is proved so far; `proved` only when nothing is missing. Unknown facts prove nothing."""
    call = subject.step.call
    assert isinstance(call, ControllerCall)
    started = _job_start(subject)
    host = seen.host if isinstance(seen.host, ActualHost) else None
    last = _last_full_backup(seen, call.arguments["databases"])
    proof: dict[str, Any] = {
        "job_succeeded": started is not None,
        "last_full_backup_utc": time_text(last) if last is not None else None,
        "is_newer": started is not None and last is not None and last >= started,
        "event_completed": host is not None and _has_event(host, started),
        "retrievable": host is not None and _is_retrievable(host.windows_backup, started),
    }
    parts = ("job_succeeded", "is_newer", "event_completed", "retrievable")
    return {**proof, "proved": all(proof[name] is True for name in parts)}


def _job_start(subject: Subject) -> datetime | None:
    """When the backup job started, by the host's clock."""
    for step in subject.lane.steps:
        record = subject.state.step(step.id)
        if step.action is Action.ONLINE_BACKUP and happened(record) and record.result is not None:
            text = record.result["started_at_utc"]
            return parse_time(text) if text else record.first_sent_at_utc
    return None


def _last_full_backup(seen: ActualServer, guids: list[str]) -> datetime | None:
    """The oldest of the databases' last full backups; None when one is never or not known."""
    if isinstance(seen.databases, Unknown):
        return None
    found = [one.last_full_backup_utc for one in seen.databases if one.guid in guids]
    moments = [one for one in found if isinstance(one, datetime)]
    return min(moments) if moments and len(moments) == len(guids) else None


def _has_event(host: ActualHost, started: datetime | None) -> bool:
    events: tuple[HostEvent, ...] = (
        host.backup_events if isinstance(host.backup_events, tuple) else ()
    )
    return started is not None and any(
        event.event_id in COMPLETION_EVENTS and event.at_utc >= started for event in events
    )


def _is_retrievable(backup: WindowsBackup | Unknown, started: datetime | None) -> bool:
    if isinstance(backup, Unknown) or started is None or backup.last_success_utc is None:
        return False
    return backup.last_result == 0 and backup.last_success_utc >= started
