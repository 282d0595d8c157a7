"""What runs have left on a host, as the read-runs script described it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from goexchange.codec import parse_time
from goexchange.model.left import (
    FileSeen,
    JobLeft,
    KeptRun,
    LeftOnHost,
    Listed,
    RecoveryRecord,
    SentinelLeft,
)
from goexchange.model.server import NO_DATABASES
from goexchange.model.unknown import Unknown

Json = Mapping[str, Any]
T = TypeVar("T")
_NAMED = ("database", "original", "kept", "temporary", "set_aside")
_TOLD = ("is_mount_at_startup", "set_folder")


def decode_left(server: str, result: Json) -> LeftOnHost:
    """The result of read-runs (already checked against its contract).

    Unknown: every part that the script names in `failures`, or that cannot be read.
    """
    failures = {one["part"]: one["message"] for one in result["failures"]}

    def several(part: str, decode: Callable[[Json], T]) -> tuple[T, ...] | Unknown:
        if part in failures:
            return Unknown(f"the host could not say: {failures[part]}")
        try:
            return tuple(decode(one) for one in result[part])
        except (KeyError, TypeError, ValueError) as error:
            return Unknown(f"{part} of {server} cannot be read: {error!r}")

    return LeftOnHost(
        server=server,
        clock_utc=parse_time(result["clock"]),
        boot_id=result["boot_id"],
        fence=result["fence"],
        fence_holder=result["fence_holder"],
        recoveries=several("recoveries", _recovery),
        runs=several("runs", _run),
        sentinels=several("sentinels", _sentinel),
        jobs=several("jobs", _job),
        looked_at=several("looked_at", _seen),
        listed=several("listed", _listed),
    )


def _recovery(plain: Json) -> RecoveryRecord:
    content = plain["content"]
    if not isinstance(plain["run"], str) or not isinstance(content, dict):
        raise TypeError("not a recovery record")
    is_open = plain["state"] != "closed"
    if is_open and plain["database_guid"].lower() not in NO_DATABASES:
        _require_named(plain["run"], content)
    return RecoveryRecord(
        run=plain["run"],
        database_guid=plain["database_guid"].lower(),
        is_open=is_open,
        opened_at_utc=parse_time(plain["opened_at"]),
        written_at_utc=parse_time(plain["written_at"]),
        phase=str(plain["phase"]),
        content=plain["content"],
    )


def _require_named(run: str, content: Json) -> None:
    """What a release needs of a record. Raises: ValueError."""
    missing = [name for name in _NAMED if name not in content or not isinstance(content[name], str)]
    missing += [name for name in _TOLD if name not in content]
    if missing:
        raise ValueError(f"the record of run {run} does not tell {', '.join(missing)}")


def _run(plain: Json) -> KeptRun:
    alive = plain["alive_at"]
    return KeptRun(
        run=plain["run"],
        holder=plain["holder"],
        alive_at_utc=None if alive is None else parse_time(alive),
        sizes={one["name"]: one["size_bytes"] for one in plain["files"]},
    )


def _sentinel(plain: Json) -> SentinelLeft:
    return SentinelLeft(
        database_guid=plain["database_guid"].lower(),
        run=plain["run"],
        fed_at_utc=parse_time(plain["fed_at"]),
        is_task_present=plain["is_task_present"],
    )


def _job(plain: Json) -> JobLeft:
    return JobLeft(
        job=plain["job"],
        kind=plain["kind"],
        state=plain["state"],
        begun_at_utc=parse_time(plain["begun_at"]),
        size_bytes=plain["size_bytes"],
    )


def _seen(plain: Json) -> FileSeen:
    return FileSeen(
        path=plain["path"],
        size_bytes=plain["size_bytes"],
        modified_at_utc=parse_time(plain["modified_at"]),
        is_open=plain["is_open"],
        header_sha256=plain["header_sha256"],
        start=None if plain["start"] is None else base64.b64decode(plain["start"]),
    )


def _listed(plain: Json) -> Listed:
    return Listed(
        path=plain["path"],
        is_folder=plain["is_folder"],
        size_bytes=plain["size_bytes"],
        modified_at_utc=parse_time(plain["modified_at"]),
        is_link=plain["is_link"],
        files=plain["files"],
    )
