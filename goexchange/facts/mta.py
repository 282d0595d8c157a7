"""A server with Exchange 2003, which has no cmdlets, as its host scripts described it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from goexchange.codec import parse_time, time_text
from goexchange.facts.host import decode_host
from goexchange.model.actual import (
    WITHOUT_CMDLETS,
    ActualMta,
    ActualServer,
    Generation,
    HostEvent,
    Service,
)
from goexchange.model.unknown import Unknown
from goexchange.powershell.redaction import redacted
from goexchange.powershell.sizes import ServerVersion, generation_of

Json = Mapping[str, Any]
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)\.(\d+)\Z")
NO_DATABASES = Unknown("the databases of Exchange 2003 are not observed by this version")
_NO_CMDLETS = Unknown("Exchange 2003 has no cmdlets to ask")


def is_asked_without_cmdlets(hint: Generation | None) -> bool:
    """Whether the inventory says that the server has no Exchange channel at all."""
    return hint in WITHOUT_CMDLETS


def mta_arguments(events_since: datetime) -> dict[str, str]:
    """The arguments of observe-mta."""
    return {"events_since": time_text(events_since)}


def host_only_arguments(*, root: str, events_since: datetime) -> dict[str, Any]:
    """The arguments of observe-host where no files of databases are known."""
    return {
        "root": root,
        "paths": [],
        "log_folders": [],
        "events_since": time_text(events_since),
    }


def decode_old_server(
    host: Json | Unknown, answer: Json | Unknown, *, name: str, observed_at: datetime
) -> ActualServer:
    """One server as observe-host and observe-mta described it.

    Unknown: what a script that gave nothing would have said. Build and generation are those of
    the store's own program, not what the inventory says.
    """
    version = answer if isinstance(answer, Unknown) else _version(answer["store_version"])
    return ActualServer(
        name=name,
        fqdn=name,
        observed_at_utc=observed_at,
        generation=version if isinstance(version, Unknown) else generation_of(version),
        build=version if isinstance(version, Unknown) else str(version),
        edition=_NO_CMDLETS,
        availability_group=None,
        databases=NO_DATABASES,
        host=host if isinstance(host, Unknown) else decode_host(host, observed_at),
        group=None,
        copies=(),
        mta=answer if isinstance(answer, Unknown) else _mta(answer["mta"]),
    )


def _version(text: str | None) -> ServerVersion | Unknown:
    if text is None:
        return Unknown("the program of the Information Store was not found")
    match = _VERSION.match(text)
    if match is None:
        return Unknown(f"not a file version: {text[:80]!r}")
    major, minor, build, revision = map(int, match.groups())
    return ServerVersion(major=major, minor=minor, build=build, revision=revision)


def _mta(plain: Json | None) -> ActualMta | None:
    if plain is None:
        return None
    folder = plain["data_folder"]
    return ActualMta(
        service=Service(**plain["service"]),
        dependents=tuple(Service(**each) for each in plain["dependents"]),
        tool=_path(plain["tool"], "mtacheck.exe is not beside the program of the service"),
        data_folder=_path(folder, "the folder of its queue database was not found"),
        files=plain["files"],
        size_bytes=plain["size_bytes"],
        taken_out=plain["taken_out"],
        events=tuple(_event(each) for each in plain["events"]),
    )


def _path(text: str | None, why: str) -> str | Unknown:
    return Unknown(why) if text is None else text


def _event(plain: Json) -> HostEvent:
    return HostEvent(
        log=plain["log"],
        provider=plain["provider"],
        event_id=plain["id"],
        at_utc=parse_time(plain["at"]),
        text=redacted(plain["text"]),
    )
