"""A server with Exchange 2003, which has no cmdlets, as its host scripts described it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import evolve, frozen

from goexchange.codec import parse_time, time_text
from goexchange.facts.host import decode_host
from goexchange.facts.of_2003 import Told, cluster_of_2003, files_of_stores, stores_of
from goexchange.facts.services import asked_services
from goexchange.model.actual import (
    WITHOUT_CMDLETS,
    ActualHost,
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
_NO_STORE = Unknown("the program of the Information Store was not found")
_NO_CMDLETS = Unknown("Exchange 2003 has no cmdlets to ask")


def is_asked_without_cmdlets(hint: Generation | None) -> bool:
    """Whether the inventory says that the server has no Exchange channel at all."""
    return hint in WITHOUT_CMDLETS


def mta_arguments(events_since: datetime) -> dict[str, str]:
    """The arguments of observe-mta."""
    return {"events_since": time_text(events_since)}


def old_host_arguments(
    stores: Json | Unknown, *, root: str, events_since: datetime, services: Sequence[str] = ()
) -> dict[str, Any]:
    """The arguments of observe-host: the files and log folders of every store that was named,
    and the services that somebody wants stopped.
    """
    paths, folders = files_of_stores(stores)
    return {
        "root": root,
        "paths": paths,
        "log_folders": folders,
        "events_since": time_text(events_since),
        **asked_services(services),
    }


@frozen(kw_only=True)
class OldAnswers:
    """What the scripts of one observation gave: the management objects, observe-host, observe-mta,
    and the events about free space.
    """

    stores: Json | Unknown
    host: Json | Unknown
    mta: Json | Unknown
    events: Json | Unknown | None = None


def decode_old_server(answers: OldAnswers, *, name: str, observed_at: datetime) -> ActualServer:
    """One server as its host scripts described it.

    Unknown: what a script that gave nothing would have said. Build and generation are those of
    the store's own program, not what the inventory says.
    """
    answer = answers.mta
    version = answer if isinstance(answer, Unknown) else _version(answer["store_version"])
    host = _host(answers.host, answer, observed_at)
    stores = stores_of(
        answers.stores, server=name, told=Told(host=host, events=answers.events)
    )
    return ActualServer(
        name=name,
        fqdn=name,
        observed_at_utc=observed_at,
        generation=version if isinstance(version, Unknown) else generation_of(version),
        build=version if isinstance(version, Unknown) else str(version),
        edition=_NO_CMDLETS,
        availability_group=None,
        databases=stores.databases,
        host=host,
        group=None,
        copies=(),
        mta=answer if isinstance(answer, Unknown) else _mta(answer["mta"]),
        cluster=cluster_of_2003(host, name),
        public_stores=stores.public,
        storage_groups=stores.groups,
    )


def _host(
    plain: Json | Unknown, answer: Json | Unknown, observed_at: datetime
) -> ActualHost | Unknown:
    """The host, with the build and the tools where they lie there: beside the store's program."""
    if isinstance(plain, Unknown):
        return plain
    host = decode_host(plain, observed_at)
    if isinstance(answer, Unknown):
        return host
    missing = Unknown("eseutil.exe is not beside the program of the Information Store")
    version, tool = answer["store_version"], answer["eseutil"]
    return evolve(
        host,
        exsetup_version=_NO_STORE if version is None else version,
        eseutil_version=missing if tool is None else tool["version"],
        eseutil_path=missing if tool is None else tool["path"],
    )


def _version(text: str | None) -> ServerVersion | Unknown:
    if text is None:
        return _NO_STORE
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
