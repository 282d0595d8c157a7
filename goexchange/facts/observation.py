"""One observation of one server: what to ask on both channels, and the actual state made of the
answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import evolve, frozen

from goexchange.codec import time_text
from goexchange.facts.answer import ExchangeAnswer
from goexchange.facts.databases import decode_databases
from goexchange.facts.groups import decode_copies, decode_group, paused_members
from goexchange.facts.host import decode_host
from goexchange.facts.of_2003 import statements_of_2003
from goexchange.facts.of_2007 import (
    as_later,
    cluster_of,
    finished,
    groups_of,
    is_2007,
    of_public_folders,
    statements_of_2007,
)
from goexchange.facts.public_folders import with_backlogs
from goexchange.facts.server_mode import BY_NODE, decode_mode
from goexchange.facts.services import asked_services
from goexchange.model.actual import ActualDatabase, ActualHost, ActualServer, Generation
from goexchange.model.copies import ActualGroup
from goexchange.model.plan import ExchangeCall
from goexchange.model.unknown import Unknown
from goexchange.powershell.cmdlets import check_call, get_repair_requests
from goexchange.powershell.repair_events import REPAIRS_OF_HOURS, repair_events
from goexchange.powershell.sizes import ServerVersion, generation_of, parse_server_version
from goexchange.powershell.space_events import SPACE_OF_HOURS

Json = Mapping[str, Any]
_TOLD_BY_EVENTS = {
    Generation.EXCHANGE_2007: ("read-space", SPACE_OF_HOURS),
    Generation.EXCHANGE_2010: ("read-repairs", REPAIRS_OF_HOURS),
}


@frozen(kw_only=True)
class Asked:
    """What an observation was about: the server, and the databases (GUIDs) whose repair requests
    were asked for.
    """

    server: str
    known: tuple[str, ...] = ()


def exchange_statements(
    server: str, known: Sequence[str] = (), *, generation: Generation | None = None
) -> tuple[ExchangeCall, ...]:
    """The statements of the one Exchange pipeline.

    Shape: `known` are GUIDs of databases seen before; `generation` is what the inventory says, for
    Exchange 2010 lacks a cmdlet, and one that is not there may end the whole pipeline.
    """
    if generation is Generation.EXCHANGE_2003:
        return statements_of_2003(server)
    if generation is Generation.EXCHANGE_2007:
        return tuple(map(check_call, statements_of_2007(server)))
    calls = (
        ExchangeCall(cmdlet="Get-ExchangeServer", parameters={"Identity": server}),
        ExchangeCall(cmdlet="Get-MailboxServer", parameters={"Identity": server}),
        ExchangeCall(cmdlet="Get-MailboxDatabase", parameters={"Server": server, "Status": True}),
        ExchangeCall(
            cmdlet="Get-MoveRequest",
            parameters={"MoveStatus": "InProgress", "ResultSize": "Unlimited"},
        ),
    )
    if generation is Generation.EXCHANGE_2010:  # has public folder databases, and lacks the other
        return tuple(map(check_call, (*calls, of_public_folders(server))))
    return (*map(check_call, calls), *(get_repair_requests(guid) for guid in known))


def events_asked(exchange: Json | Unknown) -> tuple[str, Mapping[str, int]] | None:
    """The host script that has to tell what no cmdlet of the server's version does, with its
    arguments; None where there is none.
    """
    if isinstance(exchange, Unknown):
        return None
    answer = ExchangeAnswer(exchange)
    version = _version(answer.text(answer.one("ExchangeServer"), "AdminDisplayVersion"))
    generation = _generation(version)
    if isinstance(generation, Unknown) or generation not in _TOLD_BY_EVENTS:
        return None
    script, hours = _TOLD_BY_EVENTS[generation]
    return script, {"hours": hours}


def host_arguments(
    exchange: Json | Unknown, *, root: str, events_since: datetime, services: Sequence[str] = ()
) -> dict[str, Any]:
    """The arguments of observe-host: the files and log folders that the Exchange channel has just
    named, and the services that somebody wants stopped; of a member of a group of Exchange 2010
    the nodes of its cluster too.
    """
    databases = (
        ()
        if isinstance(exchange, Unknown)
        else ExchangeAnswer(as_later(exchange)).databases()
    )
    return {
        "root": root,
        "paths": _texts(databases, "EdbFilePath"),
        "log_folders": _texts(databases, "LogFolderPath"),
        "events_since": time_text(events_since),
        **asked_services(services),
        **_asked_nodes(exchange),
    }


def _asked_nodes(exchange: Json | Unknown) -> dict[str, Any]:
    """Nothing where Exchange itself tells who is in maintenance mode, and where nobody can be."""
    if isinstance(exchange, Unknown):
        return {}
    answer = ExchangeAnswer(exchange)
    version = _version(answer.text(answer.one("ExchangeServer"), "AdminDisplayVersion"))
    is_member = isinstance(_availability_group(answer), str)
    return {"cluster": True} if is_member and _generation(version) in BY_NODE else {}


def decode_server(
    exchange: Json | Unknown,
    host: Json | Unknown,
    *,
    asked: Asked,
    observed_at: datetime,
    events: Json | Unknown | None = None,
) -> ActualServer:
    """One server as its two channels described it.

    Unknown: `exchange` or `host` is Unknown when the channel gave nothing; all that it would have
    said is Unknown too. `events` is the answer to `events_asked`, None where nothing is asked.
    """
    actual_host = host if isinstance(host, Unknown) else decode_host(host, observed_at)
    if isinstance(exchange, Unknown):
        return _silent(exchange, actual_host, asked=asked, observed_at=observed_at)
    answer = ExchangeAnswer(as_later(exchange))
    server = answer.one("ExchangeServer")
    fqdn = answer.text(server, "Fqdn")
    version = _version(answer.text(server, "AdminDisplayVersion"))
    group = _availability_group(answer)
    return ActualServer(
        name=asked.server,
        fqdn=asked.server if isinstance(fqdn, Unknown) else fqdn,
        observed_at_utc=observed_at,
        generation=_generation(version),
        build=version if isinstance(version, Unknown) else str(version),
        edition=answer.text(server, "Edition"),
        availability_group=group,
        databases=_databases(answer, asked, host=actual_host, events=events),
        host=actual_host,
        group=_group(answer, group, host=actual_host, generation=_generation(version)),
        copies=decode_copies(answer, group),
        mta=None,  # no version with cmdlets has one
        cluster=cluster_of(answer),
        mode=decode_mode(answer, group, _generation(version)),
        storage_groups=groups_of(answer),
    )


def _group(
    answer: ExchangeAnswer,
    name: str | None | Unknown,
    *,
    host: ActualHost | Unknown,
    generation: Generation | Unknown,
) -> ActualGroup | None | Unknown:
    """The server's group; who is in maintenance mode is told by the host where Exchange does not
    tell it.
    """
    group = decode_group(answer, name)
    if not isinstance(group, ActualGroup) or generation not in BY_NODE:
        return group
    return evolve(group, in_maintenance=paused_members(group, host))


def _silent(
    reason: Unknown, host: ActualHost | Unknown, *, asked: Asked, observed_at: datetime
) -> ActualServer:
    return ActualServer(
        name=asked.server,
        fqdn=asked.server,
        observed_at_utc=observed_at,
        generation=reason,
        build=reason,
        edition=reason,
        availability_group=reason,
        databases=reason,
        host=host,
        group=reason,
        copies=reason,
    )


def _texts(databases: Sequence[Json], name: str) -> list[str]:
    found = {database[name] for database in databases if name in database}
    return sorted(path for path in found if isinstance(path, str) and path)


def _version(text: str | Unknown) -> ServerVersion | Unknown:
    return text if isinstance(text, Unknown) else parse_server_version(text)


def _generation(version: ServerVersion | Unknown) -> Generation | Unknown:
    return version if isinstance(version, Unknown) else generation_of(version)


def _availability_group(answer: ExchangeAnswer) -> str | None | Unknown:
    server = answer.one("MailboxServer")
    if isinstance(server, Unknown):
        return server
    if "DatabaseAvailabilityGroup" not in server:
        return Unknown("Get-MailboxServer did not give DatabaseAvailabilityGroup")
    group = server["DatabaseAvailabilityGroup"]  # here nil means standalone, not unknown
    return None if group in (None, "") else str(group)


def _databases(
    answer: ExchangeAnswer,
    asked: Asked,
    *,
    host: ActualHost | Unknown,
    events: Json | Unknown | None,
) -> tuple[ActualDatabase, ...] | Unknown:
    for cmdlet in ("Get-MailboxDatabase", "Get-PublicFolderDatabase"):
        failure = answer.failure_of(cmdlet)
        if failure is not None:
            return failure
    # The inventory may know the server by its full name; Exchange's objects use the short one.
    server = answer.one("ExchangeServer")
    names = (asked.server, answer.text(server, "Name"), answer.text(server, "Fqdn"))
    own = frozenset(name.lower() for name in names if not isinstance(name, Unknown))
    found = decode_databases(answer, servers=own, known=asked.known)
    if isinstance(found, Unknown):
        return found
    found = with_backlogs(found, answer, host=host)
    if is_2007(answer.plain):
        return finished(found, answer, host=host, events=events)
    if events is None:
        return found
    return tuple(evolve(one, has_repair_requests=_has_open(one, events)) for one in found)


def _has_open(database: ActualDatabase, repairs: Json | Unknown) -> bool | Unknown:
    """Whether the store's events tell of a request that has begun and not ended."""
    if isinstance(repairs, Unknown):
        return repairs
    found = repair_events(repairs, name=database.name, guid=database.guid)
    return found if isinstance(found, Unknown) else found.is_open
