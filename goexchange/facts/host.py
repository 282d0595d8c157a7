"""A host as the observe-host script described it: each part known, or Unknown with the reason the
script gave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from goexchange.codec import from_plain, parse_time
from goexchange.errors import InvalidDocument
from goexchange.facts.services import decode_asked
from goexchange.model.actual import (
    ActualHost,
    AskedService,
    ClusterNode,
    DatabaseRecord,
    FileFacts,
    HostEvent,
    LogFolder,
    OpenRecovery,
    ReplicationQueue,
    RunningProcess,
    ScheduledTask,
    Service,
    Volume,
    WindowsBackup,
)
from goexchange.model.unknown import Unknown
from goexchange.powershell.redaction import redacted

Json = Mapping[str, Any]
T = TypeVar("T")


def decode_host(result: Json, observed_at: datetime) -> ActualHost:
    """The result of observe-host (already checked against its contract).

    Unknown: every part that the script names in `failures`, and every version it could not find.
    """
    parts = _Parts(result)
    host, exchange = result["host"], parts.member("exchange")
    return ActualHost(
        observed_at_utc=observed_at,
        name=host["name"],
        boot_id=host["boot_id"],
        booted_at_utc=parse_time(host["booted_at"]),
        clock_utc=parse_time(host["clock"]),
        powershell_version=host["powershell"],
        is_elevated=host["is_elevated"],
        exsetup_version=_found(exchange, "exsetup_version"),
        eseutil_version=_found(exchange, "eseutil_version"),
        eseutil_path=_found(exchange, "eseutil_path"),
        volumes=parts.several("volumes", _volume),
        services=parts.several("services", lambda plain: Service(**plain)),
        tasks=parts.several("tasks", _task),
        processes=parts.several("processes", _process),
        files=parts.several("files", _file),
        log_folders=parts.several("log_folders", lambda plain: LogFolder(**plain)),
        storage_events=parts.several("storage_events", _event),
        backup_events=parts.several("backup_events", _event),
        windows_backup=_windows_backup(parts.member("windows_backup")),
        is_reboot_pending=parts.member("is_reboot_pending"),
        replication_queues=_queues(parts.member("replication_queues")),
        fencing_number=parts.member("fence"),
        records=_records(parts.member("records")),
        open_recoveries=_recoveries(parts.member("recoveries")),
        asked_services=_asked(parts),
        cluster_nodes=_nodes(parts),
    )


class _Parts:
    """The parts of the result, each behind its failure."""

    def __init__(self, result: Json) -> None:
        self._result = result
        self._failures = {one["part"]: one["message"] for one in result["failures"]}

    def member(self, part: str, default: Any = None) -> Any:
        if part in self._failures:
            return Unknown(f"the host could not say: {self._failures[part]}")
        return self._result[part] if default is None else self._result.get(part, default)

    def optional(self, part: str) -> Any:
        """None where the script left it out, or empty."""
        return self.member(part) if part in {*self._result, *self._failures} else None

    def several(self, part: str, decode: Callable[[Json], T]) -> tuple[T, ...] | Unknown:
        value = self.member(part)
        return value if isinstance(value, Unknown) else tuple(decode(plain) for plain in value)


def _asked(parts: _Parts) -> tuple[AskedService, ...] | Unknown:
    """Nothing where nobody asked; a part that failed is named like every other."""
    answer = parts.member("asked_services", {"asked": (), "told": ()})
    return answer if isinstance(answer, Unknown) else decode_asked(answer["asked"], answer["told"])


def _nodes(parts: _Parts) -> tuple[ClusterNode, ...] | None | Unknown:
    """None where nobody asked."""
    answer = parts.optional("cluster_nodes")
    if answer is None or isinstance(answer, Unknown):
        return answer
    return tuple(ClusterNode(**plain) for plain in answer)


def _found(exchange: Any, name: str) -> str | Unknown:
    if isinstance(exchange, Unknown):
        return exchange
    value = exchange[name]
    return (
        value if isinstance(value, str) and value else Unknown(f"{name} was not found on the host")
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else parse_time(text)


def _volume(plain: Json) -> Volume:
    point = plain["mount_point"]
    return Volume(**{**plain, "mount_point": point if point.endswith("\\") else f"{point}\\"})


def _task(plain: Json) -> ScheduledTask:
    return ScheduledTask(
        name=plain["name"],
        state=plain["state"],
        actions=tuple(map(redacted, plain["actions"])),
        next_run_utc=_time(plain["next_run"]),
    )


def _process(plain: Json) -> RunningProcess:
    return RunningProcess(
        name=plain["name"], process_id=plain["id"], started_at_utc=_time(plain["started_at"])
    )


def _file(plain: Json) -> FileFacts:
    return FileFacts(
        path=plain["path"],
        exists=plain["exists"],
        size_bytes=plain["size_bytes"],
        created_at_utc=_time(plain["created_at"]),
        modified_at_utc=_time(plain["modified_at"]),
    )


def _event(plain: Json) -> HostEvent:
    return HostEvent(
        log=plain["log"],
        provider=plain["provider"],
        event_id=plain["id"],
        at_utc=parse_time(plain["at"]),
        text=plain["text"][:1000],
    )


def _windows_backup(plain: Any) -> WindowsBackup | Unknown:
    if isinstance(plain, Unknown):
        return plain
    return WindowsBackup(
        is_installed=plain["is_installed"],
        is_running=plain["is_running"],
        last_success_utc=_time(plain["last_success"]),
        last_result=plain["last_result"],
        next_scheduled_utc=_time(plain["next_scheduled"]),
    )


def _queues(plain: Any) -> tuple[ReplicationQueue, ...] | Unknown:
    """None where the store has no such counter; what is not counted is then unknown of each
    database.
    """
    if isinstance(plain, Unknown):
        return plain
    return tuple(ReplicationQueue(**one) for one in plain or ())


def _records(plain: Any) -> tuple[DatabaseRecord, ...] | Unknown:
    if isinstance(plain, Unknown):
        return plain
    try:
        return tuple(from_plain(DatabaseRecord, one) for one in plain)
    except InvalidDocument as error:
        return Unknown(f"a database record on the host cannot be read: {error}")


def _recoveries(plain: Any) -> tuple[OpenRecovery, ...] | Unknown:
    if isinstance(plain, Unknown):
        return plain
    try:
        return tuple(_recovery(one) for one in plain)
    except (KeyError, TypeError, ValueError) as error:
        return Unknown(f"a recovery record on the host cannot be read: {error!r}")


def _recovery(plain: Json) -> OpenRecovery:
    for name in ("run", "database_guid", "opened_at", "phase"):
        if not isinstance(plain[name], str):
            raise TypeError(f"{name} is not a text")
    return OpenRecovery(
        run=plain["run"],
        database_guid=plain["database_guid"],
        opened_at_utc=parse_time(plain["opened_at"]),
        phase=plain["phase"],
    )
